"""Permissions on workspace objects.

Reading an object requires CAN_READ on it, changing it CAN_EDIT. Adding to a folder and deleting from it require
CAN_EDIT on the folder (or, to delete, CAN_MANAGE on the object itself). Levels are inherited from parent folders. All
users may open the root, `/Users` and `/Repos`, and see the objects there that they have access to; homes are private.
"""

from emulator.api.errors import ApiError, denied
from emulator.api.routing import Request
from emulator.base.paths import WorkspacePath
from emulator.generated_files.overlay import ROOT
from emulator.models.files.objects import Node
from emulator.models.permissions import TREE_LEVELS
from emulator.models.scim import ADMINS

TRAVERSABLE_FOLDERS = ("Users", "Repos")
PROTECTED = ("Users", "Shared", "Repos")
_WORDS = {"CAN_READ": "View", "CAN_RUN": "Run", "CAN_EDIT": "Edit", "CAN_MANAGE": "Manage"}


class Rights:
    """The caller's permissions in one request. The directory is searched only once, for any number of objects."""

    def __init__(self, request: Request) -> None:
        state = request.workspace.state
        self._objects = state.objects
        self._direct = state.acls.direct
        self._name = request.caller.name
        self.admin = state.directory.is_admin(request.caller.id)
        self._holders = {request.caller.id, *state.directory.memberships(request.caller.id)}
        admins = state.directory.find_group(ADMINS)
        self._own_holders = self._holders - {admins.id} if admins else self._holders

    def has_permission(self, node: Node, level: str) -> bool:
        return self.admin or self._holds(self._holders, node, level)

    def may_list(self, node: Node) -> bool:
        """Return whether the folder may be opened, because of CAN_READ or because it is traversable."""
        return self.has_permission(node, "CAN_READ") or is_traversable(node)

    def manages_without_admin(self, node: Node) -> bool:
        """Return whether the caller would have CAN_MANAGE without being an administrator."""
        return self._holds(self._own_holders, node, "CAN_MANAGE")

    def require(self, node: Node, level: str, path: WorkspacePath) -> None:
        """Raise 403 PERMISSION_DENIED, with the path as in the request, unless the caller has the level."""
        if not self.has_permission(node, level):
            raise self.denied(level, path)

    def denied(self, level: str, path: WorkspacePath) -> ApiError:
        return denied(
            f"{self._name} does not have {_WORDS[level]} permissions on {path.text}. "
            "Please contact the owner or an administrator for access."
        )

    def _holds(self, holders: set[str], node: Node, level: str) -> bool:
        enough = TREE_LEVELS[TREE_LEVELS.index(level) :]
        for ancestor in self._objects.with_ancestors(node):
            grants = self._direct.get(ancestor.acl_name)
            if grants and any(given in enough for holder in holders & grants.keys() for given in grants[holder]):
                return True
        return False


def is_traversable(node: Node) -> bool:
    """Return whether the node is the root, `/Users` or `/Repos`."""
    return node.id == ROOT or (node.parent == ROOT and node.name in TRAVERSABLE_FOLDERS)


def is_protected(node: Node) -> bool:
    """Return whether the node is one of the workspace's own folders, which cannot be deleted."""
    return node.id == ROOT or (node.parent == ROOT and node.name in PROTECTED)
