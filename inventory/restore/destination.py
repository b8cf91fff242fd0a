"""Decides where restored objects go. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory.backup.manifest import ManifestEntry


class NoDestination(ValueError):
    """An object has no valid destination; the message gives the reason."""


@dataclass(frozen=True)
class Destination:
    """`new_usernames` maps old user names to names in the workspace; `into` is a folder that receives all homes."""

    new_usernames: Mapping[str, str] = field(default_factory=dict)
    into: str = ""

    def path_of(self, entry: ManifestEntry) -> str:
        """Return the path of an object in its file system. Raises NoDestination.

        Volumes keep their paths. No destination is outside the home, whatever the manifest contains.
        """
        home = entry.user if entry.user.startswith("/") else f"/Users/{entry.user}"
        depth = home.count("/") + 1
        parts = entry.path.split("/")
        # The names of a home and its user may differ in case.
        if "/".join(parts[:depth]).casefold() != home.casefold():
            raise NoDestination(f"its path is not in {home}")
        home, names = "/".join(parts[:depth]), parts[depth:]
        if any(name in ("", ".", "..") or "\0" in name for name in names):
            raise NoDestination("its path is invalid")
        return "/".join((self._home(entry, home), *names))

    def _home(self, entry: ManifestEntry, home: str) -> str:
        if entry.source == "volumes":
            return home
        name = self.new_usernames.get(entry.user, entry.user).strip("/")
        if self.into:
            return f"{self.into.rstrip('/')}/{name}"
        return f"/Users/{name}" if entry.user in self.new_usernames else home


def parse_map(text: str) -> tuple[str, str]:
    """Parse `old@x=new@y` and return both names. Raises ValueError."""
    old, _, new = text.partition("=")
    for name in (old, new):
        if not name or "/" in name or name in (".", "..") or not name.isprintable():
            raise ValueError(f"--map {text}: expected old@example.org=new@example.org.")
    return old, new
