"""The metrics by name, and their samples for one state of the ledger. Pure.

Names, units and types follow Prometheus' conventions: base units, `_total` for counters, `_timestamp_seconds` for
instants. Labels contain no person, title or reason: only course, term, group, period and kind.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from enforcer.domain.allowances import windows_between
from enforcer.domain.day_records import PollRecord
from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.observations import OtherCluster
from enforcer.domain.quota import Period, counted
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import day_bounds

SECOND = timedelta(seconds=1)
COUNTED, UNCOUNTED = "counted", "uncounted"
CLUSTER, JOB, LAB = "cluster", "job", "lab"
ACTION_KINDS = ("warn", "restrict", "stop", "restore")


class Metric(Enum):
    """A metric: name without the prefix, help, and labels after course and term. `_total` means a counter."""

    USAGE = "usage_seconds", "Counted uptime of a group's clusters in the current period", ("group", "period")
    LIMIT = (
        "limit_seconds",
        "Soft (warning) and hard (stop) limit in force for a group in the current period; none while unlimited",
        ("group", "period", "kind"),
    )
    LEFT = "left_seconds", "Time until a group's hard limit of the current period", ("group", "period")
    RUNNING = (
        "running_clusters",
        "Running clusters of a group; kind is counted, or uncounted for staff, deployments and windows",
        ("group", "kind"),
    )
    RESTRICTED = "group_restricted", "1 if a group may not start its cluster because it has reached a limit", ("group",)
    ACTIONS = "actions_total", "Actions that were carried out", ("kind",)
    ACTION_FAILURES = "action_failures_total", "Actions that failed", ("kind",)
    WAITING = "messages_waiting", "Messages that are not yet accepted by the mail service", ("kind",)
    UNDELIVERED = "messages_failed_total", "Messages that were given up or not delivered", ("kind",)
    OLDEST_WAITING = (
        "oldest_waiting_message_timestamp_seconds",
        "When the oldest waiting message was written; absent if no message waits",
        (),
    )
    TIME_REQUESTS = (
        "time_requests_waiting",
        "Time requests that wait for an answer by staff; absent if groups cannot ask for more time",
        (),
    )
    OLDEST_TIME_REQUEST = (
        "oldest_waiting_time_request_timestamp_seconds",
        "When the oldest waiting time request was made; absent if no time request waits",
        (),
    )
    OTHERS = (
        "foreign_running_clusters",
        "Running clusters that are not the lab's; kind is job, lab for one of another lab, or cluster for any other",
        ("kind",),
    )
    OLDEST_OTHER = (
        "oldest_foreign_cluster_timestamp_seconds",
        "When the longest running cluster that is not the lab's was started; absent if none runs, or if unknown",
        ("kind",),
    )
    LAST_TICK = "last_tick_timestamp_seconds", "When the last completed tick began", ()
    LAST_DURATION = "last_tick_duration_seconds", "Duration of the last completed tick", ()
    LAST_FAILURES = "last_tick_failures", "Problems of the last completed tick", ()
    LAST_CALLS = "last_tick_calls", "Requests to the workspace in the last completed tick", ("kind",)
    TICKS = "ticks_total", "Completed ticks", ()
    FAILURES = "tick_failures_total", "Problems of all completed ticks", ()
    POLLS_MISSED = "polls_missed", "Polls that should have run today, one every 15 minutes, and did not", ()

    def __init__(self, suffix: str, help: str, labels: tuple[str, ...]) -> None:
        self.full_name = f"teaching_lab_{suffix}"
        self.help = help
        self.labels = ("course", "term", *labels)

    @property
    def is_counter(self) -> bool:
        return self.full_name.endswith("_total")


class Sample(NamedTuple):
    metric: Metric
    labels: tuple[str, ...]
    """Values of the labels after course and term."""
    value: float


@dataclass(frozen=True)
class LedgerState:
    """What the metrics are made from."""

    snapshot: Snapshot
    restricted: frozenset[str]
    """Ids of the clusters whose group is restricted."""
    done: Mapping[str, int]
    """Number of actions that were carried out, by kind."""
    failed: Mapping[str, int]
    """Number of actions that failed, by kind."""
    waiting: Mapping[MessageKind, int]
    undelivered: Mapping[MessageKind, int]
    oldest_waiting: datetime | None
    waiting_requests: tuple[datetime, ...] | None
    """When the waiting time requests were made. None: groups cannot ask for more time."""
    others: tuple[OtherCluster, ...] | None
    """Running clusters that are not the lab's. None: unknown."""
    last_tick: PollRecord | None
    ticks: int
    """Number of completed ticks."""
    tick_failures: int
    """Problems of all completed ticks."""
    polls_missed: int


