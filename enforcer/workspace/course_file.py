"""From the text of a course file to the enforcer's values: here its time zone is looked up."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from enforcer.domain.course import Course, CourseError, course_of
from labkit.course_file import CourseFileError, parse_course_file


def parse_course(text: str, place: str) -> Course:
    """The content of a course file; `place` names it in errors. Raises CourseError."""
    try:
        file = parse_course_file(text, place)
        return course_of(file, ZoneInfo(file.timezone))
    except CourseFileError as error:
        raise CourseError(str(error)) from None
    except (OSError, OverflowError, ValueError, ZoneInfoNotFoundError) as error:  # OSError: a folder such as "Asia"
        raise CourseError(f"{place} is no course file ({error}); deploy the course again") from None
