"""Command lines: commands, options, confirmation, tables, JSON, errors, and `--version` everywhere."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import unicodedata
from datetime import date
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from import_graph import PROGRAMS, TREE, program_of
from labkit import __version__
from labkit.extras import cli
from labkit.extras.cli import print_json
from labkit.extras.table import print_table

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 1)
WITH_VERSION = [
    path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / "cdktf").glob("*.py"))
    # run_cdktf.py passes its command line to cdktf unchanged, so --version is cdktf's.
    if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8") and path.name != "run_cdktf.py"
]


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text()), max_size=3))
def test_printed_json_keeps_its_meaning_without_control_characters(value: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        out = io.StringIO()
        patch.setattr("sys.stdout", out)
        print_json(value)

    assert json.loads(out.getvalue()) == value
    assert {unicodedata.category(c) for c in out.getvalue() if c not in "\n\u200c\u200d"} & {
        "Cc",
        "Cf",
        "Cs",
        "Zl",
    } == set()


def test_a_piped_table_has_one_line_per_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["group", "used"], [("[red]x[/red]\n", 5), ("y" * 300, None)])

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["group", "used"],
        ["[red]x[/red]\\x0a", "5"],
        ["y" * 300],
    ]


def test_commands_are_imported_only_when_they_are_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "verbs_of_a_test"
    package.mkdir()
    (package / "end_of_day.py").write_text(
        "import click\n\n@click.command('end-of-day')\ndef command():\n    click.echo('settled')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    verbs = {"end-of-day": "Settle days.", "missing": "No module has this name."}
    group = cli.LazyGroup(name="lab", package="verbs_of_a_test", verbs=verbs)
    listed = CliRunner().invoke(group, ["--help"])
    called = CliRunner().invoke(group, ["end-of-day"])
    unknown = CliRunner().invoke(group, ["poll"])
    assert listed.output.split("Commands:\n")[1].splitlines() == [
        "  end-of-day  Settle days.",
        "  missing     No module has this name.",
    ]
    assert (called.exit_code, called.output) == (0, "settled\n")
    assert (unknown.exit_code, "No such command 'poll'" in unknown.output) == (2, True)


def test_an_old_command_name_works_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "renamed_verbs"
    package.mkdir()
    (package / "settle.py").write_text("import click\n\n@click.command()\ndef command():\n    click.echo('settled')\n")
    monkeypatch.syspath_prepend(tmp_path)
    verbs = cli.LazyGroup(name="lab", package="renamed_verbs", verbs={"settle": "Settle."}, renamed={"close": "settle"})

    called = CliRunner().invoke(verbs, ["close"])

    warning = "close is now settle; the old name works until version 0.3.0\n"
    assert (called.exit_code, called.stdout, called.stderr) == (0, "settled\n", warning)
    assert "close" not in CliRunner().invoke(verbs, ["--help"]).output


def test_an_old_flag_works_with_a_warning() -> None:
    @click.command()
    @cli.old_flag("--tidy", "is_tidy", new="--clean")
    def command(is_tidy: bool) -> None:
        click.echo(is_tidy)

    results = [CliRunner().invoke(command, arguments) for arguments in ([], ["--tidy"])]

    warning = "--tidy is now --clean; the old name works until version 0.3.0\n"
    assert [(one.stdout, one.stderr) for one in results] == [("False\n", ""), ("True\n", warning)]
    assert "--tidy" not in CliRunner().invoke(command, ["--help"]).output


@pytest.mark.parametrize(
    ("before", "after", "warnings"),
    [
        ({}, {}, 0),
        ({"OLD": "a"}, {"NEW": "a"}, 1),
        ({"OLD": "a", "NEW": "b"}, {"NEW": "b"}, 1),
        ({"NEW": "b"}, {"NEW": "b"}, 0),
    ],
)
def test_an_old_setting_works_with_a_warning_unless_the_new_one_is_set(
    before: dict[str, str], after: dict[str, str], warnings: int, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = dict(before)

    cli.use_old_variable(environ, "OLD", "NEW")

    warning = "OLD is now NEW; the old name works until version 0.3.0\n"
    assert (environ, capsys.readouterr().err) == (after, warning * warnings)


@click.command()
@cli.day_option
@cli.from_option
@cli.to_option
def days(day: date | None, first: date | None, last: date | None) -> None:
    begin, end = cli.date_range(day, first, last, today=TODAY)
    click.echo(f"{begin} {end}")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "2026-11-01 2026-11-01"),
        (["--day", "2026-10-18"], "2026-10-18 2026-10-18"),
        (["--from", "2026-10-18", "--to", "2026-10-20"], "2026-10-18 2026-10-20"),
    ],
)
def test_a_date_range_is_one_day_two_dates_or_today(arguments: list[str], expected: str) -> None:
    result = CliRunner().invoke(days, arguments)
    assert (result.exit_code, result.output) == (0, f"{expected}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--day", "tomorrow\x1b"], '"tomorrow\\x1b" is not a date; use YYYY-MM-DD'),
        (["--day", "2026-02-30"], '"2026-02-30" is not a date; use YYYY-MM-DD'),
        (["--day", "0001-01-01"], "0001-01-01 is not a date from 1970 to 2999"),
        (["--from", "2026-10-18", "--to", "9999-12-31"], "9999-12-31 is not a date from 1970 to 2999"),
        (["--day", "2026-10-18", "--to", "2026-10-20"], "use either --day, or --from and --to"),
        (["--from", "2026-10-18"], "--from and --to must be used together; use --day for one day"),
        (["--from", "2026-10-18", "--to", "2026-10-17"], "--to 2026-10-17 is before --from 2026-10-18"),
    ],
)
def test_an_impossible_date_range_is_a_usage_error(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(days, arguments)
    assert (result.exit_code, sentence in result.output) == (2, True)


@click.command()
@click.option("--workspace", default="")
def ask(workspace: str) -> None:
    click.echo(cli.is_confirmed("delete 2 groups", workspace=workspace))


@pytest.mark.parametrize(
    ("typed", "expected"), [("delete 2 groups\n", "True"), ("yes\n", "False"), ("\n", "False"), ("", "False")]
)
def test_only_the_exact_sentence_confirms(typed: str, expected: str) -> None:
    assert CliRunner().invoke(ask, input=typed).stdout == f"{expected}\n"


def test_a_confirmation_shows_the_workspace_and_its_host() -> None:
    result = CliRunner().invoke(ask, ["--workspace", "workspace 7 at https://lab.example\x1b"], input="no\n")
    question = 'This changes workspace 7 at https://lab.example\\x1b. Type "delete 2 groups" to continue: '
    assert result.stderr.startswith(question)


def test_fail_exits_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.fail("the first", "the \x1bsecond")
    assert (ended.value.code, capsys.readouterr().err) == (2, "the first\nthe \\x1bsecond\n")


def test_a_command_error_exits_with_status_2() -> None:
    @click.command()
    def command() -> None:
        raise cli.CommandError("no \x1b access")

    result = CliRunner().invoke(command)
    assert (result.exit_code, result.stderr) == (2, "Error: no \\x1b access\n")


@pytest.mark.process
@pytest.mark.parametrize("program", ["enforcer", "inventory", "emulator", *WITH_VERSION])
def test_every_program_prints_its_version(program: str) -> None:
    arguments = [program] if program.endswith(".py") else ["-m", program]
    done = subprocess.run(
        [sys.executable, *arguments, "--version"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.split()[-1:], done.stderr) == (0, [__version__], "")


def own_command_line(path: str) -> set[str]:
    """Return what a module defines itself, although labkit provides it for all command lines."""
    found = set()
    for node in TREE.nodes(path):
        if isinstance(node, ast.ClassDef) and {"click.Group", "click.ClickException", "click.ParamType"} & set(
            map(ast.unparse, node.bases)
        ):
            found.add(f"class {node.name}")
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("click.prompt", "click.confirm", "input"):
            found.add("prompt")
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "click.option":
            named = {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
            found |= named & {"--json", "--yes", "--from", "--version"}
    return found


@pytest.mark.xdist_group("syntax trees")
def test_no_program_defines_its_own_prompts_or_common_options() -> None:
    found = {(path, what) for path in TREE.files if program_of(path) in PROGRAMS for what in own_command_line(path)}
    assert found == set()
