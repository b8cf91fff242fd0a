"""Reads a course from Moodle's web service: its groups, their members, and which of these are suspended.

A token may see less than the course without any error: in a course with separate groups, only the people of its user's
own groups. So every member of a group must be among the course's people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from labkit.text import quoted
from moodle import answers, refusals
from moodle.answers import AnswerError, MoodleUser, SiteInfo
from moodle.client import MoodleError, MoodleRefusal
from moodle.content import CourseContent, missing_people
from roster.names import plain_name

PAGE_SIZE = 500
IDS_PER_CALL = 100
_COURSE_FIELDS = ("id", "idnumber", "shortname")
_LONGEST_ID = 9
"""Digits of a course's id; Moodle refuses a number that is too large for its database."""
_USER_FIELDS = "id,email,roles"

T = TypeVar("T")


class Client(Protocol):
    """Calls a function of the web service; see `MoodleClient`."""

    def call(self, function: str, arguments: Mapping[str, str | int]) -> Any: ...


def read_course(client: Client, *, course: str, grouping: str = "") -> CourseContent:
    """Read the groups of a course, or of one of its groupings.

    `course` is an id, an ID number or a short name, or one of these with its field, such as `id=3`; `grouping` is an id
    or a name. Raises MoodleError, also if the token does not see the whole course.
    """
    reader = _Reader(client)
    reader.require(refusals.GROUPS, refusals.ENROLLED, refusals.ACCOUNTS)
    course_id = reader.course_id(course)
    groups = reader.answer(answers.course_groups, refusals.GROUPS, {"courseid": course_id})
    if grouping:
        chosen = reader.ids_in_grouping(course_id, grouping)
        groups = tuple(group for group in groups if group.id in chosen)
    members = reader.members(course_id, [group.id for group in groups])
    # In this order, somebody who enrols meanwhile is missing in the first list, not in the second.
    users = {user.id: user for user in reader.users(course_id)}
    if problem := missing_people(members, users):
        raise MoodleError(problem)
    active = frozenset(reader.active_ids(course_id))
    member_ids = frozenset(user for ids in members.values() for user in ids)
    accounts = reader.suspended_accounts(member_ids & active)
    return CourseContent(reader.site.release, groups, members, users, (member_ids - active) | accounts)


