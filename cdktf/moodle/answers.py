"""The answers of Moodle's web service as values. Pure.

Only what a roster needs is kept: enrolment keys, the user's private key and personal data other than names, addresses
and roles are dropped here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labkit.text import one_line


class AnswerError(ValueError):
    """An answer does not have the documented form; the message is a sentence."""


@dataclass(frozen=True)
class SiteInfo:
    """The token's user, Moodle's release, and the functions that the token may call."""

    release: str
    functions: frozenset[str]


@dataclass(frozen=True)
class NamedEntry:
    """A course, group or grouping."""

    id: int
    name: str


@dataclass(frozen=True)
class MoodleUser:
    """A person in a course. `email` is "" if the token's user may not see it."""

    id: int
    full_name: str
    email: str
    roles: frozenset[str]


def site_info(answer: Any) -> SiteInfo:
    function = "core_webservice_get_site_info"
    entry = _object(answer, function)
    names = [_text(_object(one, function), "name", function) for one in _list(entry.get("functions"), function)]
    return SiteInfo(one_line(str(entry.get("release") or "")), frozenset(names))


def courses(answer: Any) -> tuple[NamedEntry, ...]:
    function = "core_course_get_courses_by_field"
    return tuple(_named(_object(answer, function).get("courses"), function, "fullname"))


def course_groups(answer: Any) -> tuple[NamedEntry, ...]:
    """Return a course's groups in the order of their ids, as the Group self-selection lists them."""
    return tuple(sorted(_named(answer, "core_group_get_course_groups"), key=lambda group: group.id))


def groupings(answer: Any) -> tuple[NamedEntry, ...]:
    return tuple(_named(answer, "core_group_get_course_groupings"))


def group_ids_of_grouping(answer: Any) -> frozenset[int]:
    function = "core_group_get_groupings"
    groups = [_list(_object(one, function).get("groups", []), function) for one in _list(answer, function)]
    return frozenset(_id(_object(group, function), function) for one in groups for group in one)


def group_members(answer: Any) -> dict[int, frozenset[int]]:
    function = "core_group_get_group_members"
    members = {}
    for one in _list(answer, function):
        entry = _object(one, function)
        users = _list(entry.get("userids"), function)
        members[_id(entry, function, "groupid")] = frozenset(_id({"id": user}, function) for user in users)
    return members


def enrolled_users(answer: Any) -> tuple[MoodleUser, ...]:
    function = "core_enrol_get_enrolled_users"
    users = []
    for one in _list(answer, function):
        entry = _object(one, function)
        roles = [_object(role, function) for role in _list(entry.get("roles"), function)]
        users.append(
            MoodleUser(
                _id(entry, function),
                one_line(_text(entry, "fullname", function)),
                # Without permission to see it, the key is missing.
                str(entry.get("email") or ""),
                frozenset(_text(role, "shortname", function) for role in roles),
            )
        )
    return tuple(users)


def user_ids(answer: Any) -> tuple[int, ...]:
    function = "core_enrol_get_enrolled_users"
    return tuple(_id(_object(one, function), function) for one in _list(answer, function))


def suspended_accounts(answer: Any) -> dict[int, bool]:
    """Map the id of each listed user to whether the account is suspended."""
    function = "core_user_get_users_by_field"
    entries = [_object(one, function) for one in _list(answer, function)]
    return {_id(entry, function): bool(entry["suspended"]) for entry in entries if "suspended" in entry}


def _named(answer: Any, function: str, key: str = "name") -> Iterator[NamedEntry]:
    for one in _list(answer, function):
        entry = _object(one, function)
        yield NamedEntry(_id(entry, function), _text(entry, key, function))


def _list(value: Any, function: str) -> list[Any]:
    if not isinstance(value, list):
        raise _unexpected(function)
    return value


def _object(value: Any, function: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(function)
    return value


def _id(entry: Mapping[str, Any], function: str, key: str = "id") -> int:
    value = entry.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _unexpected(function)
    return value


def _text(entry: Mapping[str, Any], key: str, function: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        raise _unexpected(function)
    return value


def _unexpected(function: str) -> AnswerError:
    return AnswerError(
        f"Moodle's answer to {function} does not have the documented form: import the Group self-selection CSV instead."
    )
