"""A course and its groups, as a deployment describes them in the course file. Pure."""

from dataclasses import dataclass, field
from datetime import tzinfo

from enforcer.domain.allowances import Allowance
from enforcer.domain.course_calendar.entries import allowances_from
from enforcer.domain.course_calendar.working_time import WorkingTime
from enforcer.domain.quota import Calendar, Quota
from labkit.course_file import WEEKDAYS, CourseFile, GroupEntry, StaffIds, folder_of


class CourseError(ValueError):
    """An invalid course file; the message contains the problem."""


@dataclass(frozen=True)
class CourseGroup:
    name: str
    """The group's name, including the prefix: its display name in the workspace, unless it has a principal."""
    number: int
    title: str
    """The name that the group's members use."""
    quota: Quota
    principal: str = ""
    """The display name of the directory's group that has the members and the permissions; empty if it is `name`."""


@dataclass(frozen=True)
class Course:
    id: str
    term: str
    title: str
    calendar: Calendar
    count_all_sessions: bool
    groups: dict[str, CourseGroup] = field(default_factory=dict)
    """Groups by name."""
    staff: StaffIds = StaffIds()
    scheduled: tuple[Allowance, ...] = ()
    """The allowances in the course's calendar."""
    working_time: WorkingTime | None = None
    """None if every hour is working time."""

    def is_staff(self, user: str) -> bool:
        """Return whether the course file lists this address or application id as staff."""
        return self.staff.includes(user, self.id, self.term)

    def principal_of(self, group: str) -> str:
        """Return the display name of the workspace's group that has the members and the permissions of a group."""
        known = self.groups.get(group)
        return (known.principal if known else "") or group

    @property
    def principals(self) -> frozenset[str]:
        """The display names of the workspace's groups that have the members and the permissions of the groups."""
        return frozenset(map(self.principal_of, self.groups))

    @property
    def created_groups(self) -> frozenset[str]:
        """The display names of the groups that the deployment creates; a directory's groups are not among them."""
        return frozenset(group.name for group in self.groups.values() if not group.principal)

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
    scheduled = allowances_from(file.calendar)
    return Course(
        file.course,
        file.term,
        file.title,
        calendar,
        file.count_all_sessions,
        groups,
        file.staff,
        scheduled,
        WorkingTime.of(file, tz),
    )


def _group(entry: GroupEntry) -> CourseGroup:
    return CourseGroup(entry.name, entry.number, entry.title, Quota.of(entry.limits), entry.principal or "")
