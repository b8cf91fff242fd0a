"""Paths of the workspace: names under the root, and the spelling in which somebody asked. Pure.

`/Workspace/Users/x` and `/Users/x` are the same object. It is answered in the spelling it was asked in, since the
Terraform provider replaces an object whose path is answered otherwise.
"""

from emulator.api.errors import invalid
from emulator.base.paths import WorkspacePath

ALIAS = "Workspace"


def parse(path: object) -> WorkspacePath:
    """Doubled and trailing slashes do not count. Raises a 400 for what is no absolute path."""
    if not isinstance(path, str) or not path:
        raise invalid("Missing required field: path")
    if not path.startswith("/"):
        raise invalid(f"Path ({path}) doesn't start with '/'")
    names = tuple(name for name in path.split("/") if name)
    if any(name in (".", "..") or "\0" in name for name in names):
        raise invalid(f"Path ({path}) is not a valid path")
    # A doubled slash before the alias is the real service's sign that the answer is wanted without it.
    if names and names[0] == ALIAS:
        return WorkspacePath(names[1:], "" if path.startswith("//") else f"/{ALIAS}")
    return WorkspacePath(names)
