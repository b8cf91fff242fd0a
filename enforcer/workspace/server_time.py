"""Compares the clock of this machine with the `Date` header of the workspace's responses, and chooses the time of a
tick. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

AGREEMENT = timedelta(minutes=2)
"""Clocks agree up to this difference."""


@dataclass(frozen=True)
class ServerTimestamp:
    """The `Date` header of one response."""

    value: datetime | None
    """None if the response has no valid `Date`."""
    elapsed: timedelta
    """Time since the first response of the tick, according to this machine's monotonic clock."""


@dataclass(frozen=True)
class TickTime:
    """The time that a tick uses."""

    now: datetime
    is_confirmed: bool
    """Whether the clocks of the workspace and this machine agree."""
    notice: str | None = None
    """A message for the admin if this machine's clock is wrong."""


def parse_date_header(header: object) -> datetime | None:
    """Parse a `Date` header; return None if it is invalid."""
    if not isinstance(header, str):
        return None
    try:
        shown = parsedate_to_datetime(header)
        return shown.astimezone(UTC) if shown.tzinfo else None
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def tick_time(machine: datetime, timestamp: ServerTimestamp | None) -> TickTime:
    """Return the time of a tick, from this machine's clock and the first response, which is None if no `Date` was
    requested.

    If both agree within two minutes, it is from the machine's clock, which has a finer resolution; otherwise from the
    workspace's.
    """
    if timestamp is None:
        return TickTime(machine, True)
    if timestamp.value is None:
        return TickTime(machine, False)
    off = machine - timestamp.value
    if abs(off) <= AGREEMENT:
        return TickTime(machine, True)
    direction = "ahead of" if off > timedelta() else "behind"
    notice = (
        f"this machine's clock is {_shown(abs(off))} {direction} the workspace's clock, which is used instead; "
        "synchronise this machine's clock"
    )
    return TickTime(timestamp.value, False, notice)


def clock_problem(
    server_timestamps: Iterable[ServerTimestamp], *, now: datetime, newest: datetime | None, is_rehearsal: bool = False
) -> str | None:
    """Return why the time is too uncertain to stop or restrict anything; None if it is certain.

    `server_timestamps` come from this tick's responses, empty if no `Date` was requested; `newest` is the time of the
    newest event that was read. In a rehearsal the clock may run at any speed.
    """
    server_timestamps = list(server_timestamps)
    shown = [(timestamp.value, timestamp.elapsed) for timestamp in server_timestamps if timestamp.value]
    if len(shown) < len(server_timestamps):
        return "the workspace's responses have no valid Date header, so nothing is stopped or restricted"
    if newest and newest > now + AGREEMENT:
        return (
            f"an event of {newest:%Y-%m-%d %H:%M} UTC is newer than the current time {now:%H:%M} UTC, so nothing is "
            "stopped or restricted"
        )
    if shown:
        (first, began), (last, ended) = shown[0], shown[-1]
        drift = (last - first) - (ended - began)
        if drift < -AGREEMENT or (drift > AGREEMENT and not is_rehearsal):
            return (
                f"two responses from the workspace within {round((ended - began).total_seconds())} seconds show"
                f" {first:%H:%M:%S} and {last:%H:%M:%S} UTC, so nothing is stopped or restricted"
            )
    return None


def _shown(length: timedelta) -> str:
    minutes = round(length / timedelta(minutes=1))
    return f"{minutes // 60}:{minutes % 60:02} hours" if minutes >= 60 else f"{minutes} minutes"
