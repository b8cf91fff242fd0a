"""The course file: what the deploy tells the enforcer about a course and its groups. Pure.

Its format is docs/course.schema.json; the deploy writes it, `parse_course` reads it.
"""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from enforcer.domain.quota import Calendar, Quota

VERSION = 1
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


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


def folder_of(course: str, term: str) -> str:
    return f"/lab-{course}-{term}"


def parse_course(text: str, place: str) -> Course:
    """The content of a course file; `place` names it in errors. Raises CourseError."""
    try:
        told = json.loads(text)
        if told["version"] != VERSION:
            raise CourseError(
                f"{place} has version {told['version']!r}, this program knows {VERSION}; deploy and enforcer must match"
            )
        calendar = Calendar(
            ZoneInfo(told["timezone"]),
            date.fromisoformat(told["first_day"]),
            date.fromisoformat(told["last_day"]),
            DAYS.index(told["first_weekday"]),
        )
        groups = [_group(group) for group in told["groups"]]
        return Course(
            str(told["course"]),
            str(told["term"]),
            str(told["title"]),
            calendar,
            bool(told["count_all_sessions"]),
            {group.name: group for group in groups},
        )
    except CourseError:
        raise
    except KeyError as error:
        raise CourseError(f"{place}: {error.args[0]} is missing; deploy the course again") from None
    except (TypeError, ValueError, ZoneInfoNotFoundError) as error:
        raise CourseError(f"{place} is no course file ({error}); deploy the course again") from None


def _group(told: dict[str, Any]) -> CourseGroup:
    limits = told["limits"]
    quota = Quota(
        soft=timedelta(minutes=limits["soft_minutes"]),
        hard=timedelta(minutes=limits["hard_minutes"]),
        week=_minutes(limits.get("week_minutes")),
        term=_minutes(limits.get("term_minutes")),
    )
    return CourseGroup(str(told["name"]), int(told["number"]), str(told["title"]), quota)


def _minutes(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(minutes=number)
