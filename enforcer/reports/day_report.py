"""The report of a day: from the facts of the ledger to the letter. `make_report` is pure."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

from enforcer.domain.day import ClusterDay, cluster_day
from enforcer.domain.day_records import DayTotal, DoneAction
from enforcer.domain.quota import MINUTE, Period
from enforcer.domain.snapshot import Picture
from enforcer.domain.uptime import day_bounds
from enforcer.domain.usage import iso, minutes
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.mail.messages import Attachment, Letter
from enforcer.mail.messages import report as letter_by_template
from enforcer.settings import Settings
from labkit.csv_cells import write_rows
from labkit.text import one_line

POLL_EVERY = timedelta(minutes=15)
LONG_GAP = timedelta(minutes=20)
"""Without a poll for longer than this, something was wrong with cron or the machine."""
PICTURE_ID = "day-picture"


@dataclass(frozen=True)
class ReportRow:
    """One cluster's line."""

    of: ClusterDay
    soft: timedelta | None
    hard: timedelta | None
    """The day's; None: unlimited."""
    warned: datetime | None
    stopped: datetime | None
    """When it was stopped first."""
    is_imported: bool = False
    """The earlier system's figure: which limit was in force then nobody noted."""

    @property
    def limit(self) -> str:
        """The day's limit with its reason, and the week's or term's where less was left of it."""
        if self.is_imported:
            return "not known"
        day = str(self.of.day_limit) if self.of.day_limit else "unlimited"
        if self.hard is not None and self.of.day_limit and self.hard != self.of.day_limit.hard:
            # Settled under another limit than the files now tell of.
            day = f"{round(self.hard / MINUTE)} minutes"
        use = self.of.tightest
        if use is None or use.limit.period is Period.DAY:
            return day
        return f"{day}; {use.limit.period.value} {use.limit}, {use.used // MINUTE} used"


