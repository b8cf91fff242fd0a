"""What the account around the workspace decides, where no call of the workspace's own API reaches."""

from collections.abc import Callable
from typing import Any

from emulator.errors import invalid
from emulator.scim.changes import add_account_group
from emulator.workspace import Workspace


def account_group(workspace: Workspace, target: str, value: Any) -> None:
    """Assign a group of the account, named `target`, to this workspace; the value lists its users by name."""
    names = [] if value is None else value
    if not isinstance(names, list):
        raise invalid("value: a list of user names")
    members = []
    for name in names:
        user = workspace.state.directory.user_named(str(name))
        if user is None:
            raise invalid(f"value: there is no user {name!r}")
        members.append(user.id)
    add_account_group(workspace, target, members, workspace.clock.now())


KINDS: dict[str, Callable[[Workspace, str, Any], None]] = {kind.__name__: kind for kind in (account_group,)}
