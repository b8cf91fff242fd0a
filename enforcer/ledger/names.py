"""Queries that find and replace names of people in the ledger. `retention.anonymise` decides what to replace."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from enforcer.domain.quota import Period
from enforcer.domain.snapshot import group_from_name
from enforcer.domain.timestamps import from_millis, to_millis
from enforcer.domain.uptime import MEMBER, OTHER
from enforcer.ledger import queries, record
from enforcer.ledger.database import Ledger
from enforcer.ledger.models import ANONYMISED_BEFORE, ActionRow, ClusterRow, EventRow, FileRow, MessageRow, SessionRow
from labkit.course_file import FILE_NAME, CourseFileError, parse_course_file

EMPTY = "{}"
NAMELESS = ("", MEMBER, OTHER)


def anonymised_before(ledger: Ledger) -> int:
    """Return the instant before which the ledger has no names of people, in milliseconds."""
    return int(queries.note(ledger, ANONYMISED_BEFORE) or 0)


def note_anonymised(ledger: Ledger, begins: datetime) -> None:
    """Record that there are no names before an instant, unless an earlier run has recorded a later one."""
    queries.write_note(ledger, ANONYMISED_BEFORE, str(max(to_millis(begins), anonymised_before(ledger))))


# --- sessions and events


def first_session_between(ledger: Ledger, since: datetime, before: datetime) -> datetime | None:
    """Return the start of the first session that overlaps the time from `since` to `before`, or None."""
    lasts = SessionRow.end.is_null() | (SessionRow.end > to_millis(since))
    query = ledger.select(SessionRow, SessionRow.start).where((SessionRow.start < to_millis(before)) & lasts)
    row = query.order_by(SessionRow.start).first()
    return from_millis(row.start) if row else None


def named_sessions(ledger: Ledger, before: datetime) -> int:
    """Return the number of sessions that began before an instant and contain a name."""
    return sum(_is_named(row) for row in ledger.select(SessionRow).where(SessionRow.start < to_millis(before)))


def _is_named(row: Any) -> bool:
    users = [row.started_by, *(user for _, user in json.loads(row.restarts))]
    return any(user not in (None, MEMBER, OTHER) for user in users)


def named_events(ledger: Ledger, before: datetime) -> int:
    """Return the number of events before an instant that have a name or the raw JSON."""
    is_it = EventRow.user_name.not_in(list(NAMELESS)) | (EventRow.raw != EMPTY)
    return int(ledger.select(EventRow).where((EventRow.at < to_millis(before)) & is_it).count())


def groups_of_clusters(ledger: Ledger) -> dict[str, str]:
    """Return the display name of the group of every cluster ever seen, by cluster id."""
    return {row.cluster_id: row.group_name or group_from_name(row.name) for row in ledger.select(ClusterRow)}


def principals(ledger: Ledger) -> dict[str, str]:
    """Return the principal of each group that has one, by the group's name, according to the course files last read."""
    found = {}
    for row in ledger.select(FileRow).where(FileRow.path.endswith(f"/{FILE_NAME}")):
        try:
            groups = parse_course_file(row.content, row.path).groups
        except CourseFileError:
            continue
        found.update({group.name: group.principal for group in groups if group.principal})
    return found


def event_users(ledger: Ledger, cluster_id: str, before: datetime) -> list[str]:
    """Return the names in the events of a cluster before an instant."""
    query = ledger.select(EventRow, EventRow.user_name).where(_old(cluster_id, before)).distinct().tuples()
    return [user for (user,) in query if user not in NAMELESS]


