"""Users, groups and service principals in the workspace, and group membership."""

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
    display_name: str
    external_id: str | None = None
    entitlements: list[str] = field(default_factory=list)
    """Only the principal's own entitlements, without entitlements from groups."""
    roles: list[str] = field(default_factory=list)
    created_at: int = 0
    visible_from: int = 0
    """Until this instant lists omit the principal (eventual SCIM visibility)."""

    @property
    def name(self) -> str:
        """The name in permissions and creator fields."""
        return self.display_name


@dataclass(kw_only=True)
class User(Principal):
    user_name: str
    """In lower case, as on the platform."""
    active: bool = True
    given_name: str | None = None
    family_name: str | None = None
    emails: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.user_name


@dataclass(kw_only=True)
class ServicePrincipal(Principal):
    application_id: str
    active: bool = True

    @property
    def name(self) -> str:
        return self.application_id


@dataclass(kw_only=True)
class Group(Principal):
    members: list[str] = field(default_factory=list)
    """Ids of users, service principals and groups, in the order of joining."""
    account_level: bool = False
    """Whether the group was created in the account, so that this workspace can use it, but not change it."""
    assigned: bool = True
    """Whether the group is assigned to this workspace. Other account groups matter only in Unity Catalog."""


ResourceKind = Literal["Users", "Groups", "ServicePrincipals"]


@dataclass
class Directory:
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    service_principals: dict[str, ServicePrincipal] = field(default_factory=dict)

    def kind(self, principal_id: str) -> ResourceKind | None:
        if principal_id in self.users:
            return "Users"
        if principal_id in self.groups:
            return "Groups"
        return "ServicePrincipals" if principal_id in self.service_principals else None

    def principal(self, principal_id: str) -> User | Group | ServicePrincipal | None:
        return (
            self.users.get(principal_id) or self.service_principals.get(principal_id) or self.groups.get(principal_id)
        )

    def find_user(self, user_name: str) -> User | None:
        wanted = user_name.casefold()
        return next((user for user in self.users.values() if user.user_name.casefold() == wanted), None)

    def find_group(self, display_name: str) -> Group | None:
        """Return the group of this workspace with that name: its own, or an assigned one of the account."""
        wanted = display_name.casefold()
        return next(
            (group for group in self.groups.values() if group.display_name.casefold() == wanted and group.assigned),
            None,
        )

    def find_account_group(self, display_name: str) -> Group | None:
        """Return the group of the account with that name, assigned to this workspace or not."""
        wanted = display_name.casefold()
        groups = (group for group in self.groups.values() if group.account_level)
        return next((group for group in groups if group.display_name.casefold() == wanted), None)

    def find_service_principal(self, application_id: str) -> ServicePrincipal | None:
        wanted = application_id.casefold()
        found = (sp for sp in self.service_principals.values() if sp.application_id.casefold() == wanted)
        return next(found, None)

    def parents(self, principal_id: str) -> Iterator[Group]:
        """Yield the groups with this principal as a direct member."""
        return (group for group in self.groups.values() if principal_id in group.members)

    def add(self, principal: Principal) -> None:
        """Add a new principal. Users and service principals become members of `users`."""
        if isinstance(principal, Group):
            self.groups[principal.id] = principal
            return
        if isinstance(principal, User):
            self.users[principal.id] = principal
        elif isinstance(principal, ServicePrincipal):
            self.service_principals[principal.id] = principal
        everybody = self.find_group(USERS)
        if everybody and principal.id not in everybody.members:
            everybody.members.append(principal.id)

    def remove(self, principal_id: str) -> None:
        """Remove a principal and its memberships."""
        for group in self.parents(principal_id):
            group.members.remove(principal_id)
        for kind in (self.users, self.groups, self.service_principals):
            kind.pop(principal_id, None)

    def memberships(self, principal_id: str) -> set[str]:
        """Return the ids of all groups that contain the principal, directly or through other groups."""
        found: set[str] = set()
        waiting = [principal_id]
        while waiting:
            for group in self.parents(waiting.pop()):
                if group.id not in found:
                    found.add(group.id)
                    waiting.append(group.id)
        return found

    def is_admin(self, principal_id: str) -> bool:
        """Return whether the principal belongs to `admins`, directly or through other groups."""
        # Members of `admins` are searched, because they are few and almost every request calls this.
        admins = self.find_group(ADMINS)
        waiting = [admins] if admins else []
        seen: set[str] = set()
        while waiting:
            group = waiting.pop()
            if principal_id in group.members:
                return True
            seen.add(group.id)
            inner = (self.groups.get(member_id) for member_id in group.members)
            waiting.extend(found for found in inner if found and found.id not in seen)
        return False

    def has_entitlement(self, principal_id: str, entitlement: str) -> bool:
        """Return whether the principal or one of its groups has the entitlement. Admins have all entitlements."""
        holders = {principal_id, *self.memberships(principal_id)}
        given = any(
            principal is not None and entitlement in principal.entitlements
            for principal in map(self.principal, holders)
        )
        return given or self.is_admin(principal_id)
