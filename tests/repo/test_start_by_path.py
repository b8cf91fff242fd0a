"""The programs directly in cdktf/ can be run as scripts, from any folder and with any interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted(
    path for path in (ROOT / "cdktf").glob("*.py") if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
)
LINES = """
# Run as a script: the project's root is added to sys.path so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))
"""
MISSING = "The Python packages of the lab are missing; run `pipenv install` in the project folder."
OUTPUT = {
    "check_workspace": "JSONDecodeError",  # it reads Terraform's question from stdin
    "close_term": MISSING,
    "cloud_main": MISSING,
    "import_calendar": MISSING,
    "import_roster": MISSING,
    "load_synthesized": "No module named 'click'",  # only the demo starts it, inside the environment
    "main": MISSING,
    "run_cdktf": MISSING,
    "update_roster": MISSING,
    "stop_new_cluster": "usage: stop_new_cluster.py",
}


def output_of(program: Path, folder: Path) -> str:
    """Return the output of a program without third-party packages and without a virtual environment to enter."""
    done = subprocess.run(
        [sys.executable, "-E", "-s", "-S", program, "--help"],
        cwd=folder,
        env={"PATH": "", "LAB_REENTERED": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_each_program_adds_the_root_with_the_same_two_lines(program: Path) -> None:
    head = program.read_text(encoding="utf-8").partition("\nfrom labkit")[0]
    assert head.count(LINES) == 1


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_each_program_starts_from_any_folder_without_packages(program: Path, tmp_path: Path) -> None:
    assert OUTPUT[program.stem] in output_of(program, tmp_path)
