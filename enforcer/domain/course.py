"""The course file: what the deploy tells the enforcer about a course and its groups. Pure.

`labkit.course_file` reads the format; `parse_course` makes values of the enforcer of it.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from enforcer.domain.quota import Calendar, Quota
from labkit.course_file import WEEKDAYS, CourseFileError, GroupEntry, folder_of, parse_course_file


class CourseError(ValueError):
    """A sentence that says what is wrong with the course file."""


@dataclass(frozen=True)
class CourseGroup:
    name: str
    """The display name, prefix included: how the workspace knows the group."""
    number: int
    title: str
    """What its members call it."""
    quota: Quota


@dataclass(frozen=True)
class Course:
    id: str
    term: str
    title: str
    calendar: Calendar
    count_all_sessions: bool
    groups: dict[str, CourseGroup] = field(default_factory=dict)
    """By display name."""

    @property
    def folder(self) -> str:
        """The workspace folder of the course file and the allowances."""
        return folder_of(self.id, self.term)


def parse_course(text: str, place: str) -> Course:
    """The content of a course file; `place` names it in errors. Raises CourseError."""
    try:
        told = parse_course_file(text, place)
        calendar = Calendar(ZoneInfo(told.timezone), told.first_day, told.last_day, WEEKDAYS.index(told.first_weekday))
        groups = {group.name: _group(group) for group in told.groups}
        return Course(told.course, told.term, told.title, calendar, told.count_all_sessions, groups)
    except CourseFileError as error:
        raise CourseError(str(error)) from None
    except (OverflowError, ValueError, ZoneInfoNotFoundError) as error:
        raise CourseError(f"{place} is no course file ({error}); deploy the course again") from None


def _group(told: GroupEntry) -> CourseGroup:
    quota = Quota(
        soft=timedelta(minutes=told.limits.soft_minutes),
        hard=timedelta(minutes=told.limits.hard_minutes),
        week=_minutes(told.limits.week_minutes),
        term=_minutes(told.limits.term_minutes),
    )
    return CourseGroup(told.name, told.number, told.title, quota)


def _minutes(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(minutes=number)
