"""Which principals the workspace or the account has, and the one that a request names."""

from emulator.api.errors import ScimError
from emulator.api.routing import Request
from emulator.models.scim import Group, Principal, ResourceKind

NOUNS: dict[ResourceKind, str] = {"Users": "User", "Groups": "Group", "ServicePrincipals": "ServicePrincipal"}


def has(principal: Principal, *, account: bool) -> bool:
    """Return whether the account, or else the workspace, has the principal. Only groups can be in one of them alone."""
    return not isinstance(principal, Group) or (principal.account_level if account else principal.assigned)


def find(kind: ResourceKind, request: Request, *, account: bool = False) -> Principal:
    """Return the principal with the id in the path. Raises ScimError 404 if the workspace, or the account, lacks it."""
    directory = request.workspace.state.directory
    principal_id = request.parameters["id"]
    principal = directory.principal(principal_id)
    if principal is None or directory.kind(principal_id) != kind or not has(principal, account=account):
        raise ScimError(404, f"{NOUNS[kind]} with id {principal_id} not found.")
    return principal