@dataclass(frozen=True)
class DayReport:
    course: str
    day: date
    begins: datetime
    ends: datetime
    """Of the day, in the course's zone."""
    watched_from: datetime
    """The day's begin, or the first poll ever if that was later."""
    is_over: bool
    now: datetime
    rows: tuple[ReportRow, ...]
    polls: tuple[datetime, ...]
    failures: tuple[str, ...]
    """What was tried on this day and did not succeed, the last error of each cluster."""

    @property
    def seen_until(self) -> datetime:
        return min(self.ends, self.now)

    @property
    def polls_expected(self) -> int:
        return max(0, (self.seen_until - self.watched_from) // POLL_EVERY)

    @property
    def longest_gap(self) -> timedelta:
        """The longest time without a poll."""
        if self.watched_from > self.seen_until:
            return timedelta()
        moments = [self.watched_from, *self.polls, self.seen_until]
        return max((after - before for before, after in zip(moments, moments[1:], strict=False)), default=timedelta())


def make_report(
    picture: Picture,
    day: date,
    *,
    settled: Mapping[str, DayTotal],
    actions: Iterable[DoneAction],
    polls: Sequence[datetime],
    first_poll: datetime | None = None,
) -> DayReport:
    """The day's rows, by group; what was settled is shown as it was fixed. `first_poll` is the first one ever."""
    actions = tuple(actions)
    tz = picture.course.calendar.tz
    begins, ends = day_bounds(day, tz)
    days = (cluster_day(picture, cluster, day) for cluster in picture.clusters if cluster.sighting.at >= begins)
    rows = [_row(one, settled.get(one.cluster_id), actions) for one in days]
    rows.sort(key=lambda row: (len(row.of.group), row.of.group, row.of.name))
    failed = {(a.cluster_id, a.kind): f"{a.kind} of {a.group}: {a.error}" for a in actions if a.error}
    for action in actions:
        if action.done and not action.error:
            failed.pop((action.cluster_id, action.kind), None)
    course = picture.course.title or picture.course.id or "Teaching lab"
    return DayReport(
        course,
        day,
        begins.astimezone(tz),
        ends.astimezone(tz),
        max(begins, first_poll or begins),
        picture.now >= ends,
        picture.now.astimezone(tz),
        tuple(rows),
        tuple(poll for poll in polls if begins <= poll < ends),
        tuple(failed.values()),
    )


def _row(one: ClusterDay, fixed: DayTotal | None, actions: Iterable[DoneAction]) -> ReportRow:
    mine = [action for action in actions if action.cluster_id == one.cluster_id and action.done]
    warned = next((action.noted for action in mine if action.kind == "warn"), None)
    stopped = next((action.noted for action in mine if action.kind == "stop"), None)
    if fixed is None:
        limit = one.day_limit
        return ReportRow(one, limit.soft if limit else None, limit.hard if limit else None, warned, stopped)
    as_fixed = replace(one, used=fixed.used, shown_apart=fixed.shown_apart, over=fixed.over)
    if fixed.reason and not one.estimates:
        as_fixed = replace(as_fixed, estimates=(fixed.reason,))
    return ReportRow(as_fixed, fixed.soft, fixed.hard, warned, stopped, fixed.imported)


def report_of(ledger: Ledger, picture: Picture, day: date) -> DayReport:
    """The report of a day from what the ledger holds."""
    begins, ends = day_bounds(day, picture.course.calendar.tz)
    return make_report(
        picture,
        day,
        settled=queries.settled(ledger, day),
        actions=queries.actions_on(ledger, day),
        polls=queries.polls_between(ledger, begins, ends),
        first_poll=queries.first_poll(ledger),
    )


def report_letter(report: DayReport, settings: Settings) -> Letter:
    """As it is mailed: text, HTML with the picture inside, the table as CSV beside it."""
    from enforcer.reports.chart import draw  # a second of imports that only a report needs

    attachments = (
        Attachment(f"report-{report.day}.png", "image/png", draw(report), PICTURE_ID),
        Attachment(f"report-{report.day}.csv", "text/csv", to_csv(report)),
    )
    values = values_of(report, picture=f"cid:{PICTURE_ID}")
    return letter_by_template(values, to=settings.report_to, attachments=attachments, folder=settings.letters)


def to_message(letter: Letter) -> EmailMessage:
    """The letter as a mail program shows it."""
    message = EmailMessage()
    message["Subject"], message["To"] = letter.subject, ", ".join(letter.to)
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    html = message.get_payload()[1]  # type: ignore[index]
    for attachment in letter.attachments:
        main, _, sub = attachment.content_type.partition("/")
        if attachment.content_id:
            html.add_related(  # type: ignore[union-attr]
                attachment.content, main, sub, cid=f"<{attachment.content_id}>", filename=attachment.name
            )
    for attachment in letter.attachments:
        main, _, sub = attachment.content_type.partition("/")
        if not attachment.content_id:
            message.add_attachment(attachment.content, main, sub, filename=attachment.name)
    return message


COLUMNS = (
    "day",
    "group",
    "name",
    "cluster",
    "used_minutes",
    "soft_minutes",
    "hard_minutes",
    "limit",
    "sessions",
    "first_start",
    "last_stop",
    "warned",
    "stopped",
    "minutes_past_limit",
    "not_counted_minutes",
    "estimate",
)


def to_csv(report: DayReport) -> bytes:
    """The table for a spreadsheet: UTF-8 with its mark, times local with their offset, nothing that is a formula."""
    text = io.StringIO()
    tz = report.begins.tzinfo
    rows: list[Sequence[object]] = [COLUMNS]
    for row in report.rows:
        instants = (row.of.first_start, row.of.last_stop, row.warned, row.stopped)
        first, last, warned, stopped = (
            at.astimezone(tz).isoformat(sep=" ", timespec="seconds") if at else "" for at in instants
        )
        cells = [
            report.day,
            one_line(row.of.group),
            one_line(row.of.title),
            one_line(row.of.name),
            _decimal(row.of.used),
            _decimal(row.soft),
            _decimal(row.hard),
            one_line(row.limit),
            len(row.of.counted_stretches),
            first,
            last,
            warned,
            stopped,
            _decimal(row.of.over),
            _decimal(row.of.shown_apart),
            one_line("; ".join(row.of.estimates)),
        ]
        rows.append(cells)
    write_rows(text, rows)
    return text.getvalue().encode("utf-8-sig")


def _decimal(duration: timedelta | None) -> Decimal | None:
    return None if duration is None else Decimal(f"{duration / MINUTE:.2f}")


def report_json(report: DayReport) -> dict[str, Any]:
    """The object that docs/json.md defines."""
    ms = timedelta(milliseconds=1)
    return {
        "course": report.course,
        "day": report.day.isoformat(),
        "is_over": report.is_over,
        "clusters": [_row_json(row) for row in report.rows],
        "polls_expected": report.polls_expected,
        "polls_seen": len(report.polls),
        "longest_gap_ms": report.longest_gap // ms,
        "failures": list(report.failures),
    }


def _row_json(row: ReportRow) -> dict[str, Any]:
    ms = timedelta(milliseconds=1)
    first, last, warned, stopped = (
        iso(at) if at else None for at in (row.of.first_start, row.of.last_stop, row.warned, row.stopped)
    )
    return {
        "cluster_id": row.of.cluster_id,
        "cluster": row.of.name,
        "group": row.of.group,
        "title": row.of.title,
        "used_ms": row.of.used // ms,
        "soft_minutes": None if row.soft is None else minutes(row.soft),
        "hard_minutes": None if row.hard is None else minutes(row.hard),
        "limit": row.limit,
        "sessions": len(row.of.counted_stretches),
        "first_start": first,
        "last_stop": last,
        "warned": warned,
        "stopped": stopped,
        "over_ms": row.of.over // ms,
        "apart_ms": row.of.shown_apart // ms,
        "estimates": list(row.of.estimates),
    }


def values_of(report: DayReport, *, picture: str) -> dict[str, Any]:
    """What the templates of the report may use. `picture` is where its image is found: a cid or a data URL."""
    rows = report.rows
    return {
        "course": one_line(report.course),
        "day": report.day,
        "is_over": report.is_over,
        "now": report.now,
        "picture": picture,
        "rows": [_shown(row, report) for row in rows],
        "ran": sum(1 for row in rows if row.of.stretches or row.of.used),
        "hours": sum((row.of.used for row in rows), timedelta()) / timedelta(hours=1),
        "apart": sum((row.of.shown_apart for row in rows), timedelta()) // MINUTE,
        "used": sum((row.of.used for row in rows), timedelta()) // MINUTE,
        "sessions": sum(len(row.of.counted_stretches) for row in rows),
        "warned": sum(1 for row in rows if row.warned),
        "stopped": sum(1 for row in rows if row.stopped),
        "past": _past(sum((row.of.over for row in rows), timedelta())),
        "estimates": [
            {"group": one_line(row.of.group), "reasons": [one_line(reason) for reason in row.of.estimates]}
            for row in rows
            if row.of.estimates
        ],
        "polls_expected": report.polls_expected,
        "polls_seen": len(report.polls),
        "longest_gap": report.longest_gap // MINUTE,
        "has_long_gap": report.longest_gap > LONG_GAP,
        "failures": [one_line(failure) for failure in report.failures],
    }


def _shown(row: ReportRow, report: DayReport) -> dict[str, Any]:
    def clock(at: datetime | None) -> str:
        if at is None:
            return ""
        local = at.astimezone(report.begins.tzinfo)
        if at >= report.ends:
            return "24:00"
        return f"{local:%H:%M}"

    one = row.of
    hard = row.hard
    share = None if not hard else round(100 * (one.used / hard))
    return {
        "group": one_line(one.group),
        "title": one_line(one.title),
        "cluster": one_line(one.name),
        "used": one.used // MINUTE,
        "percent": share,
        "hard": None if hard is None else round(hard / MINUTE),
        "limit": one_line(row.limit),
        "sessions": len(one.counted_stretches),
        "first_start": clock(one.first_start),
        "last_stop": ("after midnight" if report.is_over else "running") if one.is_running else clock(one.last_stop),
        "warned": clock(row.warned),
        "stopped": clock(row.stopped),
        "past": _past(one.over),
        "apart": one.shown_apart // MINUTE,
        "is_estimate": bool(one.estimates),
        "state": "over" if one.over or row.stopped else "near" if row.warned else "fine",
    }


def _past(duration: timedelta) -> str:
    """Minutes with a decimal, empty for none: most overruns are shorter than one."""
    return f"{duration / MINUTE:.1f}" if duration else ""
