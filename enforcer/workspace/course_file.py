"""Parses course files into the enforcer's types, and looks up the time zone."""

from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from enforcer.domain.course import Course, CourseError, course_from_file
from labkit.course_file import CourseFile, CourseFileError, has_valid_checksum, parse_course_file, path_of

EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
"""Allowed range of a term's days."""
MOST_MINUTES = 1_000_000
"""Maximum limit in minutes, more than a year."""


def check_course(text: str, path: str) -> None:
    """Check that a deployment wrote this text to this path. Raises CourseError."""
    try:
        file = parse_course_file(text, path)
    except CourseFileError as error:
        raise CourseError(str(error)) from None
    if path_of(file.course, file.term) != path:
        raise CourseError(f"{path} is the file of course {file.course}, term {file.term}; deploy the course again")
    if '"checksum"' in text and not has_valid_checksum(text):
        raise CourseError(
            f"{path} was edited by hand: its checksum does not match its content; deploy the course again"
        )


def parse_course(text: str, path: str) -> Course:
    """Parse the content of the course file `path`. Raises CourseError."""
    try:
        file = parse_course_file(text, path)
        _validate(file)
        return course_from_file(file, ZoneInfo(file.timezone))
    except CourseFileError as error:
        raise CourseError(str(error)) from None
    except (AttributeError, OSError, OverflowError, ValueError, ZoneInfoNotFoundError) as error:
        # OSError means that the time zone is a folder, such as "Asia".
        raise CourseError(f"{path} is not a course file ({error}); deploy the course again") from None


def _validate(file: CourseFile) -> None:
    """Check for values that a deployment never writes. Raises ValueError."""
    if not EARLIEST <= file.first_day <= file.last_day <= LATEST:
        raise ValueError(f"{file.first_day} to {file.last_day} is not a valid term")
    names = [group.name for group in file.groups]
    if len(set(names)) < len(names) or not all(names):
        raise ValueError("two groups have the same name, or a group has no name")
    for entry in file.calendar:
        if not EARLIEST <= entry.first_day <= entry.last_day <= LATEST:
            raise ValueError(f"{entry.first_day} to {entry.last_day} are not valid days of the calendar")
    limits = [minutes for group in file.groups for minutes in group.limits.all_minutes]
    longest = max([0, *limits, *(entry.hard_minutes or 0 for entry in file.calendar)])
    if longest > MOST_MINUTES:
        raise ValueError(f"{longest:g} minutes are longer than a term")
