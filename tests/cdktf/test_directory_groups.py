"""Groups that a workspace lists for a directory become a roster's groups, with the numbers of people that it lists."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from emulator_process import EmulatorProcess
from import_roster import main
from minimal_lab import minimal_lab
from preflight.warnings import missing_principals
from roster.account_plan import AccountPlan, plan_accounts
from roster.group_list import GroupList, Issue, ListedGroup, ListedMember
from roster.importing import ImportRefused, ParsedExport, plan_import
from roster.merge import merge
from roster.model import Group, Member, Roster, format_roster, parse_roster
from roster.validation import RosterLimits
from sources.directory_groups import DirectoryGroup, DirectoryListing, DirectoryMember, Person, read_directory_groups

PEOPLE = {"1": Person("a@u.example"), "2": Person("b@u.example"), "3": Person("c@u.example", is_active=False)}
COMPARE = "A directory may list only people that have logged in: compare the numbers with the directory's."


def user(id: str) -> DirectoryMember:
    return DirectoryMember("Users", id)


def directory(id: str, name: str, *members: DirectoryMember, is_of_account: bool = True) -> DirectoryGroup:
    return DirectoryGroup(id, name, is_of_account, members)


def read(*groups: DirectoryGroup, staff: tuple[str, ...] = ()) -> GroupList:
    return read_directory_groups(DirectoryListing("DE-*", groups, PEOPLE, 7), target="lab", staff=staff)


def test_groups_are_listed_by_number_with_their_own_names_as_principals():
    listed = read(directory("810", "DE-10", user("2")), directory("802", "DE-2", user("1")))
    assert (listed.groups, listed.problems, listed.ignored) == (
        (
            ListedGroup(802, "802", "DE-2", (ListedMember("a@u.example", 802, "existing:lab"),), principal="DE-2"),
            ListedGroup(810, "810", "DE-10", (ListedMember("b@u.example", 810, "existing:lab"),), principal="DE-10"),
        ),
        (),
        (),
    )
    assert listed.notes == (f"The workspace lists 2 people in 2 groups. {COMPARE}",)


def test_people_that_the_workspace_does_not_know_are_counted():
    listed = read(directory("1", "DE-1", user("1"), user("98"), user("99")), directory("2", "DE-2"))
    assert listed.notes == (
        f'The workspace lists 1 person in 2 groups, none in "DE-2", and 2 more without a user name. {COMPARE}',
    )
    assert (listed.problems, [len(group.members) for group in listed.groups]) == ((), [1, 0])


def test_who_is_no_student_is_left_out_with_the_reason():
    robot = DirectoryMember("ServicePrincipals", "55", "robot")
    listed = read(
        directory("1", "DE-1", user("1"), user("2"), user("3"), robot),
        directory("2", "DE-local", user("1"), is_of_account=False),
        staff=("b@u.example",),
    )
    assert [member.email for group in listed.groups for member in group.members] == ["a@u.example"]
    assert listed.ignored == (
        Issue(1, '"robot" in "DE-1" is not a person.'),
        Issue(1, "b@u.example is staff and therefore not a student."),
        Issue(1, 'c@u.example in "DE-1" is deactivated.'),
        Issue(2, '"DE-local" is a group of the workspace, not of a directory.'),
    )


@pytest.mark.parametrize(
    ("groups", "problem"),
    [
        (
            [directory("1", "DE-1", DirectoryMember("Groups", "2", "DE-all"))],
            'DE-* group 1: "DE-1" contains the group "DE-all", but only direct members count: add its people to '
            '"DE-1" in the directory.',
        ),
        (
            [directory("1", "DE-1", user("1")), directory("2", "DE-2", user("1"))],
            'DE-* group 2: a@u.example is in "DE-2" and, with the id 1 in the directory, in "DE-1"; a student can '
            "be in only one group: remove one in the directory and import again.",
        ),
        (
            [directory("1", "account users", user("1"))],
            'DE-* group 1: "account users" cannot be a team\'s group: use a pattern that does not match it.',
        ),
        (
            [],
            'DE-*: the workspace lists 7 account-level groups, but none matches "DE-*": assign the groups to the '
            "workspace, or correct the pattern.",
        ),
    ],
)
def test_groups_that_cannot_form_a_roster_are_refused(groups, problem):
    with pytest.raises(ImportRefused) as refused:
        plan_import("DE-*", ParsedExport(read(*groups), "host"), Roster(), RosterLimits())
    assert refused.value.problems == [problem]


def test_a_list_without_many_of_the_students_is_refused():
    full = read(directory("1", "DE-1", user("1"), user("2")))
    stored = merge(Roster(), full).roster
    with pytest.raises(ImportRefused) as refused:
        plan_import("DE-*", ParsedExport(read(directory("1", "DE-1", user("1"))), "host"), stored, RosterLimits())
    assert refused.value.problems[0].startswith(
        "DE-*: 1 of the roster's 2 students are not in this export, more than 20"
    )


def test_accounts_of_a_directory_are_looked_up_on_every_target():
    members = (Member("new@u.example", account="existing:lab"), Member("own@u.example"))
    own = Roster((Group(1, principal="DE-1", members=members), Group(2, members=(Member("b@u.example"),))))
    plan = plan_accounts(own, [], target="spare", staff=[], owns_accounts=True)
    assert plan == AccountPlan(managed=("b@u.example", "own@u.example"), looked_up=("new@u.example",))


def test_a_missing_principal_is_reported_in_one_sentence():
    assert missing_principals(["DE-1"], {"DE-1", "x"}) == ""
    assert missing_principals(["DE-2", "DE-1"], {"x"}) == (
        'The roster has the directory\'s group "DE-1" and "DE-2", but the workspace has no account-level group with '
        "this name: assign the group to the workspace, or import the roster again with --from-workspace."
    )


IDS = st.integers(1, 10**18 - 1).map(str)


@given(st.dictionaries(IDS, st.lists(st.sampled_from(sorted(PEOPLE)), unique=True, max_size=1), min_size=1, max_size=6))
def test_an_imported_roster_is_stored_and_imported_again_unchanged(groups):
    used: set[str] = set()
    chosen = {}
    for number, (id, members) in enumerate(groups.items()):
        chosen[id] = directory(id, f"DE {number}", *(user(member) for member in members if member not in used))
        used |= set(members)
    listed = read(*chosen.values())
    roster = merge(Roster(), listed).roster
    assert parse_roster(format_roster(roster), "r.csv") == roster
    assert merge(roster, listed).roster == roster


TARGETS = '[targets.lab]\nexpected_workspace_id = "{}"\n'


@pytest.mark.process
def test_the_groups_are_read_from_the_expected_workspace_only(tmp_path, emulator: EmulatorProcess):
    for number in range(120):
        emulator.control("POST", "users", {"user_name": f"p{number}@u.example"})
    for team in ("XY-1", "XY-2"):
        members = [f"p{number}@u.example" for number in range(119 if team == "XY-2" else 0, 120)][:2]
        emulator.control("POST", "drift", {"kind": "account_group", "target": team, "value": members})
    settings = tmp_path / "lab.toml"
    settings.write_text(minimal_lab(TARGETS.format(emulator.workspace_id)))

    def run(pattern: str, **environment: str) -> tuple[int, str, str]:
        arguments = ["--from-workspace", pattern, "--out", str(tmp_path / "r.csv")]
        variables = {"LAB_CONFIG": str(settings), **emulator.environment(), **environment}
        done = CliRunner().invoke(main, arguments, env=variables)
        return done.exit_code, done.stdout, done.stderr

    status, out, err = run("XY-?")
    assert (status, err) == (0, "")
    assert "The workspace lists 3 people in 2 groups." in out
    rows = (tmp_path / "r.csv").read_text().splitlines()
    assert rows[0].endswith(",account,principal")
    assert [row.split(",")[2:] for row in rows[1:]] == [
        ["XY-1", "p0@u.example", "active", "existing:lab", "XY-1"],
        ["XY-1", "p1@u.example", "active", "existing:lab", "XY-1"],
        ["XY-2", "p119@u.example", "active", "existing:lab", "XY-2"],
    ]
    assert run("xy-?")[0] == 2
    status, _, err = run("XY-?", DATABRICKS_HOST="http://127.0.0.1:9")
    assert (status, err.startswith("The workspace at http://127.0.0.1:9 cannot be reached")) == (2, True)
    settings.write_text(minimal_lab(TARGETS.format("123")))
    status, _, err = run("XY-?")
    assert (status, err.startswith("Wrong workspace: target lab has expected_workspace_id 123")) == (2, True)


def test_the_option_needs_settings_and_no_export(tmp_path):
    out = ["--out", str(tmp_path / "r.csv")]
    both = CliRunner().invoke(main, [__file__, "--from-workspace", "x", *out])
    assert (both.exit_code, "give one of these" in both.stderr) == (2, True)
    extra = CliRunner().invoke(main, ["--from-workspace", "x", "--group", "A", *out])
    assert (extra.exit_code, "need a file" in extra.stderr) == (2, True)
