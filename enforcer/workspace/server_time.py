"""The time that the workspace puts on its answers: what of it decides, and when nothing may be decided by it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

AGREEMENT = timedelta(minutes=2)
"""Clocks that differ by no more agree."""


@dataclass(frozen=True)
class Stamp:
    """The time on one answer."""

    shown: datetime | None
    """None: the answer has none that can be read."""
    after: timedelta
    """When it came, since the first of them, by the monotonic clock of this machine."""


@dataclass(frozen=True)
class TickTime:
    """What time a tick goes by."""

    now: datetime
    is_confirmed: bool
    """The workspace's time and this machine's agree."""
    notice: str | None = None
    """A sentence for the admin about a clock that is wrong."""


def instant_of(header: object) -> datetime | None:
    """The instant of a Date header; None for one that cannot be read."""
    if not isinstance(header, str):
        return None
    try:
        shown = parsedate_to_datetime(header)
        return shown.astimezone(UTC) if shown.tzinfo else None
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def tick_time(machine: datetime, stamp: Stamp | None) -> TickTime:
    """The time of a tick, from this machine's clock and from the answer that connected; None: the workspace shows no
    time and is not asked for it.

    Within two minutes the machine's, which is finer; beyond them the workspace's.
    """
    if stamp is None:
        return TickTime(machine, True)
    if stamp.shown is None:
        return TickTime(machine, False)
    off = machine - stamp.shown
    if abs(off) <= AGREEMENT:
        return TickTime(machine, True)
    direction = "ahead of" if off > timedelta() else "behind"
    notice = (
        f"this machine's clock is {_shown(abs(off))} {direction} the workspace's, whose time is used; synchronise it"
    )
    return TickTime(stamp.shown, False, notice)


def doubt(stamps: Iterable[Stamp], *, now: datetime, newest: datetime | None, is_rehearsal: bool = False) -> str | None:
    """Why nothing may be stopped or restricted by this time; None: it may.

    `stamps` are those of this tick's answers, none where the workspace is not asked for its time; `newest` is the
    newest event that was read. In a rehearsal the clock may run at any speed.
    """
    stamps = list(stamps)
    shown = [(stamp.shown, stamp.after) for stamp in stamps if stamp.shown]
    if len(shown) < len(stamps):
        return "the workspace's answers have no Date that can be read, so nothing is stopped or restricted"
    if newest and newest > now + AGREEMENT:
        return (
            f"an event of {newest:%Y-%m-%d %H:%M} UTC is newer than the time {now:%H:%M} UTC, so nothing is stopped or"
            " restricted"
        )
    if shown:
        (first, began), (last, ended) = shown[0], shown[-1]
        drift = (last - first) - (ended - began)
        if drift < -AGREEMENT or (drift > AGREEMENT and not is_rehearsal):
            return (
                f"two answers of the workspace show {first:%H:%M:%S} and {last:%H:%M:%S} UTC within"
                f" {round((ended - began).total_seconds())} seconds, so nothing is stopped or restricted"
            )
    return None


def _shown(length: timedelta) -> str:
    minutes = round(length / timedelta(minutes=1))
    return f"{minutes // 60}:{minutes % 60:02} hours" if minutes >= 60 else f"{minutes} minutes"
