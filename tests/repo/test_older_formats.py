"""Files that version 0.1 wrote are read by the programs of today, with the same figures."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from emulator_process import EmulatorProcess
from teardown.facts import archives

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
OLD = ROOT / "tests/data/version_0_1"
DAY = "2030-11-03"
ADDED = frozenset({"group_used_ms", "unknown_ms", "starter", "unknown"})
"""Keys of `usage` and `report` that version 0.1 did not have."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The emulated workspace as version 0.1 left it; its clock stands still."""
    state = tmp_path_factory.mktemp("workspace") / "state.json"
    shutil.copy(OLD / "state.json", state)
    with EmulatorProcess(["--speed", "0", "--transition-seconds", "2", "--state", str(state)]) as emulator:
        yield emulator


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Any]:
    """The place of a ledger that version 0.1 filled, and what its commands printed."""
    text = (OLD / f"ledger.{request.param}.sql").read_text(encoding="utf-8")
    expected = json.loads((OLD / f"expected.{request.param}.json").read_text(encoding="utf-8"))
    if request.param == "sqlite":
        place = str(tmp_path / "uptimes.db")
        with closing(sqlite3.connect(place)) as connection:
            connection.executescript(text)
        return place, expected
    place = str(request.getfixturevalue("postgresql").database("older"))
    with psycopg.connect(place) as server:
        # pg_dump's own instructions to psql begin with a backslash.
        server.execute("\n".join(line for line in text.splitlines() if not line.startswith("\\")))
    return place, expected


def run(folder: Path, workspace: EmulatorProcess, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m …` against the workspace, at the instant at which version 0.1 wrote its files."""
    environment = {**os.environ, **workspace.environment(), "PYTHONPATH": str(ROOT), **variables}
    environment["LAB_CLOCK"] = f"{workspace.url}/_emulator/clock"
    command = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def without(keys: frozenset[str], document: Any) -> Any:
    """A JSON document without these keys of its objects."""
    if isinstance(document, list):
        return [without(keys, entry) for entry in document]
    if isinstance(document, dict):
        return {key: without(keys, value) for key, value in document.items() if key not in keys}
    return document


def untimed(result: Path) -> list[dict[str, str]]:
    """The rows of a result in the columns that version 0.1 has, without how long each took."""
    with (OLD / "whole.csv").open(newline="", encoding="utf-8") as file:
        columns = set(next(csv.reader(file))) - {"seconds"}
    with result.open(newline="", encoding="utf-8") as file:
        return [{name: cell for name, cell in row.items() if name in columns} for row in csv.DictReader(file)]


def test_the_ledger_of_version_0_1_gives_the_same_figures(
    ledger: tuple[str, Any], workspace: EmulatorProcess, tmp_path: Path
) -> None:
    place, expected = ledger

    def printed(*words: str) -> Any:
        done = run(tmp_path, workspace, "enforcer", *words, "--json", CLUSTER_UPTIMES_DB=place)
        assert done.returncode == 0, done.stderr
        return without(ADDED, json.loads(done.stdout))

    found = {
        "usage": printed("usage"),
        "usage-sunday": printed("usage", "--day", DAY),
        "report-sunday": printed("report", "--day", DAY),
    }

    assert found == {name: expected[name] for name in found}


def test_the_ledger_of_version_0_1_gives_the_same_archive(
    ledger: tuple[str, Any], workspace: EmulatorProcess, tmp_path: Path
) -> None:
    place, expected = ledger
    folder = tmp_path / "archive"

    done = run(tmp_path, workspace, "enforcer", "archive", "--output", folder, CLUSTER_UPTIMES_DB=place)

    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    tables = {name: (folder / name).read_bytes().decode() for name in files if name.endswith(".csv")}
    assert (done.returncode, files) == (0, expected["archive_files"]), done.stderr
    assert {name: text.splitlines() for name, text in tables.items()} == {
        name: text.splitlines() for name, text in expected["archive"].items()
    }


def test_workspace_files_of_version_0_1_are_read(workspace: EmulatorProcess, tmp_path: Path) -> None:
    expected = json.loads((OLD / "expected.sqlite.json").read_text(encoding="utf-8"))
    environment = {**os.environ, **workspace.environment(), "LAB_CLOCK": f"{workspace.url}/_emulator/clock"}
    query = json.dumps({"course": "94290", "term": "2030w"})

    allowances = run(tmp_path, workspace, "enforcer", "allowances", "--all", "--json", CLUSTER_UPTIMES_DB="new.db")
    restricted = subprocess.run(
        [sys.executable, "-m", "enforcer", "restricted"],
        cwd=ROOT,
        env=environment,
        input=query,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert (json.loads(allowances.stdout), json.loads(restricted.stdout)) == (
        expected["allowances"],
        expected["restricted"],
    )


def test_a_scan_that_version_0_1_began_is_resumed(workspace: EmulatorProcess, tmp_path: Path) -> None:
    checkpoint = tmp_path / "scan.checkpoint"
    with closing(sqlite3.connect(checkpoint)) as connection:
        text = (OLD / "checkpoint.sql").read_text(encoding="utf-8")
        connection.executescript(text.replace("http://127.0.0.1:1", workspace.url))
    shutil.copy(OLD / "partial.csv", tmp_path / "resumed.csv")
    users = ("student1a@campus.example.ac.il", "student2a@campus.example.ac.il")
    options = ("--workspace-only", "--resume", "--checkpoint", checkpoint, "--output", "resumed.csv")

    done = run(tmp_path, workspace, "inventory", "scan", *users, *options)

    found = (tmp_path / "resumed.csv").read_bytes()
    assert (done.returncode, found) == (0, (OLD / "resumed.csv").read_bytes()), done.stderr
    assert "resuming after 2 directories; 1 that failed are retried" in done.stderr


def test_a_result_of_version_0_1_equals_a_scan_of_today(workspace: EmulatorProcess, tmp_path: Path) -> None:
    scanned = run(tmp_path, workspace, "inventory", "scan", "--details", "--output", "today.csv")
    compared = run(tmp_path, workspace, "inventory", "diff", OLD / "whole.csv", "today.csv", "--json")
    compared_to_itself = run(tmp_path, workspace, "inventory", "diff", "today.csv", "today.csv", "--json")

    assert (scanned.returncode, untimed(tmp_path / "today.csv")) == (0, untimed(OLD / "whole.csv"))
    assert (compared.returncode, compared.stdout) == (0, compared_to_itself.stdout)


def test_a_backup_of_version_0_1_is_whole(workspace: EmulatorProcess, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    shutil.copytree(OLD / "backup", target)
    (manifest,) = target.rglob("manifest.jsonl")
    for line in manifest.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry.get("type") == "DIRECTORY":
            # git keeps no empty folder.
            (target / entry["place"]).mkdir(parents=True, exist_ok=True)

    done = run(tmp_path, workspace, "inventory", "verify", target, "--json")

    (backup,) = json.loads(done.stdout)["backups"]
    assert (done.returncode, backup["whole"], backup["objects"], backup["findings"]) == (0, True, 7, [])


def test_an_archive_of_version_0_1_is_found() -> None:
    (found,) = archives(OLD, course="94290", term="2030w")

    assert (found.made_at.isoformat(), found.facts.settled_up_to) == ("2030-11-04T09:00:00.020000+00:00", DAY)
