"""When the course works, outside of which warnings wait. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from labkit.course_file import WEEKDAYS, CalendarEntry, CourseFile

HOLIDAY = "holiday"
LONGEST_WAIT = timedelta(days=60)
"""A message does not wait for working hours that are further away."""


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
        return day.weekday() in self.weekdays and not any(_is_on(entry, day, group) for entry in self.holidays)


def _is_on(entry: CalendarEntry, day: date, group: str) -> bool:
    is_its_day = entry.first_day <= day <= entry.last_day and entry.weekday in (None, WEEKDAYS[day.weekday()])
    return is_its_day and (not entry.groups or group in entry.groups)
