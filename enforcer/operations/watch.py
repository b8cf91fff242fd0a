"""The service: when to look again, and when to tick. `next_due` and `has_moved` are pure; `watch` is the loop."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from enforcer.domain.allowances import windows_between
from enforcer.domain.observations import SeenCluster
from enforcer.domain.snapshot import Picture, group_of
from enforcer.domain.uptime import day_bounds
from enforcer.tick.hold import AGAIN_AFTER

log = logging.getLogger(__name__)

LIST_EVERY = timedelta(minutes=1)
TICK_EVERY = timedelta(minutes=15)
RETRY_AFTER = timedelta(minutes=1)
AT_LEAST = timedelta(seconds=1)
"""Two ticks are never closer."""


@dataclass(frozen=True)
class Ticked:
    """What a tick left behind."""

    picture: Picture
    failures: tuple[str, ...] = ()
    """What could not be read or done, in sentences; it is still due."""
    had_to_stop: bool = False
    """A cluster had to be stopped; where something failed, it may be that."""
    letters_due: datetime | None = None
    """When the next letter that waits may be tried."""
    is_holding: bool = False
    """Stops are held until the next tick, which is due soon."""


def next_due(ticked: Ticked, retry_after: timedelta = RETRY_AFTER) -> datetime:
    """When the next tick is due, whatever the clusters do until then.

    The earliest of: a soft or hard limit of a cluster that runs now, the edge of a window, midnight, a letter or a
    retry of what failed, and a quarter of an hour.
    """
    now = ticked.picture.now
    moments = [now + TICK_EVERY, day_bounds(ticked.picture.today, ticked.picture.course.calendar.tz)[1]]
    moments += _limits(ticked.picture)
    moments += _edges(ticked.picture)
    if ticked.failures:
        moments.append(now + retry_after)
    if ticked.is_holding:
        moments.append(now + AGAIN_AFTER)
    if ticked.letters_due:
        # One that is due already was not sent for want of budget.
        moments.append(ticked.letters_due if ticked.letters_due > now else now + RETRY_AFTER)
    return max(min(moments), now + AT_LEAST)


def patience(ticked: Ticked, before: Ticked | None, last: timedelta) -> timedelta:
    """After how long what failed is tried again: a minute, and twice the `last` time where it was nothing new.

    A file that somebody has to mend is not worth a tick a minute; a cluster that may still run is.
    """
    is_known = before is not None and set(ticked.failures) <= set(before.failures)
    return last * 2 if is_known and ticked.failures and not ticked.had_to_stop else RETRY_AFTER


def _limits(picture: Picture) -> Iterator[datetime]:
    """When clusters that run on would reach their limits."""
    for cluster in picture.clusters:
        # Inside a window no time counts; its end is a moment of its own.
        if not picture.is_counting(cluster) or picture.is_in_window(group_of(cluster)):
            continue
        at_once = picture.running_in(group_of(cluster))
        for use in picture.uses(cluster):
            for mark in (use.limit.soft, use.limit.hard):
                if use.used < mark:
                    yield picture.now + (mark - use.used) / at_once


def _edges(picture: Picture) -> Iterator[datetime]:
    """Begins and ends of windows in the next quarter of an hour."""
    now, tz = picture.now, picture.course.calendar.tz
    for group in {group_of(cluster) for cluster in picture.clusters}:
        for window in windows_between(now, now + TICK_EVERY, group, picture.allowances, tz):
            yield from (edge for edge in window if edge > now)


def has_moved(before: Iterable[SeenCluster], after: Iterable[SeenCluster]) -> bool:
    """Whether a cluster came, went, started, stopped or was restarted between two lists."""

    def told(clusters: Iterable[SeenCluster]) -> set[tuple[str, str, bool]]:
        return {(cluster.id, cluster.moved, cluster.sighting.running) for cluster in clusters}

    return told(before) != told(after)


def watch(
    *,
    now: Callable[[], datetime],
    wait_until: Callable[[datetime], bool],
    clusters: Callable[[datetime], Iterable[SeenCluster] | None],
    tick: Callable[[], Ticked | timedelta],
) -> None:
    """Tick whenever something is due, until `wait_until` says False: somebody wants the end.

    `clusters` lists those of the workspace, None where they cannot be listed; `tick` says in how long to try again
    where it could not be made.
    """
    last: Ticked | None = None
    retry_after = RETRY_AFTER
    due = looked = now()
    while True:
        moment = now()
        is_due = moment >= due or moment < looked  # a clock that was set back proves nothing about the time between
        if not is_due and moment >= looked + LIST_EVERY:
            looked = moment
            listed = clusters(moment)
            if last is not None and listed is not None:
                is_due = has_moved(last.picture.clusters, last.picture.own_of(listed))
        if is_due:
            looked = moment
            match tick():
                case Ticked() as ticked:
                    retry_after = min(patience(ticked, last, retry_after), TICK_EVERY)
                    # By the difference: the tick's time may be the workspace's.
                    last, due = ticked, moment + (next_due(ticked, retry_after) - ticked.picture.now)
                    log.info("looked at %d clusters; again by %s", len(ticked.picture.clusters), due.isoformat(" "))
                case timedelta() as pause:
                    due = moment + pause
        if not wait_until(min(due, looked + LIST_EVERY)):
            return
