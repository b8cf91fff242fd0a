"""Takes the names of people out of the ledger, for all that happened before a day. What totals need stays.

Whoever started or restarted a cluster becomes "a member of the group" or "somebody else", which is all that counting
asks; a letter keeps what it was about and loses whom it went to and what it said.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from enforcer.domain.allowances import Allowance, AllowanceError, parse_entry
from enforcer.domain.course import CourseError, parse_course
from enforcer.domain.quota import Period
from enforcer.domain.snapshot import group_named
from enforcer.domain.timestamps import to_instant, to_millis
from enforcer.domain.uptime import MEMBER, OTHER, day_bounds, is_member
from enforcer.ledger import membership, queries, record
from enforcer.ledger.models import ActionRow, ClusterRow, EventRow, FileRow, LetterRow, SessionRow, database
from enforcer.ledger.queries import PURGED

EMPTY = "{}"
NEVER_SENT = "it was purged before it was sent"
_ADDRESS = re.compile(r'[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+')


class PurgeError(RuntimeError):
    """A sentence that says why nothing was purged, and what to do first."""


@dataclass(frozen=True)
class Purged:
    """How many rows lost names, or with a dry run would."""

    events: int
    sessions: int
    actions: int
    letters: int
    unsent: int
    """Those of the letters that were still to be sent, and now never are."""
    allowances: int
    """Allowances that are over, as the workspace's files were last read."""
    groups: int
    """Groups of which the members were noted."""


def purge(*, before: date, tz: tzinfo, now: datetime) -> Purged:
    """Purge the open ledger of all that is older than a local day; all of it or nothing.

    What was overwritten may still lie in free pages: `database.vacuum` ends that. Raises PurgeError where a day before
    it has time that is not settled.
    """
    begins = day_bounds(before, tz)[0]
    _check_settled(begins, tz)
    with database.atomic():
        sessions = sum(_is_named(row) for row in SessionRow.select().where(SessionRow.start < to_millis(begins)))
        purged = Purged(
            _events(begins),
            sessions,
            _actions(begins),
            *_letters(before, begins, now),
            _files(before),
            membership.forget(begins),
        )
        queries.write_note(PURGED, str(max(to_millis(begins), int(queries.note(PURGED) or 0))))
    return purged


def without_addresses(text: str) -> str:
    """Every mail address becomes `…`."""
    return _ADDRESS.sub("…", text)


def _check_settled(begins: datetime, tz: tzinfo) -> None:
    """A total is fixed before that of which it was made loses its names."""
    last = queries.last_settled_day()
    since = day_bounds(last + timedelta(days=1), tz)[0] if last else to_instant(0)
    unsettled = (
        SessionRow.select(SessionRow.start)
        .where(
            (SessionRow.start < to_millis(begins)) & (SessionRow.end.is_null() | (SessionRow.end > to_millis(since)))
        )
        .order_by(SessionRow.start)
        .first()
    )
    if since < begins and unsettled:
        day = max(since, to_instant(unsettled.start)).astimezone(tz).date()
        raise PurgeError(f"{day} is not settled, so nothing was purged; run end-of-day first, or purge before {day}")


def _is_named(row: Any) -> bool:
    users = [row.started_by, *(user for _, user in json.loads(row.restarts))]
    return any(user not in (None, MEMBER, OTHER) for user in users)


def _events(begins: datetime) -> int:
    """Events lose names and raw text, and the sessions are made of them anew; how many events had either."""
    known = membership.known()
    old = EventRow.at < to_millis(begins)
    has_name = EventRow.user_name.not_in(["", MEMBER, OTHER])
    changed = EventRow.select().where(old & (has_name | (EventRow.raw != EMPTY))).count()
    for cluster in list(ClusterRow.select()):
        own = old & (EventRow.cluster_id == cluster.cluster_id)
        group = cluster.group_name or group_named(cluster.name)
        members = known.all.get(group, frozenset()) if known else None
        names = {user: _role(user, members) for user in _users(own)}
        _drop_doubles(own, names)
        for user, role in names.items():
            EventRow.update(user_name=role).where(own & (EventRow.user_name == user)).execute()
        if names:
            # The sessions follow from the events, as after each poll.
            record.rebuild(cluster.cluster_id, since=0)
    EventRow.update(raw=EMPTY).where(old).execute()
    return int(changed)


def _users(own: Any) -> list[str]:
    query: Any = EventRow.select(EventRow.user_name).where(own).distinct().tuples()
    return [user for (user,) in query if user not in ("", MEMBER, OTHER)]


def _role(user: str, members: frozenset[str] | None) -> str:
    """Without knowledge of the members everything counts, so that everybody is one."""
    return MEMBER if members is None or is_member(user, members) else OTHER


def _drop_doubles(own: Any, names: Mapping[str, str]) -> None:
    """Of events that differ in their names alone one stays."""
    query: Any = (
        EventRow.select(EventRow.cluster_id, EventRow.at, EventRow.type, EventRow.user_name).where(own).tuples()
    )
    kept = set()
    for cluster_id, at, type, user in list(query):
        key = (at, type, names.get(user, user))
        if key in kept:
            same = (EventRow.cluster_id == cluster_id) & (EventRow.at == at) & (EventRow.type == type)
            EventRow.delete().where(same & (EventRow.user_name == user)).execute()
        kept.add(key)


def _actions(begins: datetime) -> int:
    changed = 0
    for row in list(ActionRow.select().where(ActionRow.noted < to_millis(begins))):
        reason, error = without_addresses(row.reason), row.error and without_addresses(row.error)
        if (reason, error) != (row.reason, row.error):
            ActionRow.update(reason=reason, error=error).where(ActionRow.id == row.id).execute()
            changed += 1
    return changed


def _letters(before: date, begins: datetime, now: datetime) -> tuple[int, int]:
    """How many letters lost their content, and how many of them were never sent. As rows they stay: nobody is told
    twice."""
    is_of_old_day = (LetterRow.period == Period.DAY.value) & (LetterRow.first < before.isoformat())
    old = ((LetterRow.queued < to_millis(begins)) | is_of_old_day) & (LetterRow.payload != EMPTY)
    waiting = old & LetterRow.accepted.is_null() & LetterRow.given_up.is_null()
    unsent = LetterRow.update(given_up=to_millis(now), error=NEVER_SENT).where(waiting).execute()
    rows = list(LetterRow.select(LetterRow.id, LetterRow.subject, LetterRow.error).where(old))
    for row in rows:
        LetterRow.update(
            payload=EMPTY, subject=without_addresses(row.subject), error=row.error and without_addresses(row.error)
        ).where(LetterRow.id == row.id).execute()
    return len(rows), int(unsent)


def _files(before: date) -> int:
    """Allowances and course files of a time that is over lose the addresses in them."""
    changed = 0
    for row in list(FileRow.select()):
        content = without_addresses(row.content)
        if content != row.content and _is_over(row.path, row.content, before):
            FileRow.update(content=content).where(FileRow.path == row.path).execute()
            changed += 1
    return changed


def _is_over(path: str, content: str, before: date) -> bool:
    """Whether nothing in the file concerns the day or a later one; what cannot be read concerns nothing."""
    try:
        if "/allowances/" in path:
            entry = parse_entry(content, path)
            return (entry.last if isinstance(entry, Allowance) else entry.given_at.date()) < before
        return parse_course(content, path).calendar.last_day < before
    except (AllowanceError, CourseError):
        return True
