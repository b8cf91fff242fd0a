"""Renders messages: templates turn plain values into subject, text and HTML.

A template is a pair, `warning.txt.j2` and `warning.html.j2`; the first line of the text is `Subject: …`. A course can
use its own words and language: templates in the folder LAB_MAIL_TEMPLATES replace built-in ones of the same name. If
one cannot be rendered, the error is logged and the built-in one is used: a typo must not delay a message.

Names and reasons are entered by people: control characters, line breaks and direction overrides are removed here; the
HTML templates escape the rest.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError

from enforcer.domain.quota import LimitUsage, Period
from labkit.text import multiline, one_line, redact_secrets

log = logging.getLogger(__name__)

OURS = Path(__file__).with_name("templates")
MINUTE = timedelta(minutes=1)
SUBJECT_LENGTH = 150
MOST_LISTED = 100
"""Maximum number of time requests in a message."""
OLD_VARIABLES = {"letters": "messages", "past": "overrun", "apart": "uncounted"}


@dataclass(frozen=True)
class Attachment:
    name: str
    content_type: str
    content: bytes
    content_id: str | None = None
    """Id for `<img src="cid:…">` in the HTML; None for a separate file."""


@dataclass(frozen=True)
class Message:
    """A message without its sender. The sender, and whether copies are sent, are fixed before the first attempt."""

    subject: str
    text: str
    html: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Notice:
    """Values for a message to a group about one limit."""

    course: str
    """The course's title."""
    group: str
    """The group's name in the course."""
    cluster: str
    """The cluster's name."""
    limit_usage: LimitUsage
    """The tightest limit and its usage."""
    tz: tzinfo
    now: datetime
    resets: date | None = None
    """When the limit of a day or week is reset and the group may run its cluster again; None: after the period."""
    page: str = ""
    """The URL of the group's page; empty if it has none."""


def warning(notice: Notice, *, to: Iterable[str], admin: str | None, folder: Path | None = None) -> Message:
    """Return the warning that a group is near its limit."""
    return _to_group("warning", notice, to, admin, folder)


def stopped(notice: Notice, *, to: Iterable[str], admin: str | None, folder: Path | None = None) -> Message:
    """Return the message that the limit is reached and the cluster is off until the limit resets."""
    return _to_group("stopped", notice, to, admin, folder)


def report(
    values: Mapping[str, Any],
    *,
    to: Iterable[str],
    attachments: tuple[Attachment, ...] = (),
    folder: Path | None = None,
    name: str = "report",
) -> Message:
    """Return the report for a day, rendered from `values`."""
    subject, text, html = render(name, values, folder)
    return Message(subject, text, html, tuple(to), attachments=attachments)


def crash(*, cause: str, trace: str, at: datetime, admin: str, folder: Path | None = None) -> Message:
    """Return the message that the program failed. `cause` is one line, `trace` a traceback.

    Without a trace, the program did not crash, but could not work for an external reason.
    """
    values = {"cause": one_line(redact_secrets(cause)), "trace": multiline(redact_secrets(trace)), "at": at}
    subject, text, html = render("crash", values, folder)
    return Message(subject, text, html, (admin,))


@dataclass(frozen=True)
class UndeliveredMessage:
    """A message that was given up."""

    subject: str
    to: tuple[str, ...]
    queued: datetime
    reason: str


def given_up(unsent: Iterable[UndeliveredMessage], *, at: datetime, admin: str, folder: Path | None = None) -> Message:
    """Return the message that lists messages that were given up."""
    listed = [
        {
            "subject": one_line(one.subject),
            "to": [one_line(to) for to in one.to],
            "queued": one.queued,
            "reason": one_line(one.reason),
        }
        for one in unsent
    ]
    subject, text, html = render("given_up", {"messages": listed, "at": at}, folder)
    return Message(subject, text, html, (admin,))


def digest(
    subjects: Iterable[tuple[datetime, str]], *, hour: datetime, admin: str, folder: Path | None = None
) -> Message:
    """Return the digest of an hour's messages without a copy to the admin; `subjects` are their times and subjects."""
    listed = [{"sent": sent, "subject": one_line(text)} for sent, text in subjects]
    subject, text, html = render("digest", {"messages": listed, "hour": hour}, folder)
    return Message(subject, text, html, (admin,))


def test(*, to: str, at: datetime, sender: str, folder: Path | None = None) -> Message:
    """Return a test message."""
    subject, text, html = render("test", {"at": at, "sender": one_line(sender)}, folder)
    return Message(subject, text, html, (to,))


def staff_note(*, title: str, text: str, to: Iterable[str], folder: Path | None = None) -> Message:
    """Return a message to the staff with this text, such as the changes of a roster."""
    values = {"title": one_line(redact_secrets(title)), "text": multiline(redact_secrets(text)).strip()}
    subject, plain, html = render("staff_note", values, folder)
    return Message(subject, plain, html, tuple(to))