def samples_of(state: LedgerState) -> list[Sample]:
    """Return the samples of all metrics. A value that is unknown has no sample."""
    return [*_groups(state), *_records(state), *_workspace(state), *_ticks(state)]


def _groups(state: LedgerState) -> Iterator[Sample]:
    snapshot = state.snapshot
    restricted = {group for id, group in snapshot.group_by_cluster.items() if id in state.restricted}
    for group in sorted({*snapshot.course.groups, *snapshot.group_by_cluster.values()}):
        usages = {usage.limit.period: usage for usage in snapshot.limit_usages_of(group)}
        if Period.DAY not in usages:
            yield Sample(Metric.USAGE, (group, Period.DAY.value), _used_today(snapshot, group) / SECOND)
        for period, usage in usages.items():
            yield Sample(Metric.USAGE, (group, period.value), usage.used / SECOND)
            yield Sample(Metric.LIMIT, (group, period.value, "soft"), usage.limit.soft / SECOND)
            yield Sample(Metric.LIMIT, (group, period.value, "hard"), usage.limit.hard / SECOND)
            yield Sample(Metric.LEFT, (group, period.value), usage.left / SECOND)
        own = [one for one in snapshot.clusters if group_of(one) == group and one.observation.running]
        is_in_window = bool(own) and snapshot.is_in_window(group)
        counting = sum(1 for one in own if not is_in_window and snapshot.is_counting(one))
        yield Sample(Metric.RUNNING, (group, COUNTED), counting)
        yield Sample(Metric.RUNNING, (group, UNCOUNTED), len(own) - counting)
        yield Sample(Metric.RESTRICTED, (group,), group in restricted)


def _used_today(snapshot: Snapshot, group: str) -> timedelta:
    tz = snapshot.course.calendar.tz
    begins, ends = day_bounds(snapshot.today, tz)
    windows = windows_between(begins, ends, group, snapshot.in_force, tz)
    sessions = snapshot.sessions_of(group)
    return counted(begins, ends, sessions, windows, now=snapshot.now, count_all=snapshot.count_all)


def _records(state: LedgerState) -> Iterator[Sample]:
    for metric, by_action in ((Metric.ACTIONS, state.done), (Metric.ACTION_FAILURES, state.failed)):
        # Every kind has a sample from the beginning, so that the first action is seen as an increase.
        for action in dict.fromkeys((*ACTION_KINDS, *sorted(by_action))):
            yield Sample(metric, (action,), by_action.get(action, 0))
    for metric, by_message in ((Metric.WAITING, state.waiting), (Metric.UNDELIVERED, state.undelivered)):
        for kind in MessageKind:
            yield Sample(metric, (kind.value,), by_message.get(kind, 0))
    if state.oldest_waiting:
        yield Sample(Metric.OLDEST_WAITING, (), state.oldest_waiting.timestamp())


def _workspace(state: LedgerState) -> Iterator[Sample]:
    if state.waiting_requests is not None:
        yield Sample(Metric.TIME_REQUESTS, (), len(state.waiting_requests))
    if state.waiting_requests:
        yield Sample(Metric.OLDEST_TIME_REQUEST, (), min(state.waiting_requests).timestamp())
    if state.others is None:
        return
    for kind in (CLUSTER, JOB, LAB):
        found = [one for one in state.others if _kind_of(one, state.snapshot) == kind]
        yield Sample(Metric.OTHERS, (kind,), len(found))
        if started := [one.started for one in found if one.started]:
            yield Sample(Metric.OLDEST_OTHER, (kind,), min(started).timestamp())


def _kind_of(cluster: OtherCluster, snapshot: Snapshot) -> str:
    if cluster.is_of_another_lab(snapshot.course.id, snapshot.course.term):
        return LAB
    return JOB if cluster.is_job else CLUSTER


def _ticks(state: LedgerState) -> Iterator[Sample]:
    yield Sample(Metric.TICKS, (), state.ticks)
    yield Sample(Metric.FAILURES, (), state.tick_failures)
    yield Sample(Metric.POLLS_MISSED, (), state.polls_missed)
    if last := state.last_tick:
        yield Sample(Metric.LAST_TICK, (), last.began.timestamp())
        yield Sample(Metric.LAST_DURATION, (), (last.ended - last.began) / SECOND)
        yield Sample(Metric.LAST_FAILURES, (), last.failed)
        for kind, number in sorted(last.calls.items()):
            yield Sample(Metric.LAST_CALLS, (kind,), number)
