"""All programs choose host and credential by the same rule; tested with two workspaces, each with its own token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from check_workspace import provider_choice
from emulator_process import EmulatorProcess
from enforcer.__main__ import main as enforcer
from inventory.__main__ import main as inventory
from lab_settings import LabSettingsError, TargetSettings
from labkit.extras import dotenv
from load_synthesized import main as load_synthesized
from preflight.facts import identify, light_client
from preflight.identity import GuardError
from preflight.target_access import apply_target

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
A, B, REFUSED = "a", "b", "refused"
HOST, TOKEN, PROFILE = "DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CONFIG_PROFILE"


@dataclass(frozen=True)
class TwoWorkspaces:
    """Two workspaces, and profiles for both in one configuration file."""

    workspaces: dict[str, EmulatorProcess]
    profiles: Path

    def filled(self, text: str) -> str:
        """Return the string with placeholders such as `HOST-a` and `TOKEN-b` replaced."""
        for name, workspace in self.workspaces.items():
            text = text.replace(f"HOST-{name}", workspace.url).replace(f"TOKEN-{name}", workspace.admin_token)
        return text

    def requests(self) -> Counter[tuple[str, bool]]:
        """Count the API requests per workspace and by whether the workspace accepted the token."""
        return Counter(
            (name, entry["status"] != 401)
            for name, workspace in self.workspaces.items()
            for entry in workspace.request_log()
            if entry["path"].startswith("/api/")
        )


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoWorkspaces]:
    with EmulatorProcess(["--seed", "1"]) as a, EmulatorProcess(["--seed", "2"]) as b:
        found = TwoWorkspaces({A: a, B: b}, tmp_path_factory.mktemp("profiles") / "databrickscfg")
        sections = [
            f"[{name}]\nhost = HOST-{name}\ntoken = TOKEN-{name}\n[{name}-bare]\nhost = HOST-{name}\n" for name in "ab"
        ]
        found.profiles.write_text(found.filled("".join(sections)))
        assert a.admin_token != b.admin_token
        yield found


@pytest.fixture
def environ(
    two: TwoWorkspaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], None]]:
    """Set variables and write `.env` from lines `NAME=value`; the environment is restored afterwards."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)

    def put(variables: str, file: str) -> None:
        os.environ["DATABRICKS_CONFIG_FILE"] = str(two.profiles)
        for line in two.filled(variables).split():
            name, _, value = line.partition("=")
            os.environ[name] = value.replace("\\n", "\n").replace("\\s", " ")
        if file:
            Path(".env").write_text("\n".join(two.filled(file).split()))

    yield put
    os.environ.clear()
    os.environ.update(before)


def run_enforcer() -> str:
    """Return the output of a failed run; empty if the program reached its workspace."""
    done = CliRunner().invoke(enforcer, ["users"], obj=os.environ)
    return done.output if done.exit_code else ""


def run_inventory() -> str:
    done = CliRunner().invoke(inventory, ["doctor"], obj=os.environ)
    return done.output if done.exit_code == 2 else ""


def run_cdktf() -> str:
    """Choose the workspace as import_roster and close_term do; return the error."""
    try:
        choice = apply_target("lab", TargetSettings(), os.environ, dotenv.load(os.environ))
        identify(light_client(choice))
    except (LabSettingsError, GuardError) as error:
        return str(error)
    return ""


def run_guard() -> str:
    """Choose the workspace as check_workspace does when Terraform starts it; return the error."""
    try:
        identify(light_client(provider_choice({"target": "lab", "host": "", "profile": ""})))
    except GuardError as error:
        return str(error)
    return ""


CASES = [
    (f"{HOST}=HOST-a {TOKEN}=TOKEN-a", "", A),
    (f"{PROFILE}=b", "", B),
    (f"{HOST}=HOST-b/ {PROFILE}=b", "", B),
    (f"{HOST}=HOST-a {PROFILE}=b", "", REFUSED),
    (f"{TOKEN}=TOKEN-a {PROFILE}=b", "", REFUSED),
    (f"{HOST}=HOST-b {TOKEN}=TOKEN-b {PROFILE}=b-bare", "", B),
    ("", f"{HOST}=HOST-b {TOKEN}=TOKEN-b", B),
    (f"{HOST}=HOST-a {TOKEN}=TOKEN-a", f"{HOST}=HOST-b {TOKEN}=TOKEN-b", A),
    (f"{HOST}=HOST-a", f"{HOST}=HOST-b {TOKEN}=TOKEN-b", REFUSED),
    (f"{HOST}=HOST-a", f"{TOKEN}=TOKEN-b", REFUSED),
    (f"{TOKEN}=TOKEN-a", f"{HOST}=HOST-b", REFUSED),
    (f"{PROFILE}=a", f"{HOST}=HOST-b {TOKEN}=TOKEN-b", A),
    (f"{HOST}=HOST-a {TOKEN}=TOKEN-a\\nTOKEN-b", "", REFUSED),
    (f"{HOST}=HOST-a {TOKEN}=\\sTOKEN-a", "", REFUSED),
]


PROGRAMS = (run_enforcer, run_inventory, run_cdktf, run_guard)


