"""Homes are restored as they were saved, and objects that cannot be saved are reported."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_counts import exactly_examples
from in_process_backup import BackupWorkspace, TreeEntry, recorded_entries, run_backup, run_restore
from inventory.restore.run import UserCounts
from inventory.transport.response import Response, TransportError

pytestmark = pytest.mark.waits

DANA, CAROL = "dana@x.org", "carol@x.org"
HOME = f"/Users/{DANA}"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """Restores keep their checkpoints in the working directory."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def lab() -> BackupWorkspace:
    lab = BackupWorkspace()
    lab.user(DANA)
    lab.user(CAROL)
    return lab


def other() -> BackupWorkspace:
    """A workspace with the same users, but with different ids."""
    lab = BackupWorkspace(host="https://other.example")
    lab.user("somebody@x.org")
    lab.user(CAROL)
    lab.user(DANA)
    return lab


def seed_home(lab: BackupWorkspace) -> None:
    for language, text in (("PYTHON", b"print(1)"), ("SQL", b"select 1"), ("SCALA", b"val a = 1"), ("R", b"x <- 1")):
        lab.put(f"{HOME}/week 1/{language.title()}", text, format="SOURCE", language=language)
    notebook = (
        b'{"cells": [{"cell_type": "code", "source": ["1+1"]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 0}'
    )
    lab.put(f"{HOME}/from jupyter", notebook, format="JUPYTER")
    lab.put(f"{HOME}/as a file.ipynb", notebook)
    lab.put(f"{HOME}/sales.lvdash.json", b'{"pages": []}', format="AUTO")
    lab.put(f"{HOME}/module.py", b"# Databricks notebook source\nit stays a file")
    lab.put(f"{HOME}/module", b"a notebook", format="SOURCE", language="PYTHON")
    for name in (
        "README",
        "readme",
        "ReadMe",
        "מחברת",
        "🎓",
        "ends.",
        "con",
        "a|b?*",
        "%2F",
        "é",
        "é",
        "x" * 255,
        "nothing",
    ):
        lab.put(f"{HOME}/names/{name}", name.encode() if name != "nothing" else b"")
    lab.folder(f"{HOME}/empty/also empty")
    lab.clone(f"{HOME}/project", "https://github.com/x/project.git")
    lab.put(f"{HOME}/project/src/main.py", b"print('in a git folder')")
    lab.put_dbfs(f"{HOME}/data/part.csv", b"a,b\n" * 1000)
    lab.put_dbfs(f"{HOME}/data/PART.csv", b"")
    lab.put(f"/Users/{CAROL}/mine", b"of another one")


def test_a_home_is_restored_into_another_workspace(lab, tmp_path):
    seed_home(lab)
    there = other()

    saved = run_backup(lab, tmp_path / "saved", DANA, CAROL)
    restored = run_restore(there, tmp_path / "saved")

    before = lab.tree(HOME, f"/Users/{CAROL}")
    assert (saved.failed, restored.failures) == (0, [])
    assert there.tree(HOME, f"/Users/{CAROL}") == before
    assert restored.users[DANA].restored + restored.users[CAROL].restored == sum(
        found.type != "FOLDER" for found in before.values()
    )
    assert sorted(os.listdir()) == ["saved"]


def test_saved_files_are_readable_without_this_program(lab, tmp_path):
    seed_home(lab)
    run_backup(lab, tmp_path / "saved", DANA, formats=("source", "jupyter"))

    home = tmp_path / "saved/lab.example/2026-11-27" / DANA
    names = ["Python.ipynb", "Python.py", "R.ipynb", "R.r", "Scala.ipynb", "Scala.scala", "Sql.ipynb", "Sql.sql"]
    assert sorted(os.listdir(home / "workspace/week 1")) == names
    assert (home / "dbfs/data/%~2part.csv").read_bytes() == b"a,b\n" * 1000
    assert (home / "workspace/module.py").read_bytes() == b"# Databricks notebook source\nit stays a file"
    assert (home / "workspace/%~2module.py").read_bytes() == b"# Databricks notebook source\na notebook"
    assert (home / "workspace/empty/also empty").is_dir()
    assert '"url": "https://github.com/x/project.git"' in (home / "workspace/project%git.json").read_text()


