"""`/api/2.0/settings/types/…/names/default`: settings that are changed and reset with an etag."""

from dataclasses import dataclass
from typing import Any

from emulator.api.errors import ApiError, invalid
from emulator.api.routing import Request, Routes
from emulator.models.settings import LEGACY_DBFS, VersionedSetting
from emulator.permissions.rights import require_admin

PATH = "/api/2.0/settings/types/{type}/names/default"


@dataclass(frozen=True)
class SettingType:
    field: str
    """The document's field with the setting."""
    value_field: str
    """The field with the value, inside `field`."""
    kind: type
    default: Any
    """None means that the setting does not exist until it is created."""
    etag_required: bool
    """Whether changes need an etag."""


TYPES = {
    LEGACY_DBFS: SettingType("disable_legacy_dbfs", "value", bool, False, False),
    "disable_legacy_access": SettingType("disable_legacy_access", "value", bool, False, False),
    "default_namespace_ws": SettingType("namespace", "value", str, None, True),
    "restrict_workspace_admins": SettingType("restrict_workspace_admins", "status", str, "ALLOW_ALL", True),
}


class EtagError(ApiError):
    """An error with the current etag."""

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
def show(request: Request) -> dict[str, Any]:
    return _document(request, *_setting(request))


@routes.patch(PATH)
def change(request: Request) -> dict[str, Any]:
    require_admin(request)
    name, type, stored = _setting(request)
    setting = request.required("setting")
    if not isinstance(setting, dict):
        raise invalid("setting must be an object.")
    given = setting.get(type.field)
    value = given.get(type.value_field, "" if type.kind is str else False) if isinstance(given, dict) else None
    if not isinstance(value, type.kind):
        raise invalid(f"setting.{type.field}.{type.value_field} must be a {type.kind.__name__}, not {value!r}.")
    _check_etag(request, name, type, stored, setting.get("etag"))
    _store(request, name, stored, {type.field: {type.value_field: value}})
    return _document(request, name, type, stored)


@routes.delete(PATH)
def reset(request: Request) -> dict[str, Any]:
    """Reset the setting to its default; return the new etag."""
    require_admin(request)
    name, type, stored = _setting(request)
    _check_etag(request, name, type, stored, request.argument("etag"))
    _store(request, name, stored, None)
    return {"etag": _etag(stored)}


def _setting(request: Request) -> tuple[str, SettingType, VersionedSetting]:
    name = request.parameters["type"]
    if name not in TYPES:
        raise ApiError(501, "NOT_IMPLEMENTED", f"The emulator has no setting {name!r}.")
    return name, TYPES[name], request.workspace.state.settings.versioned.get(name, VersionedSetting())


def _store(request: Request, name: str, stored: VersionedSetting, value: dict[str, Any] | None) -> None:
    stored.value, stored.version = value, stored.version + 1
    request.workspace.state.settings.versioned[name] = stored


def _document(request: Request, name: str, type: SettingType, stored: VersionedSetting) -> dict[str, Any]:
    default = not request.workspace.options.dbfs if name == LEGACY_DBFS else type.default
    value = stored.value or (None if default is None else {type.field: {type.value_field: default}})
    if value is None:
        raise EtagError(404, "RESOURCE_DOES_NOT_EXIST", f"Setting {name} does not exist.", _etag(stored))
    return value | {"setting_name": "default", "etag": _etag(stored)}


def _check_etag(request: Request, name: str, type: SettingType, stored: VersionedSetting, given: Any) -> None:
    """Raise 409, or 404 if the setting does not exist, with the current etag."""
    if given == _etag(stored) or (not given and not type.etag_required):
        return
    if stored.value is None and type.default is None:
        raise EtagError(404, "RESOURCE_DOES_NOT_EXIST", f"Setting {name} does not exist.", _etag(stored))
    text = f"Setting {name} has been changed since it was read; use its current etag."
    raise EtagError(409, "RESOURCE_CONFLICT", text, _etag(stored))


def _etag(stored: VersionedSetting) -> str:
    return f"v{stored.version}"
