"""DBFS paths. Pure."""

from typing import Any

from emulator.api.errors import denied, invalid
from emulator.base.paths import Names


def parse(path: Any, field: str = "path") -> Names:
    """Return the names in an absolute path, which may have the prefix `dbfs:`.

    Raises 400 for any other path, and 403 for a path in a volume.
    """
    if not isinstance(path, str) or not path:
        raise invalid(f"Missing required field: {field}")
    plain = path.removeprefix("dbfs:")
    if not plain.startswith("/"):
        raise invalid(f"Path must be absolute: {path}")
    names = tuple(name for name in plain.split("/") if name)
    if any(name in (".", "..") or "\0" in name for name in names):
        raise invalid(f"Path is not valid: {path}")
    if names and names[0] == "Volumes":
        raise denied("No operations allowed on this path.")
    return names


def text(names: Names) -> str:
    return "/" + "/".join(names)
