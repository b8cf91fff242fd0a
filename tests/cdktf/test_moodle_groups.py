"""Moodle's answers as values and groups, and the sentences for its errors."""

from __future__ import annotations

from typing import Any

import pytest

from moodle import answers
from moodle.answers import AnswerError, MoodleUser, NamedEntry
from moodle.content import CourseContent, missing_people
from moodle.groups import WEB_SERVICE, Roles, group_list
from moodle.refusals import ENROLLED, GROUPS, MEMBERS, SITE_INFO, refusal_sentence
from roster.group_list import GroupList, Issue, ListedGroup, ListedMember
from roster.merge import merge
from roster.model import Group, Member, Roster


def user(id: int, *roles: str, email: str | None = None) -> MoodleUser:
    address = f"s{id}@uni.example" if email is None else email
    return MoodleUser(id, f"Person {id}", address, frozenset(roles or ("student",)))


def course(groups: dict[int, tuple[str, list[MoodleUser]]], *suspended: int) -> CourseContent:
    return CourseContent(
        "4.1.6",
        tuple(NamedEntry(id, name) for id, (name, _) in groups.items()),
        {id: frozenset(user.id for user in users) for id, (_, users) in groups.items()},
        {user.id: user for _, users in groups.values() for user in users},
        frozenset(suspended),
    )


def listed(content: CourseContent, roles: Roles | None = None, **names: str) -> GroupList:
    return group_list(content, roles=roles or Roles(), staff={"ta@uni.example"}, stored_names=names)


def test_groups_have_students_and_name_staff_and_suspended_people():
    people = [user(3), user(1), user(2), user(4, "teacher"), user(5, "student", email="TA@uni.example"), user(6, "x")]
    assert listed(course({7: ("A &amp; B", people)}, 2, 6)) == GroupList(
        WEB_SERVICE,
        (ListedGroup(7, "7", "A & B", (ListedMember("s1@uni.example", 7), ListedMember("s3@uni.example", 7))),),
        0,
        ignored=(
            Issue(7, "s4@uni.example is staff (teacher) and therefore not a student."),
            Issue(7, "ta@uni.example is staff and therefore not a student."),
        ),
        suspended=(ListedMember("s2@uni.example", 7), ListedMember("s6@uni.example", 7)),
        numbered_by="group",
    )


@pytest.mark.parametrize(
    ("roles", "kinds"),
    [
        (Roles(), ["student", "staff", "unknown", "student", "staff", "student"]),
        (Roles(student=frozenset({"tutor"})), ["student", "staff", "student", "student", "staff", "student"]),
        (Roles(staff=frozenset({"tutor"})), ["student", "staff", "staff", "staff", "staff", "student"]),
        (Roles(student=frozenset({"teacher"})), ["student", "student", "unknown", "student", "student", "student"]),
    ],
)
def test_roles_decide_about_staff(roles, kinds):
    people = [
        user(1),
        user(2, "teacher"),
        user(3, "tutor"),
        user(4, "student", "tutor"),
        user(5, "student", "teacher"),
        MoodleUser(6, "", "", frozenset()),
    ]
    assert [roles.kind_of(one).value for one in people] == kinds


@pytest.mark.parametrize(
    ("sent", "stored", "name"),
    [
        ("R&amp;D ", "R&D <team>", "R&D <team>"),
        ("Tom &amp; Jerry", "Tom &amp; Jerry", "Tom &amp; Jerry"),
        ("Tom &amp; Jerry", "", "Tom & Jerry"),
        ("Lab 7Labor 7", '<span lang="en">Lab 7</span><span lang="de">Labor 7</span>', None),
        ("Lab 8", "Lab <b>7</b>", "Lab 8"),
        ("two  spaces", "two spaces", "two spaces"),
    ],
)
def test_a_stored_name_is_kept_if_the_service_only_removed_markup(sent, stored, name):
    content = course({7: (sent, [])})
    [group] = group_list(content, roles=Roles(), staff=(), stored_names={"7": stored}).groups
    assert group.moodle_name == (stored if name is None else name)