NAMES = st.sampled_from(
    ["a", "A", "b c", "é", "con", "x.", "..a", "=1", "50%", "q?", "#", "nb.py", "nb", "ש", "%7E"]
) | st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)
CONTENTS = st.binary(max_size=30) | st.sampled_from(["PYTHON", "SQL", "SCALA", "R", "FOLDER"])
TREES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=4).map("/".join), CONTENTS, max_size=10)
PASSING = {
    "429": Response(429, {"error_code": "REQUEST_LIMIT_EXCEEDED"}),
    "500": Response(500, {"error_code": "INTERNAL_ERROR"}),
    "503": Response(503, {}, retry_after=0.0),
    "reset": TransportError("the connection was closed before the response"),
    "cut": TransportError("the response ends after 1 of 2 bytes"),
}
FAULTS = st.dictionaries(st.integers(0, 40), st.lists(st.sampled_from(sorted(PASSING)), max_size=5), max_size=15)


def plant(lab: BackupWorkspace, tree: dict[str, bytes | str], *, dbfs: bool) -> None:
    """Create a tree in the home, without files whose paths are needed for folders."""
    files: set[str] = set()
    for path, content in sorted(tree.items()):
        above = ["/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1)]
        if any(folder in files for folder in above) or any(file.startswith(f"{path}/") for file in tree):
            continue
        if content == "FOLDER" and not dbfs:
            lab.folder(f"{HOME}/{path}")
            continue
        files.add(path)
        if dbfs:
            lab.put_dbfs(f"{HOME}/{path}", content if isinstance(content, bytes) else content.encode())
        elif isinstance(content, str):
            lab.put(f"{HOME}/{path}", b"x", format="SOURCE", language=content)
        else:
            lab.put(f"{HOME}/{path}", content)


def passing(faults: dict[int, list[str]]):
    """Return faults that occur, in the planned order for each kind of request, before the normal response."""
    order: dict[tuple[str, str], int] = {}

    def fault(request: str, path: str, earlier: int):
        if "scim" in request or "repos" in request or "settings" in request or "get-status" in request:
            return None
        planned = faults.get(order.setdefault((request, path), len(order)), [])
        return PASSING[planned[earlier]] if earlier < len(planned) else None

    return fault


@given(workspace=TREES, dbfs=TREES, faults=FAULTS, more=FAULTS)
@exactly_examples(20)
def test_any_tree_is_restored_despite_temporary_faults(workspace, dbfs, faults, more):
    lab, there = BackupWorkspace(), other()
    lab.user(DANA)
    plant(lab, workspace, dbfs=False)
    plant(lab, dbfs, dbfs=True)
    before = lab.tree(HOME)
    lab.fault = passing(faults)
    there.fault = passing(more)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        saved = run_backup(lab, Path(folder) / "saved", DANA)
        restored = run_restore(there, Path(folder) / "saved")
        os.chdir("/")
    assert (saved.failed, restored.failures) == (0, [])
    assert there.tree(HOME) == before


def test_objects_that_cannot_be_exported_are_reported(lab, tmp_path):
    lab.put(f"{HOME}/kept", b"1")
    listing = lab.request("GET", f"/api/2.0/workspace/list?path={HOME}")[1]["objects"]
    kinds = ("LIBRARY", "MLFLOW_EXPERIMENT")
    listing += [{"path": f"{HOME}/{kind.lower()}", "object_type": kind, "object_id": 1} for kind in kinds]

    def fault(request, path, earlier):
        return Response(200, {"objects": listing}) if request.endswith("workspace/list") and path == HOME else None

    lab.fault = fault
    outcome = run_backup(lab, tmp_path / "saved", DANA)

    found = recorded_entries(outcome)
    assert outcome.failed == 0
    assert [(found[f"{HOME}/{kind.lower()}"].state, found[f"{HOME}/{kind.lower()}"].reason) for kind in kinds] == [
        ("left out", "the API cannot export a LIBRARY"),
        ("left out", "the API cannot export a MLFLOW_EXPERIMENT"),
    ]


def test_refused_objects_are_reported_and_saved_by_a_resumed_run(lab, tmp_path):
    lab.put(f"{HOME}/a", b"1")
    lab.put(f"{HOME}/sub/b", b"2")
    lab.put(f"{HOME}/closed/c", b"3")

    def fault(request, path, earlier):
        if path in (f"{HOME}/a", f"{HOME}/closed"):
            return Response(403, {"error_code": "PERMISSION_DENIED", "message": "not yours"})
        return None

    lab.fault = fault
    outcome = run_backup(lab, tmp_path / "saved", DANA)
    failed = {path: entry.reason for path, entry in recorded_entries(outcome).items() if entry.state == "failed"}
    reason = "403 PERMISSION_DENIED not yours"
    assert failed == {f"{HOME}/a": reason, f"{HOME}/closed": reason}

    lab.fault = lambda request, path, earlier: None
    lab.request_counts.clear()
    outcome = run_backup(lab, tmp_path / "saved", DANA, resume=True)
    assert (outcome.failed, {entry.state for entry in recorded_entries(outcome).values()}) == (0, {"saved"})
    exported = [path for request, path in lab.request_counts if request.endswith("workspace/export")]
    assert sorted(exported) == [f"{HOME}/a", f"{HOME}/closed/c"]
    assert sorted(os.listdir(tmp_path / "saved/lab.example")) == ["2026-11-27"]


def test_an_object_that_changes_during_its_download_is_read_again(lab, tmp_path):
    lab.put(f"{HOME}/a", b"first")

    def fault(request, path, earlier):
        if request.endswith("workspace/export") and earlier == 0:
            return lambda: (lab.workspace.clock.advance(1), lab.put(f"{HOME}/a", b"other"))
        return None

    lab.fault = fault
    outcome = run_backup(lab, tmp_path / "saved", DANA)

    assert outcome.failed == 0
    assert (tmp_path / "saved/lab.example/2026-11-27" / DANA / "workspace/a").read_bytes() == b"other"
    assert lab.request_counts["GET /api/2.0/workspace/export", f"{HOME}/a"] == 1


def test_an_object_that_keeps_changing_is_a_failure(lab, tmp_path):
    lab.put(f"{HOME}/log", b"first")

    def fault(request, path, earlier):
        if request.endswith("workspace/list") and path == HOME:
            return lambda: (lab.workspace.clock.advance(1), lab.put(f"{HOME}/log", b"x" * (earlier + 1)))
        return None

    lab.fault = fault
    entry = recorded_entries(run_backup(lab, tmp_path / "saved", DANA))[f"{HOME}/log"]
    assert (entry.state, entry.reason) == ("failed", "it changed while it was read, 4 times")


def test_a_download_whose_size_differs_from_the_listing_is_a_failure(lab, tmp_path):
    lab.put_dbfs(f"{HOME}/f", b"12345")
    lab.fault = lambda request, path, earlier: (
        Response(200, {"bytes_read": 0, "data": ""}) if request.endswith("dbfs/read") else None
    )
    entry = recorded_entries(run_backup(lab, tmp_path / "saved", DANA))[f"dbfs:{HOME}/f"]
    assert (entry.state, entry.reason) == ("failed", "0 bytes were received, but 5 were listed, 4 times")


def test_an_object_deleted_during_the_backup_is_not_a_failure(lab, tmp_path):
    lab.put(f"{HOME}/a", b"1")
    lab.put(f"{HOME}/sub/b", b"2")

    def fault(request, path, earlier):
        if request.endswith("workspace/export") and path == f"{HOME}/a":
            return lambda: lab.request("POST", "/api/2.0/workspace/delete", {"path": path})
        if request.endswith("workspace/list") and path == f"{HOME}/sub" and earlier == 0:
            return lambda: lab.request("POST", "/api/2.0/workspace/delete", {"path": path, "recursive": True})
        return None

    lab.fault = fault
    outcome = run_backup(lab, tmp_path / "saved", DANA)
    found = recorded_entries(outcome)
    assert (outcome.failed, f"{HOME}/a" in found) == (0, False)
    assert (found[f"{HOME}/sub"].state, found[f"{HOME}/sub"].reason) == (
        "left out",
        "it was deleted before it could be saved",
    )


def test_objects_remaining_when_a_credential_expires_are_failures(lab, tmp_path):
    for number in range(5):
        lab.put(f"{HOME}/{number}", b"1")
    exports = 0

    def fault(request, path, earlier):
        nonlocal exports
        exports += request.endswith("workspace/export")
        return Response(401, {"error_code": "UNAUTHENTICATED", "message": "expired"}) if exports > 2 else None

    lab.fault = fault
    outcome = run_backup(lab, tmp_path / "saved", DANA, sources=("workspace",))
    states = [entry.state for entry in recorded_entries(outcome).values()]
    assert (states.count("failed") > 0, len(states) >= 2) == (True, True)

    lab.fault = lambda request, path, earlier: None
    outcome = run_backup(lab, tmp_path / "saved", DANA, resume=True, sources=("workspace",))
    assert (outcome.failed, {entry.state for entry in recorded_entries(outcome).values()}) == (0, {"saved"})
    assert len(recorded_entries(outcome)) == 6


def test_a_missing_home_is_not_a_failure_after_a_resume(lab, tmp_path):
    lab.put(f"{HOME}/1", b"1")
    refused = Response(401, {"error_code": "UNAUTHENTICATED", "message": "expired"})

    lab.fault = lambda request, path, earlier: refused if "list" in request else None
    outcome = run_backup(lab, tmp_path / "saved", DANA)
    assert {path: entry.state for path, entry in recorded_entries(outcome).items()} == {
        HOME: "failed",
        f"dbfs:{HOME}": "failed",
    }

    lab.fault = lambda request, path, earlier: None
    outcome = run_backup(lab, tmp_path / "saved", DANA, resume=True)
    states = {path: (entry.state, entry.reason) for path, entry in recorded_entries(outcome).items()}
    assert (outcome.failed, states) == (
        0,
        {
            HOME: ("saved", ""),
            f"{HOME}/1": ("saved", ""),
            f"dbfs:{HOME}": ("left out", "there is no such folder"),
        },
    )


def test_a_later_backup_downloads_only_changes(lab, tmp_path):
    lab.put(f"{HOME}/same", b"1")
    lab.put(f"{HOME}/other", b"2")
    lab.put(f"{HOME}/nb", b"3", format="SOURCE", language="R")
    first = run_backup(lab, tmp_path / "saved", DANA)
    lab.workspace.clock.advance(5)
    lab.put(f"{HOME}/other", b"3")
    lab.request_counts.clear()

    second = run_backup(lab, tmp_path / "saved", DANA, since=f"{first.backup.address}/manifest.jsonl")

    exported = [path for request, path in lab.request_counts if request.endswith("workspace/export")]
    assert exported == [f"{HOME}/other"]
    assert {path: entry.state for path, entry in recorded_entries(second).items()} == {
        HOME: "saved", f"{HOME}/same": "earlier", f"{HOME}/other": "saved", f"{HOME}/nb:source": "earlier"
    }  # fmt: skip
    there = other()
    assert run_restore(there, tmp_path / "saved").failures == []
    assert there.tree(HOME) == lab.tree(HOME)


def test_files_above_the_size_limit_are_skipped(lab, tmp_path):
    lab.put(f"{HOME}/small", b"1")
    lab.put(f"{HOME}/large", b"1" * 100)
    found = recorded_entries(run_backup(lab, tmp_path / "saved", DANA, max_size=99))
    assert (found[f"{HOME}/small"].state, found[f"{HOME}/large"].reason) == (
        "saved", "its size is 100 B, more than --max-file-size"
    )  # fmt: skip


def test_existing_objects_are_kept_without_overwrite(lab, tmp_path):
    lab.put(f"{HOME}/a", b"saved")
    lab.put(f"{HOME}/b", b"saved")
    lab.put_dbfs(f"{HOME}/c", b"saved")
    run_backup(lab, tmp_path / "saved", DANA)
    there = other()
    there.put(f"{HOME}/a", b"theirs")
    there.put_dbfs(f"{HOME}/c", b"theirs")

    refused = run_restore(there, tmp_path / "saved")
    assert sorted(path for path, _ in refused.failures) == [f"{HOME}/a", f"dbfs:{HOME}/c"]
    assert there.tree(HOME)[f"{HOME}/a"] == TreeEntry("FILE", None, b"theirs")
    assert there.tree(HOME)[f"{HOME}/b"] == TreeEntry("FILE", None, b"saved")

    skipped = run_restore(there, tmp_path / "saved", existing="skip")
    assert (skipped.failures, skipped.users[DANA].skipped) == ([], 3)
    assert there.tree(HOME)[f"dbfs:{HOME}/c"] == TreeEntry("FILE", None, b"theirs")

    assert run_restore(there, tmp_path / "saved", existing="overwrite").failures == []
    assert there.tree(HOME) == lab.tree(HOME)


def test_a_resumed_restore_is_complete_after_a_home_was_refused(lab, tmp_path):
    lab.put(f"{HOME}/a", b"1")
    lab.put(f"{HOME}/sub/b", b"2")
    run_backup(lab, tmp_path / "saved", DANA)
    there = other()

    def fault(request, path, earlier):
        refused = path == HOME and not request.startswith("POST")
        return Response(403, {"error_code": "PERMISSION_DENIED", "message": "not yours"}) if refused else None

    there.fault = fault
    refused = run_restore(there, tmp_path / "saved")
    reason = "403 PERMISSION_DENIED not yours"
    assert refused.failures == [(HOME, reason), (f"{HOME}/a", reason)]

    there.fault = lambda request, path, earlier: None
    resumed = run_restore(there, tmp_path / "saved", resume=True)
    assert (resumed.failures, resumed.users) == ([], {DANA: UserCounts(restored=2, size=2)})
    assert there.tree(HOME) == lab.tree(HOME)
    assert sorted(os.listdir()) == ["saved"]


def test_users_are_restored_under_a_new_name_or_into_a_folder(lab, tmp_path):
    lab.put(f"{HOME}/a/b", b"1")
    lab.put_dbfs(f"{HOME}/c", b"2")
    run_backup(lab, tmp_path / "saved", DANA, shared=True)
    there = other()

    run_restore(there, tmp_path / "saved", new_usernames={DANA: "dana@new.org"})
    run_restore(there, tmp_path / "saved", DANA, into="/Shared/returned")

    assert set(there.tree("/Users/dana@new.org", "/Shared")) == {
        "/Users/dana@new.org/a", "/Users/dana@new.org/a/b", "dbfs:/Users/dana@new.org/c",
        "/Shared/returned", f"/Shared/returned/{DANA}", f"/Shared/returned/{DANA}/a", f"/Shared/returned/{DANA}/a/b",
        "dbfs:/Shared/returned", f"dbfs:/Shared/returned/{DANA}", f"dbfs:/Shared/returned/{DANA}/c",
    }  # fmt: skip


def test_git_folders_are_cloned_only_with_the_option(lab, tmp_path):
    lab.clone(f"{HOME}/project", "https://github.com/x/project.git")
    lab.put(f"{HOME}/project/notes.txt", b"1")
    lab.put(f"{HOME}/beside", b"2")
    number = lab.request("GET", "/api/2.0/repos?path_prefix=/Users")[1]["repos"][0]["id"]
    assert lab.request("PATCH", f"/api/2.0/repos/{number}", {"branch": "week-3"})[0] == 200
    run_backup(lab, tmp_path / "saved", DANA)
    there = other()

    assert run_restore(there, tmp_path / "saved", with_git=True).failures == []

    (repo,) = there.request("GET", "/api/2.0/repos?path_prefix=/Users")[1]["repos"]
    assert (repo["path"], repo["url"], repo["branch"]) == (
        f"{HOME}/project", "https://github.com/x/project.git", "week-3"
    )  # fmt: skip
    assert set(there.tree(HOME)) == {f"{HOME}/project", f"{HOME}/beside"}


def test_volumes_are_restored_to_their_paths(lab, tmp_path):
    volume = "/Volumes/main/course/data"
    for number in range(3):
        assert lab.request("PUT", f"/api/2.0/fs/files{volume}/deep/{number}", b"x" * number)[0] == 204
    run_backup(lab, tmp_path / "saved", DANA, volumes=(volume,))
    there = other()

    assert run_restore(there, tmp_path / "saved").failures == []

    listed = there.request("GET", f"/api/2.0/fs/directories{volume}/deep")[1]["contents"]
    assert {entry["name"]: entry["file_size"] for entry in listed} == {"0": 0, "1": 1, "2": 2}


def test_a_missing_volume_is_a_failure(lab, tmp_path):
    assert run_backup(lab, tmp_path / "saved", DANA, volumes=("/Volumes/a/b/c",)).failed == 1


ODD = {
    f"{HOME}/Read / write": "its name has a slash, so no request can address it",
    f"{HOME}/half \\ud83d": "its name has a lone surrogate, so no request can address it",
    f"{HOME}/": "its name is empty, so no request can address it",
    f"{HOME}/question": "it has the type QUERY, so its content is unknown",
}


def test_siblings_of_an_entry_that_no_request_can_address_are_saved(lab, tmp_path):
    lab.put(f"{HOME}/a.txt", b"aaa")
    lab.put(f"{HOME}/sub/c.txt", b"ccc")
    lab.workspace.options.odd_entries = True

    for resume in (False, True):
        found = recorded_entries(run_backup(lab, tmp_path, DANA, resume=resume))
        assert {path: entry.reason for path, entry in found.items() if entry.state == "failed"} == ODD | {
            f"{HOME}/ghost": "it is listed, but the API reports that it does not exist:"
            " 404 RESOURCE_DOES_NOT_EXIST Path (/Users/dana@x.org/ghost) doesn't exist."
        }
        assert {path for path, entry in found.items() if entry.has_content} == {f"{HOME}/a.txt", f"{HOME}/sub/c.txt"}

    lab.workspace.options.odd_entries = False
    found = recorded_entries(run_backup(lab, tmp_path, DANA, resume=True))
    assert [path for path, entry in found.items() if entry.state == "failed"] == []
    lab.workspace.options.odd_entries = True
    run_restore(lab, tmp_path, DANA, into="/Shared/back")
    assert sorted(lab.tree("/Shared/back")) == [
        f"/Shared/back/{DANA}",
        f"/Shared/back/{DANA}/a.txt",
        f"/Shared/back/{DANA}/ghost",
        f"/Shared/back/{DANA}/sub",
        f"/Shared/back/{DANA}/sub/c.txt",
    ]


REFUSAL = {"error_code": "MAX_NOTEBOOK_SIZE_EXCEEDED", "message": "Notebook size exceeded limit: 11190000 > 10485760"}


@pytest.mark.parametrize("form", ["source", "jupyter"])
def test_an_error_with_status_200_is_not_saved_as_content(lab, tmp_path, form):
    lab.put(f"{HOME}/nb", b"print(1)", format="SOURCE", language="PYTHON")
    lab.put(f"{HOME}/error.json", json.dumps(REFUSAL).encode())

    def fault(request, path, earlier):
        return Response(200, REFUSAL) if request.endswith("/export") and path.endswith("/nb") else None

    lab.fault = fault
    found = recorded_entries(run_backup(lab, tmp_path, DANA, formats=(form,)))

    assert found[f"{HOME}/nb:{form}"].reason.startswith("200 MAX_NOTEBOOK_SIZE_EXCEEDED Notebook size exceeded limit")
    assert found[f"{HOME}/error.json"].state == "saved"
    assert list(tmp_path.rglob("nb*")) == []


def test_a_file_too_large_for_an_export_is_read_as_a_file(lab, tmp_path):
    large = bytes(10_485_761)
    put_large(lab, f"{HOME}/large.bin", large)
    put_large(lab, f"{HOME}/at the limit.bin", large[1:])
    put_large(lab, f"{HOME}/large.lvdash.json", b"[" + b" " * 10_485_760 + b"]")

    outcome = run_backup(lab, tmp_path, DANA)

    assert {
        path: (entry.state, entry.size) for path, entry in recorded_entries(outcome).items() if not entry.is_folder
    } == {
        f"{HOME}/large.bin": ("saved", 10_485_761),
        f"{HOME}/at the limit.bin": ("saved", 10_485_760),
        f"{HOME}/large.lvdash.json": ("saved", 10_485_762),
    }
    run_restore(lab, tmp_path, DANA, into="/Shared/back")
    assert lab.request("GET", f"/api/2.0/workspace-files/Shared/back/{DANA}/large.bin")[1] == large


def put_large(lab: BackupWorkspace, path: str, content: bytes) -> None:
    assert lab.request("POST", f"/api/2.0/workspace-files/import-file{quote(path)}", content)[0] == 200


def test_the_source_is_saved_if_a_notebook_with_outputs_is_too_large(lab, tmp_path):
    outputs = json.dumps({"outputs": ["x" * 10_485_760]})
    cell = f'{{"cell_type": "code", "source": ["1+1"], "metadata": {outputs}}}'
    notebook = f'{{"cells": [{cell}], "metadata": {{}}, "nbformat": 4, "nbformat_minor": 0}}'
    put_large(lab, f"{HOME}/nb.ipynb", notebook.encode())

    found = recorded_entries(run_backup(lab, tmp_path, DANA, formats=("jupyter",)))

    assert (found[f"{HOME}/nb:jupyter"].state, found[f"{HOME}/nb:source"].state) == ("failed", "saved")
    assert "clear the notebook's outputs" in found[f"{HOME}/nb:jupyter"].reason


def test_a_home_is_found_ignoring_the_case_of_its_user(lab, tmp_path):
    lab.put("/Users/First.Last@x.org/a.txt", b"aaa")
    lab.user("first.last@x.org")
    lab.request("POST", "/api/2.0/workspace/delete", {"path": "/Users/first.last@x.org", "recursive": True})

    found = recorded_entries(run_backup(lab, tmp_path, "first.last@x.org"))
    assert found["/Users/First.Last@x.org/a.txt"].state == "saved"

    run_restore(lab, tmp_path, existing="overwrite")
    run_restore(lab, tmp_path, into="/Shared/back")
    assert "/Shared/back/first.last@x.org/a.txt" in lab.tree("/Shared/back")


def test_a_home_that_no_request_can_address_does_not_affect_others(lab, tmp_path):
    lab.put(f"{HOME}/a.txt", b"aaa")
    lab.user("a/b@x.org")
    lab.put("/Users/turned\u202e@x.org/a.txt", b"aaa")
    lab.user("turned\u202e@x.org")

    found = recorded_entries(run_backup(lab, tmp_path, sources=("workspace",)))

    assert {path: entry.reason for path, entry in found.items() if entry.state == "failed"} == {
        "/Users//a/b@x.org": "the user name has a slash, so no request can address the home"
    }
    assert {path for path, entry in found.items() if entry.has_content} == {
        f"{HOME}/a.txt",
        "/Users/turned\u202e@x.org/a.txt",
    }


def test_an_unknown_user_is_not_an_empty_home(lab, tmp_path):
    found = recorded_entries(run_backup(lab, tmp_path, "dnaa@x.org", CAROL))
    assert {path: entry.reason for path, entry in found.items() if entry.state == "failed"} == {
        "dbfs:/Users//dnaa@x.org": "the workspace has neither a user nor a home of this name"
    }
