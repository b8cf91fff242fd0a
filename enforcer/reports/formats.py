"""Formats of a day's report: email, table, JSON and web page."""

import base64
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

from enforcer.domain.day_records import REPORT_COLUMNS
from enforcer.domain.quota import MINUTE
from enforcer.domain.usage import iso, minutes
from enforcer.mail.messages import Attachment, Message, render
from enforcer.mail.messages import report as message_from_templates
from enforcer.reports.day_report import LONG_GAP, DayReport, ReportRow
from enforcer.settings import Settings
from labkit.csv_cells import write_rows
from labkit.files import MARKER_HEADER, marker_line, with_marker
from labkit.text import one_line

CHART_ID = "day-picture"


def report_message(report: DayReport, settings: Settings) -> Message:
    """Return the report as an email: text, HTML with the chart in it, and the table as CSV."""
    attachments = (
        Attachment(f"report-{report.day}.png", "image/png", _chart(report), CHART_ID),
        Attachment(f"report-{report.day}.csv", "text/csv", to_csv(report)),
    )
    values = values_of(report, picture=f"cid:{CHART_ID}")
    return message_from_templates(
        values, to=settings.report_recipients, attachments=attachments, folder=settings.mail_templates
    )


def render_day(report: DayReport, suffix: str, settings: Settings) -> bytes:
    """Return the content of a file with the suffix `.html`, `.eml`, `.txt`, `.csv` or `.png`, with the lab's marker."""
    if suffix == ".csv":
        return to_csv(report)
    if suffix == ".eml":
        email = to_email(report_message(report, settings))
        email[MARKER_HEADER] = marker_line("report", report.day)
        return email.as_bytes()
    if suffix == ".txt":
        text = render("report", values_of(report, picture=""), settings.mail_templates)[1]
        return with_marker(text, suffix, "report", report.day).encode()
    png = _chart(report)
    if suffix == ".png":
        return png
    inline = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    page = render("report", values_of(report, picture=inline), settings.mail_templates)[2]
    return with_marker(page, ".html", "report", report.day).encode()


def _chart(report: DayReport) -> bytes:
    """Return the chart as PNG."""
    # Imported late, because matplotlib takes a second to import, and polls and tables do not need it.
    from enforcer.reports.chart import draw

    return draw(report)


def to_email(message: Message) -> EmailMessage:
    """Return the message as an `.eml` file."""
    email = EmailMessage()
    email["Subject"], email["To"] = message.subject, ", ".join(message.to)
    email.set_content(message.text)
    email.add_alternative(message.html, subtype="html")
    html = email.get_payload()[1]  # type: ignore[index]
    for attachment in message.attachments:
        main, _, sub = attachment.content_type.partition("/")
        if attachment.content_id:
            html.add_related(  # type: ignore[union-attr]
                attachment.content, main, sub, cid=f"<{attachment.content_id}>", filename=attachment.name
            )
    for attachment in message.attachments:
        main, _, sub = attachment.content_type.partition("/")
        if not attachment.content_id:
            email.add_attachment(attachment.content, main, sub, filename=attachment.name)
    return email


def to_csv(report: DayReport) -> bytes:
    """Return the table for a spreadsheet: UTF-8 with a byte order mark, local times with offset, formulas escaped."""
    text = io.StringIO()
    rows: list[Sequence[object]] = [REPORT_COLUMNS]
    tz = report.begins.tzinfo
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
            len(row.of.counted_intervals),
            first,
            last,
            warned,
            stopped,
            _decimal(row.of.overrun),
            _decimal(row.of.uncounted),
            one_line("; ".join(row.of.estimates)),
        ]
        rows.append(cells)
    write_rows(text, rows)
    return text.getvalue().encode("utf-8-sig")


def _decimal(duration: timedelta | None) -> Decimal | None:
    return None if duration is None else Decimal(f"{duration / MINUTE:.2f}")


def report_json(report: DayReport) -> dict[str, Any]:
    """Return the report as the JSON object defined in docs/json.md."""
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
        "sessions": len(row.of.counted_intervals),
        "first_start": first,
        "last_stop": last,
        "warned": warned,
        "stopped": stopped,
        "overrun_ms": row.of.overrun // ms,
        "uncounted_ms": row.of.uncounted // ms,
        "estimates": list(row.of.estimates),
        "unknown": list(row.of.unknown_users),
    }


def values_of(report: DayReport, *, picture: str) -> dict[str, Any]:
    """Return the variables for the report's templates. `picture` is the URL of the chart: a cid or a data URL."""
    rows = report.rows
    return {
        "course": one_line(report.course),
        "day": report.day,
        "is_over": report.is_over,
        "now": report.now,
        "picture": picture,
        "rows": [_shown(row, report) for row in rows],
        "ran": report.ran,
        "ran_for_others": report.ran_for_others,
        "hours": sum((row.of.used for row in rows), timedelta()) / timedelta(hours=1),
        "uncounted": sum((row.of.uncounted for row in rows), timedelta()) // MINUTE,
        "used": sum((row.of.used for row in rows), timedelta()) // MINUTE,
        "sessions": sum(len(row.of.counted_intervals) for row in rows),
        "warned": sum(1 for row in rows if row.warned),
        "stopped": sum(1 for row in rows if row.stopped),
        "overrun": _decimal_minutes(sum((row.of.overrun for row in rows), timedelta())),
        "estimates": [
            {"group": one_line(row.of.group), "reasons": [one_line(reason) for reason in row.of.estimates]}
            for row in rows
            if row.of.estimates
        ],
        "unknown": [
            {"group": one_line(row.of.group), "users": [one_line(user) for user in row.of.unknown_users]}
            for row in rows
            if row.of.unknown_users
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
        "sessions": len(one.counted_intervals),
        "first_start": clock(one.first_start),
        "last_stop": ("after midnight" if report.is_over else "running") if one.is_running else clock(one.last_stop),
        "warned": clock(row.warned),
        "stopped": clock(row.stopped),
        "overrun": _decimal_minutes(one.overrun),
        "uncounted": one.uncounted // MINUTE,
        "is_estimate": bool(one.estimates),
        "state": "over" if one.overrun or row.stopped else "near" if row.warned else "fine",
    }


def _decimal_minutes(duration: timedelta) -> str:
    """Return minutes with one decimal, because most overruns are shorter than a minute; empty for zero."""
    return f"{duration / MINUTE:.1f}" if duration else ""
