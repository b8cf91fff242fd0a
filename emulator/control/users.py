"""People who are just there: a user and a token without anybody having called SCIM."""

from emulator.base.clock import Millis
from emulator.models.scim import ADMINS
from emulator.scim.changes import create_user
from emulator.state.workspace import EmulatedWorkspace


def ensure_user(workspace: EmulatedWorkspace, user_name: str, now: Millis, *, admin: bool = False) -> tuple[str, str]:
    """The id and a new token of the user of that name, who is made if there is none yet.

    With `admin` the user joins `admins`; without, nobody leaves it. Raises ScimError 400 for a name that is none.
    """
    directory = workspace.state.directory
    user = directory.find_user(user_name.strip()) or create_user(workspace, {"userName": user_name}, now)
    admins = directory.find_group(ADMINS)
    if admin and admins and user.id not in admins.members:
        admins.members.append(user.id)
    token, _ = workspace.state.tokens.issue(user.id, now, "given by the emulator")
    return user.id, token
