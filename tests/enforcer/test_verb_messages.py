"""Every command without settings, with invalid ones, or with nothing to do prints a message and returns the right
status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import chdir
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from enforcer.__main__ import VERBS, main
from enforcer.commands import workspace_context
from enforcer.workspace import client as workspace_client
from enforcer.workspace.client import Workspace
from in_process_course import InProcessCourse
from in_process_workspace import InProcessWorkspace
from labkit.workspace.choice import WORKSPACE_NOT_CONFIGURED
from sdk_in_process import InProcessSdkClient

HOST = {"DATABRICKS_HOST": "https://lab.example", "DATABRICKS_TOKEN": "dapi-any"}
WORDS = {
    "allow": ("99", "--unlimited", "--reason", "x"),
    "block": ("99", "--reason", "x"),
    "revoke": ("x",),
    "approve": ("x",),
    "deny": ("x", "--reason", "x"),
    "import-history": ("earlier.db",),
    "archive": ("--output", "archive"),
    "anonymise": ("--before", "2020-01-01"),
    "mail-staff": ("--subject", "x", "earlier.db"),
}
"""Required arguments of commands."""
OF_LEDGER = frozenset({"report", "board", "archive", "anonymise", "import-history", "mail-staff"})
"""Commands that need no workspace."""
OTHERS = OF_LEDGER | {"backup-ledger", "metrics", "test-email", "doctor", "restricted"}
UNKNOWN_COURSE = "the ledger uptimes.db has no course; check CLUSTER_UPTIMES_DB, or run poll first\n"
NOT_EARLIER = "earlier.db has no table clustercumulativeuptime: it is not the legacy system's database.\n"
PLACE = "workspace 1 at https://lab.example"
NO_ROSTER = (
    "no account is deleted: a roster has to mark the accounts of the lab; add --roster rosters/<course>-<term>.csv, "
    "once for each roster in lab.toml\n"
)
NO_GROUPS = (
    "there is no course file that lists the groups, neither in the workspace nor in the ledger; set LAB_COURSE and "
    "LAB_TERM, and check the file with enforcer doctor\n"
)
NO_COURSE = "there is no course: no cluster has the tags of a lab; set LAB_COURSE and LAB_TERM, or deploy a course.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "earlier.db").touch()
    return tmp_path


def said(folder: Path, verb: str, *words: str, **variables: str) -> tuple[int, str, str]:
    """Run a command in an empty folder with only these variables; return exit status, output and errors."""
    environment: Mapping[str, str] = {
        "HOME": str(folder),
        "DATABRICKS_CONFIG_FILE": str(folder / "none"),
        "CLUSTER_UPTIMES_DB": "uptimes.db",
        **variables,
    }
    asked = '{"course": "94290", "term": "2026w"}' if verb == "restricted" else ""
    usual = () if words and words[0] in WORDS.get(verb, ()) else WORDS.get(verb, ())
    with chdir(folder):
        done = CliRunner(env=environment).invoke(main, [verb, *usual, *words], asked, obj=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - OTHERS | {"restricted"}))
def test_a_command_without_settings_reports_the_missing_workspace(folder: Path, verb: str) -> None:
    assert said(folder, verb) == (2, "", f"{WORKSPACE_NOT_CONFIGURED}\n")


@pytest.mark.parametrize(
    ("verb", "status", "out", "err"),
    [
        ("report", 1, "", UNKNOWN_COURSE),
        ("archive", 1, "", UNKNOWN_COURSE),
        (
            "anonymise",
            1,
            "there is nothing to anonymise before 2020-01-01\n",
            "there is no ledger at uptimes.db; check CLUSTER_UPTIMES_DB\n",
        ),
        (
            "import-history",
            2,
            "",
            NOT_EARLIER,
        ),
        ("doctor", 2, f"fails  settings: {WORKSPACE_NOT_CONFIGURED}\n", ""),
        (
            "test-email",
            2,
            "",
            "AZURE_EMAIL_CONNECTION_STRING is missing; mail needs it (or AZURE_EMAIL_ENDPOINT and"
            " AZURE_EMAIL_ACCESS_KEY), and AZURE_EMAIL_SENDER.\n",
        ),
    ],
)
def test_a_command_without_a_workspace_reports_what_is_missing(
    folder: Path, verb: str, status: int, out: str, err: str
) -> None:
    assert said(folder, verb) == (status, out, err)


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"restricted", "doctor", "backup-ledger"}))
def test_all_invalid_settings_are_reported_by_commands(folder: Path, verb: str) -> None:
    wrong = {"DATABRICKS_MAX_UPTIME": "abc", "ADMIN_EMAIL": "x", "DATABRICKS_CONFIG_PROFILE": "LAB"}

    status, out, err = said(folder, verb, **wrong)

    of_workspace = (
        [] if verb in {*OF_LEDGER, "metrics", "test-email"} else ["there is no profile 'LAB'; existing profiles: none."]
    )
    assert (status, out, err.splitlines()) == (
        2,
        "",
        [
            'DATABRICKS_MAX_UPTIME is "abc"; expected minutes from 0 to 1440.',
            'ADMIN_EMAIL is "x"; expected a valid e-mail address.',
            *of_workspace,
        ],
    )


def test_doctor_has_a_line_for_each_invalid_setting(folder: Path) -> None:
    status, out, err = said(folder, "doctor", DATABRICKS_MAX_UPTIME="abc", ADMIN_EMAIL="x")

    assert (status, err, [line.partition(" is ")[0] for line in out.splitlines()]) == (
        2,
        "",
        ["fails  settings: DATABRICKS_MAX_UPTIME", "fails  settings: ADMIN_EMAIL", "fails  settings: no workspace"],
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("poll", "--budget", "x"), """'--budget': "x" is not a number of seconds from 1 to 3600"""),
        (("poll", "--budget", "inf"), """'--budget': "inf" is not a number of seconds from 1 to 3600"""),
        (("allow", "--minutes", "1.5"), """'--minutes': "1.5" is not a whole number of minutes from -1440 to 1440"""),
        (("test-email", "--wait", "0"), """'--wait': "0" is not a number of seconds from 1 to 3600"""),
        (("anonymise", "--files", "none"), """'--files': Directory 'none' does not exist."""),
        (("end-of-day", "--day", "yesterday"), """'--day': "yesterday" is not a date; use YYYY-MM-DD"""),
    ],
)
def test_an_invalid_option_is_reported_with_name_value_and_range(
    folder: Path, words: tuple[str, ...], sentence: str
) -> None:
    status, out, err = said(folder, *words)

    assert (status, out, err.splitlines()[-1]) == (2, "", f"Error: Invalid value for {sentence}")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (".", "Is a directory"),
        ("/proc/none/uptimes.db", "No such file or directory: '/proc/none'"),
        ("/dev/null/uptimes.db", "/dev/null"),
    ],
)
def test_a_ledger_that_cannot_be_opened_is_an_invalid_setting(folder: Path, place: str, reason: str) -> None:
    status, out, err = said(folder, "poll", CLUSTER_UPTIMES_DB=place, **HOST)

    assert (status, out, reason in err, err.endswith("; check CLUSTER_UPTIMES_DB.\n")) == (2, "", True, True), err


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> InProcessWorkspace:
    """An empty workspace, to which every command connects."""
    workspace = InProcessWorkspace()
    client: Any = InProcessSdkClient(workspace)
    client.api_client._cfg.host = HOST["DATABRICKS_HOST"]
    for module in (workspace_context, workspace_client):
        monkeypatch.setattr(
            module, "connect", lambda choice, **_: Workspace(client, "admin@lab.example", workspace_id="1")
        )
    return workspace


@pytest.mark.parametrize(
    ("words", "status", "out", "err"),
    [
        (("poll", "--dry-run"), 0, "", "nothing to do\n"),
        (("end-of-day",), 0, "there is no day to settle; no day has been settled yet\n", ""),
        (("end-of-day", "--dry-run"), 0, "there is no day to settle; no day has been settled yet\n", ""),
        (("usage",), 1, "", UNKNOWN_COURSE),
        (("allow",), 2, "", NO_COURSE),
        (("allowances",), 2, "", NO_COURSE),
        (("revoke",), 2, "", NO_COURSE),
        (("restore-permissions",), 0, "the lab has no clusters\n", ""),
        (("clusters",), 0, "the workspace has no clusters\n", ""),
        (("allocations",), 0, "the workspace has no clusters\n", ""),
        (("delete-users",), 2, f"there are no users to delete in {PLACE}\n", NO_ROSTER),
        (("delete-groups",), 2, f"there are no groups to delete in {PLACE}\n", f"no groups are deleted: {NO_GROUPS}"),
        (
            ("purge-clusters",),
            2,
            f"there are no clusters to delete in {PLACE}\n",
            f"no clusters are deleted: {NO_GROUPS}",
        ),
    ],
)
def test_a_command_with_nothing_to_do_prints_a_message(
    folder: Path, workspace: InProcessWorkspace, words: tuple[str, ...], status: int, out: str, err: str
) -> None:
    assert said(folder, *words, **HOST) == (status, out, err)


def test_a_day_that_is_not_over_cannot_be_settled(folder: Path, workspace: InProcessWorkspace) -> None:
    status, out, err = said(folder, "end-of-day", "--day", "2099-01-01", **HOST)

    assert (status, out) == (2, "")
    assert "2099-01-01 is not over yet: --day is the last day to settle, at the latest " in err


@pytest.fixture
def polled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of a course with one group on its first Monday, after a poll."""
    lab = InProcessCourse(1, soft=timedelta(minutes=150), hard=timedelta(minutes=180))
    client: Any = InProcessSdkClient(lab.workspace)
    # A rehearsal's clock needs a workspace on this machine.
    client.api_client._cfg.host = "http://127.0.0.1:1"
    monkeypatch.setattr(workspace_context, "connect", lambda choice, **_: Workspace(client, "admin@lab.example"))
    clock = f"data:application/json,{quote(json.dumps({'now': lab.now().isoformat()}))}"
    settings = {**HOST, "DATABRICKS_HOST": "http://127.0.0.1:1", "LAB_CLOCK": clock}
    assert said(folder, "poll", **settings)[0] == 0
    return settings


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("usage", "--day", "2999-12-31"), 2, "Error: 2999-12-31 is in the future"),
        (("usage", "--from", "2026-10-25", "--to", "2026-11-01"), 1, "the ledger has no data for 2026-11-01: no"),
        (("report", "--day", "2026-11-01"), 1, "the ledger has no data for 2026-11-01: no"),
        (("report", "--day", "2026-11-03"), 2, "Error: 2026-11-03 is in the future"),
        (("anonymise", "--before", "2026-11-04"), 2, "Error: "),
        (("anonymise", "--before", "2026-11-02"), 0, "there is nothing to anonymise before 2026-11-02"),
        (("end-of-day", "--day", "2026-11-02"), 2, "at the latest 2026-11-01"),
        (("allow",), 2, "no group \"99\" in 94290 2026w; there is only group_001."),
        (("allowances",), 0, "there are no allowances"),
        (("revoke",), 2, 'there is no allowance "x": there are no allowances yet.'),
        (("restore-permissions",), 0, "no group in the lab is restricted"),
        (("archive", "--dry-run"), 0, "no day is settled"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)  # fmt: skip
def test_a_course_without_data_is_reported(
    folder: Path, polled: dict[str, str], words: tuple[str, ...], status: int, sentence: str
) -> None:
    ended, out, err = said(folder, *words, **polled)

    (line,) = [line for line in (out + err).splitlines() if sentence in line]
    assert (ended, bool(out)) == (status, status == 0), line


def test_an_old_command_and_an_old_setting_work_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"CLUSTER_UPTIMES_DB": "uptimes.db", "LAB_LETTERS": "templates"}

    done = CliRunner(env=environment).invoke(main, ["purge", "--before", "2020-01-01"], obj=environment)

    assert done.stderr.splitlines()[:2] == [
        "purge is now anonymise; the old name works until version 0.3.0",
        "LAB_LETTERS is now LAB_MAIL_TEMPLATES; the old name works until version 0.3.0",
    ]
    assert done.stdout == "there is nothing to anonymise before 2020-01-01\n"
