"""What Moodle's web service reports about a course. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from moodle.answers import MoodleUser, NamedEntry


@dataclass(frozen=True)
class CourseContent:
    """A course's groups, their members, and the course's people."""

    release: str
    """Moodle's release, such as "4.1.6 (Build: 20231009)"."""
    groups: tuple[NamedEntry, ...]
    """In the order of their ids."""
    members: Mapping[int, frozenset[int]]
    """Group id → user ids, including staff and suspended users."""
    users: Mapping[int, MoodleUser]
    suspended: frozenset[int]
    """The members whose enrolment is suspended, has ended or has not begun, or whose account is suspended."""


def missing_people(members: Mapping[int, frozenset[int]], users: Mapping[int, MoodleUser]) -> str:
    """Return a sentence if some members of groups are not among the users that the token sees; otherwise ""."""
    everybody = frozenset(user for ids in members.values() for user in ids)
    missing = everybody - users.keys()
    if not missing:
        return ""
    return (
        f"Moodle shows the token's user {len(users)} people of the course, without {len(missing)} of the "
        f"{len(everybody)} members of its groups: in a course with separate groups, the user needs the capability "
        "moodle/site:accessallgroups; ask for it, or use the token of a teacher who sees all groups. If somebody left "
        "the course just now, import again."
    )
