"""What the workspace told us, narrowed to what we need. Pure."""

from dataclasses import dataclass

from enforcer.domain.uptime import Event, Sighting


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
