"""Main loop of the service: when to list the clusters, and when to tick. Only `watch` is not pure."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from enforcer.domain.allowances import windows_between
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import day_bounds
from enforcer.tick.mass_stop import RETRY_HELD_AFTER

log = logging.getLogger(__name__)

LIST_INTERVAL = timedelta(minutes=1)
TICK_INTERVAL = timedelta(minutes=15)
RETRY_AFTER = timedelta(minutes=1)
MIN_TICK_INTERVAL = timedelta(seconds=1)
"""Minimum time between two ticks."""


@dataclass(frozen=True)
class TickSummary:
    """What the service needs to know about the last tick."""

    snapshot: Snapshot
    failures: tuple[str, ...] = ()
    """Messages about what could not be read or done and is still pending."""
    had_to_stop: bool = False
    """Whether a cluster had to be stopped; a failure may concern that stop."""
    next_message_due: datetime | None = None
    """When to try to send the next pending message."""
    is_holding: bool = False
    """Whether stops are held until the next tick, which is due soon."""


def next_due(summary: TickSummary, retry_after: timedelta = RETRY_AFTER) -> datetime:
    """Return when the next tick is due if no cluster starts or stops until then.

    The earliest of: a soft or hard limit of a running cluster, the start or end of a window, the next working hour,
    midnight, a message to send, a retry after failures, and 15 minutes.
    """
    now = summary.snapshot.now
    moments = [now + TICK_INTERVAL, day_bounds(summary.snapshot.today, summary.snapshot.course.calendar.tz)[1]]
    moments += _limits(summary.snapshot)
    moments += _edges(summary.snapshot)
    moments += _working_hours(summary.snapshot)
    if summary.failures:
        moments.append(now + retry_after)
    if summary.is_holding:
        moments.append(now + RETRY_HELD_AFTER)
    if summary.next_message_due:
        # A message that is already due was held back by the rate limit.
        moments.append(summary.next_message_due if summary.next_message_due > now else now + RETRY_AFTER)
    return max(min(moments), now + MIN_TICK_INTERVAL)


def retry_interval(summary: TickSummary, before: TickSummary | None, last: timedelta) -> timedelta:
    """Return the pause before failures are retried: a minute, or twice the `last` pause if there is no new failure.

    An invalid file that a person has to correct does not justify a tick every minute; a cluster that may still run
    does.
    """
    is_known = before is not None and set(summary.failures) <= set(before.failures)
    return last * 2 if is_known and summary.failures and not summary.had_to_stop else RETRY_AFTER


def _limits(snapshot: Snapshot) -> Iterator[datetime]:
    """Yield when running clusters will reach their limits."""
    for cluster in snapshot.clusters:
        # Inside a window no time counts; `_edges` yields the end of the window.
        if not snapshot.is_counting(cluster) or snapshot.is_in_window(group_of(cluster)):
            continue
        running = snapshot.running_count(group_of(cluster))
        for usage in snapshot.limit_usages(cluster):
            for limit in (usage.limit.soft, usage.limit.hard):
                if usage.used < limit:
                    yield snapshot.now + (limit - usage.used) / running


def _edges(snapshot: Snapshot) -> Iterator[datetime]:
    """Yield the starts and ends of windows in the next 15 minutes."""
    now, tz = snapshot.now, snapshot.course.calendar.tz
    for group in {group_of(cluster) for cluster in snapshot.clusters}:
        for window in windows_between(now, now + TICK_INTERVAL, group, snapshot.in_force, tz):
            yield from (edge for edge in window if edge > now)


def _working_hours(snapshot: Snapshot) -> Iterator[datetime]:
    """Yield when working hours begin for a group, so that warnings no longer wait."""
    for group in {group_of(cluster) for cluster in snapshot.clusters}:
        moment = snapshot.next_working_moment(group)
        if moment > snapshot.now:
            yield moment


def has_changed(before: Iterable[ObservedCluster], after: Iterable[ObservedCluster]) -> bool:
    """Return whether a cluster was created, deleted, started, stopped or restarted between two lists."""

    def states(clusters: Iterable[ObservedCluster]) -> set[tuple[str, str, bool]]:
        return {(cluster.id, cluster.list_fingerprint, cluster.observation.running) for cluster in clusters}

    return states(before) != states(after)


class WatchTurns:
    """The turns of one lab: at each, its clusters are listed or a tick runs. The first turn is due at once."""

    def __init__(self, now: datetime) -> None:
        self._last: TickSummary | None = None
        self._retry_after = RETRY_AFTER
        self._due = self._listed_at = now

    @property
    def next_turn(self) -> datetime:
        """When the next turn is due."""
        return min(self._due, self._listed_at + LIST_INTERVAL)

    def due_at(self, now: datetime) -> datetime:
        """Return when the next turn is due; at once after the clock was set back."""
        return self.next_turn if now >= self._listed_at else now

    def take(
        self,
        moment: datetime,
        *,
        clusters: Callable[[datetime], Iterable[ObservedCluster] | None],
        tick: Callable[[], TickSummary | timedelta],
    ) -> None:
        """Tick if a tick is due at `moment`; else list the clusters if that is due, and tick if they have changed."""
        is_due = moment >= self._due or moment < self._listed_at  # after the clock was set back, tick at once
        if not is_due and moment >= self._listed_at + LIST_INTERVAL:
            self._listed_at = moment
            listed = clusters(moment)
            if self._last is not None and listed is not None:
                is_due = has_changed(self._last.snapshot.clusters, self._last.snapshot.course_clusters_in(listed))
        if not is_due:
            return
        self._listed_at = moment
        match tick():
            case TickSummary() as summary:
                self._retry_after = min(retry_interval(summary, self._last, self._retry_after), TICK_INTERVAL)
                # The duration is added, because the tick may use the workspace's time.
                self._due = moment + (next_due(summary, self._retry_after) - summary.snapshot.now)
                self._last = summary
                number = len(summary.snapshot.clusters)
                log.info("checked %d clusters; next tick by %s", number, self._due.isoformat(" "))
            case timedelta() as pause:
                self._due = moment + pause


def watch(
    *,
    now: Callable[[], datetime],
    wait_until: Callable[[datetime], bool],
    clusters: Callable[[datetime], Iterable[ObservedCluster] | None],
    tick: Callable[[], TickSummary | timedelta],
) -> None:
    """Tick whenever one is due, until `wait_until` returns False because shutdown was requested.

    `clusters` lists the clusters of the workspace, or returns None if it fails; `tick` returns the pause before the
    next attempt if it fails.
    """
    turns = WatchTurns(now())
    while True:
        turns.take(now(), clusters=clusters, tick=tick)
        if not wait_until(turns.next_turn):
            return