class _Reader:
    """Calls the functions of the web service, and explains their errors."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._is_course_known = True
        self.site: SiteInfo = self.answer(answers.site_info, refusals.SITE_INFO, {})

    def require(self, *functions: str) -> None:
        if missing := [function for function in functions if function not in self.site.functions]:
            raise MoodleError(refusals.missing_functions_sentence(missing))

    def answer(
        self, parse: Callable[[Any], T], function: str, arguments: Mapping[str, str | int], *, capability: str = ""
    ) -> T:
        """Call a function and parse its answer. Raises MoodleError."""
        try:
            return parse(self._client.call(function, arguments))
        except AnswerError as error:
            raise MoodleError(str(error)) from None
        except MoodleRefusal as refusal:
            raise MoodleError(
                refusals.refusal_sentence(
                    function, refusal.code, capability=capability, is_course_known=self._is_course_known
                )
            ) from None

    def course_id(self, course: str) -> int:
        """Return the id of the course; a number is taken as the id if the service cannot look it up."""
        field, equals, value = course.partition("=")
        if not equals or field not in _COURSE_FIELDS:
            field, value = "", course
        value = value.strip()
        is_id = value.isascii() and value.isdigit() and len(value) <= _LONGEST_ID
        if refusals.COURSES not in self.site.functions:
            if not is_id or field not in ("", "id"):
                raise MoodleError(refusals.missing_functions_sentence([refusals.COURSES]))
            self._is_course_known = False
            return int(value)
        found: dict[int, list[str]] = {}
        for name in [field] if field else _COURSE_FIELDS:
            if name != "id" or is_id:
                arguments = {"field": name, "value": value}
                for one in self.answer(answers.courses, refusals.COURSES, arguments):
                    found.setdefault(one.id, []).append(name)
        if not found:
            what = {"": "id, ID number or short name", "id": "id", "idnumber": "ID number", "shortname": "short name"}
            raise MoodleError(
                f"the token's user sees no course with the {what[field]} {quoted(value)}, in exactly this spelling: "
                "check --course; the address of the course's page ends with its id."
            )
        if len(found) > 1:
            choices = " or ".join(f"{names[0]}={value} (course {id})" for id, names in sorted(found.items()))
            raise MoodleError(f"--course {quoted(value)} is several courses: choose one with --course {choices}.")
        return next(iter(found))

    def ids_in_grouping(self, course_id: int, grouping: str) -> frozenset[int]:
        """Return the ids of the groups in the grouping with this id or name."""
        self.require(refusals.GROUPINGS, refusals.GROUPS_OF_GROUPING)
        known = self.answer(answers.groupings, refusals.GROUPINGS, {"courseid": course_id})
        named = [one for one in known if grouping == str(one.id)] or [
            one for one in known if plain_name(one.name) == plain_name(grouping)
        ]
        if len(named) != 1:
            listed = ", ".join(f"{one.id} {quoted(one.name)}" for one in known) or "none"
            problem = "several groupings are named" if named else "no grouping has the id or name"
            raise MoodleError(
                f"{problem} {quoted(grouping)}: choose one by its id with --grouping; there are {listed}."
            )
        arguments: dict[str, str | int] = {"groupingids[0]": named[0].id, "returngroups": 1}
        return self.answer(answers.group_ids_of_grouping, refusals.GROUPS_OF_GROUPING, arguments)

    def members(self, course_id: int, groups: Sequence[int]) -> dict[int, frozenset[int]]:
        """Return the members of each group.

        Moodle's mobile service lacks the function for members. Then the course's people are listed group by group;
        for a group to which the token's user does not belong, that requires access to all groups.
        """
        members: dict[int, frozenset[int]] = {}
        if refusals.MEMBERS not in self.site.functions:
            for group in groups:
                options = _options(course_id, groupid=group, userfields="id")
                ids = self.answer(
                    answers.user_ids, refusals.ENROLLED, options, capability="moodle/site:accessallgroups"
                )
                members[group] = frozenset(ids)
            return members
        for some in _parts(groups):
            arguments = {f"groupids[{index}]": group for index, group in enumerate(some)}
            members |= self.answer(answers.group_members, refusals.MEMBERS, arguments)
        if members.keys() != set(groups):
            raise MoodleError(
                f"Moodle answered {refusals.MEMBERS} for {len(members)} of {len(groups)} groups: import again."
            )
        return members

    def users(self, course_id: int) -> Iterator[MoodleUser]:
        return self._pages(answers.enrolled_users, course_id, userfields=_USER_FIELDS)

    def active_ids(self, course_id: int) -> Iterator[int]:
        """Yield the ids of the users with an active enrolment."""
        needed = "moodle/course:enrolreview"
        return self._pages(answers.user_ids, course_id, capability=needed, onlyactive=1, userfields="id")

    def _pages(
        self, parse: Callable[[Any], tuple[T, ...]], course_id: int, *, capability: str = "", **options: str | int
    ) -> Iterator[T]:
        """Yield all entries. A page may be shorter than requested, so only an empty page is the end."""
        start = 0
        while True:
            arguments = _options(course_id, **options, limitfrom=start, limitnumber=PAGE_SIZE)
            page = self.answer(parse, refusals.ENROLLED, arguments, capability=capability)
            if not page:
                return
            yield from page
            start += PAGE_SIZE

    def suspended_accounts(self, users: Iterable[int]) -> frozenset[int]:
        """Return the users whose account is suspended. Raises MoodleError if that is unknown for one of them."""
        ids = sorted(users)
        known: dict[int, bool] = {}
        for some in _parts(ids):
            values: dict[str, str | int] = {f"values[{index}]": user for index, user in enumerate(some)}
            known |= self.answer(answers.suspended_accounts, refusals.ACCOUNTS, {"field": "id", **values})
        if unknown := [user for user in ids if user not in known]:
            raise MoodleError(
                f"Moodle does not show the token's user the accounts of {len(unknown)} of {len(ids)} members of "
                "groups, so it is unknown whether they are suspended: the user must be enrolled in the course, or "
                "have the capability moodle/user:viewdetails."
            )
        return frozenset(user for user, is_suspended in known.items() if is_suspended)


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + IDS_PER_CALL] for start in range(0, len(ids), IDS_PER_CALL))


def _options(course_id: int, **options: str | int) -> dict[str, str | int]:
    """Return the arguments of `core_enrol_get_enrolled_users`. Moodle silently ignores an option with a wrong name."""
    arguments: dict[str, str | int] = {"courseid": course_id}
    for index, (name, value) in enumerate(options.items()):
        arguments |= {f"options[{index}][name]": name, f"options[{index}][value]": value}
    return arguments
