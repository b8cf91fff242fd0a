"""A course and its groups, as a deployment describes them in the course file. Pure."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from enforcer.domain.allowances import Allowance, allowances_from
from enforcer.domain.quota import Calendar, Quota
from labkit.course_file import (
    ADMINS,
    ALL_STUDENT_GROUPS,
    BUILT_IN_GROUPS,
    WEEKDAYS,
    CalendarEntry,
    CourseFile,
    ExtensionSettings,
    GroupEntry,
    PageOptions,
    StaffIds,
    TimeRequestSettings,
    folder_of,
)

HOLIDAY = "holiday"
LONGEST_WAIT = timedelta(days=60)
"""A message does not wait for working hours that are further away."""


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
class WorkingTime:
    """The weekly working hours, except on holidays."""

    weekdays: frozenset[int]
    """0 is Monday."""
    begins: time
    ends: time
    holidays: tuple[CalendarEntry, ...]
    tz: tzinfo

    @classmethod
    def of(cls, file: CourseFile, tz: tzinfo) -> "WorkingTime | None":
        """Return the working time in a course file; None if every hour is one."""
        if file.working_hours is None:
            return None
        return cls(
            frozenset(map(WEEKDAYS.index, file.working_hours.weekdays)),
            file.working_hours.hours.begins,
            file.working_hours.hours.ends,
            tuple(entry for entry in file.calendar if entry.kind == HOLIDAY),
            tz,
        )

    def next_moment(self, group: str, now: datetime) -> datetime:
        """Return `now` within the group's working time, or else the start of the next working hours; `now` also if they
        are further away than `LONGEST_WAIT`.
        """
        today = now.astimezone(self.tz).date()
        for day in (today + timedelta(days=number) for number in range(LONGEST_WAIT.days)):
            begins, ends = (datetime.combine(day, clock, self.tz).astimezone(UTC) for clock in (self.begins, self.ends))
            if now < ends and self._includes(day, group):
                return max(now, begins)
        return now

    def _includes(self, day: date, group: str) -> bool:
        return day.weekday() in self.weekdays and not any(is_on(entry, day, group) for entry in self.holidays)


def is_on(entry: CalendarEntry, day: date, group: str) -> bool:
    """Return whether a calendar entry applies to a group on a local day; an empty group means all groups."""
    is_its_day = entry.first_day <= day <= entry.last_day and entry.weekday in (None, WEEKDAYS[day.weekday()])
    return is_its_day and (not entry.groups or group in entry.groups)


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
    entries: tuple[CalendarEntry, ...] = ()
    """All entries of the course's calendar, including those without an effect on limits."""
    pages: PageOptions | None = None
    """None if the groups have no pages."""
    requests: TimeRequestSettings | None = None
    """None: groups cannot ask for more time in a file."""
    extensions: ExtensionSettings | None = None
    """None: staff decide about every time request."""
    has_weekly_digest: bool = True
    """Whether the staff get a mail about each week."""

    def kinds_on(self, day: date, group: str) -> frozenset[str]:
        """Return the kinds of the calendar entries on a day that concern a group."""
        return frozenset(entry.kind for entry in self.entries if is_on(entry, day, group))

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
    def student_groups(self) -> frozenset[str]:
        """The display names of the workspace's groups that have or may have students."""
        return (self.principals | BUILT_IN_GROUPS | {ALL_STUDENT_GROUPS}) - {ADMINS}

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
        file.calendar,
        file.pages,
        file.requests,
        file.extensions,
        file.weekly_digest,
    )


def _group(entry: GroupEntry) -> CourseGroup:
    return CourseGroup(entry.name, entry.number, entry.title, Quota.of(entry.limits), entry.principal or "")
