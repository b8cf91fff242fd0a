"""The commands in README.md work, and its link targets exist."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tracked_files import tracked_files

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = ("make ", "pipenv ", "python ", "az ", "LAB_TARGET=")
BLOCKS = [line.strip() for line in README.splitlines() if line.startswith("    ")]
INLINE = re.findall(r"`([^`\n]+)`", README)
COMMANDS = sorted(
    {command.partition("  #")[0].strip() for command in [*BLOCKS, *INLINE] if command.startswith(PROGRAMS)}
)


def words_of(command: str) -> list[str]:
    """Split the command into words, without leading variables and without `pipenv run`."""
    words = [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]
    return words[2:] if words[:2] == ["pipenv", "run"] else words


def output_of(*command: str) -> str:
    """Return the output of a command, which must succeed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_commands_to_check():
    assert {"make demo", "make test"} <= set(COMMANDS)


@pytest.mark.process
@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_documented_make_targets_exist(command):
    if shutil.which("make") is None:
        pytest.skip("make is not installed: get it from your system's packages")
    target = [word for word in shlex.split(command)[1:] if "=" not in word][0]
    assert re.search(rf"^make {target}\b", output_of("make", "help"), re.MULTILINE)


@pytest.mark.parametrize("command", [command for command in COMMANDS if words_of(command)[0] == "cdktf"])
def test_documented_pipenv_and_cdktf_commands_exist(command):
    script = tomllib.loads((ROOT / "Pipfile").read_text(encoding="utf-8"))["scripts"]["cdktf"]
    assert (ROOT / shlex.split(script)[1]).is_file()
    assert words_of(command)[1] in ("diff", "deploy", "destroy", "synth", "list")


@pytest.mark.process
@pytest.mark.parametrize("command", [command for command in COMMANDS if words_of(command)[0] == "python"])
def test_documented_options_exist(command):
    _, *words = words_of(command)
    program = words[:2] if words[0] == "-m" else words[:1]
    # A program with several commands has options for each of them.
    program += [word for word in words[len(program) :][:1] if words[0] == "-m" and not word.startswith("-")]
    help_text = output_of(sys.executable, *program, "--help")
    assert [word for word in words[len(program) :] if word.startswith("--") and word not in help_text] == []


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_link_targets_exist(target):
    assert (ROOT / target).exists()


@pytest.mark.process
def test_the_map_lists_exactly_the_top_level_folders():
    shown = set(re.findall(r"^\| (.+?) \|", README, re.MULTILINE))
    folders = {name.strip("`/") for cell in shown for name in cell.split(", ") if name.endswith("/`")}
    there = {path.parts[0] for path in tracked_files() if len(path.parts) > 1 and not path.parts[0].startswith(".")}
    assert folders >= there
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []
