"""Verify reports every change in a backup and in the workspace."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_counts import exactly_examples
from in_process_backup import FAST_RATE, NOW, BackupWorkspace, run_backup, run_restore
from inventory.backup.backup_index import Backup, BackupError, list_backups, newest_backup, newest_complete_backup
from inventory.backup.manifest import end_line, manifest_end
from inventory.backup.manifest_index import ManifestIndex
from inventory.backup.target import TargetError
from inventory.backup.verify import VerifyFinding, compare_with_workspace, verify_backup
from inventory.restore.run import RestoreRequest, prepare_restore, preview_restore
from inventory.scan.homes import NothingToScan
from inventory.scan.run import ScanRequest, prepare_scan

pytestmark = pytest.mark.waits

DANA = "dana@x.org"
HOME = f"/Users/{DANA}"
BASE = "lab.example/2026-11-27"


@pytest.fixture
def lab() -> BackupWorkspace:
    lab = BackupWorkspace()
    lab.user(DANA)
    lab.put(f"{HOME}/a", b"the first")
    lab.put(f"{HOME}/sub/b", b"the second")
    lab.put(f"{HOME}/nb", b"x", format="SOURCE", language="SQL")
    lab.folder(f"{HOME}/empty")
    lab.clone(f"{HOME}/project", "https://github.com/x/project.git")
    lab.put_dbfs(f"{HOME}/c", b"the third")
    return lab


@pytest.fixture
def saved(lab, tmp_path) -> Path:
    """The folder of the saved backup."""
    run_backup(lab, tmp_path, DANA)
    return tmp_path / BASE


def findings(saved: Path) -> list[VerifyFinding]:
    backup = newest_backup(str(saved.parents[1]), {})
    return sorted(verify_backup(backup, *backup.read_manifest()))


def test_an_unchanged_backup_has_no_findings(saved):
    assert findings(saved) == []


def test_a_flipped_bit_is_reported(saved):
    path = saved / DANA / "workspace/a"
    path.write_bytes(b"the fIrst")
    assert findings(saved) == [
        VerifyFinding("corrupt", f"{BASE}/{DANA}/workspace/a", f"{HOME}/a: its checksum is wrong")
    ]


def test_a_truncated_file_is_reported(saved):
    (saved / DANA / "dbfs/c").write_bytes(b"the")
    assert findings(saved) == [
        VerifyFinding("corrupt", f"{BASE}/{DANA}/dbfs/c", f"dbfs:{HOME}/c: it has 3 bytes instead of 9")
    ]


def test_removed_and_added_files_are_reported(saved):
    (saved / DANA / "workspace/nb.sql").unlink()
    (saved / DANA / "workspace/empty").rmdir()
    (saved / DANA / "workspace/project%git.json").write_text("{}")
    (saved / DANA / "workspace/sub/more").write_text("x")
    assert findings(saved) == [
        VerifyFinding("added", f"{BASE}/{DANA}/workspace/sub/more", "it is not in the manifest"),
        VerifyFinding(
            "corrupt", f"{BASE}/{DANA}/workspace/project%git.json", f"{HOME}/project: it has 2 bytes instead of 148"
        ),
        VerifyFinding("missing", f"{BASE}/{DANA}/workspace/empty", f"the folder of {HOME}/empty"),
        VerifyFinding("missing", f"{BASE}/{DANA}/workspace/nb.sql", f"{HOME}/nb"),
    ]


def test_a_truncated_manifest_is_reported(saved):
    path = saved / "manifest.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    assert findings(saved) == [VerifyFinding("corrupt", f"{BASE}/manifest.jsonl", "line 11 is truncated")]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:5]))
    assert VerifyFinding(
        "corrupt", f"{BASE}/manifest.jsonl", "its last line is missing: it is truncated, or the backup was not finished"
    ) in findings(saved)


def test_a_removed_line_is_reported(saved):
    path = saved / "manifest.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4] + lines[5:]))
    assert [finding.detail for finding in findings(saved) if finding.what == f"{BASE}/manifest.jsonl"] == [
        "line 10 does not match the lines before it: the manifest was modified"
    ]


def test_a_corrupt_file_is_not_restored(lab, saved, monkeypatch, tmp_path):
    (saved / DANA / "workspace/a").write_bytes(b"the fIrst")
    monkeypatch.chdir(tmp_path)
    there = BackupWorkspace(host="https://other.example")
    there.user(DANA)
    outcome = run_restore(there, tmp_path)
    assert outcome.failures == [(f"{HOME}/a", f"{BASE}/{DANA}/workspace/a differs from what was saved")]
    assert f"{HOME}/a" not in there.tree(HOME)


def test_changes_in_the_workspace_since_the_backup_are_reported(lab, saved):
    lab.workspace.clock.advance(5)
    lab.put(f"{HOME}/a", b"the other")
    lab.put(f"{HOME}/later/d", b"new")
    lab.request("POST", "/api/2.0/dbfs/delete", {"path": f"{HOME}/c"})
    backup = newest_backup(str(saved.parents[1]), {})
    entries, _ = backup.read_manifest()

    found = sorted(compare_with_workspace(lab, backup, entries, threading.Event()))

    assert found == [
        VerifyFinding("changed", f"{HOME}/a", "it was changed since the backup"),
        VerifyFinding("gone", f"dbfs:{HOME}/c", "it was deleted since the backup"),
        VerifyFinding("missing", f"{HOME}/later", "a folder that was created since the backup"),
        VerifyFinding("missing", f"{HOME}/later/d", "it was created since the backup"),
    ]
    assert [finding.is_fault for finding in found] == [True, False, True, True]


def test_objects_in_a_deleted_earlier_backup_are_missing(lab, saved):
    later = run_backup(lab, saved.parents[1], DANA, since=f"{saved}/manifest.jsonl")
    assert list(verify_backup(later.backup, *later.backup.read_manifest())) == []
    shutil.rmtree(saved / DANA)
    assert {finding.kind for finding in verify_backup(later.backup, *later.backup.read_manifest())} == {"missing"}


def test_backups_are_listed_by_host_and_age(lab, saved, tmp_path):
    for _ in range(10):
        run_backup(lab, tmp_path, DANA)
    names = [backup.base for backup in list_backups(str(tmp_path), {})]
    assert names == [BASE, *(f"{BASE}.{number}" for number in range(2, 12))]
    assert [backup.base for backup in list_backups(str(saved), {})] == [BASE]
    with pytest.raises(BackupError, match="there is no backup in"):
        list_backups(str(saved / DANA), {})


def test_the_newest_finished_backup_is_restored(lab, saved, tmp_path):
    later = run_backup(lab, tmp_path, DANA).backup
    cut(tmp_path / later.manifest_path)

    backup, entries, reading, unfinished = newest_complete_backup(str(tmp_path), {})
    assert (backup.base, reading.is_complete, [each.base for each in unfinished]) == (BASE, True, [later.base])
    assert entries.get("workspace", f"{HOME}/a")

    named, _, reading, unfinished = newest_complete_backup(later.address, {})
    assert (named.base, reading.is_complete, unfinished) == (later.base, False, [])

    cut(saved / "manifest.jsonl")
    with pytest.raises(BackupError, match=rf"no backup in .* is finished: .*/{later.base} is incomplete"):
        newest_complete_backup(str(tmp_path), {})


def cut(manifest: Path) -> None:
    """Remove the last line of the manifest, as in an unfinished backup."""
    manifest.write_bytes(b"".join(manifest.read_bytes().splitlines(keepends=True)[:-1]))


@pytest.mark.parametrize("what", ["link", "pipe", "folder", "link above"])
def test_only_regular_files_inside_the_backup_are_read(lab, saved, tmp_path, monkeypatch, what):
    secret = tmp_path.parent / f"{tmp_path.name} outside"
    secret.mkdir()
    (secret / "a").write_bytes(b"the first")
    place = saved / DANA / "workspace"
    if what == "link above":
        shutil.move(place, tmp_path / "moved")
        place.symlink_to(secret)
    else:
        (place / "a").unlink()
        {
            "link": lambda: (place / "a").symlink_to(secret / "a"),
            "pipe": lambda: os.mkfifo(place / "a"),
            "folder": lambda: (place / "a").mkdir(),
        }[what]()

    found = [(finding.kind, finding.what) for finding in findings(saved)]
    monkeypatch.chdir(tmp_path)
    there = BackupWorkspace(host="https://other.example")
    there.user(DANA)
    failures = dict(run_restore(there, tmp_path).failures)

    assert ("corrupt", f"{BASE}/{DANA}/workspace/a") in found
    assert "is not read" in failures[f"{HOME}/a"]
    assert f"{HOME}/a" not in there.tree(HOME)


ODD = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 2**70, 1e300, "", "/", "\ud800", "..", "/Users/x/../y", "a\0b", "dbfs", "failed", "REPO"])
    | st.lists(st.sampled_from([1, "x", None, "\ud800"]), max_size=2)
    | st.dictionaries(st.sampled_from(["url", "users", "\ud800"]), st.sampled_from([1, None, "x"]), max_size=2)
)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> tuple[BackupWorkspace, Path]:
    lab = BackupWorkspace()
    lab.user(DANA)
    lab.put(f"{HOME}/sub/a", b"the first")
    lab.put(f"{HOME}/nb", b"x", format="SOURCE", language="SQL")
    lab.clone(f"{HOME}/project", "https://github.com/x/project.git")
    folder = tmp_path_factory.mktemp("pristine")
    run_backup(lab, folder, DANA)
    return lab, folder


@exactly_examples(40, acceptance=2000)
@given(st.data())
def test_a_manipulated_manifest_causes_no_traceback(pristine, data):
    lab, folder = pristine
    lines = (folder / BASE / "manifest.jsonl").read_bytes().splitlines(keepends=True)[:-1]
    documents = [json.loads(line) for line in lines]
    for _ in range(data.draw(st.integers(1, 2))):
        changed = data.draw(st.sampled_from(documents))
        changed[data.draw(st.sampled_from(sorted(changed)) | st.sampled_from(["git", "asked", "x"]))] = data.draw(ODD)
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(folder, place, dirs_exist_ok=True)
        write_sealed(Path(place) / BASE / "manifest.jsonl", documents)
        with contextlib.chdir(place), contextlib.suppress(BackupError, TargetError, NothingToScan):
            backup, entries, reading, _ = newest_complete_backup(place, {})
            list(verify_backup(backup, entries, reading))
            compare_with_workspace(lab, backup, entries, threading.Event())
            there = BackupWorkspace(host="https://other.example")
            there.user(DANA)
            before = set(there.tree("/Users"))
            restore(there, backup, entries)
            created = set(there.tree("/Users")) - before
            assert {path for path in created if not path.removeprefix("dbfs:").startswith(HOME)} == set()


def test_a_preview_reports_a_home_that_is_not_its_users(pristine):
    lab, folder = pristine
    lines = (folder / BASE / "manifest.jsonl").read_bytes().splitlines(keepends=True)[:-1]
    documents = [json.loads(line) for line in lines]
    (home,) = (each for each in documents if each.get("path") == HOME)
    home["path"] = "/Users/x/../y"
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(folder, place, dirs_exist_ok=True)
        write_sealed(Path(place) / BASE / "manifest.jsonl", documents)
        backup, entries, _, _ = newest_complete_backup(place, {})
        preview = preview_restore(lab, RestoreRequest(backup), entries, threading.Event())
    assert ("/Users/x/../y", f"its path is not in {HOME}") in preview.failures


def restore(there: Any, backup: Backup, entries: ManifestIndex) -> None:
    """Preview and restore."""
    request = RestoreRequest(backup)
    preview_restore(there, request, entries, threading.Event())
    with prepare_restore(there, request, entries, resume=False, now=NOW) as run:
        run.restore(threading.Event(), pacing=FAST_RATE)


def write_sealed(path: Path, documents: list[dict[str, Any]]) -> None:
    digest, content = hashlib.sha256(), b""
    for document in documents:
        line = json.dumps(document).encode() + b"\n"
        digest.update(line)
        content += line
    path.write_bytes(content + end_line(manifest_end(digest, "2026-11-27T07:00:00Z", len(documents), 0)))


COURSE = "/lab-94290-2026w"


def seed_course(lab: BackupWorkspace, text: str) -> None:
    """Write what a lab has in its course's folder: a page, a time request, an allowance and the course file."""
    page = json.dumps({"cells": [{"cell_type": "markdown", "metadata": {}, "source": [text]}], "metadata": {}})
    lab.put(f"{COURSE}/groups/group_01/cluster_time", page.encode(), format="JUPYTER")
    lab.put(f"{COURSE}/requests/group_01.txt", text.encode())


