"""The current programs read files that earlier versions wrote, with the same results."""

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
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from peewee import SqliteDatabase
from playhouse.postgres_ext import Psycopg3Database  # type: ignore[import-untyped]

from emulator_process import EmulatorProcess
from enforcer.domain.allowances import Allowance, format_entry, parse_entry
from enforcer.domain.settled_totals import parse_settled
from enforcer.ledger.database import open_ledger
from enforcer.ledger.models import DayRow
from enforcer.ledger.schema.migrations import STEPS, migrate
from enforcer.workspace.course_file import parse_course
from inventory.backup.backup_index import newest_backup
from inventory.restore.run import RestoreRequest
from inventory.scan.checkpoint import Checkpoint, CheckpointIdentity
from inventory.scan.users import short_digest
from inventory.tree.listing import Folder
from labkit.addresses import database_parameters, is_database_url
from teardown.facts import archives

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
OLD = ROOT / "tests/data/version_0_1"
NEWER = ROOT / "tests/data/version_0_1_2"
DAY = "2030-11-03"
ADDED = frozenset({"group_used_ms", "unknown_ms", "starter", "unknown"})
"""Keys of `usage` and `report` that were added after version 0.1.0."""
RENAMED_KEYS = {"over_ms": "overrun_ms", "apart_ms": "uncounted_ms", "none": "blocked"}
RENAMED_COLUMNS = {
    "over_ms": "overrun_ms",
    "not_counted_ms": "uncounted_ms",
    "minutes_past_limit": "overrun_minutes",
    "not_counted_minutes": "uncounted_minutes",
}
"""Keys of JSON, and columns of archives and reports, that version 0.2.0 renamed."""


@dataclass(frozen=True)
class OldLedger:
    """A ledger that an earlier version wrote."""

    location: str
    version: Path
    """The folder with that version's files."""
    expected: Any
    """The output of that version's commands."""
    state: Path
    """The state of the emulated workspace at that time."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """Version 0.1.0's emulated workspace, with a frozen clock."""
    with emulator_of(OLD / "state.json", tmp_path_factory.mktemp("workspace")) as emulator:
        yield emulator