@dataclass(frozen=True)
class AskedTime:
    """A group's request for more time that waits for staff."""

    id: str
    group: str
    """The group's name."""
    title: str
    """The group's name in the course."""
    minutes: int
    reason: str
    """The group's own words; may be empty."""
    asked_at: datetime


def time_requests(
    waiting: Sequence[AskedTime], *, course: str, tz: tzinfo, to: Iterable[str], folder: Path | None = None
) -> Message:
    """Return the message to staff that lists the time requests that wait for an answer."""
    listed = [
        {
            "id": one.id,
            "group": one_line(one.group),
            "title": one_line(one.title),
            "minutes": one.minutes,
            "reason": one_line(one.reason),
            "asked": one.asked_at.astimezone(tz),
        }
        for one in waiting[:MOST_LISTED]
    ]
    values = {"course": one_line(course), "requests": listed, "number": len(waiting)}
    subject, text, html = render("time_requests", values, folder)
    return Message(subject, text, html, tuple(to))


def _to_group(name: str, notice: Notice, to: Iterable[str], admin: str | None, folder: Path | None) -> Message:
    """Return a message to the members with a copy to the admin, or to the admin alone if there are no members."""
    members = tuple(sorted(set(to)))
    admins = (admin,) if admin else ()
    subject, text, html = render(name, _values(notice, has_members=bool(members), admin=admin), folder)
    copies = tuple(a for a in admins if a not in members) if members else ()
    return Message(subject, text, html, members or admins, copies, admins)


def _values(notice: Notice, *, has_members: bool, admin: str | None) -> dict[str, Any]:
    """Return the variables for warning and stop messages; docs/mail-templates.md lists them."""
    limit = notice.limit_usage.limit
    return {
        "course": one_line(notice.course),
        "group": one_line(notice.group),
        "cluster": one_line(notice.cluster),
        "used": notice.limit_usage.used // MINUTE,
        "soft": round(limit.soft / MINUTE),
        "hard": round(limit.hard / MINUTE),
        "left": -(-notice.limit_usage.left // MINUTE),
        "why": one_line(str(limit)) if limit.allowances else "",
        "period": limit.period.value,
        "first": limit.first_day,
        "last": limit.last_day,
        "resets": None if limit.period is Period.TERM else notice.resets or limit.last_day + timedelta(days=1),
        "at": notice.now.astimezone(notice.tz),
        "admin": one_line(admin or ""),
        "has_members": has_members,
        "page": one_line(notice.page),
    }


def render(name: str, values: Mapping[str, Any], folder: Path | None = None) -> tuple[str, str, str]:
    """Return subject, text and HTML from a pair of templates in the folder, or the built-in ones if these fail."""
    try:
        return _rendered(name, values, folder)
    except Exception as error:  # noqa: BLE001 - a template may raise any exception
        if folder is None:
            raise
        log.error("the templates %s.*.j2 in %s cannot be used (%s); using the built-in ones", name, folder, error)
        return _rendered(name, values, None)


def problems_of(folder: Path) -> list[str]:
    """Return a message for each template in the folder that cannot be parsed, or for a missing folder."""
    if not folder.is_dir():
        return [f"LAB_MAIL_TEMPLATES: {folder} is not a folder; create it, or unset LAB_MAIL_TEMPLATES"]
    found = []
    environment = _environment(folder)
    for path in sorted(folder.glob("*.j2")):
        try:
            environment.get_template(path.name)
        except (TemplateError, OSError, UnicodeDecodeError) as error:
            found.append(f"{path}: {error}; correct it, or remove it to use the built-in one")
    return found


def _rendered(name: str, values: Mapping[str, Any], folder: Path | None) -> tuple[str, str, str]:
    environment = _environment(folder)
    values = _with_old_names(values) if folder else values
    first, _, text = environment.get_template(f"{name}.txt.j2").render(values).lstrip().partition("\n")
    if not first.lower().startswith("subject:"):
        raise ValueError(f"{name}.txt.j2 must begin with a line 'Subject: …'")
    subject = one_line(first.partition(":")[2], SUBJECT_LENGTH)
    html = environment.get_template(f"{name}.html.j2").render({"subject": subject, **values})
    return subject, text.strip() + "\n", html.strip() + "\n"


def _with_old_names(value: Any) -> Any:
    """Return the same values, also under the names in templates for version 0.1; supported until version 0.3.0."""
    if isinstance(value, list):
        return [_with_old_names(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    values = {name: _with_old_names(entry) for name, entry in value.items()}
    return values | {old: values[new] for old, new in OLD_VARIABLES.items() if new in values}


@lru_cache(maxsize=8)
def _environment(folder: Path | None) -> Environment:
    folders = [folder, OURS] if folder else [OURS]
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(str(one), encoding="utf-8") for one in folders]),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["isolate"] = isolate
    return environment


def isolate(text: str) -> str:
    """Return a name in bidi isolates for plain text, so that it does not reorder the words around it."""
    return f"\u2068{text}\u2069"