@pytest.mark.parametrize(
    ("program", "variables", "file", "expected"),
    # Programs started by Terraform do not read .env.
    [(program, *case) for program in PROGRAMS for case in CASES if not (program is run_guard and case[1])],
    ids=lambda value: value.__name__ if callable(value) else value.replace("DATABRICKS_", ""),
)
def test_all_programs_reach_the_same_workspace_with_its_own_token(
    two: TwoWorkspaces,
    environ: Callable[[str, str], None],
    program: Callable[[], str],
    variables: str,
    file: str,
    expected: str,
) -> None:
    environ(variables, file)
    before = two.requests()
    output = program()
    reached = set(two.requests() - before)
    assert reached == (set() if expected == REFUSED else {(expected, True)}), output
    assert bool(output) == (expected == REFUSED)
    assert not any(workspace.admin_token in output for workspace in two.workspaces.values())


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "enforcer", "poll"),
        ("-m", "inventory", "restore", "backup"),
        ("cdktf/check_workspace.py",),
    ],
    ids=lambda arguments: arguments[-1],
)
def test_a_process_rejects_mixed_sources(
    two: TwoWorkspaces, environ: Callable[[str, str], None], arguments: tuple[str, ...], tmp_path: Path
) -> None:
    environ(f"{HOST}=HOST-a {PROFILE}=b", "")
    query = dict.fromkeys(["target", "host", "profile"], "")
    program = [str(ROOT / arguments[0]), *arguments[1:]] if arguments[0].startswith("cdktf") else list(arguments)
    before = two.requests()
    done = subprocess.run(
        [sys.executable, *program],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CLUSTER_UPTIMES_DB": str(tmp_path / "uptimes.db")},
        input=json.dumps(query),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == (1 if arguments[-1] == "cdktf/check_workspace.py" else 2)
    for workspace in two.workspaces.values():
        assert workspace.url in done.stderr and workspace.admin_token not in done.stderr + done.stdout
    assert two.requests() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("poll",),
        ("poll", "--dry-run"),
        ("end-of-day",),
        ("watch",),
        ("allow", "all", "--minutes", "+5", "--reason", "x"),
        ("revoke", "x"),
        ("restore-permissions",),
        ("delete-users", "--all", "--yes"),
        ("delete-groups", "--all", "--yes"),
        ("purge-clusters", "--all", "--yes"),
    ],
    ids=" ".join,
)
def test_the_enforcer_changes_only_the_expected_workspace(
    two: TwoWorkspaces, environ: Callable[[str, str], None], arguments: tuple[str, ...], tmp_path: Path
) -> None:
    environ(f"{PROFILE}=a LAB_TIMEZONE=UTC CLUSTER_UPTIMES_DB={tmp_path}/uptimes.db", "LAB_EXPECTED_WORKSPACE_ID=42")
    done = CliRunner().invoke(enforcer, list(arguments), obj=os.environ)
    here = two.workspaces[A]
    assert (done.exit_code, done.stderr.count("Wrong workspace: LAB_EXPECTED_WORKSPACE_ID is 42, but this is")) == (
        2,
        1,
    )
    assert f"workspace {here.workspace_id} at {here.url}" in done.stderr
    assert changes(here) == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("restore", "backup"), "LAB_EXPECTED_WORKSPACE_ID is 42"),
        (("restore", "backup", "--into-workspace", "43"), "--into-workspace is 43"),
        (("scan", "--spark-remote", "local[1]", "--output", "x.csv"), "LAB_EXPECTED_WORKSPACE_ID is 42"),
    ],
)
def test_the_inventory_changes_only_the_expected_workspace(
    two: TwoWorkspaces, environ: Callable[[str, str], None], arguments: tuple[str, ...], named: str
) -> None:
    environ(f"{PROFILE}=a", "LAB_EXPECTED_WORKSPACE_ID=42")
    done = CliRunner().invoke(inventory, list(arguments), obj=os.environ)
    assert done.exit_code == 2
    assert f"Wrong workspace: {named}, but this is workspace {two.workspaces[A].workspace_id} at" in done.stderr
    assert changes(two.workspaces[A]) == []


def test_a_stack_is_loaded_only_into_the_expected_workspace(
    two: TwoWorkspaces, environ: Callable[[str, str], None], tmp_path: Path
) -> None:
    environ(f"{PROFILE}=a", "")
    query = {"target": "lab", "host": "", "profile": "", "expected_host": "", "expected_workspace_id": "42"}
    (tmp_path / "stack.json").write_text(json.dumps({"data": {"external": {"workspace": {"query": query}}}}))
    done = CliRunner().invoke(load_synthesized, ["stack.json"])
    assert done.exit_code == 2
    assert done.stderr.startswith("Wrong workspace: target lab has expected_workspace_id 42, but this is workspace")
    assert changes(two.workspaces[A]) == []


def test_a_restore_into_a_different_workspace_needs_its_id(
    two: TwoWorkspaces, environ: Callable[[str, str], None]
) -> None:
    environ(f"{PROFILE}=b", f"LAB_EXPECTED_WORKSPACE_ID={two.workspaces[A].workspace_id}")
    into = ["--into-workspace", two.workspaces[B].workspace_id]
    done = CliRunner().invoke(inventory, ["restore", "backup", *into], obj=os.environ)
    assert (done.exit_code, "Wrong workspace" in done.stderr) == (2, False)
    assert "backup" in done.stderr


def changes(workspace: EmulatorProcess) -> list[str]:
    """Return the paths of all requests other than GET."""
    return [
        entry["path"]
        for entry in workspace.request_log()
        if entry["path"].startswith("/api/") and entry["method"] != "GET"
    ]
