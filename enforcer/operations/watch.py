"""Main loop of the service: when to list the clusters, and when to tick. Only `watch` is not pure."""

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

LIST_INTERVAL = timedelta(minutes=1)
TICK_INTERVAL = timedelta(minutes=15)
RETRY_AFTER = timedelta(minutes=1)
MIN_TICK_INTERVAL = timedelta(seconds=1)
"""Minimum time between two ticks."""


@dataclass(frozen=True)
class Ticked:
    """What the service needs to know of the last tick."""

    picture: Picture
    failures: tuple[str, ...] = ()
    """Sentences about what could not be read or done and is still due."""
    had_to_stop: bool = False
    """Whether a cluster had to be stopped; if something failed, it may be the stop."""
    letters_due: datetime | None = None
    """When to try sending the next waiting message."""
    is_holding: bool = False
    """Whether stops are held until the next tick, which is due soon."""


def next_due(ticked: Ticked, retry_after: timedelta = RETRY_AFTER) -> datetime:
    """Return when the next tick is due if no cluster starts or stops until then.

    The earliest of: a soft or hard limit of a running cluster, the start or end of a window, midnight, a message to
    send, a retry after failures, and 15 minutes.
    """
    now = ticked.picture.now
    moments = [now + TICK_INTERVAL, day_bounds(ticked.picture.today, ticked.picture.course.calendar.tz)[1]]
    moments += _limits(ticked.picture)
    moments += _edges(ticked.picture)
    if ticked.failures:
        moments.append(now + retry_after)
    if ticked.is_holding:
        moments.append(now + AGAIN_AFTER)
    if ticked.letters_due:
        # A message that is already due was not sent because of the rate limit.
        moments.append(ticked.letters_due if ticked.letters_due > now else now + RETRY_AFTER)
    return max(min(moments), now + MIN_TICK_INTERVAL)


def patience(ticked: Ticked, before: Ticked | None, last: timedelta) -> timedelta:
    """Return the pause before failures are retried: a minute, or twice the `last` pause if there is no new failure.

    A file that has to be corrected by hand is not worth a tick a minute; a cluster that may still be running is.
    """
    is_known = before is not None and set(ticked.failures) <= set(before.failures)
    return last * 2 if is_known and ticked.failures and not ticked.had_to_stop else RETRY_AFTER


def _limits(picture: Picture) -> Iterator[datetime]:
    """Yield when running clusters will reach their limits."""
    for cluster in picture.clusters:
        # Inside a window no time counts; `_edges` yields its end.
        if not picture.is_counting(cluster) or picture.is_in_window(group_of(cluster)):
            continue
        running = picture.running_in(group_of(cluster))
        for use in picture.uses(cluster):
            for limit in (use.limit.soft, use.limit.hard):
                if use.used < limit:
                    yield picture.now + (limit - use.used) / running


def _edges(picture: Picture) -> Iterator[datetime]:
    """Yield the starts and ends of windows in the next 15 minutes."""
    now, tz = picture.now, picture.course.calendar.tz
    for group in {group_of(cluster) for cluster in picture.clusters}:
        for window in windows_between(now, now + TICK_INTERVAL, group, picture.allowances, tz):
            yield from (edge for edge in window if edge > now)


def has_moved(before: Iterable[SeenCluster], after: Iterable[SeenCluster]) -> bool:
    """Return whether a cluster was created, deleted, started, stopped or restarted between two lists."""

    def states(clusters: Iterable[SeenCluster]) -> set[tuple[str, str, bool]]:
        return {(cluster.id, cluster.moved, cluster.sighting.running) for cluster in clusters}

    return states(before) != states(after)


def watch(
    *,
    now: Callable[[], datetime],
    wait_until: Callable[[datetime], bool],
    clusters: Callable[[datetime], Iterable[SeenCluster] | None],
    tick: Callable[[], Ticked | timedelta],
) -> None:
    """Tick whenever one is due, until `wait_until` returns False because shutdown was requested.

    `clusters` lists the clusters of the workspace, or returns None if it fails; `tick` returns the pause before the
    next attempt if it fails.
    """
    last: Ticked | None = None
    retry_after = RETRY_AFTER
    due = listed_at = now()
    while True:
        moment = now()
        is_due = moment >= due or moment < listed_at  # after the clock was set back, tick at once
        if not is_due and moment >= listed_at + LIST_INTERVAL:
            listed_at = moment
            listed = clusters(moment)
            if last is not None and listed is not None:
                is_due = has_moved(last.picture.clusters, last.picture.own_of(listed))
        if is_due:
            listed_at = moment
            match tick():
                case Ticked() as ticked:
                    retry_after = min(patience(ticked, last, retry_after), TICK_INTERVAL)
                    # Add the difference, because the tick may use the workspace's time.
                    last, due = ticked, moment + (next_due(ticked, retry_after) - ticked.picture.now)
                    log.info("checked %d clusters; next tick by %s", len(ticked.picture.clusters), due.isoformat(" "))
                case timedelta() as pause:
                    due = moment + pause
        if not wait_until(min(due, listed_at + LIST_INTERVAL)):
            return
