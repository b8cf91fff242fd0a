"""`/api/2.0/settings/types/…/names/default`: settings that are read, changed and reset under an etag."""

from dataclasses import dataclass
from typing import Any

from emulator.api.errors import ApiError, invalid
from emulator.api.routing import Call, Routes
from emulator.models.settings import LEGACY_DBFS, Versioned
from emulator.permissions.rights import require_admin

PATH = "/api/2.0/settings/types/{type}/names/default"


@dataclass(frozen=True)
class Type:
    field: str
    """The field of the document that holds the setting."""
    part: str
    """The field in that one that holds its value."""
    kind: type
    default: Any
    """None: there is no such setting until somebody makes it."""
    guarded: bool
    """Whether a change without an etag is refused."""


TYPES = {
    LEGACY_DBFS: Type("disable_legacy_dbfs", "value", bool, False, False),
    "disable_legacy_access": Type("disable_legacy_access", "value", bool, False, False),
    "default_namespace_ws": Type("namespace", "value", str, None, True),
    "restrict_workspace_admins": Type("restrict_workspace_admins", "status", str, "ALLOW_ALL", True),
}


class EtagError(ApiError):
    """A refusal that tells the etag to come back with."""

    def __init__(self, status: int, code: str, message: str, etag: str) -> None:
        super().__init__(status, code, message)
        self.etag = etag

    def body(self) -> dict[str, Any]:
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": self.code,
            "domain": "settings",
            "metadata": {"etag": self.etag},
        }
        return super().body() | {"details": [info]}


routes = Routes()


@routes.get(PATH)
def show(call: Call) -> dict[str, Any]:
    return _document(call, *_named(call))


@routes.patch(PATH)
def change(call: Call) -> dict[str, Any]:
    require_admin(call)
    name, type, stored = _named(call)
    setting = call.required("setting")
    if not isinstance(setting, dict):
        raise invalid("setting must be an object.")
    given = setting.get(type.field)
    value = given.get(type.part, "" if type.kind is str else False) if isinstance(given, dict) else None
    if not isinstance(value, type.kind):
        raise invalid(f"setting.{type.field}.{type.part} must be a {type.kind.__name__}, not {value!r}.")
    _check_etag(call, name, type, stored, setting.get("etag"))
    _keep(call, name, stored, {type.field: {type.part: value}})
    return _document(call, name, type, stored)


@routes.delete(PATH)
def reset(call: Call) -> dict[str, Any]:
    """Back to the default; the answer tells the new etag."""
    require_admin(call)
    name, type, stored = _named(call)
    _check_etag(call, name, type, stored, call.argument("etag"))
    _keep(call, name, stored, None)
    return {"etag": _etag(stored)}


def _named(call: Call) -> tuple[str, Type, Versioned]:
    name = call.parameters["type"]
    if name not in TYPES:
        raise ApiError(501, "NOT_IMPLEMENTED", f"The emulator has no setting {name!r}.")
    return name, TYPES[name], call.workspace.state.settings.versioned.get(name, Versioned())


def _keep(call: Call, name: str, stored: Versioned, value: dict[str, Any] | None) -> None:
    stored.value, stored.version = value, stored.version + 1
    call.workspace.state.settings.versioned[name] = stored


def _document(call: Call, name: str, type: Type, stored: Versioned) -> dict[str, Any]:
    default = not call.workspace.options.dbfs if name == LEGACY_DBFS else type.default
    value = stored.value or (None if default is None else {type.field: {type.part: default}})
    if value is None:
        raise EtagError(404, "RESOURCE_DOES_NOT_EXIST", f"Setting {name} does not exist.", _etag(stored))
    return value | {"setting_name": "default", "etag": _etag(stored)}


def _check_etag(call: Call, name: str, type: Type, stored: Versioned, given: Any) -> None:
    """Raises 409, or 404 where there is nothing yet, with the etag that is valid."""
    if given == _etag(stored) or (not given and not type.guarded):
        return
    if stored.value is None and type.default is None:
        raise EtagError(404, "RESOURCE_DOES_NOT_EXIST", f"Setting {name} does not exist.", _etag(stored))
    text = f"Setting {name} has been changed since it was read; use its current etag."
    raise EtagError(409, "RESOURCE_CONFLICT", text, _etag(stored))


def _etag(stored: Versioned) -> str:
    return f"v{stored.version}"
