"""A group's request for more time, and its answer. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class State(Enum):
    """What has become of a time request."""

    WAITING = "waiting"
    """Staff have not answered."""
    APPROVED = "approved"
    """By staff."""
    DENIED = "denied"
    """By staff."""
    GRANTED = "granted"
    """By the course's rule for extensions."""
    REFUSED = "refused"
    """By the course's rule for extensions, or because the file cannot be understood. Staff can still approve it."""
    EXPIRED = "expired"
    """Nobody answered in time."""
    WITHDRAWN = "withdrawn"
    """The group changed its file before an answer."""


GIVEN = frozenset({State.APPROVED, State.GRANTED})
"""States in which the group got more time."""


@dataclass(frozen=True)
class TimeRequest:
    """One time request. Its texts are one line each and of limited length, but not escaped for any format."""

    id: str
    group: str
    """The group's name; who in the group wrote the request is not known."""
    asked_at: datetime
    """When the group saved its file."""
    minutes: int | None
    """None if the file cannot be understood."""
    reason: str
    """The group's own words; may be empty."""
    state: State = State.WAITING
    answer: str = ""
    """A sentence for the group: staff's reason, the rule's reason, or what is wrong with the file."""
    answered_at: datetime | None = None
    minutes_given: int | None = None
    """The minutes of the allowance, if there is one."""

    def is_expired(self, now: datetime, expires_after: timedelta) -> bool:
        return self.state is State.WAITING and now >= self.asked_at + expires_after


def by_group(requests: Iterable[TimeRequest]) -> dict[str, tuple[TimeRequest, ...]]:
    """Return each group's time requests, the latest first, without those that the group withdrew."""
    found: dict[str, tuple[TimeRequest, ...]] = {}
    for request in sorted(requests, key=lambda request: (request.asked_at, request.id)):
        if request.state is not State.WITHDRAWN:
            found[request.group] = (request, *found.get(request.group, ()))
    return found
