"""The content of a course file: the settings and groups that the enforcer needs, without e-mail addresses. Pure."""

import re
from collections.abc import Iterable
from dataclasses import replace

from lab_settings import LabSettings
from labkit.course_file import (
    CalendarEntry,
    CourseFile,
    ExtensionSettings,
    GroupEntry,
    PageOptions,
    StaffIds,
    TimeRequestSettings,
    format_course_file,
)
from roster.model import Group

_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")


def course_file(
    lab: LabSettings,
    groups: Iterable[Group],
    *,
    deployer: str | None = None,
    imported_calendar: Iterable[CalendarEntry] = (),
) -> CourseFile:
    """Return the course and its groups with their limits, sorted by number.

    `deployer` is the application id of the service principal that deploys; None if the environment has none. Ids that
    are known only after apply are not included: they would change the file after each plan.
    """
    course = lab.course
    calendar = [*imported_calendar, *(entry.entry(course) for entry in lab.calendar)]
    programs = [*lab.staff.service_principals, *([deployer] if deployer else [])]
    return CourseFile(
        course.id,
        course.term,
        course.title,
        course.timezone,
        course.first_day,
        course.last_day,
        course.first_weekday,
        lab.quota.count_all_sessions,
        tuple(_group(lab, group) for group in sorted(groups, key=lambda group: group.number)),
        StaffIds.of(course.id, course.term, application_ids=programs, addresses=lab.staff.addresses),
        tuple(replace(entry, title=_without_addresses(entry.title)) for entry in calendar),
        lab.working_hours.for_course_file() if lab.working_hours else None,
        PageOptions(lab.pages.language, lab.cluster.spark_version, tuple(map(str, lab.libraries)))
        if lab.pages
        else None,
        TimeRequestSettings(lab.requests.expire_days) if lab.requests else None,
        _extensions(lab),
        course.weekly_digest,
    )


def _extensions(lab: LabSettings) -> ExtensionSettings | None:
    rule = lab.extensions
    return ExtensionSettings(rule.minutes, rule.per_week, tuple(dict.fromkeys(rule.not_in))) if rule else None


def course_text(
    lab: LabSettings,
    groups: Iterable[Group],
    *,
    deployer: str | None = None,
    imported_calendar: Iterable[CalendarEntry] = (),
) -> str:
    """Return the file's content, which depends only on the course and the deployer."""
    return format_course_file(course_file(lab, groups, deployer=deployer, imported_calendar=imported_calendar))


def _group(lab: LabSettings, group: Group) -> GroupEntry:
    name = lab.course.name_prefix + group.key
    title = _without_addresses(group.moodle_name)
    principal = group.principal or None
    return GroupEntry(name, group.number, group.moodle_id or None, title, lab.quota.limits_of(name), principal)


def _without_addresses(title: str) -> str:
    """Return a title without e-mail addresses: students name their groups themselves, sometimes with an address."""
    return _ADDRESS.sub("…", title)
