"""Applies SCIM PATCH operations to plain data, before anything is changed.

A resource maps its changeable attributes to a string or None (`displayName`, `name.givenName`), a bool (`active`) or a
list of unique values (`members`, `entitlements`). It has no other attributes.
"""

import re
from collections.abc import Mapping
from typing import Any

from emulator.api.errors import ScimError
from emulator.scim import filters

Resource = dict[str, Any]

READ_ONLY = frozenset({"id", "schemas", "meta", "username", "emails", "applicationid"})
"""Attributes (lower case) whose changes the platform silently ignores."""

TOLERANT = frozenset({"members", "groups"})
"""Attributes for which removing a missing value is not an error; for others it is an `invalidPath` error."""

_PATH = re.compile(r"(?:urn:[\w:.]+:)?(?P<name>\w+(?:\.\w+)?)(?:\[(?P<condition>.*)\])?(?:\.\w+)?")


def patched(resource: Mapping[str, Any], body: Mapping[str, Any]) -> Resource:
    """Return the resource after all operations in a PATCH body. Raises ScimError 400 if an operation is invalid."""
    changed: Resource = {name: list(value) if isinstance(value, list) else value for name, value in resource.items()}
    operations = body.get("Operations", body.get("operations"))
    if not isinstance(operations, list) or not operations:
        raise ScimError(400, "Operations must be a list that is not empty.", "invalidSyntax")
    for operation in operations:
        if not isinstance(operation, dict):
            raise ScimError(400, "Each of the Operations must be an object.", "invalidSyntax")
        _apply(changed, operation)
    return changed


def values_of(given: Any) -> list[str]:
    """Return the values in `[{"value": "a"}, …]`, in one such object, or in a list of strings; `[{}]` has no values.

    Raises ScimError 400 `invalidValue` for anything else.
    """
    items = given if isinstance(given, list) else [given]
    found: list[str] = []
    for item in items:
        value = item.get("value", "") if isinstance(item, dict) else item
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise ScimError(400, f'Expected a list of {{"value": …}}, not {given!r}.', "invalidValue")
        if value and value not in found:
            found.append(value)
    return found


def bool_of(given: Any) -> bool:
    """Parse a bool, `"true"`, `"False"`, or a list of one `{"value": "false"}`. Raises ScimError 400 `invalidValue`."""
    value = given
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, str) and value.lower() in ("true", "false"):
        value = value.lower() == "true"
    if not isinstance(value, bool):
        raise ScimError(400, f"Expected true or false, not {given!r}.", "invalidValue")
    return value


def text_of(given: Any) -> str | None:
    """Return the string, or None if it is empty. Raises ScimError 400 `invalidValue` for other types."""
    value = given
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0].get("value")
    if value is not None and not isinstance(value, str):
        raise ScimError(400, f"Expected text, not {given!r}.", "invalidValue")
    return value or None


def _apply(resource: Resource, operation: Mapping[str, Any]) -> None:
    kind = str(operation.get("op", "")).lower()
    path, value = operation.get("path"), operation.get("value")
    if kind not in ("add", "remove", "replace"):
        raise ScimError(400, f"op must be add, remove or replace, not {operation.get('op')!r}.", "invalidSyntax")
    if path:
        _apply_at(resource, kind, str(path), value)
        return
    if kind == "remove":
        raise ScimError(400, "A remove operation needs a path.", "noTarget")
    if not isinstance(value, dict):
        raise ScimError(400, "An operation without a path needs an object as its value.", "invalidValue")
    for name, part in value.items():
        _apply_at(resource, kind, name, part)


def _apply_at(resource: Resource, kind: str, path: str, value: Any) -> None:
    match = _PATH.fullmatch(path.strip())
    if match is None:
        raise _no_attribute(path)
    written, condition = match["name"], match["condition"]
    if written.lower() == "name" and isinstance(value, dict):
        for part, given in value.items():
            _apply_at(resource, kind, f"name.{part}", given)
        return
    name = next((known for known in resource if known.lower() == written.lower()), None)
    if name is None:
        # `members.value` means `members`; for an unknown name, the part after the dot is irrelevant.
        name = next((known for known in resource if known.lower() == written.partition(".")[0].lower()), None)
    if name is None:
        if written.partition(".")[0].lower() in READ_ONLY:
            return
        raise _no_attribute(written)
    if isinstance(resource[name], list):
        resource[name] = _list_after(name, resource[name], kind, condition, value)
    elif kind == "remove":
        if resource[name] is None:
            raise _no_attribute(name)
        resource[name] = True if isinstance(resource[name], bool) else None
    else:
        resource[name] = bool_of(value) if isinstance(resource[name], bool) else text_of(value)


def _list_after(name: str, present: list[str], kind: str, condition: str | None, value: Any) -> list[str]:
    if kind == "remove" and not present and name not in TOLERANT:
        raise _no_attribute(name)
    if condition is not None:
        return _filtered_list(present, kind, condition, value)
    if kind == "add":
        return list(dict.fromkeys([*present, *values_of(value)]))
    if kind == "replace":
        return values_of(value)
    gone = present if value is None else values_of(value)
    return [item for item in present if item not in gone]


def _filtered_list(present: list[str], kind: str, condition: str, value: Any) -> list[str]:
    chosen = filters.parse(condition, {"value"})
    met = [item for item in present if chosen(lambda name, item=item: [item])]  # type: ignore[misc]
    if kind != "remove" and not met:
        raise ScimError(400, f"Nothing meets [{condition}].", "noTarget")
    others = [item for item in present if item not in met]
    if kind == "remove":
        return others
    return list(dict.fromkeys([*(others if kind == "replace" else present), *values_of(value)]))


def _no_attribute(name: str) -> ScimError:
    # The provider compares the first words of this message, and then treats the attribute as already removed.
    return ScimError(400, f"No such attribute with the name : {name} in the current resource", "invalidPath")
