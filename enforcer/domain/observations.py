"""What the workspace told us, narrowed to what we need. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from enforcer.domain.uptime import Event, Sighting

OVERLAP = timedelta(minutes=15)
"""Events are read again from this long before the last time, because some arrive late."""


@dataclass(frozen=True)
class SeenCluster:
    """A cluster as one poll's list shows it."""

    id: str
    name: str
    group: str | None
    course: str
    term: str
    origin: str
    sighting: Sighting
    moved: str
    """The list's own times: whoever compares two of them knows whether the cluster started or stopped in between."""
    creator: str | None = None
    """Address or application id of who made it; None: not told."""

    def runs_on(self, read_to: datetime | None) -> bool:
        """Whether it runs as it did when its events were read up to `read_to`, the late ones of its start included.

        The list's own times have to be the same as then.
        """
        since = self.sighting.since
        return self.sighting.running and since is not None and read_to is not None and read_to >= since + OVERLAP


@dataclass(frozen=True)
class ToldEvent:
    """An event with the raw JSON it came in."""

    event: Event
    raw: str


@dataclass(frozen=True)
class DirectGrant:
    """A level that somebody was given on a cluster itself."""

    kind: str
    """`group`, `user` or `service principal`."""
    principal: str
    level: str


@dataclass(frozen=True)
class FileInfo:
    """A workspace file as its folder lists it."""

    path: str
    version: str
    """Changes whenever the content may have."""


class FileList(list[FileInfo]):
    """The files directly in a folder, by path."""

    is_complete = True
    """False: of some entries it cannot be said what they are."""
