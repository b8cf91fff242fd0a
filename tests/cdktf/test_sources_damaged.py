"""Damaged rows are refused with their line, and no student is dropped silently."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import moodle_course
import moodle_files
from example_counts import at_most_examples, exactly_examples
from import_roster import main
from labkit.tables import TableError, decode
from moodle_course import MoodleCourse
from moodle_files import ENCODINGS, Team, encode, from_spreadsheet
from moodle_languages import LANGUAGE_PACKS
from roster.group_list import GroupList
from roster.importing import ImportRefused, ParsedExport, plan_import, report_json, report_lines
from roster.model import Group, Member, Roster, format_roster
from roster.validation import RosterLimits
from sources.detection import read_export

ENGLISH = LANGUAGE_PACKS["en"]
COURSE = MoodleCourse(
    {"Team 1": ("s1@uni.example", "s2@uni.example"), "R&D": ("s3@uni.example",), "Süd Ost": ("s4@uni.example",)},
    {"Lab": ("Team 1", "R&D")},
    ("s5@uni.example",),
)
TEAMS = [Team(71 + number, name, tuple(emails)) for number, (name, emails) in enumerate(COURSE.groups.items())]
ROSTER = Roster(
    tuple(
        Group(number, "", name, tuple(Member(email) for email in emails))
        for number, (name, emails) in enumerate(COURSE.groups.items(), start=1)
    )
)
EXPORTS = {
    "self-selection": moodle_files.self_selection(TEAMS),
    "overview": moodle_course.overview(COURSE, ENGLISH),
    "participants": moodle_course.participants(COURSE, ENGLISH),
    "choice": moodle_course.choice(COURSE, ENGLISH),
    "users.csv": moodle_files.legacy_users(TEAMS),
    "roster": format_roster(ROSTER),
}
ADDRESS = re.compile(r"(?<![\w.@+'-])s[0-9]@uni\.example(?![\w.@-])")


def sentences(text: str) -> list[str]:
    return [f"line {problem.line}: {problem.message}" for problem in read_export(text).problems]


CUT = "the row is cut off or has a different delimiter; download it again."


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("Lab,T1,F,L,a@u.example\nLab,T1\n", f"line 3: 2 cells, but the header has 5: {CUT}"),
        ("Lab,T1,F,L\n", f"line 2: 4 cells, but the header has 5: {CUT}"),
        ("Lab;T1;F;L;a@u.example\n", f"line 2: 1 cell, but the header has 5: {CUT}"),
        ("Lab,T1,F,L;a@u.example\n", f"line 2: 4 cells, but the header has 5: {CUT}"),
        (
            "Lab,T1,Berg, Ada,L,a@u.example\n",
            "line 2: 6 cells, but the header has 5: a delimiter in a cell is not quoted; download the file again.",
        ),
        (
            'Lab,T1,F,L,a@u.example\nLab,T1,"F,L,b@u.example\nLab,T1,F",L,c@u.example\n'
            + "Lab,T1,F,L,d@u.example\n" * 9,
            "line 3: a cell spans several rows: there is one quotation mark too many; download the file again.",
        ),
        (
            "Lab,,F,L,a@u.example\n",
            'line 2: "a@u.example" has no group and is outside the block of students without one: download the '
            "file again.",
        ),
        (
            "Lab,a@u.example,F,L,b@u.example\n",
            'line 2: the row has the address "a@u.example" as its group: a cell is missing, or there is one too many; '
            "download the file again.",
        ),
        ("Lab,T1,F,L,\n", 'line 2: a student of group "T1" has no address.'),
    ],
)
def test_a_damaged_row_in_an_overview_is_refused_with_its_line(rows, problem):
    assert problem in sentences(f"Grouping,Group,First name,Last name,Email address\n{rows}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "Nachname;Vorname;E-Mail-Adresse;Gruppe\nBerg;Ada;ada@u.example;T1\nDorn;Cy,cy@u.example,T2\n",
            f"line 3: 2 cells, but the header has 4: {CUT}",
        ),
        (
            "First name,Last name,Email address,Groups\nF,L,a@u.example,T1\nF,L,b@u.example\n",
            f"line 3: 3 cells, but the header has 4: {CUT}",
        ),
        (
            "Last name\tFirst name\tID number\tEmail address\tGroup\tChoice\nL\tF\t \ta@u.example\tT1\t\nL\tF\t \n",
            f"line 3: 3 cells, but the header has 6: {CUT}",
        ),
        (
            "Last name\tFirst name\tID number\tEmail address\tGroup\tChoice\nL\tF\t \ta@u.example\tT1\t\n"
            "L\tF\t \tb@u.example\tx\tT1\n",
            "line 3: the row has text after the group, where Group choice has none: a cell is missing, or there is one "
            "too many; download the file again.",
        ),
        (
            "First name,Last name,Email address,Groups\nF,L,a@u.example,T1\nL,b@u.example,T1,\n",
            'line 3: "T1" is in no group and is not an e-mail address: a cell is missing, or there is one too many; '
            "download the file again.",
        ),
        (
            "First name,Last name,Email address,Groups\nF,L,a@u.example,T1\nL,b@u.example,,\n",
            "line 3: a student without address is in no group, but there is an address in a different column: a cell "
            "is missing, or there is one too many; download the file again.",
        ),
        (
            'sep=,\nGroup ID,Group Name,Group Size\n"71"\n',
            "line 3: 1 cells, fewer than a group needs: the row is cut off; download the file again.",
        ),
        (
            "user1,user2\na@u.example;b@u.example\n",
            'line 2: "user1" is not an e-mail address: "a@u.example;b@u.example".',
        ),
    ],
)
def test_a_damaged_row_in_other_exports_is_refused_with_its_line(text, problem):
    assert problem in sentences(text)


def test_rows_with_trailing_empty_cells_are_valid():
    text = "Grouping,Group,First name,Last name,Email address\nLab,T1,F,L,a@u.example,,\n"
    assert [group.moodle_name for group in read_export(text).groups] == ["T1"]
    trailing = "Grouping,Group,First name,Last name,Email address,,\nLab,T1,F,L,a@u.example\n"
    assert read_export(trailing).problems == ()


def everybody_is_somewhere(text: str, listed: GroupList) -> None:
    """Assert that every complete address is in a group or in an issue."""
    reported = " ".join(issue.message for issue in (*listed.ignored, *listed.problems))
    members = {member.email for group in listed.groups for member in group.members}
    assert listed.problems or {*ADDRESS.findall(text)} <= members | {*ADDRESS.findall(reported)}


@st.composite
def with_damaged_rows(draw: st.DrawFn) -> tuple[str, str]:
    """Generate a format's name and an export in this format with removed, emptied, joined or moved cells."""
    name = draw(st.sampled_from(sorted(EXPORTS)))
    lines = EXPORTS[name].splitlines()
    header = 2 if name == "self-selection" else 1
    delimiter = "\t" if name == "choice" else ","
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(header, len(lines) - 1))
        cells = lines[at].split(delimiter)
        cell = draw(st.integers(0, len(cells) - 1))
        kind = draw(st.sampled_from(["cut", "delimiter", "remove", "empty", "quote", "extra", "half", "join"]))
        match kind:
            case "cut":
                cells = cells[:cell]
            case "delimiter":
                cells = [draw(st.sampled_from(";|:\t")).join(cells[: cell + 1]), *cells[cell + 1 :]]
            case "remove":
                del cells[cell]
            case "empty":
                cells[cell] = ""
            case "quote":
                cells[cell] = draw(st.sampled_from(['"{}', '{}"', '"{}"x', '\\"{}'])).format(cells[cell])
            case "extra":
                cells.insert(cell, draw(st.sampled_from(["", "x"])))
            case "half":
                cells[cell] = cells[cell][: len(cells[cell]) // 2]
            case "join":
                cells[cell : cell + 2] = ["".join(cells[cell : cell + 2])]
        lines[at] = delimiter.join(cells)
    return name, "\n".join(lines) + "\n"


@exactly_examples(100, acceptance=10_000)
@given(with_damaged_rows())
def test_no_student_in_a_damaged_row_is_dropped_silently(case):
    _, text = case
    try:
        listed = read_export(text)
    except TableError as error:
        assert error.line >= 1
        return
    everybody_is_somewhere(text, listed)


JUNK = [b"", b'"', b",", b";", b"\n", b"\t", b"\0", b"@", b"\xff", b"sep=", b"\r", b"'=", b'\\"', b"&amp;", b", "]


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """Generate an export in any format and encoding, with parts replaced by junk."""
    text = EXPORTS[draw(st.sampled_from(sorted(EXPORTS)))]
    disguise = draw(st.sampled_from(["", ",", ";", "\t"]))
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    content = bytearray(encode(from_spreadsheet(text, disguise) if disguise else text, encoding))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        content[start : start + draw(st.integers(0, 40))] = draw(st.sampled_from(JUNK))
    return bytes(content)


def imported(data: bytes) -> None:
    """Import data without files, as the command does; assert a report or errors with lines."""
    try:
        text, encoding = decode(data)
        listed = read_export(text)
        limits = RosterLimits(("uni.example",), max_group_size=6, staff=frozenset({"s2@uni.example"}))
        result = plan_import("e.csv", ParsedExport(listed, encoding), ROSTER, limits)
    except TableError as error:
        assert error.line >= 1 and error.sentence.endswith(".")
        return
    except ImportRefused as refusal:
        assert all(re.fullmatch(r"e\.csv line [1-9][0-9]*: .+\.", problem, re.DOTALL) for problem in refusal.problems)
        return
    assert "".join(report_lines(result, export="e.csv", out="r.csv", written=False, dry_run=True))
    assert report_json(result, export="e.csv", out="r.csv", written=False)["problems"] == []


@exactly_examples(100, acceptance=10_000)
@given(mutilated())
def test_a_corrupted_export_is_reported_or_refused_with_lines(data):
    imported(data)


@exactly_examples(100, acceptance=10_000)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_reported_or_refused_with_lines(data):
    imported(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("imports")


@settings(at_most_examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=mutilated() | st.binary(max_size=200))
def test_the_command_exits_with_0_or_2_and_without_traceback(folder, data):
    (folder / "e.csv").write_bytes(data)
    (folder / "r.csv").write_text(format_roster(ROSTER))
    result = CliRunner().invoke(main, [str(folder / "e.csv"), "--out", str(folder / "r.csv"), "--json"])
    assert (result.exit_code in (0, 2), "Traceback" in result.stderr) == (True, False)
    assert result.exit_code == 0 or result.stderr.endswith("\nNothing was written.\n")


def test_a_cell_with_many_commas_is_parsed_fast():
    text = 'First name,Last name,Email address,Groups\nF,L,a@uni.example,"' + "A, " * 20_000 + 'B"\n'
    assert "is in 20001 groups" in read_export(text, known_groups=["A, X"]).problems[0].message
