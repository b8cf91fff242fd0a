"""A group set from Canvas lists the groups that its students chose, or is refused with the line of each problem."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_files import HEADER, SIS_COLUMNS, Student, group_set
from labkit.tables import decode
from moodle_files import ENCODINGS, encode, from_spreadsheet
from roster.group_list import GroupList, Issue, ListedGroup, ListedMember
from roster.merge import merge
from roster.model import Roster
from roster.validation import RosterLimits, validate
from sources.detection import read_export

COURSE = (
    Student(17, "dana@uni.example", 'R&D "Süd", Ost', "5001", sections='Section "A", Section B, and Section C'),
    Student(18, "Noa@Uni.example", "צוות 2", "5002", name='O"Brien, Noa'),
    Student(19, "li-wei+lab@uni.example", 'R&D "Süd", Ost', "5001"),
    Student(20, "guest"),
    Student(21, "omer@uni.example"),
)
GROUPS = [
    ("5001", 'R&D "Süd", Ost', ("dana@uni.example", "li-wei+lab@uni.example")),
    ("5002", "צוות 2", ("noa@uni.example",)),
]


def read(text: str, **options: object) -> GroupList:
    return read_export(text, **options)  # type: ignore[arg-type]


def groups_of(listed: GroupList) -> list[tuple[str, str, tuple[str, ...]]]:
    assert listed.problems == ()
    return [(one.moodle_id, one.moodle_name, tuple(member.email for member in one.members)) for one in listed.groups]


def problems_of(*students: Student, **options: object) -> list[str]:
    listed = read(group_set(students), **options)
    result = validate(listed, Roster(), RosterLimits())
    return [f"line {issue.line}: {issue.message}" for issue in result.problems]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("without", [(), SIS_COLUMNS], ids=["with SIS ids", "without SIS ids"])
def test_a_group_set_is_recognised_by_its_header(encoding, without):
    text, _ = decode(encode(group_set(COURSE, without=without), encoding))
    listed = read(text)
    assert (listed.format, listed.system, groups_of(listed)) == ("Canvas group set", "Canvas", GROUPS)


@pytest.mark.parametrize("delimiter", ";\t")
def test_a_spreadsheet_does_not_change_how_a_group_set_is_read(delimiter):
    assert groups_of(read(from_spreadsheet(group_set(COURSE), delimiter))) == GROUPS


def test_translated_headers_and_more_columns_do_not_matter():
    header = ("שם", *HEADER[1:4], "קבוצות לימוד", *HEADER[5:])
    text = group_set(COURSE, header=header)
    assert groups_of(read("".join(f"x,{line}\n" for line in text.splitlines()))) == GROUPS


def test_students_in_no_group_are_skipped_with_their_lines():
    assert read(group_set(COURSE)).ignored == (
        Issue(5, '"guest" is in no group (the cell is empty).'),
        Issue(6, '"omer@uni.example" is in no group (the cell is empty).'),
    )


def test_a_group_keeps_its_number_by_canvas_group_id():
    stored = merge(Roster(), read(group_set(COURSE))).roster
    renamed = [Student(18, "noa@uni.example", "Other name", "5002"), Student(30, "new@uni.example", "First", "4000")]
    after = merge(stored, read(group_set(renamed))).roster
    assert [(group.number, group.moodle_id, group.moodle_name, group.status) for group in after.groups] == [
        (1, "5001", 'R&D "Süd", Ost', "retired"),
        (2, "5002", "Other name", "active"),
        (3, "4000", "First", "active"),
    ]


@pytest.mark.parametrize(
    ("student", "options", "address"),
    [
        (Student(1, "dana@uni.example", "A", "7", sis_id="d@x.example"), {}, "dana@uni.example"),
        (Student(1, "dana", "A", "7", sis_id="d@x.example"), {}, "d@x.example"),
        (Student(1, "Dana", "A", "7", sis_id="4711"), {"login_domain": "uni.example"}, "dana@uni.example"),
        (Student(1, "dana", "A", "7", name="d@y.example"), {"columns": {"email": "Name"}}, "d@y.example"),
    ],
    ids=["login_id", "user_id", "login_id with a domain", "a chosen column"],
)
def test_the_address_comes_from_the_first_column_that_has_one(student, options, address):
    listed = read(group_set([student]), **options)
    assert (listed.groups, listed.problems) == ((ListedGroup(2, "7", "A", (ListedMember(address, 2),)),), ())


def test_staff_in_a_group_are_not_students():
    listed = read(group_set(COURSE), staff={"noa@uni.example"})
    assert groups_of(listed)[1] == ("5002", "צוות 2", ())
    assert Issue(3, "noa@uni.example is staff and therefore not a student.") in listed.ignored


@pytest.mark.parametrize(
    ("students", "problem"),
    [
        (
            [Student(1, "dana", "A", "7", sis_id="4711")],
            'line 2: the student\'s login_id ("dana") and user_id ("4711") are not e-mail addresses: choose a '
            'column with addresses by --column email="…", or, if addresses are logins with a domain, add '
            "--login-domain DOMAIN.",
        ),
        (
            [Student(1, "a@uni.example", "A", "7"), Student(1, "a@uni.example", "A", "7")],
            "line 3: canvas_user_id 1 is already on line 2; a student has one row and can be in only one group: "
            "correct the groups in Canvas and download the file again.",
        ),
        (
            [Student(1, "a@uni.example"), Student(1, "a@uni.example", "A", "7"), Student(2, "b@uni.example", "A", "7")],
            "line 3: canvas_user_id 1 is already on line 2; a student has one row and can be in only one group: "
            "correct the groups in Canvas and download the file again.",
        ),
        (
            [Student(1, "a@uni.example", "A", "7"), Student(2, "A@uni.example", "B", "8")],
            'line 3: a@uni.example is in "B" and, on line 2, in "A"; a student can be in only one group: remove one in '
            "Canvas and download again.",
        ),
        (
            [Student(1, "a@uni.example", "A", "7"), Student(2, "A@uni.example", "A", "7")],
            "line 3: a@uni.example is already on line 2, in the same group.",
        ),
        (
            [Student(1, "a@uni.example", "A", "7"), Student(2, "b@uni.example", "B", "7")],
            'line 3: canvas_group_id 7 is "B" here but "A" on line 2: download the file again.',
        ),
        (
            [Student(1, "a@uni.example", "A")],
            'line 2: canvas_group_id of "A" must be a number, not "": download the file again.',
        ),
        (
            [Student(1, "a@uni.example", "A", "1.7E+16")],
            'line 2: canvas_group_id of "A" must be a number, not "1.7E+16": download the file again.',
        ),
        (
            [Student(1, "a@uni.example", "", "7")],
            'line 2: canvas_group_id is "7", but group_name is empty: the row is damaged; download the file again.',
        ),
    ],
)
def test_an_ambiguous_or_damaged_row_is_refused_with_its_line(students, problem):
    assert problems_of(*students) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            group_set(COURSE[3:], without=(6, 7)),
            'line 1: there is no column "canvas_group_id", which Canvas leaves out while no group has a student: check '
            "that it is the right group set and download the file again.",
        ),
        (group_set(COURSE[3:]), "line 3: the Canvas group set has no group; check the course and the group set."),
        (group_set([]), "line 1: the Canvas group set has only a header; check the course and the group set."),
        (
            group_set(COURSE, header=(*HEADER[:-1], "canvas_group_id")),
            'line 1: several columns are named "canvas_group_id": download the file again.',
        ),
        (
            group_set(COURSE[:1]) + "x,2\n",
            "line 3: 2 cells, but the header has 8: the row is cut off; download the file again.",
        ),
        (
            group_set(COURSE[:1]).replace('"Cohen, Dana"', "Cohen, Dana"),
            "line 2: 9 cells, but the header has 8: a delimiter is not quoted; download the file again.",
        ),
    ],
)  # fmt: skip
def test_a_file_that_may_hide_students_is_refused(text, problem):
    listed = read(text)
    assert [f"line {issue.line}: {issue.message}" for issue in listed.problems] == [problem]


def test_the_group_column_cannot_be_changed():
    listed = read(group_set(COURSE), columns={"group": "sections"})
    message = '--column group cannot be used, because the groups of a Canvas group set are in "group_name".'
    assert (listed.problems, listed.groups) == ((Issue(1, message),), ())
    assert groups_of(read(group_set(COURSE), columns={"group": "Group_name"})) == GROUPS


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf"]), min_size=1, max_size=8)


@given(
    st.lists(NAMES.filter(lambda name: " ".join(name.split()) == name), min_size=1, max_size=5, unique=True),
    st.lists(st.tuples(st.integers(-1, 4), NAMES, NAMES), min_size=1, max_size=20),
)
def test_any_name_and_section_is_read_as_canvas_wrote_it(names, people):
    students = [
        Student(100 + number, f"s{number}@uni.example", names[group], str(group + 1), name=name, sections=sections)
        if 0 <= group < len(names)
        else Student(100 + number, f"s{number}@uni.example", name=name, sections=sections)
        for number, (group, name, sections) in enumerate(people)
    ]
    listed = read(group_set(students))
    members = {one.moodle_id: {member.email for member in one.members} for one in listed.groups}
    assert members == {
        id: {student.login for student in students if student.group_id == id}
        for id in {student.group_id for student in students} - {""}
    }
    assert len(listed.ignored) == sum(not student.group_id for student in students)
