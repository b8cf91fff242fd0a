"""The tables of a term's archive: columns with their meaning, and rows from the ledger.

Tables of totals name groups and no person; tables of people may name anybody.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import counted_from
from enforcer.ledger import queries, term_rows
from enforcer.ledger.database import Ledger
from enforcer.retention.anonymise import without_addresses

Cell = str | int | bool | date | datetime | None


@dataclass(frozen=True)
class Column:
    name: str
    kind: type
    """str, int, bool, date or datetime (UTC, whole milliseconds); any cell may be None."""
    meaning: str


@dataclass(frozen=True)
class Table:
    name: str
    about: str
    has_people: bool
    columns: tuple[Column, ...]
    rows: Callable[[Ledger, Snapshot], Iterator[Sequence[Cell]]]


def groups(snapshot: Snapshot) -> dict[str, str]:
    """Return the group of each cluster of the course, by cluster id."""
    return {cluster.id: group_of(cluster) for cluster in snapshot.clusters}


def _days(ledger: Ledger, snapshot: Snapshot) -> Iterator[Sequence[Cell]]:
    yield from term_rows.days(ledger, groups(snapshot))


def _clusters(ledger: Ledger, snapshot: Snapshot) -> Iterator[Sequence[Cell]]:
    of = groups(snapshot)
    for row in term_rows.clusters(ledger, of):
        yield row.id, row.name, of[row.id], row.first_seen, row.last_seen, row.gone_at


def _actions(ledger: Ledger, snapshot: Snapshot) -> Iterator[Sequence[Cell]]:
    for row in term_rows.actions(ledger, groups(snapshot)):
        yield row._replace(reason=without_addresses(row.reason), error=row.error and without_addresses(row.error))


def _polls(ledger: Ledger, snapshot: Snapshot) -> Iterator[Sequence[Cell]]:
    yield from term_rows.polls(ledger)


def _sessions(ledger: Ledger, snapshot: Snapshot) -> Iterator[Sequence[Cell]]:
    ms = timedelta(milliseconds=1)
    for cluster in snapshot.clusters:
        group = group_of(cluster)
        for session in snapshot.sessions.get(cluster.id, []):
            yield (
                group,
                cluster.id,
                session.start,
                session.end,
                session.started_by,
                counted_from(session, count_all=snapshot.count_all),
                json.dumps([[(restart.at - session.start) // ms, restart.user] for restart in session.restarts]),
                json.dumps([[(at - session.start) // ms, count] for at, count in session.workers]),
                session.estimate,
            )


def _events(ledger: Ledger, snapshot: Snapshot) -> Iterator[Sequence[Cell]]:
    of = groups(snapshot)
    for row in term_rows.events(ledger, of):
        yield of[row.cluster_id], *row


def _messages(ledger: Ledger, snapshot: Snapshot) -> Iterator[Sequence[Cell]]:
    of = groups(snapshot)
    others = frozenset(queries.clusters(ledger)) - of.keys()
    report_of = f"{snapshot.course.id} {snapshot.course.term} ".lstrip()
    for row in term_rows.messages(ledger):
        is_foreign_report = row.kind == MessageKind.REPORT.value and not row.topic.startswith(report_of)
        if row.topic in others or is_foreign_report:
            continue
        body = json.loads(row.request_body)
        recipients = body.get("recipients", {})
        yield (
            row.kind,
            of.get(row.topic),
            row.period,
            row.period_start,
            row.hard_limit,
            _addresses(recipients.get("to", [])),
            _addresses(recipients.get("cc", [])),
            row.subject,
            body.get("content", {}).get("plainText"),
            row.queued_at,
            row.accepted_at,
            row.given_up_at,
            row.error,
            row.operation_id,
        )


def _addresses(recipients: Sequence[dict[str, Any]]) -> str:
    return ", ".join(one["address"] for one in recipients)


GROUP = Column("group", str, "display name of the group")
CLUSTER = Column("cluster_id", str, "the workspace's id of the cluster")

TABLES = (
    Table(
        "days",
        "the totals of each cluster on each settled day",
        False,
        (
            Column("day", date, "local to the course"),
            GROUP,
            CLUSTER,
            Column("used_ms", int, "counted uptime within the day, in milliseconds"),
            Column("soft_ms", int, "soft limit, when the group is warned; empty: no limit on this day"),
            Column("hard_ms", int, "hard limit, when the cluster is stopped; empty: no limit on this day"),
            Column("overrun_ms", int, "how long it ran past its limit"),
            Column("uncounted_ms", int, "uptime of staff, of the deploy, or inside a window"),
            Column("sessions", int, "counted sessions that overlap the day"),
            Column("estimate", bool, "true: start or end of one of them was inferred"),
            Column("imported", bool, "true: a total of the earlier system"),
            Column("settled_at", datetime, "when the day was settled"),
        ),
        _days,
    ),
    Table(
        "actions",
        "actions because of limits, failed ones included; mail addresses in reasons and errors are removed",
        False,
        (
            Column("day", date, "local to the course"),
            GROUP,
            CLUSTER,
            Column("kind", str, "warn, restrict, stop or restore"),
            Column("reason", str, "the limit and its reason"),
            Column("noted_at", datetime, "when it was recorded, before it was done"),
            Column("done_at", datetime, "empty: it failed"),
            Column("error", str, "the reason of a failure"),
        ),
        _actions,
    ),
    Table(
        "clusters",
        "all clusters that the course had",
        False,
        (
            CLUSTER,
            Column("cluster", str, "its name"),
            GROUP,
            Column("first_seen", datetime, "by a poll"),
            Column("last_seen", datetime, "by a poll"),
            Column("gone", datetime, "when the workspace no longer had it"),
        ),
        _clusters,
    ),
    Table(
        "polls",
        "all completed polls",
        False,
        (
            Column("began", datetime, ""),
            Column("ended", datetime, ""),
            Column("failed", int, "number of failures, which later polls repeat"),
        ),
        _polls,
    ),
    Table(
        "sessions",
        "all sessions, in which a cluster ran",
        True,
        (
            GROUP,
            CLUSTER,
            Column("start", datetime, ""),
            Column("end", datetime, "empty: still running"),
            Column("started_by", str, "address of an account; empty: not reported"),
            Column("counted_from", datetime, "when it began to count for the group; empty: never"),
            Column("restarts", str, "JSON: milliseconds since the start, and the user"),
            Column("workers", str, "JSON: milliseconds since the start, and the number from then on"),
            Column("estimate", str, "why start or end is not exact; empty: both are exact"),
        ),
        _sessions,
    ),
    Table(
        "events",
        "the events of the clusters as the workspace reported them",
        True,
        (
            GROUP,
            CLUSTER,
            Column("at", datetime, ""),
            Column("type", str, "as in the workspace"),
            Column("user", str, "the user who caused it; empty: not reported"),
            Column("workers", int, "their number from then on; empty: not reported"),
            Column("idle_ms", int, "time without activity, if that ended the session"),
            Column("failed", bool, "true: an end because of a failure"),
            Column("raw", str, "JSON: the whole event"),
        ),
        _events,
    ),
    Table(
        "messages",
        "the messages that were mailed",
        True,
        (
            Column("kind", str, "warning, stopped, report, digest, given-up or crash"),
            Column("group", str, "the group of the cluster that it is about; empty: about no cluster"),
            Column("period", str, "period of the limit: day, week or term"),
            Column("first", str, "first day of the period"),
            Column("limit_ms", int, "the limit"),
            Column("to", str, "addresses"),
            Column("cc", str, "addresses"),
            Column("subject", str, ""),
            Column("text", str, "what the text of the mail; empty if it was anonymised"),
            Column("queued_at", datetime, ""),
            Column("accepted_at", datetime, "by the mail service; empty: never accepted"),
            Column("given_up_at", datetime, ""),
            Column("error", str, "the last error"),
            Column("operation_id", str, "its id at the mail service"),
        ),
        _messages,
    ),
)
