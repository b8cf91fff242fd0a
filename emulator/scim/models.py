"""Who there is in the workspace and who belongs to which group."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

ADMINS = "admins"
USERS = "users"
ENTITLEMENTS = (
    "allow-cluster-create",
    "allow-instance-pool-create",
    "databricks-sql-access",
    "workspace-access",
    "workspace-consume",
)


@dataclass(kw_only=True)
class Principal:
    id: str
    """A decimal number, unique over users, groups and service principals."""
    external_id: str | None = None
    entitlements: list[str] = field(default_factory=list)
    """Those given to this principal itself, not those of its groups."""
    roles: list[str] = field(default_factory=list)
    created_at: int = 0
    visible_from: int = 0
    """Lists leave it out before this instant (eventual SCIM visibility)."""


@dataclass(kw_only=True)
class User(Principal):
    user_name: str
    display_name: str
    active: bool = True
    given_name: str | None = None
    family_name: str | None = None
    emails: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What permissions and creator fields call it."""
        return self.user_name


@dataclass(kw_only=True)
class ServicePrincipal(Principal):
    application_id: str
    display_name: str
    active: bool = True

    @property
    def name(self) -> str:
        return self.application_id


@dataclass(kw_only=True)
class Group(Principal):
    display_name: str
    members: list[str] = field(default_factory=list)
    """Ids of users, service principals and groups, in the order they joined."""
    account_level: bool = False
    """Made in the account, not in this workspace: it can be used here, not changed."""

    @property
    def name(self) -> str:
        return self.display_name


Kind = Literal["Users", "Groups", "ServicePrincipals"]


@dataclass
class Directory:
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    service_principals: dict[str, ServicePrincipal] = field(default_factory=dict)

    def kind(self, principal_id: str) -> Kind | None:
        if principal_id in self.users:
            return "Users"
        if principal_id in self.groups:
            return "Groups"
        return "ServicePrincipals" if principal_id in self.service_principals else None

    def principal(self, principal_id: str) -> User | Group | ServicePrincipal | None:
        return (
            self.users.get(principal_id) or self.service_principals.get(principal_id) or self.groups.get(principal_id)
        )

    def user_named(self, user_name: str) -> User | None:
        wanted = user_name.casefold()
        return next((user for user in self.users.values() if user.user_name.casefold() == wanted), None)

    def group_named(self, display_name: str) -> Group | None:
        wanted = display_name.casefold()
        return next((group for group in self.groups.values() if group.display_name.casefold() == wanted), None)

    def service_principal_named(self, application_id: str) -> ServicePrincipal | None:
        wanted = application_id.casefold()
        found = (sp for sp in self.service_principals.values() if sp.application_id.casefold() == wanted)
        return next(found, None)

    def parents(self, principal_id: str) -> Iterator[Group]:
        """The groups it is a direct member of."""
        return (group for group in self.groups.values() if principal_id in group.members)

    def memberships(self, principal_id: str) -> set[str]:
        """Ids of all groups it belongs to, through other groups too."""
        found: set[str] = set()
        waiting = [principal_id]
        while waiting:
            for group in self.parents(waiting.pop()):
                if group.id not in found:
                    found.add(group.id)
                    waiting.append(group.id)
        return found

    def is_admin(self, principal_id: str) -> bool:
        admins = self.group_named(ADMINS)
        return admins is not None and admins.id in self.memberships(principal_id)

    def has_entitlement(self, principal_id: str, entitlement: str) -> bool:
        """Given to it or to one of its groups. Admins have all."""
        holders = {principal_id, *self.memberships(principal_id)}
        given = any(
            principal is not None and entitlement in principal.entitlements
            for principal in map(self.principal, holders)
        )
        return given or self.is_admin(principal_id)