def emulator_of(state: Path, folder: Path) -> EmulatorProcess:
    """An emulator that starts from a copy of this state, with a frozen clock."""
    copy = folder / "state.json"
    shutil.copy(state, copy)
    return EmulatorProcess(["--speed", "0", "--transition-seconds", "2", "--state", str(copy)])


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[OLD, NEWER], ids=["0.1.0", "0.1.2"])
def old_ledger(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> OldLedger:
    version: Path = request.param
    return restored(version, database, tmp_path, request)


def restored(version: Path, database: str, folder: Path, request: pytest.FixtureRequest) -> OldLedger:
    """Restore a version's ledger from SQL text."""
    text = (version / f"ledger.{database}.sql").read_text(encoding="utf-8")
    expected = json.loads((version / f"expected.{database}.json").read_text(encoding="utf-8"))
    state = version / (f"state.{database}.json" if version == NEWER else "state.json")
    if database == "sqlite":
        location = str(folder / "uptimes.db")
        with closing(sqlite3.connect(location)) as connection:
            connection.executescript(text)
    else:
        location = str(request.getfixturevalue("postgresql").database("older"))
        with psycopg.connect(location) as server:
            # Lines that start with a backslash are psql commands, not SQL.
            server.execute("\n".join(line for line in text.splitlines() if not line.startswith("\\")))
    return OldLedger(location, version, expected, state)


def run(
    folder: Path, workspace: EmulatorProcess, *arguments: object, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m …` with the workspace, at the time at which the old version wrote its files."""
    environment = {**os.environ, **workspace.environment(), "PYTHONPATH": str(ROOT), **variables}
    environment["LAB_CLOCK"] = f"{workspace.url}/_emulator/clock"
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def without(keys: frozenset[str], document: Any) -> Any:
    """Return a JSON document without these keys in any object."""
    if isinstance(document, list):
        return [without(keys, entry) for entry in document]
    if isinstance(document, dict):
        return {key: without(keys, value) for key, value in document.items() if key not in keys}
    return document


NEW_ALLOWANCE_KEYS = {"only_day": False, "time_request": None}
NEW_TABLES = ("people/time_requests.",)
"""Tables of an archive that the earlier versions do not have."""


def with_new_keys(document: Any) -> Any:
    """Return an earlier version's JSON document with the current names."""
    if isinstance(document, list):
        return [with_new_keys(entry) for entry in document]
    if isinstance(document, dict):
        return {RENAMED_KEYS.get(key, key): with_new_keys(value) for key, value in document.items()}
    return document


def with_new_columns(table: str) -> list[str]:
    """Return the lines of an earlier version's CSV table with the current names."""
    header, *rows = table.splitlines()
    return [",".join(RENAMED_COLUMNS.get(name, name) for name in header.split(",")), *rows]


def untimed(result: Path) -> list[dict[str, str]]:
    """Return the rows in a result with version 0.1.0's columns, except `seconds`."""
    with (OLD / "whole.csv").open(newline="", encoding="utf-8") as file:
        columns = set(next(csv.reader(file))) - {"seconds"}
    with result.open(newline="", encoding="utf-8") as file:
        return [{name: cell for name, cell in row.items() if name in columns} for row in csv.DictReader(file)]


def test_an_old_ledger_yields_the_same_figures(old_ledger: OldLedger, tmp_path: Path) -> None:
    with emulator_of(old_ledger.state, tmp_path) as workspace:

        def printed(*arguments: str) -> Any:
            done = run(tmp_path, workspace, "enforcer", *arguments, "--json", CLUSTER_UPTIMES_DB=old_ledger.location)
            assert done.returncode == 0, done.stderr
            document = json.loads(done.stdout)
            return without(ADDED, document) if old_ledger.version == OLD else document

        found = {
            "usage": printed("usage"),
            "usage-sunday": printed("usage", "--day", DAY),
            "report-sunday": printed("report", "--day", DAY),
        }

    assert found == {name: with_new_keys(old_ledger.expected[name]) for name in found}


def test_an_old_ledger_yields_the_same_archive(old_ledger: OldLedger, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with emulator_of(old_ledger.state, tmp_path) as workspace:
        arguments = ("archive", "--output", folder)
        done = run(tmp_path, workspace, "enforcer", *arguments, CLUSTER_UPTIMES_DB=old_ledger.location)

    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = [name for name in files if not name.startswith(NEW_TABLES)]
    tables = {name: (folder / name).read_bytes().decode() for name in files if name.endswith(".csv")}
    expected = {name.replace("/letters.", "/messages."): text for name, text in old_ledger.expected["archive"].items()}
    names = sorted(name.replace("/letters.", "/messages.") for name in old_ledger.expected["archive_files"])
    assert (done.returncode, files) == (0, names), done.stderr
    assert {name: text.splitlines() for name, text in tables.items()} == {
        name: with_new_columns(text) for name, text in expected.items()
    }


@pytest.mark.parametrize("version", [NEWER], ids=["0.1.2"])
def test_a_pending_message_in_an_old_ledger_is_sent_once(
    version: Path, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """One email was accepted but the response was lost; a second one was never sent."""
    old = restored(version, database, tmp_path, request)
    with emulator_of(old.state, tmp_path) as workspace:
        mail = {
            "AZURE_EMAIL_CONNECTION_STRING": workspace.mail_connection_string,
            "AZURE_EMAIL_SENDER": "lab@campus.example",
            "ADMIN_EMAIL": "admin@campus.example",
            "REQUESTS_CA_BUNDLE": workspace.mail_ca,
        }
        for _ in range(3):
            workspace.control("POST", "clock", {"advance_seconds": 120})
            done = run(tmp_path, workspace, "enforcer", "poll", CLUSTER_UPTIMES_DB=old.location, **mail)
            assert done.returncode == 0, done.stderr
        sent = workspace.control("GET", "mail")

    before = [message["operation_id"] for message in old.expected["mail"]]
    after = [message["operation_id"] for message in sent]
    assert (after[: len(before)], len(after), len(set(after))) == (before, len(before) + 1, len(before) + 1)
    assert sent[-1]["subject"] == "Data Engineering: 21 minutes of cluster time left for Team 4"


def connected(location: str) -> Any:
    """Return a connection to the database of a ledger, which stays as it is."""
    if is_database_url(location):
        parameters = database_parameters(location)
        database: Any = Psycopg3Database(parameters.pop("dbname", None), **parameters)
    else:
        database = SqliteDatabase(location)
    database.connect()
    return database


@pytest.mark.parametrize("version", [OLD, NEWER], ids=["0.1.0", "0.1.2"])
def test_an_interrupted_migration_is_finished_by_the_next_start(
    version: Path, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    old = restored(version, database, tmp_path, request)
    *_, (name, last) = STEPS

    def interrupted(database: Any) -> None:
        last(database)
        raise KeyboardInterrupt

    steps = (*STEPS[:-1], (name, interrupted))
    with closing(connected(old.location)) as opened:
        pytest.raises(KeyboardInterrupt, migrate, opened, steps)
    with closing(open_ledger(old.location)) as ledger:
        found = {row.cluster_id: row.used for row in ledger.select(DayRow).where(DayRow.day == DAY)}

    assert found == {row["cluster_id"]: row["used_ms"] for row in old.expected["usage-sunday"]}


@pytest.mark.parametrize(
    ("version", "state"), [(OLD, "state.json"), (NEWER, "state.sqlite.json")], ids=["0.1.0", "0.1.2"]
)
def test_an_earlier_versions_workspace_files_are_read(version: Path, state: str, tmp_path: Path) -> None:
    expected = json.loads((version / "expected.sqlite.json").read_text(encoding="utf-8"))
    query = json.dumps({"course": "94290", "term": "2030w"})
    with emulator_of(version / state, tmp_path) as workspace:
        environment = {**os.environ, **workspace.environment(), "LAB_CLOCK": f"{workspace.url}/_emulator/clock"}
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
        [entry | NEW_ALLOWANCE_KEYS for entry in with_new_keys(expected["allowances"])],
        expected["restricted"],
    )


def test_a_scan_started_by_version_0_1_is_resumed(workspace: EmulatorProcess, tmp_path: Path) -> None:
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


def test_a_result_of_version_0_1_equals_a_current_scan(workspace: EmulatorProcess, tmp_path: Path) -> None:
    scanned = run(tmp_path, workspace, "inventory", "scan", "--details", "--output", "today.csv")
    compared = run(tmp_path, workspace, "inventory", "diff", OLD / "whole.csv", "today.csv", "--json")
    compared_to_itself = run(tmp_path, workspace, "inventory", "diff", "today.csv", "today.csv", "--json")

    assert (scanned.returncode, untimed(tmp_path / "today.csv")) == (0, untimed(OLD / "whole.csv"))
    assert (compared.returncode, compared.stdout) == (0, compared_to_itself.stdout)


def copy_backups(source: Path, target: Path) -> None:
    """Copy a target with backups and create its empty folders, which git does not track."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    for manifest in target.rglob("manifest.jsonl"):
        for line in manifest.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if entry.get("type") in ("DIRECTORY", "REPO"):
                (target / entry["place"]).mkdir(parents=True, exist_ok=True)


def test_a_backup_of_version_0_1_passes_verification(workspace: EmulatorProcess, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    copy_backups(OLD / "backup", target)

    done = run(tmp_path, workspace, "inventory", "verify", target, "--json")

    (backup,) = json.loads(done.stdout)["backups"]
    assert (done.returncode, backup["whole"], backup["objects"], backup["findings"]) == (0, True, 7, [])


INVENTORY = NEWER / "inventory"
USERS = ("student1a@campus.example.ac.il", "student2a@campus.example.ac.il")


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """The emulated workspace whose homes version 0.1.2 counted and saved; its clock is frozen."""
    with emulator_of(INVENTORY / "state.json", tmp_path_factory.mktemp("homes")) as emulator:
        yield emulator


def restored_checkpoint(source: Path, checkpoint: Path, host: str) -> None:
    """Restore a checkpoint for this workspace from SQL text."""
    with closing(sqlite3.connect(checkpoint)) as connection:
        connection.executescript(source.read_text(encoding="utf-8").replace("http://127.0.0.1:1", host))


def test_a_scan_that_version_0_1_2_began_is_resumed(homes: EmulatorProcess, tmp_path: Path) -> None:
    restored_checkpoint(INVENTORY / "checkpoint.sql", tmp_path / "scan.checkpoint", homes.url)
    shutil.copy(INVENTORY / "partial.csv", tmp_path / "scan.csv")
    options = ("--details", "--resume", "--checkpoint", "scan.checkpoint", "--output", "scan.csv")

    done = run(tmp_path, homes, "inventory", "scan", *USERS, *options)

    assert (done.returncode, untimed(tmp_path / "scan.csv")) == (0, untimed(INVENTORY / "resumed.csv")), done.stderr
    assert "resuming after 8 directories; 1 that failed are retried" in done.stderr


def test_a_new_checkpoint_has_the_same_tables_as_in_version_0_1_2(tmp_path: Path) -> None:
    identity = CheckpointIdentity(host="https://lab", users="all", sources="dbfs", homes="users", files="none")
    Checkpoint.create(tmp_path / "new", identity, [Folder("dana@x.org", "dbfs", "/Users/dana@x.org")]).close()
    restored_checkpoint(INVENTORY / "checkpoint.sql", tmp_path / "old", "https://lab")

    tables = [tables_of(tmp_path / name) for name in ("new", "old")]

    assert tables[0] == tables[1]


def tables_of(database: Path) -> tuple[list[Any], list[Any]]:
    """Return the definitions of the tables in a checkpoint, and the keys in `about`."""
    with closing(sqlite3.connect(database)) as connection:
        schema = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        return schema, connection.execute("SELECT name FROM about ORDER BY name").fetchall()


def test_results_of_version_0_1_2_equal_current_results(homes: EmulatorProcess, tmp_path: Path) -> None:
    options = ("--users-file", INVENTORY / "users.csv", "--details", "--output", "today.csv", "--files", "files.csv")

    scanned = run(tmp_path, homes, "inventory", "scan", *options)
    arguments = (INVENTORY / "whole.csv", "--files", INVENTORY / "files.csv", "--output", "report.html")
    reported = run(tmp_path, homes, "inventory", "report", *arguments)

    assert (scanned.returncode, untimed(tmp_path / "today.csv")) == (0, untimed(INVENTORY / "whole.csv"))
    assert sorted((tmp_path / "files.csv").read_bytes().splitlines()) == sorted(
        (INVENTORY / "files.csv").read_bytes().splitlines()
    )
    assert (reported.returncode, "student1a@" in (tmp_path / "report.html").read_text(encoding="utf-8")) == (0, True)


def test_version_0_1_2_and_current_backups_have_equal_manifests(homes: EmulatorProcess, tmp_path: Path) -> None:
    copy_backups(INVENTORY / "backup", tmp_path / "backup")
    options = ("--notebook-format", "both", "--max-file-size", "1000")

    verified = run(tmp_path, homes, "inventory", "verify", "backup", "--json")
    saved = run(tmp_path, homes, "inventory", "backup", "--output", "today", *options)

    backups = json.loads(verified.stdout)["backups"]
    assert [(backup["whole"], backup["objects"], backup["left_out"]) for backup in backups] == [(True, 11, 1)] * 2
    (first, _), (today,) = (sorted((tmp_path / name).rglob("manifest.jsonl")) for name in ("backup", "today"))
    assert saved.returncode == 0, saved.stderr
    assert manifest_lines(today) == manifest_lines(first)


VARIABLE_KEYS = ("host", "name", "began_at", "finished_at", "modified_at", "sha256", "reason")


def manifest_lines(manifest: Path) -> list[str]:
    """Return the sorted lines in a manifest, without what differs between runs and without the words of reasons."""
    lines = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    base = "/".join(manifest.parts[-3:-1])
    for line in lines:
        line |= {key: "" for key in VARIABLE_KEYS if key in line}
        if "place" in line:
            line["place"] = line["place"].removeprefix(base)
    return sorted(map(json.dumps, lines))


def test_a_restore_that_version_0_1_2_began_is_resumed(
    homes: EmulatorProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    copy_backups(INVENTORY / "backup", tmp_path / "backup")
    request = RestoreRequest(newest_backup("backup", {}), existing="skip")
    identity = vars(request.checkpoint_identity(homes.url))
    digest = short_digest([f"{key}={value}" for key, value in identity.items()])[:8]
    checkpoint = tmp_path / f"restore-2030-11-05.{digest}.checkpoint"
    restored_checkpoint(INVENTORY / "restore_checkpoint.sql", checkpoint, homes.url)
    shutil.copy(INVENTORY / "restore_log.jsonl", f"{checkpoint}.log")

    done = run(tmp_path, homes, "inventory", "restore", "backup", "--skip-existing", "--resume", "--json")

    skipped = {user["user"]: user["skipped"] for user in json.loads(done.stdout)["users"]}
    assert [skipped[user] for user in USERS] == [8, 1], done.stderr
    assert "resuming after 8 directories" in done.stderr


@pytest.mark.parametrize(
    ("version", "made_at"),
    [(OLD, "2030-11-04T09:00:00.020000+00:00"), (NEWER, "2030-11-04T08:40:00+00:00")],
    ids=["0.1.0", "0.1.2"],
)
def test_an_archive_of_an_earlier_version_is_found(version: Path, made_at: str) -> None:
    (found,) = archives(version, course="94290", term="2030w")

    assert (found.made_at.isoformat(), found.facts.settled_up_to) == (made_at, DAY)


def test_course_files_of_version_0_1_2_are_read() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in (NEWER / "course").rglob("*.json")}
    course = parse_course(files.pop("course.json"), "course.json")
    totals = parse_settled(files.pop("settled.json"), "settled.json")
    entries = [parse_entry(text, name) for name, text in sorted(files.items())]

    assert sorted(course.groups) == ["group_01", "group_02", "group_03", "group_04"]
    assert (str(totals.up_to), totals.groups["group_01"].week) == (DAY, timedelta(milliseconds=11_398_000))
    assert [format_entry(entry) for entry in entries] == [text for _, text in sorted(files.items())]
    assert [str(entry) for entry in entries if isinstance(entry, Allowance)] == [
        "blocked: exam",
        "+ 60 minutes: project deadline",
        "blocked: away",
    ]
