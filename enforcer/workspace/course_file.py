"""From the text of a course file to the enforcer's values: here its time zone is looked up."""

from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from enforcer.domain.course import Course, CourseError, course_of
from labkit.course_file import CourseFile, CourseFileError, has_valid_checksum, parse_course_file, path_of

EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
"""Days of a term."""
MOST_MINUTES = 1_000_000
"""More than a year has."""


def check_course(text: str, place: str) -> None:
    """Whether the deploy wrote this text, to this place. Raises CourseError."""
    try:
        file = parse_course_file(text, place)
    except CourseFileError as error:
        raise CourseError(str(error)) from None
    if path_of(file.course, file.term) != place:
        raise CourseError(f"{place} is the file of course {file.course}, term {file.term}; deploy the course again")
    if '"checksum"' in text and not has_valid_checksum(text):
        raise CourseError(f"{place} was edited by hand: its checksum is that of other content; deploy the course again")


def parse_course(text: str, place: str) -> Course:
    """The content of a course file; `place` names it in errors. Raises CourseError."""
    try:
        file = parse_course_file(text, place)
        _require_sense(file)
        return course_of(file, ZoneInfo(file.timezone))
    except CourseFileError as error:
        raise CourseError(str(error)) from None
    except (AttributeError, OSError, OverflowError, ValueError, ZoneInfoNotFoundError) as error:
        # OSError: the zone is a folder, such as "Asia".
        raise CourseError(f"{place} is not a course file ({error}); deploy the course again") from None


def _require_sense(file: CourseFile) -> None:
    """Raises ValueError for what no deploy writes."""
    if not EARLIEST <= file.first_day <= file.last_day <= LATEST:
        raise ValueError(f"{file.first_day} to {file.last_day} is no term")
    names = [group.name for group in file.groups]
    if len(set(names)) < len(names) or not all(names):
        raise ValueError("two groups have one name, or one has none")
    longest = max((minutes for group in file.groups for minutes in group.limits.all_minutes), default=0)
    if longest > MOST_MINUTES:
        raise ValueError(f"{longest:g} minutes are longer than any term")
