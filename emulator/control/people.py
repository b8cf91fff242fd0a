"""People who are just there: a user and a token without anybody having called SCIM."""

from importlib import import_module
from importlib.util import find_spec

from emulator.clock import Millis
from emulator.scim.models import ADMINS, USERS, User
from emulator.workspace import Workspace


def admit(workspace: Workspace, user_name: str, now: Millis, *, admin: bool = False) -> tuple[str, str]:
    """The id and a new token of the user of that name, who is made if there is none yet.

    With `admin` the user joins `admins`; without, nobody leaves it.
    """
    directory = workspace.state.directory
    user = directory.user_named(user_name) or _newcomer(workspace, user_name, now)
    user.active = True
    admins = directory.group_named(ADMINS)
    if admin and admins and user.id not in admins.members:
        admins.members.append(user.id)
    token, _ = workspace.state.tokens.issue(user.id, now, "given by the emulator")
    return user.id, token


def _newcomer(workspace: Workspace, user_name: str, now: Millis) -> User:
    state = workspace.state
    user = User(
        id=str(state.ids.number("user", user_name)), user_name=user_name, display_name=user_name, created_at=now
    )
    state.directory.users[user.id] = user
    everybody = state.directory.group_named(USERS)
    if everybody:
        everybody.members.append(user.id)
    if find_spec("emulator.objects.homes"):
        import_module("emulator.objects.homes").make_home(workspace, user_name)
    return user
