"""The cron file and systemd units in `deploy/` run existing commands, and its scripts work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from enforcer.__main__ import VERBS

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A folder with the layout of the project, for a Python that records its arguments."""
    folder = tmp_path / "teaching-lab"
    shutil.copytree(DEPLOY, folder / "deploy")
    (folder / ".venv/bin").mkdir(parents=True)
    return folder


def install_python(installation: Path, script: str) -> None:
    python = installation / ".venv/bin/python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)


def run(*words: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), **variables}
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_cron_and_systemd_run_existing_commands() -> None:
    texts = [path.read_text() for path in [*UNITS, DEPLOY / "teaching-lab.cron"]]
    started = {verb for text in texts for verb in re.findall(r"(?:-m enforcer|deploy/enforcer) ([\w-]+)", text)}

    assert started == {"poll", "watch", "end-of-day"}
    assert started <= set(VERBS)
    scripts = {script for text in texts for script in re.findall(r"/bin/python (\S+\.py)", text)}
    assert scripts == {"cdktf/update_roster.py"}
    programs = {name for text in texts for name in re.findall(r"/opt/teaching-lab/(deploy/[\w-]+)", text)}
    assert [name for name in [*scripts, *programs] if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("name", ["watch", "fleet"])
def test_systemd_restarts_a_watch_that_hangs(name: str) -> None:
    lines = (DEPLOY / f"teaching-lab-{name}.service").read_text().splitlines()
    assert {"Type=notify", "NotifyAccess=main", "WatchdogSec=300", "Restart=always"} <= set(lines)


def test_every_timer_has_a_service() -> None:
    assert [path.name for path in DEPLOY.glob("*.timer") if not path.with_suffix(".service").exists()] == []


@pytest.mark.process
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_accepts_the_unit(unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: it comes with systemd")
    said = run("systemd-analyze", "verify", unit, cwd=DEPLOY).stderr

    # The project is not installed where the tests run.
    assert [line for line in said.splitlines() if unit.name in line and "is not executable" not in line] == []


@pytest.mark.process
def test_the_wrapper_runs_the_command_and_returns_its_status(installation: Path, tmp_path: Path) -> None:
    install_python(installation, 'echo "$PWD: $*, $(umask)" > "$HOME/called"; exit 7')
    link = tmp_path / "enforcer"
    link.symlink_to(installation / "deploy/enforcer")

    done = run(link, "poll", "--budget", "20", cwd=tmp_path)

    assert done.returncode == 7, done.stderr
    assert (tmp_path / "called").read_text() == f"{installation}: -m enforcer poll --budget 20, 0077\n"


@pytest.mark.process
def test_the_backup_script_runs_backup_ledger(installation: Path, tmp_path: Path) -> None:
    install_python(installation, 'echo "$PWD: $*, $(umask)" > "$HOME/called"; exit 1')

    done = run(installation / "deploy/backup-ledger", "/copies", cwd=tmp_path)

    assert done.returncode == 1, done.stderr
    assert (tmp_path / "called").read_text() == f"{installation}: -m enforcer backup-ledger /copies, 0077\n"


@pytest.mark.process
def test_the_roster_script_runs_the_nightly_update(installation: Path, tmp_path: Path) -> None:
    install_python(installation, 'echo "$PWD: $*, $(umask)" > "$HOME/called"; exit 1')

    done = run(installation / "deploy/update-roster", "--no-mail", cwd=tmp_path)

    assert done.returncode == 1, done.stderr
    assert (tmp_path / "called").read_text() == f"{installation}: cdktf/update_roster.py --no-mail, 0077\n"
