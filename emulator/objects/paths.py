"""Workspace paths: names below the root, and the spelling in the request. Pure.

`/Workspace/Users/x` and `/Users/x` are the same object. The response uses the spelling in the request, because the
Terraform provider replaces an object if its path is returned differently.
"""

from emulator.api.errors import invalid
from emulator.base.paths import WorkspacePath

ALIAS = "Workspace"


def parse(path: object) -> WorkspacePath:
    """Parse an absolute path, ignoring doubled and trailing slashes. Raises 400 for any other path."""
    if not isinstance(path, str) or not path:
        raise invalid("Missing required field: path")
    if not path.startswith("/"):
        raise invalid(f"Path ({path}) doesn't start with '/'")
    names = tuple(name for name in path.split("/") if name)
    if any(name in (".", "..") or "\0" in name for name in names):
        raise invalid(f"Path ({path}) is not a valid path")
    # In the real service, a doubled slash before the alias requests a response without the alias.
    if names and names[0] == ALIAS:
        return WorkspacePath(names[1:], "" if path.startswith("//") else f"/{ALIAS}")
    return WorkspacePath(names)
