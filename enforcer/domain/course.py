"""A course and its groups, as a deployment describes them in the course file. Pure."""

from dataclasses import dataclass, field
from datetime import tzinfo

from enforcer.domain.quota import Calendar, Quota
from labkit.course_file import WEEKDAYS, CourseFile, GroupEntry, StaffIds, folder_of


class CourseError(ValueError):
    """An invalid course file; the message contains the problem."""


@dataclass(frozen=True)
class CourseGroup:
    name: str
    """The group's display name in the workspace, including the prefix."""
    number: int
    title: str
    """The name that the group's members use."""
    quota: Quota


@dataclass(frozen=True)
class Course:
    id: str
    term: str
    title: str
    calendar: Calendar
    count_all_sessions: bool
    groups: dict[str, CourseGroup] = field(default_factory=dict)
    """Groups by display name."""
    staff: StaffIds = StaffIds()

    def is_staff(self, user: str) -> bool:
        """Return whether the course file lists this address or application id as staff."""
        return self.staff.includes(user, self.id, self.term)

    @property
    def folder(self) -> str:
        """The workspace folder of the course file and the allowances."""
        return folder_of(self.id, self.term)


def course_from_file(file: CourseFile, tz: tzinfo) -> Course:
    """Return the course described by a course file. `tz` is the file's time zone.

    Raises OverflowError or ValueError for minutes that are not a valid duration, ValueError for an unknown weekday.
    """
    calendar = Calendar(tz, file.first_day, file.last_day, WEEKDAYS.index(file.first_weekday))
    groups = {group.name: _group(group) for group in file.groups}
    return Course(file.course, file.term, file.title, calendar, file.count_all_sessions, groups, file.staff)


def _group(entry: GroupEntry) -> CourseGroup:
    return CourseGroup(entry.name, entry.number, entry.title, Quota.of(entry.limits))
