"""Old files that contain people's names are deleted; totals and files of other programs are kept."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from in_process_backup import BackupWorkspace, run_backup
from inventory.__main__ import main
from inventory.output.file_formats import format_of
from inventory.results.rows import COLUMNS, FileRow
from inventory.scan.checkpoint import Checkpoint, CheckpointIdentity
from inventory.tree.listing import Folder
from labkit.csv_cells import write_rows
from labkit.files import atomic_text_file

DANA, CAROL = "dana@students.example", "carol@students.example"
OLD, DAY = datetime.datetime(2020, 12, 31, 12, 0).astimezone().timestamp(), "2021-01-01"
FOREIGN = {
    "notes.csv": "username,file_count\nnot ours,1\n",
    "page.html": "<!DOCTYPE html><title>Something else</title>",
    "data.json": '{"user": 1}\n',
    "inventory.txt": f"{DANA}\n",
}


def result(path: Path) -> None:
    rows = [
        (DANA, 3, 300, "0.0", "success", "both", ""),
        (CAROL, 0, 0, "0.0", "partial", "none", f"/Users/{CAROL}: no"),
    ]
    with atomic_text_file(path) as file:
        write_rows(file, [COLUMNS, *rows])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with old files: each kind that a scan writes, and files of other programs."""
    monkeypatch.chdir(tmp_path)
    result(tmp_path / "inventory.csv")
    (tmp_path / "users.csv").write_text(f"username,display_name,active\r\n{DANA},Dana,true\r\n")
    row = FileRow(DANA, "dbfs", f"/Users/{DANA}/f", "FILE", "", 1, False, 1)
    for ending in ("csv", "jsonl", "parquet"):
        path = tmp_path / f"files.{ending}"
        format_of(path).write_part(tmp_path / f"part.{ending}", [row])
        format_of(path).join([tmp_path / f"part.{ending}"], path)
        (tmp_path / f"part.{ending}").unlink()
    (tmp_path / "inventory.html").write_text(f'<!DOCTYPE html>\n<html lang="en">\n<title>Files of x</title>{DANA}')
    identity = CheckpointIdentity(host="https://x", users="all", sources="dbfs", homes="users", files="none")
    checkpoint = Checkpoint.create(
        tmp_path / "inventory.csv.1234.checkpoint", identity, [Folder(DANA, "dbfs", "/Users")]
    )
    checkpoint.close()
    (tmp_path / "inventory.csv.1234.checkpoint.log").write_text(DANA)
    (tmp_path / "inventory.csv.1234.checkpoint.parts").mkdir()
    (tmp_path / "inventory.csv.1234.checkpoint.parts/1.csv").write_text(DANA)
    for name, text in FOREIGN.items():
        (tmp_path / name).write_text(text)
    for path in tmp_path.rglob("*"):
        os.utime(path, (OLD, OLD))
    return tmp_path


def delete_old_files(*arguments: str, answer: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["delete-old-files", *arguments], obj=dict(os.environ), input=answer)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_old_files_are_deleted_and_totals_are_kept(folder):
    status, output, _ = delete_old_files("--before", DAY, "--yes", "--json")

    assert (status, len(json.loads(output)["files"])) == (0, 7)
    assert sorted(os.listdir()) == sorted([*FOREIGN, "inventory-totals.csv"])
    totals = Path("inventory-totals.csv").read_text().splitlines()
    assert totals == [
        "result,changed,users,file_count,total_size,success,empty,partial,error",
        "inventory.csv,2020-12-31,2,3,300,1,0,1,0",
    ]
    kept = [path for path in folder.rglob("*") if path.name not in FOREIGN and b"students.example" in path.read_bytes()]
    assert kept == []


def test_newer_files_are_kept(folder):
    assert delete_old_files("--before", "2020-12-31", "--yes")[:2] == (0, "There is nothing to delete.\n")
    assert len(os.listdir()) == 13


def test_a_user_list_written_by_hand_is_deleted_only_if_its_path_is_given(folder):
    assert delete_old_files("inventory.txt", "--before", DAY, "--yes")[0] == 0
    assert not Path("inventory.txt").exists()
    assert delete_old_files("data.json", "--before", DAY, "--yes")[:2] == (0, "There is nothing to delete.\n")


def test_the_deletion_needs_a_typed_confirmation(folder):
    before = sorted(os.listdir())
    status, output, stderr = delete_old_files("--before", DAY, answer="yes\n")
    assert (status, "Nothing was deleted." in stderr, sorted(os.listdir())) == (1, True, before)
    assert delete_old_files("--before", DAY, "--dry-run")[0] == 0
    assert sorted(os.listdir()) == before
    assert delete_old_files("--before", DAY, answer=f"delete files before {DAY}\n")[0] == 0
    assert sorted(os.listdir()) == sorted([*FOREIGN, "inventory-totals.csv"])


def test_totals_are_added_once(folder):
    again = Path("inventory.csv").read_bytes()
    delete_old_files("--before", DAY, "--yes")
    Path("inventory.csv").write_bytes(again)
    os.utime("inventory.csv", (OLD, OLD))
    delete_old_files("--before", DAY, "--yes")
    assert len(Path("inventory-totals.csv").read_text().splitlines()) == 2


def test_expired_backups_are_listed_and_not_deleted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab = BackupWorkspace()
    lab.user(DANA)
    lab.put(f"/Users/{DANA}/a", b"1")
    first = run_backup(lab, tmp_path / "saved", DANA, retain_until="2020-01-01")
    run_backup(lab, tmp_path / "saved", DANA, retain_until="9999-01-01", since=f"{first.backup.address}/manifest.jsonl")

    status, output, _ = delete_old_files("--before", DAY, "--dry-run", "--backups", "saved")

    assert (status, output) == (
        0,
        "backup to delete by hand: saved/lab.example/2026-11-27, to be kept until 2020-01-01;"
        " lab.example/2026-11-27.2 need its unchanged objects\n",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--before", "soon"], '"soon" is not a date; use YYYY-MM-DD'),
        (["--before", "2999-01-01"], "is in the future"),
        (["--before", DAY, "--backups", "nowhere"], "there is no backup in nowhere"),
        ([], "Missing option '--before'"),
    ],
)
def test_invalid_options_are_rejected(folder, arguments, sentence):
    status, _, stderr = delete_old_files(*arguments)
    assert (status, sentence in stderr) == (2, True)
