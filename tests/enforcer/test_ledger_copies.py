"""A copy of the ledger counts if it is complete, and old ones are deleted only if enough good ones exist."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from enforcer.__main__ import main
from enforcer.ledger import queries
from enforcer.ledger.copies import KEPT, Copies, DamagedError, copy_ledger
from enforcer.ledger.database import Ledger, open_ledger

pytestmark = pytest.mark.waits

NOW = datetime(2026, 11, 1, 3, 40, tzinfo=UTC)
NIGHT = timedelta(days=1)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "uptimes.db"


@pytest.fixture
def ledger(place: Path) -> Iterator[Ledger]:
    with closing(open_ledger(str(place))) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copies"


def copied(place: Path, folder: Path, ledger: Ledger, night: int) -> Copies:
    """Change the ledger and copy it in the following night."""
    queries.write_note(ledger, "night", str(night))
    return copy_ledger(place, folder, now=NOW + night * NIGHT)


def nights(folder: Path) -> list[str]:
    """Return the content of each copy, in the order of the names."""
    found = []
    for path in sorted(folder.iterdir()):
        with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as copy:
            found.append(copy.execute("SELECT value FROM note WHERE name = 'night'").fetchone()[0])
    return found


def damage(path: Path) -> None:
    """Overwrite a page in the middle of the file."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)


def grow(ledger: Ledger) -> None:
    with ledger.atomic():
        for number in range(2000):
            queries.write_note(ledger, f"note {number}", "x" * 200)
    ledger.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def test_a_copy_is_a_single_complete_and_private_file(place: Path, folder: Path, ledger: Ledger) -> None:
    copies = copied(place, folder, ledger, 1)
    assert copies == Copies(folder / "uptimes-20261102T034000Z.db", True, (), ())
    assert nights(folder) == ["1"]
    assert stat.S_IMODE(copies.newest.stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [copies.newest.name]


def test_the_last_fourteen_copies_are_kept(place: Path, folder: Path, ledger: Ledger) -> None:
    for night in range(20):
        copied(place, folder, ledger, night)
    assert nights(folder) == [str(night) for night in range(20 - KEPT, 20)]


def test_no_copy_is_made_or_deleted_if_the_ledger_is_damaged(place: Path, folder: Path, ledger: Ledger) -> None:
    grow(ledger)
    for night in range(KEPT):
        copied(place, folder, ledger, night)
    ledger.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.close()
    damage(place)
    before = sorted(folder.iterdir())
    for night in range(20):
        with pytest.raises(DamagedError):
            copy_ledger(place, folder, now=NOW + (KEPT + night) * NIGHT)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("content", [b"", b"no database at all, and longer than a header of one" * 10])
def test_a_file_that_is_not_a_ledger_is_not_copied(place: Path, folder: Path, content: bytes) -> None:
    place.write_bytes(content)
    with pytest.raises(DamagedError):
        copy_ledger(place, folder, now=NOW)
    assert list(folder.iterdir()) == []


def test_a_damaged_copy_is_reported_and_not_counted(place: Path, folder: Path, ledger: Ledger) -> None:
    grow(ledger)
    first = copied(place, folder, ledger, 0)
    for night in range(1, KEPT):
        damage(copied(place, folder, ledger, night).newest)
    after = copied(place, folder, ledger, KEPT)
    assert (len(after.damaged), after.deleted) == (KEPT - 1, ())
    assert first.newest.exists()


@pytest.mark.parametrize("back", [timedelta(seconds=1), timedelta(days=400), 40 * 365 * NIGHT])
def test_no_newer_copy_is_deleted_after_the_clock_is_set_back(
    place: Path, folder: Path, ledger: Ledger, back: timedelta
) -> None:
    for night in range(KEPT):
        copied(place, folder, ledger, night)
    for number in range(3):
        queries.write_note(ledger, "night", f"after {number}")
        newest = copy_ledger(place, folder, now=NOW + KEPT * NIGHT - back).newest
        assert max(folder.iterdir()) == newest
    assert nights(folder) == [*[str(night) for night in range(3, KEPT)], "after 0", "after 1", "after 2"]


def test_no_copy_is_deleted_while_the_ledger_is_unchanged(place: Path, folder: Path, ledger: Ledger) -> None:
    for night in range(KEPT):
        copied(place, folder, ledger, night)
    newest = max(folder.iterdir())
    for night in range(KEPT, 2 * KEPT):
        assert copy_ledger(place, folder, now=NOW + night * NIGHT) == Copies(newest, False, (), ())
    assert len(nights(folder)) == KEPT


def test_the_last_copy_of_a_lost_ledger_stays(tmp_path: Path, place: Path, folder: Path, ledger: Ledger) -> None:
    for night in range(3):
        copied(place, folder, ledger, night)
    with closing(open_ledger(str(tmp_path / "new.db"))) as new:
        for night in range(3, 30):
            copied(tmp_path / "new.db", folder, new, night)
    assert nights(folder) == ["2", *[str(night) for night in range(30 - KEPT, 30)]]


def test_no_temporary_file_remains_if_the_disk_is_full(
    place: Path, folder: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(place, folder, ledger, 0)
    queries.write_note(ledger, "night", "1")
    before = sorted(folder.iterdir())

    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("enforcer.ledger.copies.move_into_place", full)
    with pytest.raises(OSError, match="No space left"):
        copy_ledger(place, folder, now=NOW + NIGHT)
    assert sorted(folder.iterdir()) == before


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, **more: str) -> tuple[int, str, str]:
    monkeypatch.chdir(tmp_path)
    environment = {"CLUSTER_UPTIMES_DB": place, **more}
    done = CliRunner(env=environment).invoke(main, ["backup-ledger", str(tmp_path / "copies")], obj=environment)
    return done.exit_code, done.stdout, done.stderr


def test_the_command_needs_only_the_ledger_setting(
    place: Path, folder: Path, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, said = run(tmp_path, monkeypatch, str(place), AZURE_EMAIL_ENDPOINT="x", DATABRICKS_MAX_UPTIME="abc")
    assert (status, said, [Path(out.strip())]) == (0, "", list(folder.iterdir()))
    assert run(tmp_path, monkeypatch, str(place)) == (0, out, "the ledger has not changed since that copy\n")


@pytest.mark.parametrize(
    ("name", "status", "sentence"),
    [
        ("nowhere.db", 2, "there is no ledger at nowhere.db; check CLUSTER_UPTIMES_DB."),
        ("postgresql://lab@db/uptimes", 2, "the ledger is in PostgreSQL; use pg_dump."),
        ("postgresq://lab:Tr0ub4dor@db/x", 2, "CLUSTER_UPTIMES_DB is invalid; expected a path, or postgresql://"),
        ("postgresql://lab:Tr0ub/4dor@db/x", 2, "CLUSTER_UPTIMES_DB is invalid; expected a path, or postgresql://"),
        ("damaged.db", 1, "the ledger damaged.db is damaged (file is not a database);"),
    ],
)
def test_the_command_reports_why_no_copy_was_made(
    name: str, status: int, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "damaged.db").write_bytes(b"no database at all" * 100)
    done = run(tmp_path, monkeypatch, name)
    assert (done[0], done[1]) == (status, "") and done[2].startswith(sentence)
    assert "Tr0ub" not in done[2] and "4dor" not in done[2]
    assert {path.name for path in tmp_path.iterdir()} <= {"damaged.db", "copies"}