def test_suspended_students_stay_in_their_group_until_dropped():
    stored = Roster((Group(1, "7", "A", (Member("s1@uni.example"), Member("s2@uni.example"))),))
    export = listed(course({7: ("A", [user(1), user(2)])}, 2))
    assert merge(stored, export).roster == stored
    dropped = merge(stored, export, drop_suspended=True).roster
    assert dropped.groups[0].members == (Member("s1@uni.example"), Member("s2@uni.example", "retired"))
    # With a group, its suspended students are retired, too.
    other = listed(course({8: ("B", [user(8), user(2)])}, 2))
    assert [group.status for group in merge(stored, other).roster.groups] == ["retired", "active"]


def test_members_that_the_token_does_not_see_are_counted():
    members = {7: frozenset({1, 2}), 8: frozenset({2, 3})}
    assert missing_people(members, {id: user(id) for id in (1, 2, 3, 9)}) == ""
    assert missing_people(members, {9: user(9)}).startswith(
        "Moodle shows the token's user 1 people of the course, without 3 of the 3 members of its groups"
    )


def test_keys_and_personal_data_are_dropped():
    group = {"id": 2, "name": "B", "enrolmentkey": "secret", "description": "…"}
    assert answers.course_groups([group, {"id": 1, "name": "A"}]) == (NamedEntry(1, "A"), NamedEntry(2, "B"))
    info = {"functions": [{"name": "f"}], "release": "4.1", "userprivateaccesskey": "secret", "userid": 7}
    assert answers.site_info(info) == answers.SiteInfo("4.1", frozenset({"f"}))
    person = {"id": 1, "fullname": "A\u202e B", "roles": [{"shortname": "student"}], "enrolledcourses": [{"id": 9}]}
    assert answers.enrolled_users([person]) == (MoodleUser(1, "A B", "", frozenset({"student"})),)


@pytest.mark.parametrize(
    ("parse", "answer"),
    [
        (answers.site_info, []),
        (answers.site_info, {"functions": None}),
        (answers.courses, {"courses": {}}),
        (answers.course_groups, None),
        (answers.course_groups, [{"id": "1", "name": "A"}]),
        (answers.course_groups, [{"id": True, "name": "A"}]),
        (answers.groupings, [{"id": 1}]),
        (answers.group_ids_of_grouping, [{"id": 1, "groups": [{}]}]),
        (answers.group_members, [{"groupid": 1, "userids": ["2"]}]),
        (answers.enrolled_users, [{"id": 1, "fullname": "A"}]),
        (answers.user_ids, [{"id": -1}]),
        (answers.suspended_accounts, [7]),
    ],
)
def test_an_answer_of_another_form_is_refused(parse: Any, answer: Any):
    with pytest.raises(AnswerError, match="does not have the documented form: import the Group self-selection CSV"):
        parse(answer)


def test_an_account_without_the_key_is_unknown():
    assert answers.suspended_accounts([{"id": 1}, {"id": 2, "suspended": True}]) == {2: True}


@pytest.mark.parametrize(
    ("function", "code", "start"),
    [
        (GROUPS, "accessexception", "Moodle refused core_group_get_course_groups, which the token's service contains"),
        (SITE_INFO, "accessexception", "Moodle refuses the token: it has expired, or is valid only for another IP"),
        (MEMBERS, "invalidrecord", "a group was deleted while the course was read: import again."),
        (ENROLLED, "invalidrecord", "there is no course with this id: check --course."),
        (GROUPS, "nopermissions", "the token's user lacks the capability moodle/course:managegroups in the course"),
        (SITE_INFO, "nopermissions", "the token's user lacks a capability that core_webservice_get_site_info needs"),
        (GROUPS, "sitemaintenance", "Moodle is in maintenance: try again later."),
        (GROUPS, "invaliduserfield", 'Moodle refused core_group_get_course_groups with the error "invaliduserfield"'),
        (GROUPS, "\x1b[31m", 'Moodle refused core_group_get_course_groups with the error "\\x1b[31m"'),
    ],
)
def test_each_error_has_a_sentence_with_the_causes_that_remain(function, code, start):
    assert refusal_sentence(function, code).startswith(start)
