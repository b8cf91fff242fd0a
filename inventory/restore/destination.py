"""Where what was saved goes when it is put back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory.backup.manifest import ManifestEntry


class NoDestination(ValueError):
    """A sentence that says why something goes nowhere."""


@dataclass(frozen=True)
class Destination:
    """`renamed` are users who have another name there; `into` a folder that takes everybody's homes."""

    new_usernames: Mapping[str, str] = field(default_factory=dict)
    into: str = ""

    def path_of(self, entry: ManifestEntry) -> str:
        """The path of an object, in the file system it came from. Raises NoDestination.

        Volumes keep their paths. Nothing leads out of the home it was saved from, whatever a manifest says.
        """
        home = entry.user if entry.user.startswith("/") else f"/Users/{entry.user}"
        depth = home.count("/") + 1
        parts = entry.path.split("/")
        # A home may differ from the name of its user in case.
        if "/".join(parts[:depth]).casefold() != home.casefold():
            raise NoDestination(f"it does not lie in {home}, as the manifest says")
        home, names = "/".join(parts[:depth]), parts[depth:]
        if any(name in ("", ".", "..") or "\0" in name for name in names):
            raise NoDestination("its path is none")
        return "/".join((self._home(entry, home), *names))

    def _home(self, entry: ManifestEntry, home: str) -> str:
        if entry.source == "volumes":
            return home
        name = self.new_usernames.get(entry.user, entry.user).strip("/")
        if self.into:
            return f"{self.into.rstrip('/')}/{name}"
        return f"/Users/{name}" if entry.user in self.new_usernames else home


def parse_map(text: str) -> tuple[str, str]:
    """`old@x=new@y` as the two names. Raises ValueError with a sentence."""
    old, _, new = text.partition("=")
    for name in (old, new):
        if not name or "/" in name or name in (".", "..") or not name.isprintable():
            raise ValueError(f"--map {text}: expected old@example.org=new@example.org.")
    return old, new
