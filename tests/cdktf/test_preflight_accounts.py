"""`--check-accounts` looks up only new addresses, in the expected workspace."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import moodle_files
from emulator_process import EmulatorProcess
from import_roster import main
from minimal_lab import minimal_lab
from moodle_files import Team, encode
from roster.model import parse_roster

pytestmark = pytest.mark.process

TARGETS = """
[targets.lab]
expected_workspace_id = "{}"
[targets.spare]
[targets.elsewhere]
host = "https://elsewhere.example"
"""


class ImportProject:
    """A folder with settings and a roster, and an emulated workspace."""

    def __init__(self, folder: Path, emulator: EmulatorProcess) -> None:
        self.folder, self.emulator = folder, emulator
        self.environment = emulator.environment()
        self.expect(emulator.workspace_id)

    def expect(self, workspace_id: str) -> None:
        (self.folder / "lab.toml").write_text(minimal_lab(TARGETS.format(workspace_id)))

    def run(self, emails: list[str], *options: str, **environment: str) -> Result:
        export = self.folder / "export.csv"
        export.write_bytes(encode(moodle_files.self_selection([Team(71, "A", tuple(emails))])))
        settings = {"LAB_CONFIG": str(self.folder / "lab.toml"), **self.environment, **environment}
        return CliRunner().invoke(main, [str(export), "--out", str(self.folder / "r.csv"), *options], env=settings)

    def accounts(self) -> dict[str, str]:
        roster = parse_roster((self.folder / "r.csv").read_text(), "r.csv")
        return {member.email: member.account for group in roster.groups for member in group.members}


@pytest.fixture
def project(tmp_path: Path, emulator: EmulatorProcess) -> ImportProject:
    for name in ("Old@uni.example", "older@uni.example"):
        emulator.control("POST", "users", {"user_name": name})
    return ImportProject(tmp_path, emulator)


def test_new_addresses_with_an_account_are_never_managed(project):
    result = project.run(["old@uni.example", "new@uni.example"], "--check-accounts")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Accounts: 1 of the new addresses already had an account" in result.stdout
    assert project.accounts() == {"old@uni.example": "existing:lab", "new@uni.example": "managed"}


def test_accounts_are_looked_up_in_the_environments_target(project):
    project.run(["old@uni.example"], "--check-accounts", LAB_TARGET="spare")
    assert project.accounts() == {"old@uni.example": "existing:spare"}


def test_without_the_option_no_account_is_looked_up(project):
    assert project.run(["old@uni.example"], DATABRICKS_HOST="http://127.0.0.1:9").exit_code == 0
    assert project.accounts() == {"old@uni.example": "managed"}


def test_an_account_the_lab_may_have_created_stays_managed(project):
    project.run(["old@uni.example", "a@uni.example"])
    project.run(["a@uni.example", "older@uni.example"], "--check-accounts", "--allow-drops")
    project.run(["old@uni.example", "a@uni.example", "older@uni.example"], "--check-accounts")
    expected = {"a@uni.example": "managed", "old@uni.example": "managed", "older@uni.example": "existing:lab"}
    assert project.accounts() == expected


def test_all_pages_of_a_long_user_list_are_read(project):
    many = [f"u{number:03}@uni.example" for number in range(120)]
    for name in many:
        project.emulator.control("POST", "users", {"user_name": name})
    project.run([many[0], many[-1], "new@uni.example"], "--check-accounts")
    expected = {many[0]: "existing:lab", many[-1]: "existing:lab", "new@uni.example": "managed"}
    assert project.accounts() == expected


def test_an_unexpected_workspace_stops_the_import(project):
    project.expect("1234567890123456")
    result = project.run(["old@uni.example"], "--check-accounts")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "Wrong workspace: target lab has expected_workspace_id 1234567890123456, but this is"
    )
    assert not (project.folder / "r.csv").exists()


def test_an_unreachable_workspace_causes_one_message(project):
    result = project.run(["old@uni.example"], "--check-accounts", DATABRICKS_HOST="http://127.0.0.1:9")
    assert result.exit_code == 2
    assert result.stderr.startswith("The workspace at http://127.0.0.1:9 cannot be reached: connection refused; ")
    assert not (project.folder / "r.csv").exists()


def test_an_unknown_target_causes_one_message(project):
    result = project.run(["old@uni.example"], "--check-accounts", LAB_TARGET="moon")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        2,
        "LAB_TARGET is 'moon'; it must be one of lab, spare, elsewhere.",
    )


def test_a_target_that_contradicts_the_environment_causes_an_error(project):
    result = project.run(["old@uni.example"], "--check-accounts", LAB_TARGET="elsewhere")
    assert result.exit_code == 2
    assert (
        "host of target elsewhere specifies https://elsewhere.example, but DATABRICKS_TOKEN in the environment (for "
        f"{project.emulator.url}) comes from a different source" in result.stderr
    )
