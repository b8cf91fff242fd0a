"""Takes the names of people out of the ledger, for all that happened before a day. What totals need stays.

Whoever started or restarted a cluster becomes "a member of the group" or "somebody else", which is all that counting
asks; a message keeps what it was about and loses whom it went to and what it said.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from enforcer.domain.allowances import Allowance, AllowanceError, parse_entry
from enforcer.domain.course import CourseError
from enforcer.domain.timestamps import from_millis
from enforcer.domain.uptime import MEMBER, OTHER, Role, day_bounds
from enforcer.ledger import membership, names, queries, starters
from enforcer.ledger.database import Ledger
from enforcer.ledger.names import Text
from enforcer.workspace.course_file import parse_course

NEVER_SENT = "it was anonymised before it was sent"
_ADDRESS = re.compile(r'[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+')


class AnonymiseError(RuntimeError):
    """A sentence that says why nothing was anonymised, and what to do first."""


@dataclass(frozen=True)
class AnonymisedCounts:
    """How many rows lost names, or with a dry run would."""

    events: int
    sessions: int
    actions: int
    messages: int
    unsent: int
    """Those of the messages that were still to be sent, and now never are."""
    allowances: int
    """Allowances that are over, as the workspace's files were last read."""
    groups: int
    """Groups of which the members were noted."""


def anonymise(ledger: Ledger, *, before: date, tz: tzinfo, now: datetime) -> AnonymisedCounts:
    """Anonymise everything in the ledger that is older than a local day, or nothing.

    What was overwritten may still be in free pages until `database.vacuum` rewrites the file. Raises AnonymiseError
    if an earlier day has time that is not settled.
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
        )
        names.note_anonymised(ledger, begins)
    return counts


def without_addresses(text: str) -> str:
    """Every mail address becomes `…`."""
    return _ADDRESS.sub("…", text)


def _check_settled(ledger: Ledger, begins: datetime, tz: tzinfo) -> None:
    """A total is fixed before that of which it was made loses its names."""
    last = queries.last_settled_day(ledger)
    since = day_bounds(last + timedelta(days=1), tz)[0] if last else from_millis(0)
    unsettled = names.first_session_between(ledger, since, begins)
    if since < begins and unsettled:
        day = max(since, unsettled).astimezone(tz).date()
        raise AnonymiseError(
            f"{day} is not settled, so nothing was anonymised; run end-of-day first, or use --before {day}"
        )


def _events(ledger: Ledger, begins: datetime) -> int:
    """Events lose names and raw text, and the sessions are made of them anew; how many events had either."""
    known = membership.known_members(ledger)
    changed = names.named_events(ledger, begins)
    for cluster_id, group in names.groups_of_clusters(ledger).items():
        members = known.all.get(group, frozenset()) if known else None
        decided = {(at, user): _name(role) for at, user, role in starters.named_before(ledger, cluster_id, begins)}
        others = {user: _role(user, members) for user in names.event_users(ledger, cluster_id, begins)}
        names.rename_event_users(ledger, cluster_id, begins, others, decided)
    names.drop_raw_events(ledger, begins)
    starters.forget(ledger, begins)
    return changed


def _name(role: Role) -> str:
    """What is kept of a starter. Who was never known counts on."""
    return OTHER if role is Role.STAFF else MEMBER


def _role(user: str, members: frozenset[str] | None) -> str:
    """For an event that starts nothing: without knowledge of the members everybody is one."""
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
    """How many messages lost their content, and how many of them were never sent."""
    unsent = names.give_up_messages(ledger, begins, before, NEVER_SENT, now=now)
    texts = names.message_texts(ledger, begins, before)
    for text in texts:
        names.empty_message(ledger, _anonymised(text))
    return len(texts), unsent


def _anonymised(text: Text) -> Text:
    return Text(text.id, without_addresses(text.text), text.error and without_addresses(text.error))


def _files(ledger: Ledger, before: date, begins: datetime) -> int:
    """Allowances and course files of a time that is over lose the addresses in them."""
    changed = 0
    for path, content in names.file_contents(ledger):
        anonymised = without_addresses(content)
        if anonymised != content and _is_over(path, content, before, begins):
            names.write_file_content(ledger, path, anonymised)
            changed += 1
    return changed


def _is_over(path: str, content: str, before: date, begins: datetime) -> bool:
    """Whether nothing in the file concerns the day or a later one; what cannot be read concerns nothing.

    `begins` is the first instant of the day in the course's zone.
    """
    try:
        if "/allowances/" in path:
            entry = parse_entry(content, path)
            return entry.last_day < before if isinstance(entry, Allowance) else entry.given_at < begins
        return parse_course(content, path).calendar.last_day < before
    except (AllowanceError, CourseError):
        return True
