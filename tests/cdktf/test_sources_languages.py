"""An export in each of Moodle's languages lists exactly the course's groups."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import moodle_course
from moodle_course import MoodleCourse
from moodle_languages import LANGUAGE_PACKS, UNKNOWN_LANGUAGE, LanguagePack
from roster.group_list import GroupList
from sources.detection import read_export
from sources.moodle_terms import EMAIL_TERMS, GROUP_TERMS, GROUPING_TERMS, NO_GROUP_TERMS, PERSON_TERMS, term_key

LANGUAGES = st.sampled_from(sorted(LANGUAGE_PACKS))
COURSE = MoodleCourse(
    {"T1": ("a@u.example", "b@u.example"), "T2": ("c@u.example", "d@u.example"), "T3": ("e@u.example",), "T4": ()},
    {"Lab": ("T1", "T2"), "Project": ("T2", "T3", "T4")},
    ("n1@u.example", "n2@u.example"),
)
GROUPS = {name: tuple(emails) for name, emails in COURSE.groups.items()}
NOT_EMPTY = {name: emails for name, emails in GROUPS.items() if emails}


def groups_of(listed: GroupList) -> dict[str, tuple[str, ...]]:
    assert listed.problems == ()
    return {group.moodle_name: tuple(member.email for member in group.members) for group in listed.groups}


@st.composite
def courses(draw: st.DrawFn) -> MoodleCourse:
    """Generate groups of up to three students, overlapping groupings, and students in no group."""
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=6))
    groups = {
        f"Team {number}": tuple(f"s{number}.{who}@u.example" for who in range(size))
        for number, size in enumerate(sizes)
    }
    some = st.lists(st.sampled_from(sorted(groups)), unique=True, max_size=4)
    groupings = draw(st.dictionaries(st.sampled_from(["Lab", "Project", "Tutorial"]), some, max_size=3))
    return MoodleCourse(groups, groupings, tuple(f"n{number}@u.example" for number in range(draw(st.integers(0, 4)))))


@given(courses(), LANGUAGES)
def test_every_overview_lists_exactly_the_groups(course, language):
    listed = read_export(moodle_course.overview(course, LANGUAGE_PACKS[language]))
    assert groups_of(listed) == {name: tuple(emails) for name, emails in course.groups.items()}
    left_out = [issue.message.split('"')[1] for issue in listed.ignored if "is in no group" in issue.message]
    assert left_out == list(course.ungrouped)


@given(courses(), LANGUAGES)
def test_unknown_labels_are_found_by_position_or_reported(course, language):
    # A last grouping without groups looks like “not in a grouping”: then `--group` must specify the group after it.
    assume(not course.groupings or course.groupings[max(course.groupings)])
    listed = read_export(moodle_course.overview(course, LANGUAGE_PACKS[language], UNKNOWN_LANGUAGE))
    if listed.problems:
        assert [problem.message.partition(":")[2] for problem in listed.problems] in [
            [f' add --group "{label}" or --no-group "{label}".']
            for label in (UNKNOWN_LANGUAGE.no_group, *course.groups)
        ]
    else:
        assert groups_of(listed) == {name: tuple(emails) for name, emails in course.groups.items()}


@given(courses())
def test_an_unknown_language_is_parsed_correctly_or_rejected(course):
    assume(not course.groupings or course.groupings[max(course.groupings)])
    listed = read_export(moodle_course.overview(course, UNKNOWN_LANGUAGE))
    if not listed.problems:
        assert groups_of(listed) == {name: tuple(emails) for name, emails in course.groups.items()}


def test_the_last_block_after_no_grouping_has_the_students_in_no_group():
    listed = read_export(moodle_course.overview(COURSE, UNKNOWN_LANGUAGE))
    assert groups_of(listed) == GROUPS
    assert [(issue.line, issue.message) for issue in listed.ignored] == [
        (10, "the row has no group and no student."),
        (11, '"n1@u.example" is in no group ("Xno_group").'),
        (12, '"n2@u.example" is in no group ("Xno_group").'),
    ]


def test_an_ambiguous_label_is_reported():
    course = MoodleCourse({**COURSE.groups, "T5": ("f@u.example",)}, COURSE.groupings, COURSE.ungrouped)
    text = moodle_course.overview(course, LANGUAGE_PACKS["en"], UNKNOWN_LANGUAGE)
    question = '"Xno_group" may be a group or Moodle\'s label for students in no group: '
    advice = 'add --group "Xno_group" or --no-group "Xno_group".'
    assert [(problem.line, problem.message) for problem in read_export(text).problems] == [(11, question + advice)]
    expected = {**GROUPS, "T5": ("f@u.example",)}
    assert groups_of(read_export(text, no_group=["Xno_group"])) == expected
    assert groups_of(read_export(text, groups=["Xno_group"])) == expected | {"Xno_group": COURSE.ungrouped}


def test_a_named_group_is_not_a_label_even_after_an_empty_block():
    course = MoodleCourse({"T1": ("a@u.example",), "T2": ("b@u.example",)}, {"Lab": ("T1",), "Zero": ()})
    text = moodle_course.overview(course, LANGUAGE_PACKS["en"], UNKNOWN_LANGUAGE)
    assert set(groups_of(read_export(text))) == {"T1"}
    assert set(groups_of(read_export(text, groups=["T2"]))) == {"T1", "T2"}


def test_no_team_is_lost_if_no_group_and_no_grouping_share_a_term():
    french = LANGUAGE_PACKS["fr"]._replace(not_in_group="Pas dans un groupe", not_in_grouping="Pas dans un groupe")
    alone = MoodleCourse({"T1": ("a@u.example",), "T2": ("b@u.example", "c@u.example")}, {"Lab": ("T1",)})
    in_none = MoodleCourse(alone.groups, alone.groupings, ("n@u.example",))
    no_team = MoodleCourse({"T1": ("a@u.example",)}, {"Lab": ("T1",)}, ("n@u.example",))
    assert groups_of(read_export(moodle_course.overview(alone, french))) == alone.groups
    assert groups_of(read_export(moodle_course.overview(in_none, french))) == alone.groups
    unknown = french._replace(no_group="Xno_group")
    assert groups_of(read_export(moodle_course.overview(no_team, unknown))) == no_team.groups


@pytest.mark.parametrize("language", LANGUAGE_PACKS)
def test_participants_are_recognised_in_every_language(language):
    listed = read_export(moodle_course.participants(COURSE_OF_ONE_EACH, LANGUAGE_PACKS[language]))
    assert (listed.format, groups_of(listed)) == ("Participants", NOT_EMPTY)
    assert [issue.line for issue in listed.ignored] == [2, 3]


@pytest.mark.parametrize("language", LANGUAGE_PACKS)
def test_participants_in_no_group_are_skipped(language):
    for label in (LANGUAGE_PACKS[language].no_groups, LANGUAGE_PACKS[language].no_group, "No groups"):
        listed = read_export(moodle_course.participants(COURSE_OF_ONE_EACH, LANGUAGE_PACKS[language], label))
        assert groups_of(listed) == NOT_EMPTY


COURSE_OF_ONE_EACH = MoodleCourse(COURSE.groups, {}, COURSE.ungrouped)


@pytest.mark.parametrize("language", LANGUAGE_PACKS)
def test_group_choice_is_recognised_in_every_language(language):
    listed = read_export(moodle_course.choice(COURSE, LANGUAGE_PACKS[language]))
    assert (listed.format, groups_of(listed)) == ("Group choice", NOT_EMPTY)


@given(
    st.sampled_from([*LANGUAGE_PACKS.values(), UNKNOWN_LANGUAGE]),
    st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["Berg", "Cohn", "Dorn"])), min_size=1, max_size=12),
    st.sampled_from([",", ";", "\t"]),
    st.booleans(),
)
def test_grades_are_never_groups(pack, names, delimiter, is_sorted):
    people = [(first, last, f"s{number}@u.example") for number, (first, last) in enumerate(names)]
    people = sorted(people, key=lambda person: person[1]) if is_sorted else people
    text = moodle_course.grades(people, pack, delimiter)
    sentences = [problem.message for problem in read_export(text).problems]
    assert len(sentences) == 1 and "no group column was found" in sentences[0]


def test_a_class_with_common_names_is_not_mistaken_for_groups():
    """The export of a whole class is sorted by last name, then by first name."""
    people = sorted((f"Last {number % 9}", f"First {number % 23}", f"s{number}@u.example") for number in range(100))
    text = moodle_course.grades([(first, last, email) for last, first, email in people], UNKNOWN_LANGUAGE)
    assert "no group column was found" in read_export(text).problems[0].message


@pytest.mark.parametrize("pack", LANGUAGE_PACKS.values())
def test_terms_are_recognised_by_kind(pack: LanguagePack):
    for field, words in {
        "grouping": GROUPING_TERMS,
        "group": GROUP_TERMS,
        "groups": GROUP_TERMS,
        "choice_group": GROUP_TERMS,
        "first_name": PERSON_TERMS,
        "last_name": PERSON_TERMS,
        "id_number": PERSON_TERMS,
        "email": EMAIL_TERMS,
        "no_group": NO_GROUP_TERMS,
        "no_groups": NO_GROUP_TERMS,
    }.items():
        assert term_key(getattr(pack, field)) in words


def test_no_term_has_two_kinds():
    kinds = [{""}, GROUP_TERMS, GROUPING_TERMS, EMAIL_TERMS, PERSON_TERMS, NO_GROUP_TERMS]
    assert [one & other for number, one in enumerate(kinds) for other in kinds[:number] if one & other] == []
