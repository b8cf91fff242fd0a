"""Removes names of people from all rows of the ledger before a given day. Whatever the totals need stays.

Users who started or restarted a cluster become "a member of the group" or "somebody else", which is enough for
counting. Messages keep their topic and lose recipients and text.
"""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from enforcer.domain.allowances import Allowance, AllowanceError, parse_entry
from enforcer.domain.course import CourseError
from enforcer.domain.timestamps import from_millis
from enforcer.domain.uptime import MEMBER, OTHER, Role, day_bounds
from enforcer.ledger import membership, names, queries, starters, time_request_rows
from enforcer.ledger.database import Ledger
from enforcer.ledger.names import Text
from enforcer.workspace.course_file import parse_course

NEVER_SENT = "it was anonymised before it was sent"
_ADDRESS = re.compile(r'[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+')

_ASKED = re.compile(r"\basked: .*", re.DOTALL)
"""What a group wrote, in the reason for an allowance and for the limit; see `time_requests.answers`."""


class AnonymiseError(RuntimeError):
    """Nothing was anonymised; the message gives the reason and what to do first."""


@dataclass(frozen=True)
class AnonymisedCounts:
    """Number of rows from which names are removed."""

    events: int
    sessions: int
    actions: int
    messages: int
    unsent: int
    """The pending messages among these, which are never sent."""
    allowances: int
    """Stored copies of past allowances."""
    groups: int
    """Number of groups whose stored members are removed."""
    time_requests: int
    """Time requests whose texts are removed."""


def anonymise(ledger: Ledger, *, before: date, tz: tzinfo, now: datetime) -> AnonymisedCounts:
    """Atomically anonymise all rows of the ledger before a local day.

    Overwritten values may remain in free pages until `database.vacuum` rewrites the file. Raises AnonymiseError if an
    earlier day with usage is not settled.
    """
    begins = day_bounds(before, tz)[0]
    _check_settled(ledger, begins, tz)
    with ledger.atomic():
        sessions = names.named_sessions(ledger, begins)
        counts = AnonymisedCounts(
            _events(ledger, begins),
            sessions,
            _actions(ledger, begins),
            *_messages(ledger, before, begins, now),
            _files(ledger, before, begins),
            membership.forget(ledger, begins),
            time_request_rows.remove_texts(ledger, begins),
        )
        names.note_anonymised(ledger, begins)
    return counts


def without_addresses(text: str) -> str:
    """Return a text with every e-mail address replaced by `…`."""
    return _ADDRESS.sub("…", text)


def without_people(text: str) -> str:
    """Return the reason for a limit without e-mail addresses and without what a group wrote in a time request."""
    return without_addresses(_ASKED.sub("asked", text))


def _check_settled(ledger: Ledger, begins: datetime, tz: tzinfo) -> None:
    """Raise AnonymiseError for usage before `begins` that is not settled, because totals need the names."""
    last = queries.last_settled_day(ledger)
    since = day_bounds(last + timedelta(days=1), tz)[0] if last else from_millis(0)
    unsettled = names.first_session_between(ledger, since, begins)
    if since < begins and unsettled:
        day = max(since, unsettled).astimezone(tz).date()
        raise AnonymiseError(
            f"{day} is not settled, so nothing was anonymised; run end-of-day first, or use --before {day}"
        )


def _events(ledger: Ledger, begins: datetime) -> int:
    """Remove names and raw JSON from events, and recompute the sessions. Return the number of changed events."""
    known = membership.known_members(ledger)
    changed, principals = names.named_events(ledger, begins), names.principals(ledger)
    for cluster_id, group in names.groups_of_clusters(ledger).items():
        members = known.all.get(principals.get(group, group), frozenset()) if known else None
        decided = {(at, user): _name(role) for at, user, role in starters.named_before(ledger, cluster_id, begins)}
        others = {user: _role(user, members) for user in names.event_users(ledger, cluster_id, begins)}
        names.rename_event_users(ledger, cluster_id, begins, others, decided)
    names.drop_raw_events(ledger, begins)
    starters.forget(ledger, begins)
    return changed


def _name(role: Role) -> str:
    """Return the replacement for a starter's name. Unknown starters count like members."""
    return OTHER if role is Role.STAFF else MEMBER


def _role(user: str, members: frozenset[str] | None) -> str:
    """Return the replacement for a name in other events. If the members are not known, everybody counts as one."""
    return MEMBER if members is None or user.casefold() in members else OTHER


def _actions(ledger: Ledger, begins: datetime) -> int:
    changed = 0
    for text in names.action_texts(ledger, begins):
        anonymised = _anonymised(text)
        if anonymised != text:
            names.write_action_text(ledger, anonymised)
            changed += 1
    return changed


def _messages(ledger: Ledger, before: date, begins: datetime, now: datetime) -> tuple[int, int]:
    """Remove the content of messages. Return their number, and how many of them were never sent."""
    unsent = names.give_up_messages(ledger, begins, before, NEVER_SENT, now=now)
    texts = names.message_texts(ledger, begins, before)
    for text in texts:
        names.empty_message(ledger, _anonymised(text))
    return len(texts), unsent


def _anonymised(text: Text) -> Text:
    return Text(text.id, without_people(text.text), text.error and without_addresses(text.error))


def _files(ledger: Ledger, before: date, begins: datetime) -> int:
    """Remove addresses from past allowances and course files, and the groups' words from past allowances. Return the
    number of files.
    """
    changed = 0
    for path, content in names.file_contents(ledger):
        anonymised = without_addresses(_without_words(content) if "/allowances/" in path else content)
        if anonymised != content and _is_over(path, content, before, begins):
            names.write_file_content(ledger, path, anonymised)
            changed += 1
    return changed


def _without_words(content: str) -> str:
    """Return an allowance's content without what a group wrote in its time request."""
    try:
        document = json.loads(content)
    except (RecursionError, ValueError):
        return content
    if not isinstance(document, dict) or "time_request" not in document or "revokes" in document:
        return content
    reason = without_people(str(document.get("reason", "")))
    return json.dumps(document | {"reason": reason}, ensure_ascii=False, indent=2) + "\n"


def _is_over(path: str, content: str, before: date, begins: datetime) -> bool:
    """Return whether the file concerns only earlier days; True if it cannot be read.

    `begins` is the first instant of the day in the course's zone.
    """
    try:
        if "/allowances/" in path:
            entry = parse_entry(content, path)
            return entry.last_day < before if isinstance(entry, Allowance) else entry.given_at < begins
        return parse_course(content, path).calendar.last_day < before
    except (AllowanceError, CourseError):
        return True
