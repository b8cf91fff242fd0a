"""The weekly digest as an email."""

from collections.abc import Iterable
from datetime import timedelta, tzinfo
from typing import Any

from enforcer.domain.observations import OtherCluster
from enforcer.domain.usage import hours
from enforcer.mail.messages import Message, report
from enforcer.reports.day_report import LONG_GAP
from enforcer.reports.week_report import GroupWeek, WeekReport
from enforcer.settings import Settings
from labkit.text import one_line

HOUR = timedelta(hours=1)
MOST_LINES = 20
"""Maximum number of clusters or failures that are listed."""


def week_message(week: WeekReport, settings: Settings) -> Message:
    """Return the digest as an email to the recipients of reports."""
    values = values_of(week)
    return report(values, to=settings.report_recipients, folder=settings.mail_templates, name="weekly")


def values_of(week: WeekReport) -> dict[str, Any]:
    """Return the variables for the digest's templates; docs/mail-templates.md lists them."""
    records, at_end = week.records, week.forecast.at_end
    longest = max((group.used for group in week.groups), default=timedelta())
    return {
        "course": one_line(week.course),
        "first": week.first_day,
        "last": week.last_day,
        "hours": week.used / HOUR,
        "usual": None if week.usual is None else week.usual / HOUR,
        "active": sum(1 for group in week.groups if group.used),
        "is_off": week.is_off,
        "groups": [_group(group, longest) for group in week.groups if group.used or group.stops or group.warnings],
        "count": len(week.groups),
        "stops": sum(group.stops for group in week.groups),
        "warnings": sum(group.warnings for group in week.groups),
        "has_term_limits": any(group.term_limit is not None for group in week.groups),
        "has_week_limits": any(group.week_limit is not None for group in week.groups),
        "term_ends": week.term_ends,
        "is_term_over": not week.forecast.days,
        "term_hours": week.forecast.used / HOUR,
        "forecast": None
        if at_end is None
        else {"low": at_end.low / HOUR, "expected": at_end.expected / HOUR, "high": at_end.high / HOUR},
        "running_out": [_group(group, longest) for group in week.running_out],
        "used_up": [_group(group, longest) for group in week.used_up],
        "requests": None
        if records.requests is None
        else {
            "asked": records.requests.asked,
            "given": records.requests.given,
            "refused": records.requests.refused,
            "expired": records.requests.expired,
            "waiting": records.requests.waiting,
        },
        "idle": [_group(group, longest) for group in week.idle],
        "far_above": [_group(group, longest) for group in week.far_above],
        "others": [_other(cluster, week.as_of.tzinfo) for cluster in (records.others or ())[:MOST_LINES]],
        "more_others": max(0, len(records.others or ()) - MOST_LINES),
        "failures": _lines(
            f"{action.kind} of {action.group}: {action.error}" for action in week.failed_actions[:MOST_LINES]
        ),
        "more_failures": max(0, len(week.failed_actions) - MOST_LINES),
        "failed_messages": records.failed_messages,
        "estimates": _lines(sorted(records.estimated_groups)),
        "missed_polls": records.missed_polls,
        "longest_gap": records.longest_gap // timedelta(minutes=1),
        "has_long_gap": records.longest_gap > LONG_GAP,
    }


def _group(week: GroupWeek, longest: timedelta) -> dict[str, Any]:
    def share(limit: timedelta | None, used: timedelta) -> int | None:
        return None if not limit else round(100 * (used / limit))

    return {
        "group": one_line(week.group),
        "title": one_line(week.title),
        "used": hours(week.used),
        "usual": None if week.usual is None else hours(week.usual),
        "bar": share(longest, week.used) or 0,
        "stops": week.stops,
        "warnings": week.warnings,
        "week_limit": None if week.week_limit is None else hours(week.week_limit),
        "week_share": share(week.week_limit, week.used),
        "term_used": hours(week.term_used),
        "term_limit": None if week.term_limit is None else hours(week.term_limit),
        "term_share": share(week.term_limit, week.term_used),
        "left": None if week.left is None else hours(week.left),
        "runs_out": week.runs_out,
        "is_far_above": week.is_far_above_usual,
    }


def _other(cluster: OtherCluster, tz: tzinfo | None) -> dict[str, Any]:
    return {"label": one_line(cluster.label), "since": cluster.started and cluster.started.astimezone(tz)}


def _lines(texts: Iterable[str]) -> list[str]:
    return [one_line(text) for text in texts]