def rename_event_users(
    ledger: Ledger,
    cluster_id: str,
    before: datetime,
    names: Mapping[str, str],
    decided: Mapping[tuple[int, str], str],
) -> None:
    """Replace names in a cluster's events before an instant, and recompute its sessions.

    `names` maps each user to the new name. `decided` takes precedence for single events, by instant (milliseconds) and
    user.
    """
    if not names:
        return
    old = _old(cluster_id, before)
    _delete_duplicates(ledger, old, names, decided)
    for (at, user), role in decided.items():
        ledger.update(EventRow, user_name=role).where(
            old & (EventRow.at == at) & (EventRow.user_name == user)
        ).execute()
    for user, role in names.items():
        ledger.update(EventRow, user_name=role).where(old & (EventRow.user_name == user)).execute()
    # Sessions are computed from the events, as after each poll.
    record.rebuild(ledger, cluster_id, since=0)


def _old(cluster_id: str, before: datetime) -> Any:
    return (EventRow.at < to_millis(before)) & (EventRow.cluster_id == cluster_id)


def _delete_duplicates(
    ledger: Ledger, old: Any, names: Mapping[str, str], decided: Mapping[tuple[int, str], str]
) -> None:
    """Of events that would differ only in names, delete all but one."""
    query = ledger.select(EventRow, EventRow.cluster_id, EventRow.at, EventRow.type, EventRow.user_name)
    kept = set()
    for cluster_id, at, type, user in list(query.where(old).tuples()):
        key = (at, type, decided.get((at, user)) or names.get(user, user))
        if key in kept:
            same = (EventRow.cluster_id == cluster_id) & (EventRow.at == at) & (EventRow.type == type)
            ledger.delete(EventRow).where(same & (EventRow.user_name == user)).execute()
        kept.add(key)


def drop_raw_events(ledger: Ledger, before: datetime) -> None:
    """Delete the raw JSON of events before an instant."""
    ledger.update(EventRow, raw=EMPTY).where(EventRow.at < to_millis(before)).execute()


# --- text of actions, messages and files


@dataclass(frozen=True)
class Text:
    """Text and error of a row."""

    id: int
    text: str
    error: str | None


def action_texts(ledger: Ledger, before: datetime) -> list[Text]:
    """Return reasons and errors of the actions before an instant."""
    rows = ledger.select(ActionRow).where(ActionRow.noted_at < to_millis(before))
    return [Text(row.id, row.reason, row.error) for row in rows]


def write_action_text(ledger: Ledger, text: Text) -> None:
    ledger.update(ActionRow, reason=text.text, error=text.error).where(ActionRow.id == text.id).execute()


def message_texts(ledger: Ledger, before: datetime, day: date) -> list[Text]:
    """Return subjects and errors of messages that have content and were stored before an instant or concern a day
    before `day`.
    """
    rows = ledger.select(MessageRow, MessageRow.id, MessageRow.subject, MessageRow.error).where(
        _old_messages(before, day)
    )
    return [Text(row.id, row.subject, row.error) for row in rows]


def empty_message(ledger: Ledger, text: Text) -> None:
    """Delete the content of a message. The row stays, so that the message is not sent again."""
    changes = {"request_body": EMPTY, "subject": text.text, "error": text.error}
    ledger.update(MessageRow, **changes).where(MessageRow.id == text.id).execute()


def give_up_messages(ledger: Ledger, before: datetime, day: date, error: str, *, now: datetime) -> int:
    """Give up the same messages, if they are not sent yet. Return their number."""
    waiting = _old_messages(before, day) & MessageRow.accepted_at.is_null() & MessageRow.given_up_at.is_null()
    return int(ledger.update(MessageRow, given_up_at=to_millis(now), error=error).where(waiting).execute())


def _old_messages(before: datetime, day: date) -> Any:
    is_of_old_day = (MessageRow.period == Period.DAY.value) & (MessageRow.period_start < day.isoformat())
    return ((MessageRow.queued_at < to_millis(before)) | is_of_old_day) & (MessageRow.request_body != EMPTY)


def file_contents(ledger: Ledger) -> list[tuple[str, str]]:
    """Return path and content of every workspace file as last read."""
    return [(row.path, row.content) for row in ledger.select(FileRow)]


def write_file_content(ledger: Ledger, path: str, content: str) -> None:
    ledger.update(FileRow, content=content).where(FileRow.path == path).execute()
