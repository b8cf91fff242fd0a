"""The administrator and the built-in groups `admins` and `users` in a new workspace."""

from emulator.models.scim import ADMINS, USERS, Group, User
from emulator.state.workspace import EmulatedWorkspace


def seed(workspace: EmulatedWorkspace) -> None:
    """Create them. New users join `users`, which has access to the workspace and to SQL, as on the platform."""
    state, now = workspace.state, workspace.clock.now()
    name = workspace.options.admin
    admin = User(
        id=str(state.ids.number("user", name)),
        user_name=name,
        display_name="Administrator",
        emails=[name],
        created_at=now,
    )
    state.directory.users[admin.id] = admin
    entitlements = {ADMINS: [], USERS: ["workspace-access", "databricks-sql-access"]}
    for group_name, given in entitlements.items():
        group_id = str(state.ids.number("group", group_name))
        state.directory.groups[group_id] = Group(
            id=group_id, display_name=group_name, members=[admin.id], entitlements=given, created_at=now
        )
