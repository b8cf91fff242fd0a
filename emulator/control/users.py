"""Users with tokens, created without a SCIM request."""

from emulator.base.clock import Millis
from emulator.models.scim import ADMINS
from emulator.scim.changes import create_user
from emulator.state.workspace import EmulatedWorkspace


def ensure_user(workspace: EmulatedWorkspace, user_name: str, now: Millis, *, admin: bool = False) -> tuple[str, str]:
    """Return the id and a new token of the user with this name; create the user if needed.

    With `admin`, the user is added to `admins`; without it, nobody is removed. Raises ScimError 400 for an invalid
    name.
    """
    directory = workspace.state.directory
    user = directory.find_user(user_name.strip()) or create_user(workspace, {"userName": user_name}, now)
    admins = directory.find_group(ADMINS)
    if admin and admins and user.id not in admins.members:
        admins.members.append(user.id)
    token, _ = workspace.state.tokens.issue(user.id, now, "given by the emulator")
    return user.id, token
