"""Group names are compared exactly within a file, and with the roster ignoring case only if unambiguous."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import moodle_course
import moodle_files
from labkit.tables import decode
from moodle_course import MoodleCourse
from moodle_files import Team, encode
from moodle_languages import LANGUAGE_PACKS
from roster.group_list import GroupList, Issue
from roster.merge import ambiguous_names, merge
from roster.model import Group, Member, Roster, format_roster, parse_roster
from roster.validation import RosterLimits, validate
from sources.detection import read_export

ENGLISH = LANGUAGE_PACKS["en"]
ALIKE = ["Group 2", "group 2", "GROUP 2", "Straße", "Strasse", "STRASSE", "Ⅳ", "ⅳ", "Ǆ", "ǅ"]
BARELY = ["Group 2", "Group  2", "Group\u00a02", "Group \u200f2", " Group 2", "Tom & Jerry", "Tom &amp; Jerry"]
FORMATS = {
    "overview": lambda course: moodle_course.overview(course, ENGLISH),
    "participants": lambda course: moodle_course.participants(course, ENGLISH),
    "choice": lambda course: moodle_course.choice(course, ENGLISH),
}


def course_of(names) -> MoodleCourse:
    return MoodleCourse({name: (f"s{number}@u.example",) for number, name in enumerate(names)})


def exported(course: MoodleCourse, form: str) -> GroupList:
    return read_export(decode(encode(FORMATS[form](course)))[0])


def by_address(groups) -> dict[str, str]:
    return {member.email: group.moodle_name for group in groups for member in group.members}


@given(st.lists(st.sampled_from(ALIKE), min_size=1, unique=True), st.sampled_from(sorted(FORMATS)))
def test_names_that_differ_in_case_stay_separate_groups(names, form):
    course = course_of(names)
    listed = exported(course, form)
    assert listed.problems == ()
    expected = {email: name for name, emails in course.groups.items() for email in emails}
    assert by_address(listed.groups) == expected
    first = merge(Roster(), listed).roster
    assert by_address(parse_roster(format_roster(first), "r.csv").groups) == expected
    turned_round = exported(MoodleCourse(dict(reversed([*course.groups.items()]))), form)
    assert ambiguous_names(first, turned_round.groups) == ()
    assert merge(first, turned_round).roster == first


@given(st.lists(st.sampled_from(BARELY), min_size=2, unique=True), st.sampled_from(sorted(FORMATS)))
def test_names_that_become_equal_in_the_roster_are_refused(names, form):
    listed = exported(course_of(names), form)
    assert len(listed.problems) == len(names) - len({as_shown(name) for name in names})
    assert all("differ only in blanks, invisible marks or entities" in p.message for p in listed.problems)


def as_shown(name: str) -> str:
    """Return the name as displayed and as stored in the roster."""
    return " ".join(name.replace("\u200f", "").replace("&amp;", "&").split())


def test_the_error_contains_both_names_and_lines():
    assert exported(course_of(["Group 2", "Group  2"]), "participants").problems == (
        Issue(
            3,
            '"Group  2" and, on line 2, "Group 2" differ only in blanks, invisible marks or entities: rename one in '
            "Moodle and download again.",
        ),
    )


def test_names_that_differ_only_in_case_cause_a_warning():
    listed = exported(course_of(["Group 2", "group 2"]), "overview")
    assert validate(listed, Roster(), RosterLimits()).warnings == (
        Issue(3, '"group 2" and "Group 2" on line 2 are two groups: their names differ only in case.'),
    )


def stored(*names: str, ids: bool = False, retired: tuple[str, ...] = ()) -> Roster:
    return Roster(
        tuple(
            Group(
                number,
                str(70 + number) if ids else "",
                name,
                (Member(f"s{number}@u.example", "retired" if name in retired else "active"),),
                "retired" if name in retired else "active",
            )
            for number, name in enumerate(names, start=1)
        )
    )


def listed(*names: str) -> GroupList:
    """Return groups with unknown students, so that they can be recognised only by name."""
    text = moodle_course.overview(
        MoodleCourse({name: (f"new.{at}@u.example",) for at, name in enumerate(names)}), ENGLISH
    )
    return read_export(text)


def numbers_by_name(roster: Roster, export: GroupList) -> dict[str, int]:
    assert ambiguous_names(roster, export.groups) == ()
    return {group.moodle_name: group.number for group in merge(roster, export).roster.active_groups}


@pytest.mark.parametrize("ids", [False, True])
def test_an_unambiguous_name_is_matched_ignoring_case(ids):
    assert numbers_by_name(stored("Alpha", "Beta", ids=ids), listed("BETA", "alpha")) == {"alpha": 1, "BETA": 2}
    assert numbers_by_name(stored("Straße"), listed("STRASSE")) == {"STRASSE": 1}


def test_an_exact_name_is_matched_first():
    assert numbers_by_name(stored("Group 2", "group 2"), listed("group 2", "Group 2")) == {"Group 2": 1, "group 2": 2}
    assert numbers_by_name(stored("Group 2"), listed("group 2", "Group 2")) == {"Group 2": 1, "group 2": 2}


def test_an_active_group_is_matched_before_a_retired_one():
    roster = stored("Group 2", "group 2", retired=("group 2",))
    assert numbers_by_name(roster, listed("GROUP 2"))["GROUP 2"] == 1


@pytest.mark.parametrize(
    ("roster", "export", "problem"),
    [
        (
            stored("Group 2", "group 2"),
            listed("GROUP 2"),
            '"GROUP 2" may be group_01 "Group 2" and group_02 "group 2"; the names differ only in case: ',
        ),
        (
            stored("GROUP 2"),
            listed("Group 2", "group 2"),
            '"Group 2" and "group 2" may be group_01 "GROUP 2"; the names differ only in case: ',
        ),
        (
            stored("Group 2", "group 2", "Other"),
            listed("Group 2", "GROUP 2", "gROUP 2", "Other"),
            '"GROUP 2" and "gROUP 2" may be group_02 "group 2"; the names differ only in case: ',
        ),
    ],
)
def test_a_name_that_matches_several_groups_ignoring_case_is_refused(roster, export, problem):
    issues = ambiguous_names(roster, export.groups)
    assert [issue.message.partition("rename")[0] for issue in issues] == [problem]


def test_ids_resolve_ambiguous_names():
    teams = [Team(71, "Group 2", ("s1@u.example",)), Team(72, "group 2", ("s2@u.example",))]
    roster = merge(Roster(), read_export(moodle_files.self_selection(teams))).roster
    renamed = [Team(71, "GROUP 2", teams[0].emails), Team(72, "gROUP 2", teams[1].emails)]
    assert numbers_by_name(roster, read_export(moodle_files.self_selection(renamed))) == {"GROUP 2": 1, "gROUP 2": 2}


def test_an_exact_label_for_no_group_is_matched_first():
    course = course_of(["Group 2", "group 2", "Rest"])
    text = moodle_course.participants(course, ENGLISH)
    assert set(by_address(read_export(text, no_group=["group 2"]).groups).values()) == {"Group 2", "Rest"}
    assert set(by_address(read_export(text, no_group=["[REST]"]).groups).values()) == {"Group 2", "group 2"}
    assert read_export(text, no_group=["GROUP 2"]).problems == (
        Issue(2, '--no-group "GROUP 2" matches "Group 2" and "group 2": write it exactly as in the file.'),
    )
