"""What the enforcer must know of a course, as the text of `course.json`. Pure. Its schema: docs/course.schema.json."""

import json
import re
from collections.abc import Iterable
from typing import Any

from course_seal import KEY, seal
from lab_settings import Lab, Limits
from roster.model import Group

VERSION = 1

_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")


def folder_of(lab: Lab) -> str:
    """The workspace folder of a course in a term."""
    return f"/lab-{lab.course.id}-{lab.course.term}"


def course_document(lab: Lab, groups: Iterable[Group]) -> dict[str, Any]:
    """The course and the limits of its groups, without a single address."""
    course = lab.course
    return {
        "version": VERSION,
        "course": course.id,
        "term": course.term,
        "title": course.title,
        "timezone": course.timezone,
        "first_day": course.first_day.isoformat(),
        "last_day": course.last_day.isoformat(),
        "first_weekday": course.first_weekday,
        "count_all_sessions": lab.quota.count_all_sessions,
        "groups": [_group(lab, group) for group in sorted(groups, key=lambda group: group.number)],
    }


def course_text(lab: Lab, groups: Iterable[Group]) -> str:
    """The document as the file holds it, the same text for the same course."""
    document = course_document(lab, groups)
    return json.dumps({**document, KEY: seal(document)}, ensure_ascii=False, indent=2) + "\n"


def _group(lab: Lab, group: Group) -> dict[str, Any]:
    name = lab.course.name_prefix + group.key
    return {
        "name": name,
        "number": group.number,
        "moodle_id": group.moodle_id or None,
        # Students name their groups themselves, now and then with an address.
        "title": _ADDRESS.sub("…", group.moodle_name),
        "limits": _limits(lab.quota.of(name)),
    }


def _limits(limits: Limits) -> dict[str, int | None]:
    return {
        "soft_minutes": limits.soft,
        "hard_minutes": limits.hard,
        "week_minutes": limits.week,
        "term_minutes": limits.term,
    }