def compare(lab: BackupWorkspace, folder: Path) -> list[VerifyFinding]:
    backup = newest_backup(str(folder), {})
    return compare_with_workspace(lab, backup, backup.read_manifest()[0], threading.Event())  # type: ignore[arg-type]


def test_a_backup_with_shared_folders_has_the_courses_folder(lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("/lab-other", "/laboratory-1-2/x", "/lab-7-2027s/requests"):
        lab.folder(path)
    lab.put(f"{COURSE}/course.json", b"{}")
    lab.put(f"{COURSE}/allowances/1.json", b"{}")
    seed_course(lab, "60 minutes")
    run_backup(lab, tmp_path / "saved", shared=True, all_homes=True)
    index, _ = newest_backup(str(tmp_path / "saved"), {}).read_manifest()

    assert {entry.user for entry in index.all_entries() if "lab-" in entry.path} == {COURSE, "/lab-7-2027s"}
    assert (findings(tmp_path / "saved" / BASE), compare(lab, tmp_path / "saved")) == ([], [])

    before = lab.tree(COURSE)
    lab.request("POST", "/api/2.0/workspace/delete", {"path": COURSE, "recursive": True})
    assert (run_restore(lab, tmp_path / "saved", COURSE).failures, lab.tree(COURSE)) == ([], before)


def test_a_scan_counts_the_courses_folder_apart_from_users(lab, tmp_path):
    seed_course(lab, "60 minutes")
    request = ScanRequest(tmp_path / "inventory.csv", all_homes=True, shared=True, parallel=False)
    run = prepare_scan(lab, request, resume=False, fresh=False, now=NOW)
    with run:
        homes = run.scan(threading.Event(), lambda progress: None).homes
    without = prepare_scan(
        lab,
        ScanRequest(tmp_path / "users.csv", all_homes=True),
        resume=False,
        fresh=True,
        now=NOW,
    )

    assert {home.user: home.file_count for home in homes if home.file_count} == {COURSE: 2, DANA: 4}
    assert COURSE not in {root.user for root in without.roots}


def test_a_page_that_was_written_again_is_no_fault(lab, tmp_path):
    seed_course(lab, "60 minutes")
    run_backup(lab, tmp_path / "saved", shared=True)
    seed_course(lab, "90 minutes, and more")

    assert sorted(one for one in compare(lab, tmp_path / "saved")) == [
        VerifyFinding("changed", f"{COURSE}/requests/group_01.txt", "it was changed since the backup"),
        VerifyFinding(
            "rewritten", f"{COURSE}/groups/group_01/cluster_time", "a group's page, written again since the backup"
        ),
    ]
    assert [one.is_fault for one in sorted(compare(lab, tmp_path / "saved"))] == [True, False]
