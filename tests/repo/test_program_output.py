"""Every program without settings, with invalid settings, and with nothing to do: one sentence, the correct exit status
and no traceback.

The enforcer's commands are tested in tests/enforcer/test_verb_messages.py.
"""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import close_term
import import_roster
import load_synthesized
import update_roster
from emulator.__main__ import main as emulator
from inventory.__main__ import VERBS
from inventory.__main__ import main as inventory
from labkit.workspace.choice import WORKSPACE_NOT_CONFIGURED
from minimal_lab import minimal_lab

ARGUMENTS = {
    "scan": ("--output", "homes.csv"),
    "backup": ("--output", "backup"),
    "restore": ("backup",),
    "verify": ("backup", "--live"),
    "report": ("nothing.csv",),
    "diff": ("nothing.csv", "nothing.csv"),
    "delete-old-files": ("--before", "2020-01-01"),
}
OFFLINE = frozenset({"report", "diff", "delete-old-files"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lab.toml").write_text(minimal_lab("[targets.lab]\n"))
    (tmp_path / "groups.csv").write_text("Group,Email address\n")
    return tmp_path


def run(folder: Path, program: click.Command, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Run a program in a folder with a lab.toml and only these variables; return exit status, stdout and stderr."""
    profiles = {"DATABRICKS_CONFIG_FILE": str(folder / "none"), "LAB_CONFIG": str(folder / "lab.toml")}
    environment = {"HOME": str(folder), **profiles, **variables}
    with chdir(folder):
        done = CliRunner(env=environment).invoke(program, arguments, obj=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - OFFLINE))
def test_the_inventory_without_settings_reports_a_missing_workspace(folder: Path, verb: str) -> None:
    assert run(folder, inventory, verb, *ARGUMENTS.get(verb, ())) == (2, "", f"Error: {WORKSPACE_NOT_CONFIGURED}\n")


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - OFFLINE))
def test_the_inventory_reports_a_missing_profile(folder: Path, verb: str) -> None:
    status, out, err = run(folder, inventory, verb, *ARGUMENTS.get(verb, ()), DATABRICKS_CONFIG_PROFILE="LAB")

    assert (status, out, err) == (2, "", "Error: there is no profile 'LAB'; existing profiles: none.\n")


def test_close_term_without_settings_reports_a_missing_workspace(folder: Path) -> None:
    assert run(folder, close_term.main) == (2, "", f"Target lab: {WORKSPACE_NOT_CONFIGURED}\n")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("delete-old-files", *ARGUMENTS["delete-old-files"]), 0, "There is nothing to delete.\n"),
        (("scan", "--list-profiles"), 0, "there are no profiles in FOLDER/none\n"),
        (("report", "nothing.csv"), 2, "Error: nothing.csv: No such file or directory.\n"),
        (("diff", "nothing.csv", "nothing.csv"), 2, "Error: nothing.csv: No such file or directory.\n"),
        (("verify", "backup"), 2, "Error: there is no backup in backup: no manifest was found.\n"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_the_inventory_reports_that_there_is_nothing_to_do(
    folder: Path, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    ended, out, err = run(folder, inventory, *arguments)

    assert (ended, (out + err).replace(str(folder), "FOLDER")) == (status, sentence)


@pytest.mark.parametrize(
    "program",
    [close_term.main, import_roster.main, update_roster.main],
    ids=["close_term", "import_roster", "update_roster"],
)
def test_a_missing_settings_file_is_reported(folder: Path, program: click.Command) -> None:
    arguments = ("groups.csv", "--out", "roster.csv") if program is import_roster.main else ()

    status, out, err = run(folder, program, *arguments, LAB_CONFIG=str(folder / "other.toml"))

    sentence = f"{folder}/other.toml cannot be read (No such file or directory); set LAB_CONFIG to the settings file."
    assert (status, out, err.splitlines()[0]) == (2, "", sentence)


@pytest.mark.parametrize(
    ("program", "arguments", "sentence"),
    [
        (inventory, ("scan", "--workers", "x"), """'--workers': "x" is not a whole number from 1 to 512"""),
        (inventory, ("scan", "--max-requests-per-second", "0"), """"0" is not a number above 0"""),
        (inventory, ("scan", "--top", "-1"), """'--top': "-1" is not a whole number, 0 or greater"""),
        (
            inventory,
            ("backup", "--output", "b", "--max-file-size", "1.5"),
            """'--max-file-size': "1.5" is not a whole number of bytes, 0 or greater""",
        ),
        (
            import_roster.main,
            ("groups.csv", "--out", "r.csv", "--max-drop-percent", "nan"),
            """'--max-drop-percent': "nan" is not a number from 0 to 100""",
        ),
        (import_roster.main, ("none.csv", "--out", "r.csv"), "'[EXPORT]': File 'none.csv' does not exist."),
        (emulator, ("--port", "65536"), """'--port': "65536" is not a whole number from 0 to 65535"""),
        (emulator, ("--speed", "nan"), """'--speed': "nan" is not a number, 0 or greater"""),
        (emulator, ("--faults", "x"), "'--faults': 'x' is not one of 'azure', "),
        (load_synthesized.main, ("none.json",), "'STACK': File 'none.json' does not exist."),
    ],
)
def test_an_invalid_option_is_reported_with_value_and_allowed_range(
    folder: Path, program: click.Command, arguments: tuple[str, ...], sentence: str
) -> None:
    status, out, err = run(folder, program, *arguments)

    assert (status, out, sentence in err.splitlines()[-1]) == (2, "", True), err


def test_an_empty_export_is_reported(folder: Path) -> None:
    assert run(folder, import_roster.main, "groups.csv", "--out", "roster.csv") == (
        2,
        "",
        "groups.csv line 1: the Groups overview has only a header; check the course and the activity.\n"
        "Nothing was written.\n",
    )


HOSTILE = "x\x1b]0;owned\x07\u202enp.csv"


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (import_roster.main, (HOSTILE, "--out", "roster.csv")),
        (inventory, ("report", HOSTILE)),
        (inventory, ("diff", HOSTILE, HOSTILE)),
        (inventory, ("verify", HOSTILE)),
        (inventory, ("scan", HOSTILE, "--profile", HOSTILE)),
        (inventory, ("scan", "--workers", HOSTILE)),
        (close_term.main, ()),
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_hostile_names_are_escaped_on_the_terminal(
    folder: Path, program: click.Command, arguments: tuple[str, ...], exists: bool
) -> None:
    if exists:
        (folder / HOSTILE).write_text("Group,Email address\n")

    status, out, err = run(folder, program, *arguments, LAB_TARGET=HOSTILE)

    assert status == 2
    assert {"\x1b", "\x07", "\u202e"} & set(out + err) == set()
