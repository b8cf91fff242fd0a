"""The accounts that a roster lists as managed or existing are the same as for the deployment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.formats.roster_file import RosterAccounts, RosterFileError, parse_accounts
from roster.model import Group, Member, Roster, format_roster, parse_roster

HEADER = "number,moodle_group_id,moodle_group_name,email,status,account\n"
ACCOUNT = st.sampled_from(["managed", "existing:demo", "existing:demo,production"])
MEMBERS = st.lists(
    st.tuples(
        st.from_regex(r"[a-z=+-]{1,5}@x\.example", fullmatch=True), st.sampled_from(["active", "retired"]), ACCOUNT
    ),
    unique_by=lambda member: member[0],
    max_size=8,
)


@given(MEMBERS, st.text(st.characters(categories=("L", "Nd", "P")), max_size=8))
def test_accounts_match_the_roster_that_the_deploy_reads(members: list[tuple[str, str, str]], name: str) -> None:
    people = tuple(
        Member(email, "active" if status == "active" else "retired", account) for email, status, account in members
    )
    text = format_roster(Roster((Group(1, "7", name, people), Group(2))))

    stored = [member for group in parse_roster(text, "r.csv").groups for member in group.members]
    assert parse_accounts(text, "r.csv") == RosterAccounts(
        frozenset(member.email for member in stored if member.account == "managed"),
        frozenset(member.email for member in stored if member.account != "managed"),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1: the file is empty: download it again."),
        ("a,b\n1,2\n", f"line 1: not the header of a normalised roster ({HEADER.strip()})."),
        (f"{HEADER}1,7,Team,ana@x.example\n", "line 2: 4 cells; a roster has 6."),
        (f"{HEADER}1,7,Team,ana,active,managed\n", 'line 2: invalid e-mail address: "ana".'),
        (
            f"{HEADER}1,7,Team,ana@x.example,active,mine\n",
            'line 2: account must be managed or existing:<target>[,<target>…], not "mine".',
        ),
    ],
)
def test_a_malformed_roster_is_rejected_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(RosterFileError) as raised:
        parse_accounts(text, "r.csv")
    assert str(raised.value) == f"r.csv {sentence}"


def test_an_account_that_one_roster_marks_as_existing_is_existing() -> None:
    both = RosterAccounts(frozenset({"a", "b"}), frozenset()) | RosterAccounts(frozenset({"a"}), frozenset({"b"}))
    assert both == RosterAccounts(frozenset({"a", "b"}), frozenset({"b"}))
