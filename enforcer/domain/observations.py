"""Clusters, events, grants and files as read from the workspace, reduced to the fields that the enforcer uses. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from enforcer.domain.uptime import Event, Observation

OVERLAP = timedelta(minutes=15)
"""Events are read again for this long before the end of the previous read, because some arrive late."""


@dataclass(frozen=True)
class ObservedCluster:
    """A cluster in the cluster list of one poll."""

    id: str
    name: str
    group: str | None
    course: str
    term: str
    origin: str
    observation: Observation
    list_fingerprint: str
    """The times in the list entry; they differ between two lists if the cluster started or stopped in between."""
    creator: str | None = None
    """Address or application id of the cluster's creator; None if the list has none."""

    def runs_unchanged_since(self, read_to: datetime | None) -> bool:
        """Return whether the cluster is running and its events were read up to `read_to`, so long after its start that
        none of the start is still missing.

        Valid only if `list_fingerprint` has not changed since then.
        """
        since = self.observation.started
        return self.observation.running and since is not None and read_to is not None and read_to >= since + OVERLAP


@dataclass(frozen=True)
class OtherCluster:
    """A running cluster of the workspace that is not the course's."""

    id: str
    label: str
    """Its name, unless the name contains a person's."""
    course: str
    """Course and term in its tags; empty without tags of a lab."""
    started: datetime | None
    is_job: bool = False

    def is_of_another_lab(self, course: str, term: str) -> bool:
        """Return whether it has the tags of another lab than this one."""
        return self.course not in ("", f"{course} {term}".strip())


@dataclass(frozen=True)
class RawEvent:
    """An event with its raw JSON."""

    event: Event
    raw: str


@dataclass(frozen=True)
class DirectGrant:
    """A permission level granted directly on a cluster."""

    kind: str
    """`group`, `user` or `service principal`."""
    principal: str
    level: str


@dataclass(frozen=True)
class FileInfo:
    """A workspace file in the listing of its folder."""

    path: str
    version: str
    """A value that changes whenever the content may have changed."""
    object_id: str = ""
    """Id of the workspace object; empty if the listing has none."""
    modified_at: datetime | None = None
    size: int | None = None
    """In bytes; None if the listing has none."""


class FileList(list[FileInfo]):
    """Files directly in a folder, sorted by path."""

    is_complete = True
    """False if some entries could not be parsed."""
