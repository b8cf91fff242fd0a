"""Parsing and applying a PATCH of permissions: all changes of a request, or none. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.api.errors import ApiError, invalid
from emulator.grants.privileges import ALL, APPLICABLE, normalized
from emulator.models.unity_catalog.securables import Grant


@dataclass(frozen=True, slots=True)
class Change:
    """Privileges to add to and remove from a principal. From a deleted one, given by its id, they are only removed."""

    principal: str
    add: tuple[str, ...]
    remove: tuple[str, ...]
    principal_id: str = ""


def parse(body: Mapping[str, Any], type: str, label: str) -> list[Change]:
    """Return the changes of a request body. `label` is the name of the securable in messages.

    Raises 400 for privileges that do not apply to the type, for a privilege that is both added and removed, for
    privileges that are added to a principal id, and for a malformed body.
    """
    given = body.get("changes") or []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise invalid("changes must be a list of objects")
    changes = [
        Change(
            _text(one, "principal"),
            _privileges(one, "add", type, label),
            _privileges(one, "remove", type, label),
            _text(one, "principal_id"),
        )
        for one in given
    ]
    for sent, change in zip(given, changes, strict=True):
        _require_one_principal(sent, change)
    for principal in {change.principal for change in changes}:
        added = {name for change in changes if change.principal == principal for name in change.add}
        removed = {name for change in changes if change.principal == principal for name in change.remove}
        if added & removed:
            raise invalid(f"Duplicate privileges to add and delete for principal {principal}.")
    return changes


def changed(grants: Mapping[str, Grant], changes: Sequence[tuple[str, Change]]) -> dict[str, Grant]:
    """Return the grants after these changes, by principal id, without empty ones."""
    after = {id: Grant(grant.principal, list(grant.privileges)) for id, grant in grants.items()}
    for id, change in changes:
        held = set(after[id].privileges) if id in after else set()
        # Removing ALL_PRIVILEGES removes all other privileges, too.
        kept = set() if ALL in change.remove else held - set(change.remove)
        after[id] = Grant(change.principal, sorted(kept | set(change.add)))
    return {id: grant for id, grant in after.items() if grant.privileges}


def _require_one_principal(sent: Mapping[str, Any], change: Change) -> None:
    if not change.principal_id:
        if not isinstance(sent.get("principal"), str):
            raise invalid("Missing required field: principal")
    elif change.principal:
        raise invalid("Only one of principal and principal_id may be specified.")
    elif change.add:
        raise invalid("Privileges cannot be added to a principal_id, only removed.")


def _text(change: Mapping[str, Any], field: str) -> str:
    value = change.get(field)
    return value if isinstance(value, str) else ""


def _privileges(change: Mapping[str, Any], field: str, type: str, label: str) -> tuple[str, ...]:
    given = change.get(field) or []
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise invalid(f"{field} must be a list of privileges")
    names = tuple(normalized(name) for name in given)
    for unknown in _inapplicable(names, type):
        raise unknown_privilege(unknown, label)
    return names


def _inapplicable(names: Iterable[str], type: str) -> Iterable[str]:
    return (name for name in names if name not in APPLICABLE[type])


def unknown_privilege(name: str, label: str) -> ApiError:
    """Return the error for a privilege that does not apply to the securable (400)."""
    return invalid(
        f"Privilege {name} is not applicable to this entity [{label}]. If this seems unexpected, please check the "
        "privilege version of the metastore in use [1.0]."
    )
