"""SCIM documents for users, groups and service principals, with all or some attributes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emulator.api.errors import ScimError
from emulator.models.scim import Directory, Group, Principal, ResourceKind, ServicePrincipal, User

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
USER_SCHEMAS = [f"{CORE}User", "urn:ietf:params:scim:schemas:extension:workspace:2.0:User"]

ALWAYS_SHOWN = frozenset({"id", "applicationid", "active"})
"""Attributes that are always shown: if one is missing, clients mistake the resource for a different kind."""

PUBLIC_ATTRIBUTES = frozenset(
    {"schemas", "id", "username", "displayname", "applicationid", "active", "name", "members", "meta"}
)
"""Attributes of other principals that users without admin rights may read."""


@dataclass(frozen=True)
class Projection:
    """The attributes that a caller requested and may read. Names are in lower case."""

    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    allowed: frozenset[str] | None = None
    """None means every attribute."""

    @classmethod
    def of(cls, attributes: str | None, excluded: str | None, allowed: frozenset[str] | None = None) -> "Projection":
        """Return the projection for comma-separated names; `name.givenName` selects the whole attribute `name`.

        Raises ScimError 403 for a requested attribute that is not allowed.
        """
        named = _names(attributes)
        denied = named - allowed if allowed is not None else frozenset()
        if denied & ADMIN_ATTRIBUTES:
            text = (
                f"Only administrators can read the attributes {', '.join(sorted(denied & ADMIN_ATTRIBUTES))} of others."
            )
            raise ScimError(403, text)
        return cls(named or None, _names(excluded), allowed)

    def shows(self, name: str) -> bool:
        """Return whether the document has this attribute (lower case)."""
        if name in ALWAYS_SHOWN:
            return True
        if name in self.without or not self.allows(name):
            return False
        return self.only is None or name in self.only

    def allows(self, path: str) -> bool:
        """Return whether the caller may read the attribute or the part of an attribute at `path`."""
        return self.allowed is None or path.partition(".")[0] in self.allowed


WHOLE = Projection()


class Renderer:
    """Renders the documents for one request. With `several` it caches memberships: do not use it after a change."""

    def __init__(
        self, directory: Directory, projection: Projection = WHOLE, several: bool = False, account: bool = False
    ) -> None:
        """With `account`, the documents show only memberships in account groups, as in the account."""
        self._directory = directory
        self._account = account
        self.projection = projection
        self._several = several

    def document(self, principal: Principal) -> dict[str, Any]:
        """Return the attributes in the projection. Attributes without a value are omitted; empty lists are included."""
        shown = {}
        for name, lowered, getter in ATTRIBUTES[type(principal)]:
            if self.projection.shows(lowered):
                value = getter(self, principal)
                if value is not None:
                    shown[name] = value
        return shown

    def values(self, principal: Principal, path: str) -> list[str]:
        """Return the values of an attribute, or of a part such as `name.givenname`, as strings, for filters and
        sorting."""
        name, _, part = path.partition(".")
        getter = GETTERS[type(principal)].get(name)
        value = getter(self, principal) if getter else None
        if value is None:
            return []
        if isinstance(value, bool):
            return [str(value).lower()]
        if isinstance(value, str):
            return [value]
        items = value if isinstance(value, list) else [value]
        return [str(text) for item in items for text in _part(item, part or "value")]

    def groups_of(self, principal: Principal) -> list[dict[str, str]]:
        return [
            {"display": group.display_name, "type": "direct", "value": group.id, "$ref": f"Groups/{group.id}"}
            for group in self._groups_with(principal.id)
            if (group.account_level if self._account else group.assigned)
        ]

    def members_of(self, group: Group) -> list[dict[str, str]]:
        found = []
        for member_id in group.members:
            member = self._directory.principal(member_id)
            if member is not None:
                reference = f"{self._directory.kind(member_id)}/{member_id}"
                found.append({"display": member.display_name, "value": member_id, "$ref": reference})
        return found

    def _groups_with(self, member_id: str) -> Iterable[Group]:
        return self._parents.get(member_id, ()) if self._several else self._directory.parents(member_id)

    @cached_property
    def _parents(self) -> dict[str, list[Group]]:
        found: dict[str, list[Group]] = {}
        for group in self._directory.groups.values():
            for member_id in group.members:
                found.setdefault(member_id, []).append(group)
        return found


def me_document(directory: Directory, caller: User | ServicePrincipal, projection: Projection) -> dict[str, Any]:
    """Return the caller as a user document, even for a service principal, as the platform does."""
    document = Renderer(directory, projection).document(caller)
    if isinstance(caller, ServicePrincipal):
        document.pop("applicationId", None)
        document |= {"userName": caller.application_id} if projection.shows("username") else {}
        document |= {"schemas": USER_SCHEMAS} if projection.shows("schemas") else {}
    return document


def _part(item: Any, part: str) -> list[Any]:
    if not isinstance(item, dict):
        return [item] if part == "value" else []
    return [value for name, value in item.items() if name.lower() == part]


def _names(text: str | None) -> frozenset[str]:
    names = (part.strip().strip('"').lower().partition(".")[0] for part in (text or "").split(","))
    return frozenset(name for name in names if name)


def _complex(values: list[str]) -> list[dict[str, str]]:
    return [{"value": value} for value in values]


def _name(user: User) -> dict[str, str] | None:
    parts = {"givenName": user.given_name, "familyName": user.family_name}
    return {name: part for name, part in parts.items() if part} or None


def _emails(user: User) -> list[dict[str, Any]]:
    return [{"type": "work", "value": email, "primary": position == 0} for position, email in enumerate(user.emails)]


AttributeGetter = Callable[[Renderer, Any], Any]

_COMMON: dict[str, AttributeGetter] = {
    "externalId": lambda renderer, principal: principal.external_id,
    "groups": lambda renderer, principal: renderer.groups_of(principal),
    "roles": lambda renderer, principal: _complex(principal.roles),
    "entitlements": lambda renderer, principal: _complex(principal.entitlements),
}
_DOCUMENTS: dict[type[Principal], dict[str, AttributeGetter]] = {
    User: {
        "schemas": lambda renderer, user: USER_SCHEMAS,
        "id": lambda renderer, user: user.id,
        "userName": lambda renderer, user: user.user_name,
        "displayName": lambda renderer, user: user.display_name,
        "active": lambda renderer, user: user.active,
        "name": lambda renderer, user: _name(user),
        "emails": lambda renderer, user: _emails(user),
    }
    | _COMMON,
    ServicePrincipal: {
        "schemas": lambda renderer, principal: [f"{CORE}ServicePrincipal"],
        "id": lambda renderer, principal: principal.id,
        "applicationId": lambda renderer, principal: principal.application_id,
        "displayName": lambda renderer, principal: principal.display_name,
        "active": lambda renderer, principal: principal.active,
    }
    | _COMMON,
    Group: {
        "schemas": lambda renderer, group: [f"{CORE}Group"],
        "id": lambda renderer, group: group.id,
        "displayName": lambda renderer, group: group.display_name,
        "members": lambda renderer, group: renderer.members_of(group),
        "meta": lambda renderer, group: {"resourceType": "Group" if group.account_level else "WorkspaceGroup"},
    }
    | _COMMON,
}
GETTERS: dict[type[Principal], dict[str, AttributeGetter]] = {
    type: {name.lower(): getter for name, getter in getters.items()} for type, getters in _DOCUMENTS.items()
}
ATTRIBUTES: dict[type[Principal], list[tuple[str, str, AttributeGetter]]] = {
    type: [(name, name.lower(), getter) for name, getter in getters.items()] for type, getters in _DOCUMENTS.items()
}
TYPES: dict[ResourceKind, type[Principal]] = {"Users": User, "Groups": Group, "ServicePrincipals": ServicePrincipal}
PARTS = {
    "name": ("givenname", "familyname"),
    "emails": ("type", "primary"),
    "members": ("display", "$ref"),
    "groups": ("display", "type", "$ref"),
}
ADMIN_ATTRIBUTES = frozenset(name for getters in GETTERS.values() for name in getters) - PUBLIC_ATTRIBUTES


def paths(kind: ResourceKind) -> set[str]:
    """Return all attributes that a filter on this kind may use, in lower case."""
    names = set(GETTERS[TYPES[kind]])
    return names | {f"{name}.{part}" for name in names for part in PARTS.get(name, ())}
