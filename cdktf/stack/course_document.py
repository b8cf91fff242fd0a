"""The course file of a course: its settings and groups as the enforcer needs them, without a single address. Pure."""

import re
from collections.abc import Iterable

from lab_settings import Lab
from labkit.course_file import CourseFile, GroupEntry, format_course_file
from roster.model import Group

_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")


def course_file(lab: Lab, groups: Iterable[Group]) -> CourseFile:
    """The course and the limits of its groups, by number."""
    course = lab.course
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
    )


def course_text(lab: Lab, groups: Iterable[Group]) -> str:
    """The text of the file, the same for the same course."""
    return format_course_file(course_file(lab, groups))


def _group(lab: Lab, group: Group) -> GroupEntry:
    name = lab.course.name_prefix + group.key
    # Students name their groups themselves, now and then with an address.
    title = _ADDRESS.sub("…", group.moodle_name)
    return GroupEntry(name, group.number, group.moodle_id or None, title, lab.quota.of(name))
