"""The tables of a term's archive: columns with their meaning, and rows from the ledger.

Tables of totals name groups and no people; tables of people may name anybody.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import counted_from
from enforcer.ledger import queries, term_rows, time_request_rows
from enforcer.ledger.database import Ledger
from enforcer.retention.anonymise import without_addresses, without_people

OF_A_COURSE = frozenset({MessageKind.REPORT.value, MessageKind.TIME_REQUESTS.value, MessageKind.WEEKLY.value})
"""Kinds of messages whose topic begins with course and term."""
Cell = str | int | bool | date | datetime | None


@dataclass(frozen=True)
class Column:
    name: str
    kind: type
    """Type of the cells: str, int, bool, date or datetime (UTC, whole milliseconds); any cell may be None."""
    meaning: str


@dataclass(frozen=True)
class Table:
    name: str
    about: str
    has_people: bool
    columns: tuple[Column, ...]
    rows: Callable[[Ledger, Snapshot], Iterator[Sequence[Cell]]]


def groups(snapshot: Snapshot) -> dict[str, str]:
    """Return the group of each cluster in the course, by cluster id."""
    return {cluster.id: group_of(cluster) for cluster in snapshot.clusters}


def _days(ledger: Ledger, snapshot: Snapshot) -> Iterator[Sequence[Cell]]:
    yield from term_rows.days(ledger, groups(snapshot))


def _clusters(ledger: Ledger, snapshot: Snapshot) -> Iterator[Sequence[Cell]]:
    of = groups(snapshot)
    for row in term_rows.clusters(ledger, of):
        yield row.id, row.name, of[row.id], row.first_seen, row.last_seen, row.gone_at


def _actions(ledger: Ledger, snapshot: Snapshot) -> Iterator[Sequence[Cell]]:
    for row in term_rows.actions(ledger, groups(snapshot)):
        yield row._replace(reason=without_people(row.reason), error=row.error and without_addresses(row.error))


def _time_requests(ledger: Ledger, snapshot: Snapshot) -> Iterator[Sequence[Cell]]:
    for row in time_request_rows.requests(ledger, snapshot.course.id, snapshot.course.term):
        yield row.group, row.id, *row[2:]


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
        is_foreign_report = row.kind in OF_A_COURSE and not row.topic.startswith(report_of)
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
CLUSTER = Column("cluster_id", str, "the cluster's id in the workspace")

TABLES = (
    Table(
        "days",
        "the totals of each cluster on each settled day",
        False,
        (
            Column("day", date, "in the course's time zone"),
            GROUP,
            CLUSTER,
            Column("used_ms", int, "counted uptime within the day, in milliseconds"),
            Column("soft_ms", int, "soft limit, at which the group is warned; empty: no limit on this day"),
            Column("hard_ms", int, "hard limit, at which the cluster is stopped; empty: no limit on this day"),
            Column("overrun_ms", int, "how long the cluster ran past its limit, in milliseconds"),
            Column("uncounted_ms", int, "uptime of staff, of a deployment, or inside a window, in milliseconds"),
            Column("sessions", int, "counted sessions that overlap the day"),
            Column("estimate", bool, "true: the start or end of one of these sessions was inferred"),
            Column("imported", bool, "true: the total is from the legacy system"),
            Column("settled_at", datetime, "when the day was settled"),
        ),
        _days,
    ),
    Table(
        "actions",
        "actions because of limits, including failed ones; without e-mail addresses and words of time requests",
        False,
        (
            Column("day", date, "in the course's time zone"),
            GROUP,
            CLUSTER,
            Column("kind", str, "warn, restrict, stop or restore"),
            Column("reason", str, "the limit and the reason for it"),
            Column("noted_at", datetime, "when the action was recorded, before it was carried out"),
            Column("done_at", datetime, "when it was carried out; empty: it failed"),
            Column("error", str, "the reason for a failure"),
        ),
        _actions,
    ),
    Table(
        "clusters",
        "all clusters that the course has had",
        False,
        (
            CLUSTER,
            Column("cluster", str, "its name"),
            GROUP,
            Column("first_seen", datetime, "in the cluster list of a poll"),
            Column("last_seen", datetime, "in the cluster list of a poll"),
            Column("gone", datetime, "when a poll found that the cluster no longer existed"),
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
            Column("failed", int, "number of failures, which later polls retry"),
        ),
        _polls,
    ),
    Table(
        "sessions",
        "all sessions; a session is a period in which a cluster ran",
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
            Column("estimate", str, "why the start or end is not exact; empty: both are exact"),
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
            Column("workers", int, "number of workers from then on; empty: not reported"),
            Column("idle_ms", int, "time without activity, if the cluster was stopped because of it"),
            Column("failed", bool, "true: the cluster ended because of a failure"),
            Column("raw", str, "JSON: the whole event"),
        ),
        _events,
    ),
    Table(
        "time_requests",
        "the groups' requests for more time, and the answers",
        True,
        (
            GROUP,
            Column("id", str, "the argument of approve and deny"),
            Column("asked_at", datetime, "when the group saved its file"),
            Column("minutes", int, "minutes that the group asked for; empty: the file could not be understood"),
            Column("reason", str, "the group's words; empty if they were anonymised"),
            Column("state", str, "waiting, approved, denied, granted, refused, expired or withdrawn"),
            Column("answer", str, "the answer that the group read"),
            Column("answered_at", datetime, ""),
            Column("minutes_given", int, "minutes of the allowance; empty: there is none"),
        ),
        _time_requests,
    ),
    Table(
        "messages",
        "the messages of the course",
        True,
        (
            Column(
                "kind", str, "warning, stopped, report, weekly, time-requests, staff-note, digest, given-up or crash"
            ),
            Column("group", str, "the group whose cluster the message is about; empty: about no cluster"),
            Column("period", str, "period of the limit: day, week or term"),
            Column("first", str, "first day of the period"),
            Column("limit_ms", int, "the limit"),
            Column("to", str, "addresses"),
            Column("cc", str, "addresses"),
            Column("subject", str, ""),
            Column("text", str, "text of the message; empty if it was anonymised"),
            Column("queued_at", datetime, ""),
            Column("accepted_at", datetime, "when the mail service accepted it; empty: never"),
            Column("given_up_at", datetime, ""),
            Column("error", str, "the last error"),
            Column("operation_id", str, "the message's id at the mail service"),
        ),
        _messages,
    ),
)
