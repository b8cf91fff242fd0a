"""Exports list the same groups in any encoding and with any delimiter; other files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import moodle_files
from labkit.tables import TableError, decode
from moodle_files import CHOICE_HEADERS, ENCODINGS, OVERVIEW_HEADERS, Team, encode, from_spreadsheet
from roster.group_list import GroupList, Issue
from roster.merge import merge
from roster.model import Roster, format_roster, parse_roster
from roster.validation import RosterLimits, validate
from sources.detection import read_export

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

TEAMS = (
    Team(71, "קבוצה 1", ("dana@uni.example", "noa@uni.example")),
    Team(72, 'R&D "Süd", Ost', ("o'brien@uni.example", "li-wei+lab@uni.example", "יעל@uni.example"), '<p>a\n"b",;</p>'),
    Team(75, "Empty", ()),
    Team(90, "-Minus-", ("zoë@uni.example",), '=HYPERLINK("https://x.example")'),
)  # fmt: skip
WITH_ID = [(str(team.id), team.name, team.emails) for team in TEAMS]
BY_NAME = [("", team.name, team.emails) for team in TEAMS]
NOT_EMPTY = [group for group in BY_NAME if group[2]]
ONLY_MEMBERS = [("", "", group[2]) for group in NOT_EMPTY]

FORMATS = {
    "self-selection": (moodle_files.self_selection(TEAMS), "Group self-selection", WITH_ID),
    "overview": (moodle_files.overview(TEAMS), "Groups overview", BY_NAME),
    "choice": (moodle_files.choice(TEAMS), "Group choice", NOT_EMPTY),
    "users.csv": (moodle_files.legacy_users(TEAMS), "older users.csv", ONLY_MEMBERS),
}


def read(data: bytes, **options: object) -> GroupList:
    text, _ = decode(data)
    return read_export(text, **options)  # type: ignore[arg-type]


def groups_of(listed: GroupList) -> list[tuple[str, str, tuple[str, ...]]]:
    assert listed.problems == ()
    return [
        (group.moodle_id, group.moodle_name, tuple(member.email for member in group.members)) for group in listed.groups
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_recognised_in_every_detectable_encoding(name, encoding):
    text, title, groups = FORMATS[name]
    listed = read(encode(text, encoding))
    assert (listed.format, groups_of(listed)) == (title, groups)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_spreadsheet_does_not_change_how_an_export_is_read(name, delimiter):
    text, title, groups = FORMATS[name]
    listed = read(encode(from_spreadsheet(text, delimiter), "UTF-16LE with BOM" if delimiter == "\t" else "UTF-8"))
    assert (listed.format, groups_of(listed)) == (title, groups)


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=,;;;;", "\ufeffsep=;"])
def test_the_delimiter_comes_from_the_sep_line_or_the_header(first):
    text = from_spreadsheet(FORMATS["self-selection"][0], ";")
    assert groups_of(read(encode(f"{first}\r\n{text}"))) == WITH_ID


@pytest.mark.parametrize("delimiter", ["|", "^", "~", ":", "§"])
def test_any_delimiter_in_a_sep_line_is_used(delimiter):
    text = from_spreadsheet(FORMATS["self-selection"][0], delimiter)
    assert groups_of(read(encode(f"sep={delimiter}\n{text}"))) == WITH_ID


@pytest.mark.parametrize("language", OVERVIEW_HEADERS)
def test_the_overview_is_read_in_every_language(language):
    assert groups_of(read(encode(moodle_files.overview(TEAMS, language)))) == BY_NAME


@pytest.mark.parametrize("language", CHOICE_HEADERS)
def test_group_choice_is_read_in_every_language(language):
    assert groups_of(read(encode(moodle_files.choice(TEAMS, language)))) == NOT_EMPTY


@pytest.mark.parametrize(
    "label",
    [
        ("Not in a group", "No group"),
        ("[Not in a group]", "[No group]"),
        ("[Not in a grouping]", "[Not in a group]"),
        ("Nicht in einer Gruppe", "Keine Gruppe"),
        ("[לא בקבוצה]", "[ללא קבוצה]"),
        ("\u200fלא בקבוצה", "קבוצה כלשהי"),
        ("[Membre d'aucun groupe]", "Pas de groupe"),
        ("グループ外", "グループなし"),
    ],
)
def test_students_in_no_group_are_reported_by_line(label):
    listed = read(encode(moodle_files.overview(TEAMS, ungrouped=["a@uni.example", "b@uni.example"], no_group=label)))
    assert groups_of(listed) == BY_NAME
    assert [issue.line for issue in listed.ignored] == [9, 10]
    assert '"a@uni.example" is in no group' in listed.ignored[0].message


def test_an_unknown_label_can_be_specified():
    text = moodle_files.overview(TEAMS, ungrouped=["a@uni.example"], no_group=("«Foo»", "[Bar baz]"))
    assert "may be a group or Moodle's label" in read(encode(text)).problems[0].message
    assert groups_of(read(encode(text), no_group=["bar baz"])) == BY_NAME
    named = groups_of(read(encode(text), groups=["[Bar baz]"]))
    assert named == [*BY_NAME, ("", "[Bar baz]", ("a@uni.example",))]


def test_a_grouping_named_like_no_group_keeps_its_groups():
    rows = [["Groupement", "Groupe", "Prénom", "Nom", "Adresse de courriel"]]
    rows += [["Pas dans un groupe", name, "A", "B", f"{name}@uni.example"] for name in ("un", "deux")]
    listed = read(encode(moodle_files.format_csv(rows)))
    assert groups_of(listed) == [("", "un", ("un@uni.example",)), ("", "deux", ("deux@uni.example",))]


def test_a_group_in_two_groupings_is_one_group():
    rows = [["Grouping", "Group", "First name", "Last name", "Email address"]]
    rows += [[grouping, "G", "A", "B", "a@uni.example"] for grouping in ("one", "two")]
    assert groups_of(read(encode(moodle_files.format_csv(rows)))) == [("", "G", ("a@uni.example",))]


def test_a_student_without_a_choice_is_skipped():
    text = moodle_files.choice(TEAMS) + "Last\tFirst\t \tlazy@uni.example\t\t\n"
    listed = read(encode(text))
    assert groups_of(listed) == NOT_EMPTY
    assert listed.ignored == (Issue(8, '"lazy@uni.example" is in no group (the cell is empty).'),)


def test_addresses_are_normalised():
    raw = "\u200f  DANA.Lévi@Uni.Example \u200e".replace("é", "e\u0301")
    assert groups_of(read(encode(f"user1,user2\n{raw},\n"))) == [("", "", ("dana.lévi@uni.example",))]


def test_a_leading_apostrophe_is_not_part_of_an_address():
    assert groups_of(read(encode("user1\n'-a@uni.example\n"))) == [("", "", ("-a@uni.example",))]


def test_members_beyond_the_header_are_read():
    lines = moodle_files.self_selection([Team(1, "A", ("a@uni.example",))]).splitlines()
    lines.append(
        moodle_files.quote_cells(
            ["2", "B", "2", "", "", "", "", "", *"uvwx", "b@uni.example", *"uvwx", "c@uni.example"]
        )
    )
    listed = read(encode("\n".join(lines)))
    assert groups_of(listed)[1] == ("2", "B", ("b@uni.example", "c@uni.example"))


def test_a_members_address_can_be_in_a_different_column():
    text = moodle_files.self_selection(TEAMS).replace("Email", "Alias").replace("ID Number", "Institutional mail")
    text = text.replace('"012345678"', '"somebody@uni.example"', 1).replace('"012345678"', '"nobody@uni.example"', 1)
    one_group = "\n".join(text.splitlines()[:3])
    listed = read(encode(one_group), columns={"email": "Institutional mail"})
    assert groups_of(listed) == [("71", "קבוצה 1", ("somebody@uni.example", "nobody@uni.example"))]
    assert "Member 1 email" in read(encode(one_group)).problems[0].message


def test_a_column_can_be_specified_if_several_have_addresses():
    rows = [["Team", "Mail 1", "Mail 2"], ["A", "a@x.example", "a@uni.example"], ["A", "b@x.example", "b@uni.example"]]
    text = encode(moodle_files.format_csv(rows))
    assert read(text).problems == (
        Issue(1, 'several columns hold addresses ("Mail 1", "Mail 2"): choose one with --column email="…".'),
    )
    listed = read(text, columns={"email": "mail 2", "group": "team"})
    assert groups_of(listed) == [("", "A", ("a@uni.example", "b@uni.example"))]
    both = read(text, columns={"email": "mail 2", "group": "Mail 2"})
    assert both.problems == (Issue(1, 'column "Mail 2" cannot hold both addresses and groups.'),)


def test_a_huge_description_is_accepted():
    team = Team(1, "A", ("a@uni.example",), "<img src='data:" + "A" * 300_000 + "'>")
    assert groups_of(read(encode(moodle_files.self_selection([team])))) == [("1", "A", ("a@uni.example",))]


def test_a_cell_with_a_comma_is_one_group_unless_its_parts_are_groups():
    alone = [Team(1, "Sun, Moon", ("a@uni.example",)), Team(2, "Mars", ("b@uni.example",))]
    assert groups_of(read(encode(moodle_files.choice(alone))))[0] == ("", "Sun, Moon", ("a@uni.example",))
    both = [Team(1, "Sun, Mars", ("a@uni.example",)), Team(2, "Mars", ("b@uni.example",))]
    assert read(encode(moodle_files.choice(both))).problems == (
        Issue(2, '"a@uni.example" is in 2 groups, "Sun" and "Mars"; a student can be in only one.'),
    )


def test_a_grades_export_has_no_groups():
    rows = [["Xvor", "Xnach", "Xid", "Xinst", "Xdept", "Xmail"]]
    rows += [["A", f"Last{number}", "", "", "", f"s{number}@uni.example"] for number in range(9)]
    assert "no group column was found" in read(encode(moodle_files.format_csv(rows))).problems[0].message


@given(st.sampled_from(sorted(FORMATS)), st.sampled_from(sorted(ENCODINGS)), st.data())
def test_a_corrupted_export_yields_errors_or_a_valid_roster(name, encoding, data):
    content = bytearray(encode(FORMATS[name][0], encoding))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        junk = data.draw(st.sampled_from([b"", b'"', b",", b"\n", b"\t", b"\0", b"@", b"\xff", b"sep=", b"\r", b"'="]))
        content[start : start + data.draw(st.integers(0, 40))] = junk
    try:
        listed = read(bytes(content))
    except TableError as error:
        assert error.line >= 1 and error.sentence.endswith(".")
        return
    assert all(issue.line >= 1 and issue.message.endswith(".") for issue in listed.problems)
    assert listed.groups or listed.problems
    result = validate(listed, Roster(), RosterLimits(("uni.example",), max_group_size=6))
    if not result.problems:
        roster = merge(Roster(), listed).roster
        assert parse_roster(format_roster(roster), "r.csv") == roster


def test_the_examples_form_a_complete_term():
    october = read((EXAMPLES / "Groupself-selection_94290_2026-10-18.csv").read_bytes())
    november = read((EXAMPLES / "Groupself-selection_94290_2026-11-08.csv").read_bytes())
    assert (len(october.groups), october.students, october.problems) == (30, 97, ())
    assert (len(november.groups), november.students, november.problems) == (29, 96, ())
    assert {group.moodle_id for group in october.groups} - {group.moodle_id for group in november.groups} == {
        october.groups[4].moodle_id
    }
