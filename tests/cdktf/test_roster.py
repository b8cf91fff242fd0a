"""The normalised roster, and merging an export into it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.addresses import is_address, normalised_address
from labkit.formats.roster_file import parse_accounts
from roster.changes import changes_between
from roster.group_list import GroupList, ListedGroup, ListedMember
from roster.merge import merge
from roster.model import (
    Group,
    Member,
    Roster,
    RosterError,
    format_roster,
    has_account_on,
    is_principal,
    parse_roster,
    with_existing_accounts,
)
from roster.names import clean_name
from sources.detection import read_export

HEADER = "number,moodle_group_id,moodle_group_name,email,status,account"


def members(*names: str, status: str = "active") -> tuple[Member, ...]:
    return tuple(Member(f"{name}@u.example", status) for name in names)  # type: ignore[arg-type]


def listed(*groups: tuple[str, str, str]) -> GroupList:
    """Return groups from (id, name, students): one letter per student, one line per group."""
    return GroupList(
        "test",
        tuple(
            ListedGroup(line, moodle_id, name, tuple(ListedMember(f"{who}@u.example", line) for who in who_is_in))
            for line, (moodle_id, name, who_is_in) in enumerate(groups, start=2)
        ),
        len(groups) + 1,
    )


def stored(*groups: tuple[str, str, str]) -> Roster:
    return merge(Roster(), listed(*groups)).roster


def numbers(roster: Roster) -> dict[int, str]:
    """Return the active students of each active group, as letters."""
    return {g.number: "".join(m.email[0] for m in g.active_members) for g in roster.groups if g.status == "active"}


def test_the_file_has_one_row_per_membership_sorted_by_number_and_address():
    roster = Roster(
        (
            Group(1, "71", "=Sum", (*members("a"), Member("b@u.example", "retired", "existing:lab,spare"))),
            Group(2, "72", "Empty"),
            Group(3, "", "", members("c", status="retired"), "retired"),
            Group(4, "", "Gone", (), "retired"),
            Group(101, "", "Left alone", members("d", status="retired")),
        )
    )
    text = "\n".join(
        [
            HEADER,
            "1,71,'=Sum,a@u.example,active,managed",
            '1,71,\'=Sum,b@u.example,retired,"existing:lab,spare"',
            "2,72,Empty,,active,",
            "3,,,c@u.example,retired,managed",
            "4,,Gone,,retired,",
            "101,,Left alone,,active,",
            "101,,Left alone,d@u.example,retired,managed",
            "",
        ]
    )
    assert format_roster(roster) == text
    assert parse_roster(text, "r.csv") == roster
    assert [group.key for group in roster.groups] == ["group_01", "group_02", "group_03", "group_04", "group_101"]
    assert roster.groups[4].cluster == "cluster_101"


def test_all_errors_of_a_roster_are_reported_at_once():
    rows = ["x,y,A,nobody,here,mine", "1,71", "2,71,A,a@u.example,active,managed", "2,72,A,a@u.example,active,managed"]
    rows += [
        "3,71,C,,active,",
        "4,,D,d@u.example,active,existing:",
        "5,,E,=1+1@u.example,gone,managed",
        "6,,,,active,,9",
    ]
    with pytest.raises(RosterError) as caught:
        parse_roster("\n".join([HEADER, *rows]), "r.csv")
    assert caught.value.problems == (
        'r.csv line 2: account must be managed or existing:<target>[,<target>…], not "mine".',
        'r.csv line 2: invalid e-mail address: "nobody".',
        'r.csv line 2: moodle_group_id must be digits or empty, not "y".',
        'r.csv line 2: number must be a whole number, 1 or greater, not "x".',
        'r.csv line 2: status must be active or retired, not "here".',
        "r.csv line 3: 2 cells; a roster has 6.",
        'r.csv line 5: a@u.example is already on line 4; a student has one row, in one group.',
        'r.csv line 5: group 2 is 72 "A" here but 71 "A" on line 4; all its rows must agree.',
        "r.csv line 6: Moodle id 71 is group 3 here but group 2 on line 4.",
        'r.csv line 7: account must be managed or existing:<target>[,<target>…], not "existing:".',
        'r.csv line 8: status must be active or retired, not "gone".',
        "r.csv line 9: 7 cells; a roster has 6.",
    )  # fmt: skip


def test_an_account_exists_only_on_the_listed_targets():
    member = Member("a@u.example", "active", "existing:lab,spare")
    assert [has_account_on(member, target) for target in ("lab", "spare", "la", "existing:lab")] == [
        True,
        True,
        False,
        False,
    ]
    assert not has_account_on(Member("a@u.example"), "managed")


def test_marking_an_account_adds_the_target():
    roster = Roster((Group(1, members=(Member("a@u.example", "active", "existing:z"), *members("b", "c"))),))
    marked = with_existing_accounts(roster, {"a@u.example", "c@u.example"}, "lab")
    assert [member.account for member in marked.groups[0].members] == ["existing:lab,z", "managed", "existing:lab"]


def test_the_first_numbers_follow_the_order_of_the_file():
    assert numbers(stored(("72", "B", "bc"), ("71", "A", "a"))) == {1: "bc", 2: "a"}


def test_a_missing_group_is_retired():
    before = stored(("71", "A", "a"), ("72", "B", "bc"), ("73", "C", "d"))
    after = merge(before, listed(("71", "A", "a"), ("73", "C", "d"))).roster
    assert numbers(after) == {1: "a", 3: "d"}
    assert after.groups[1] == Group(2, "72", "B", members("b", "c", status="retired"), "retired")


def test_a_number_is_reserved_for_its_group():
    before = stored(("71", "A", "a"), ("72", "B", "b"))
    gone = merge(before, listed(("71", "A", "a"), ("99", "New", "n"))).roster
    assert numbers(gone) == {1: "a", 3: "n"}
    back = merge(gone, listed(("99", "New", "n"), ("72", "B", "b"), ("71", "A", "a"))).roster
    assert numbers(back) == {1: "a", 2: "b", 3: "n"}


def test_a_moved_students_row_gets_the_new_groups_number():
    before = stored(("71", "A", "abc"), ("72", "B", "d"))
    after = merge(before, listed(("71", "A", "ab"), ("72", "B", "cd"))).roster
    assert [(g.number, m.email) for g in after.groups for m in g.members] == [
        (1, "a@u.example"),
        (1, "b@u.example"),
        (2, "c@u.example"),
        (2, "d@u.example"),
    ]


def test_a_student_who_left_stays_retired_in_the_last_group():
    before = with_existing_accounts(stored(("71", "A", "ab")), {"b@u.example"}, "lab")
    left = merge(before, listed(("71", "A", "a"))).roster
    assert left.groups[0].members == (Member("a@u.example"), Member("b@u.example", "retired", "existing:lab"))
    back = merge(left, listed(("71", "A", "a"), ("72", "B", "b"))).roster
    assert back.groups[1].members == (Member("b@u.example", "active", "existing:lab"),)
    assert back.groups[0].members == members("a")


def test_a_managed_account_stays_managed_after_a_normalised_import():
    before = stored(("71", "A", "a"))
    text = f"{HEADER}\n1,71,A,a@u.example,active,existing:lab\n1,71,A,n@u.example,active,existing:lab\n"
    after = merge(before, read_export(text)).roster
    assert [member.account for member in after.groups[0].members] == ["managed", "existing:lab"]


RECOGNITIONS = {
    "by id, though all else is new": (("71", "A", "abcd"), ("71", "Z", "wxyz"), ("id", 1)),
    "by name where we know no id": (("", "A", "abcd"), ("71", "A", "wxyz"), ("name", 1)),
    "by name where the export has no id": (("71", "A", "abcd"), ("", "A", "wxyz"), ("name", 1)),
    "by name written as the overview does": (("71", "R&D", "abcd"), ("", "r&amp;D ", "wxyz"), ("name", 1)),
    "not by name where two ids differ": (("71", "A", "abcd"), ("72", "A", "wxyz"), None),
    "by half of its members": (("71", "A", "abcd"), ("72", "Z", "abwxyz"), ("members", 1)),
    "not by less than half": (("71", "A", "abcd"), ("72", "Z", "awxyz"), None),
    "by members without any name": (("", "", "abcd"), ("", "", "abx"), ("members", 1)),
    "not when both are empty and nameless": (("71", "A", ""), ("", "", ""), None),
}


@pytest.mark.parametrize("case", RECOGNITIONS)
def test_a_group_is_recognised(case):
    ours, theirs, expected = RECOGNITIONS[case]
    result = merge(stored(ours), listed(theirs))
    found = [(recognition.matched_by, recognition.number) for recognition in result.recognitions]
    assert found == ([expected] if expected else [])
    assert [g.number for g in result.roster.groups if g.status == "active"] == [1 if expected else 2]


def test_an_export_without_ids_does_not_delete_stored_ids():
    before = stored(("71", "A", "ab"), ("72", "B", ""))
    after = merge(before, listed(("", "A", "ab"), ("", "B", "c"))).roster
    assert [(g.moodle_id, g.moodle_name) for g in after.groups] == [("71", "A"), ("72", "B")]
    nameless = merge(after, listed(("", "", "c"), ("", "", "ab"))).roster
    assert [(g.moodle_id, g.moodle_name) for g in nameless.groups] == [("71", "A"), ("72", "B")]
    assert numbers(nameless) == {1: "ab", 2: "c"}


def test_a_recreated_group_keeps_its_number():
    after = merge(stored(("71", "A", "abc")), listed(("80", "A again", "abd"))).roster
    assert (after.groups[0].number, after.groups[0].moodle_id, len(after.groups)) == (1, "80", 1)


def test_the_larger_part_of_a_split_group_keeps_the_number():
    split = merge(stored(("71", "A", "abc")), listed(("80", "X", "c"), ("81", "Y", "ab")))
    assert numbers(split.roster) == {1: "ab", 2: "c"}
    tie = merge(stored(("71", "A", "ab")), listed(("80", "X", "a"), ("81", "Y", "b")))
    assert numbers(tie.roster) == {1: "a", 2: "b"}
    assert tie.recognitions[0].rivals == ('"Y"',)


def test_merged_groups_keep_the_lower_number():
    merged = merge(stored(("71", "A", "a"), ("72", "B", "b")), listed(("80", "X", "ab")))
    assert numbers(merged.roster) == {1: "ab"}
    assert merged.recognitions[0].rivals == ("group_02",)


def test_a_returning_student_does_not_bring_back_an_old_number():
    before = merge(stored(("71", "A", "ab"), ("72", "B", "xy")), listed(("71", "A", "ab"))).roster
    after = merge(before, listed(("", "", "abxy"))).roster
    assert numbers(after) == {1: "abxy"}


def test_a_move_between_nameless_groups_changes_no_number():
    before = stored(("", "", "ab"), ("", "", "c"))
    assert numbers(merge(before, listed(("", "", "ca"), ("", "", "b"))).roster) == {1: "b", 2: "ac"}


def test_a_group_renamed_like_a_retired_one_is_matched_by_members():
    before = merge(stored(("71", "A", "abc"), ("72", "B", "x")), listed(("71", "A", "abc"))).roster
    after = merge(before, listed(("", "B", "abc"))).roster
    assert numbers(after) == {1: "abc"}


def test_changes_are_listed_by_student_and_by_group():
    before = merge(
        stored(("71", "A", "abc"), ("72", "B", "d"), ("73", "C", "e"), ("74", "D", "f")),
        listed(("71", "A", "abc"), ("72", "B", "d"), ("73", "C", "e")),
    ).roster
    after = merge(before, listed(("71", "A!", "ab"), ("72", "B", "dcn"), ("74", "D", "f"), ("80", "N", "o"))).roster
    changes = changes_between(before, after)
    assert [(move.email[0], move.came_from, move.went_to) for move in changes.joined] == [
        ("n", "", "group_02"),
        ("o", "", "group_05"),
    ]
    assert [(move.email[0], move.came_from, move.went_to) for move in changes.came_back] == [
        ("f", "group_04", "group_04")
    ]
    assert [(move.email[0], move.came_from, move.went_to) for move in changes.moved] == [("c", "group_01", "group_02")]
    assert [(move.email[0], move.came_from) for move in changes.left] == [("e", "group_03")]
    assert [group.key for group in changes.new_groups] == ["group_05"]
    assert [group.key for group in changes.returned_groups] == ["group_04"]
    assert [group.key for group in changes.retired_groups] == ["group_03"]
    assert [(renaming.group, renaming.before, renaming.after) for renaming in changes.renamed] == [
        ("group_01", "A", "A!")
    ]


PRINCIPALS = f"""{HEADER},principal
1,88120,DE-2026-01,a@u.example,active,existing:lab,DE-2026-01
2,72,B,b@u.example,active,managed,
"""


def test_a_principal_has_a_column_of_its_own_only_if_it_is_needed():
    directory = Group(
        1, "88120", "DE-2026-01", (Member("a@u.example", account="existing:lab"),), principal="DE-2026-01"
    )
    roster = Roster((directory, Group(2, "72", "B", members("b"))))
    assert format_roster(roster) == PRINCIPALS
    assert parse_roster(PRINCIPALS, "r.csv") == roster
    without = Roster((replace(directory, principal=""), roster.groups[1]))
    assert format_roster(without).splitlines()[0] == HEADER
    assert parse_accounts(PRINCIPALS, "r.csv") == parse_accounts(format_roster(without), "r.csv")


def test_errors_in_principals_are_reported_with_their_lines():
    rows = [
        "1,1,A,a@u.example,active,managed,DE-1",
        "1,1,A,b@u.example,active,managed,DE-2",
        "2,2,B,c@u.example,active,managed,DE-1",
        "3,3,C,d@u.example,active,managed,admins",
        "4,4,D,e@u.example,active,managed",
    ]
    with pytest.raises(RosterError) as error:
        parse_roster("\n".join([f"{HEADER},principal", *rows]), "r.csv")
    assert error.value.problems == (
        'r.csv line 3: the principal of group 1 is "DE-2" here but "DE-1" on line 2; all its rows must agree.',
        'r.csv line 4: principal "DE-1" is group 2 here but group 1 on line 2.',
        'r.csv line 5: principal must be the name of a directory\'s group or empty, not "admins".',
        "r.csv line 6: 6 cells; a roster has 7.",
    )


def test_a_directory_group_is_recognised_by_id_and_by_its_name():
    def directory(id: str, name: str, *letters: str) -> ListedGroup:
        people = tuple(ListedMember(f"{letter}@u.example", int(id), "existing:lab") for letter in letters)
        return ListedGroup(int(id), id, name, people, principal=name)

    before = merge(Roster(), listed(("71", "A", "ab"), ("72", "B", "cd"))).roster
    first = GroupList(
        "groups of a directory", (directory("880", "DE-1", "a", "b"), directory("881", "DE-2", "c", "n")), 0
    )
    known = merge(before, first)
    assert [recognition.matched_by for recognition in known.recognitions] == ["members", "members"]
    assert [(group.number, group.principal) for group in known.roster.groups] == [(1, "DE-1"), (2, "DE-2")]
    accounts = {member.email[0]: member.account for group in known.roster.groups for member in group.members}
    assert accounts == {"a": "managed", "b": "managed", "c": "managed", "d": "managed", "n": "existing:lab"}
    # DE-1 was renamed, and DE-2 created again.
    changed = GroupList("groups of a directory", (directory("990", "DE-2", "x"), directory("880", "DE-9", "y")), 0)
    after = merge(known.roster, changed)
    assert {(group.number, group.moodle_id, group.principal) for group in after.roster.active_groups} == {
        (1, "880", "DE-9"),
        (2, "990", "DE-2"),
    }
    # A Moodle export does not delete the principal.
    assert merge(after.roster, listed(("", "DE-9", "y"))).roster.groups[0].principal == "DE-9"


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).map(clean_name)
LOCAL = st.from_regex(r"[a-zа-яé0-9+=_'~-]{1,8}(\.[a-z0-9-]{1,4})?", fullmatch=True)
EMAIL = st.builds(lambda local, domain: normalised_address(f"{local}@{domain}.example"), LOCAL, st.sampled_from("uvw"))
ACCOUNT = st.sampled_from(["managed", "existing:lab", "existing:lab,spare"])


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Generate any roster that the file can store."""
    emails = draw(st.lists(EMAIL.filter(is_address), unique=True, max_size=12))
    ids = iter(draw(st.lists(st.integers(1, 10**9).map(str), unique=True, min_size=8, max_size=8)))
    groups = []
    for number in sorted(draw(st.sets(st.integers(1, 130), min_size=1, max_size=8))):
        status: Any = draw(st.sampled_from(["active", "retired"]))
        size = draw(st.integers(0, len(emails)))
        own, emails = emails[:size], emails[size:]
        statuses: Any = st.sampled_from(["active", "retired"]) if status == "active" else st.just("retired")
        people = tuple(Member(email, draw(statuses), draw(ACCOUNT)) for email in sorted(own))
        moodle_id = next(ids) if draw(st.booleans()) else ""
        principal = f"{draw(st.sampled_from('=DE'))}{draw(TEXT)}|{number}" if draw(st.booleans()) else ""
        principal = principal if is_principal(principal) else ""
        groups.append(Group(number, moodle_id, draw(TEXT), people, status, principal))
    return Roster(tuple(groups))


@given(rosters())
@settings(deadline=None)
def test_a_formatted_roster_parses_to_the_same_roster(roster):
    assert parse_roster(format_roster(roster), "r.csv") == roster


@given(rosters())
@settings(deadline=None)
def test_a_reimported_roster_is_unchanged(roster):
    export = read_export(format_roster(roster))
    assert export.problems == ()
    assert merge(roster, export).roster == roster
    assert merge(Roster(), export).roster == roster


@given(st.text(max_size=20) | st.text("'=-@ \u200fİ", max_size=6))
def test_normalisation_is_idempotent(text):
    assert normalised_address(normalised_address(text)) == normalised_address(text)
    assert clean_name(clean_name(text)) == clean_name(text)
