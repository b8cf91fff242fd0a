"""The tables of a term's archive: what is in each of their columns, and the rows, as the ledger holds them.

Tables of totals name groups and no person; those of people may name anybody.
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
    """The group of each cluster of the course, by cluster id."""
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
        "what each cluster used on each settled day; fixed when the day was closed",
        False,
        (
            Column("day", date, "local to the course"),
            GROUP,
            CLUSTER,
            Column("used_ms", int, "counted uptime inside the day, in milliseconds"),
            Column("soft_ms", int, "where the group was warned; empty: no limit on this day"),
            Column("hard_ms", int, "where the cluster was stopped; empty: no limit on this day"),
            Column("overrun_ms", int, "how long it ran past its limit"),
            Column("uncounted_ms", int, "uptime of staff, of the deploy, or inside a window"),
            Column("sessions", int, "counted sessions that touch the day"),
            Column("estimate", bool, "whether a bound of one of them had to be inferred"),
            Column("imported", bool, "whether it is the earlier system's figure"),
            Column("settled_at", datetime, "when the day was closed"),
        ),
        _days,
    ),
    Table(
        "actions",
        "what was done about the limits, or tried; mail addresses in reasons and errors are left out",
        False,
        (
            Column("day", date, "local to the course"),
            GROUP,
            CLUSTER,
            Column("kind", str, "warn, restrict, stop or restore"),
            Column("reason", str, "the limit, and why it is what it is"),
            Column("noted_at", datetime, "before it was done"),
            Column("done_at", datetime, "empty: it did not succeed"),
            Column("error", str, "why not"),
        ),
        _actions,
    ),
    Table(
        "clusters",
        "every cluster the course ever had",
        False,
        (
            CLUSTER,
            Column("cluster", str, "its name"),
            GROUP,
            Column("first_seen", datetime, "by a poll"),
            Column("last_seen", datetime, "by a poll"),
            Column("gone", datetime, "when the workspace no longer knew it"),
        ),
        _clusters,
    ),
    Table(
        "polls",
        "every poll that ran to its end",
        False,
        (
            Column("began", datetime, ""),
            Column("ended", datetime, ""),
            Column("failed", int, "how much failed in it, and was done later"),
        ),
        _polls,
    ),
    Table(
        "sessions",
        "every stretch of uptime",
        True,
        (
            GROUP,
            CLUSTER,
            Column("start", datetime, ""),
            Column("end", datetime, "empty: it was still running"),
            Column("started_by", str, "address of an account; empty: not told"),
            Column("counted_from", datetime, "from when on it counted against the group; empty: not at all"),
            Column("restarts", str, "JSON: milliseconds since the start, and by whom"),
            Column("workers", str, "JSON: milliseconds since the start, and how many from then on"),
            Column("estimate", str, "why its bounds are not exact; empty: they are"),
        ),
        _sessions,
    ),
    Table(
        "events",
        "the events of the clusters as the workspace told them",
        True,
        (
            GROUP,
            CLUSTER,
            Column("at", datetime, ""),
            Column("type", str, "as the workspace has it"),
            Column("user", str, "who asked for it; empty: not told"),
            Column("workers", int, "how many from then on; empty: not told"),
            Column("idle_ms", int, "for how long nothing had run, where that ended it"),
            Column("failed", bool, "whether it ended by a failure"),
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
            Column("group", str, "whose cluster it is about; empty: it is about none"),
            Column("period", str, "of the limit it is about: day, week or term"),
            Column("first", str, "first day of that period"),
            Column("limit_ms", int, "that limit"),
            Column("to", str, "addresses"),
            Column("cc", str, "addresses"),
            Column("subject", str, ""),
            Column("text", str, "what the text of the mail; empty if it was anonymised"),
            Column("queued_at", datetime, ""),
            Column("accepted_at", datetime, "by the mail service; empty: it was never sent"),
            Column("given_up_at", datetime, ""),
            Column("error", str, "the last"),
            Column("operation_id", str, "its name at the mail service"),
        ),
        _messages,
    ),
)
