"""A scan is resumed from its own checkpoint only."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sqlite3
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_counts import exactly_examples
from in_process_inventory import IDENTITY, create_checkpoint
from inventory.results.rows import summarize_homes
from inventory.scan.checkpoint import Checkpoint, CheckpointError, UnsupportedFormat
from inventory.scan.visit import Visit
from inventory.tree.listing import Failure, File, Folder, Listing

DANA = "dana@x.org"
HOME = Folder(DANA, "workspace", f"/Users/{DANA}")
DBFS = Folder(DANA, "dbfs", f"/Users/{DANA}")
BELOW = Folder(DANA, "workspace", f"/Users/{DANA}/a")


def remaining(checkpoint: Checkpoint) -> list[Folder]:
    walk = checkpoint.remaining_folders()
    return list(iter(walk.next_folder, None))


def test_folders_that_are_not_listed_yet_remain(tmp_path):
    checkpoint = create_checkpoint(tmp_path, DANA)
    assert remaining(checkpoint) == [DBFS, HOME]

    checkpoint.store([Visit(HOME, Listing((BELOW.path,))), Visit(DBFS, Failure(DBFS.path, "gone", missing=True))])

    assert remaining(checkpoint) == [BELOW]


def test_failed_folders_remain_and_their_cost_adds_up(tmp_path):
    checkpoint = create_checkpoint(tmp_path, DANA)
    checkpoint.store([Visit(HOME, Failure(HOME.path, "503"), requests=6, seconds=2.0)])
    assert HOME in remaining(checkpoint)

    checkpoint.store([Visit(HOME, Listing((), (File(f"{HOME.path}/f", "FILE", 4),)), requests=1, seconds=0.5)])

    assert remaining(checkpoint) == [DBFS]
    assert [(row.state, row.files, row.size, row.requests, row.seconds) for row in checkpoint.folder_rows()] == [
        ("listed", 1, 4, 7, 2.5)
    ]


def test_a_listed_folder_is_never_counted_again(tmp_path):
    checkpoint = create_checkpoint(tmp_path, DANA)
    file = File(f"{HOME.path}/f", "FILE", 4)
    for _ in range(2):
        checkpoint.store([Visit(HOME, Listing((), (file,)), requests=1)])
    assert [(row.files, row.size) for row in checkpoint.folder_rows()] == [(1, 4)]


def test_a_folder_that_disappeared_is_not_a_missing_home(tmp_path):
    checkpoint = create_checkpoint(tmp_path, DANA)
    checkpoint.store([Visit(BELOW, Failure(BELOW.path, "404", missing=True))])
    assert [row.state for row in checkpoint.folder_rows()] == ["failed"]


@pytest.mark.waits
def test_a_checkpoint_is_private_and_locked_by_one_scan(tmp_path):
    checkpoint = create_checkpoint(tmp_path, DANA)
    checkpoint.store([Visit(HOME, Listing())])

    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    with pytest.raises(CheckpointError, match="in use by another scan"):
        Checkpoint.resume(checkpoint.path, IDENTITY)


def test_a_different_scan_is_rejected_with_the_difference(tmp_path):
    create_checkpoint(tmp_path, DANA).close()
    other = dataclasses.replace(IDENTITY, host="https://elsewhere")
    with pytest.raises(CheckpointError, match="its host is 'https://workspace' instead of 'https://elsewhere'"):
        Checkpoint.resume(tmp_path / "scan.checkpoint", other)


def test_a_checkpoint_with_a_different_format_is_rejected(tmp_path):
    create_checkpoint(tmp_path, DANA).close()
    with sqlite3.connect(tmp_path / "scan.checkpoint") as connection:
        connection.execute("UPDATE about SET value = '0' WHERE name = 'format'")
    connection.close()
    with pytest.raises(UnsupportedFormat, match="a different version"):
        Checkpoint.resume(tmp_path / "scan.checkpoint", IDENTITY)


@pytest.mark.parametrize("content", [b"", b"username\n", os.urandom(5000)], ids=["nothing", "text", "noise"])
def test_a_file_of_another_program_is_rejected_and_not_changed(tmp_path, content):
    path = tmp_path / "mine"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        Checkpoint.resume(path, IDENTITY)
    assert path.read_bytes() == content


ODD = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=3) | st.binary(max_size=3) | st.floats()


@exactly_examples(60)
@given(st.sampled_from(["about", "root", "folder", "part"]), st.integers(0, 17), ODD, st.integers(0, 10**6))
def test_a_damaged_checkpoint_causes_no_traceback(table, column, value, position):
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = create_checkpoint(Path(folder), DANA)
        checkpoint.store([Visit(HOME, Listing((BELOW.path,), (File(f"{HOME.path}/f", "FILE", 1),)))], (1, 1))
        checkpoint.store([Visit(BELOW, Failure(BELOW.path, "no"))])
        checkpoint.close()
        path = Path(folder) / "scan.checkpoint"
        damage(path, table, column, value, position)
        try:
            checkpoint = Checkpoint.resume(path, IDENTITY)
        except CheckpointError:
            return
        try:
            remaining(checkpoint)
            rows = list(checkpoint.folder_rows())
            summarize_homes([*checkpoint.roots(), *(row.folder for row in rows)], rows)
            (checkpoint.folder_counts(), checkpoint.parts(), checkpoint.last_part(), checkpoint.unlistable_homes())
            checkpoint.store([Visit(BELOW, Listing())])
        except CheckpointError as error:
            assert "scan.checkpoint" in str(error)
        finally:
            checkpoint.close()


def damage(path: Path, table: str, column: int, value: object, position: int) -> None:
    """Change a value in a row, and then a byte of the file if the position is inside it."""
    with sqlite3.connect(path) as connection:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        with contextlib.suppress(sqlite3.IntegrityError):
            connection.execute(f"UPDATE OR REPLACE {table} SET {names[column % len(names)]} = ?", (value,))
    connection.close()
    content = bytearray(path.read_bytes())
    if position < len(content):
        content[position] ^= 0xFF
    path.write_bytes(content)
