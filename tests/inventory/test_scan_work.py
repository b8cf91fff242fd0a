"""Every folder is counted once, and folders that cannot be listed are reported."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_counts import exactly_examples
from in_process_inventory import (
    IDENTITY,
    InProcessScanApi,
    create_checkpoint,
    create_dbfs_file,
    create_notebook,
    create_workspace_file,
    create_workspace_folder,
    refusal,
    run_scan,
)
from in_process_workspace import InProcessWorkspace
from inventory.results.rows import summarize_homes
from inventory.scan.checkpoint import Checkpoint
from inventory.scan.scan_work import FolderScan
from inventory.scan.visit import ScanProgress
from inventory.transport.limiter import Limiter
from inventory.transport.response import Response, TransportError
from inventory.tree.listing import SOURCES, Folder
from inventory_trees import FAULTS, TRANSIENT_ERRORS, TREES, create_tree

DANA, CAROL = "dana@x.org", "carol@x.org"


@pytest.fixture
def workspace() -> InProcessWorkspace:
    """Dana has files in both file systems, Carol in the Workspace."""
    workspace = InProcessWorkspace()
    workspace.create_user(DANA)
    workspace.create_user(CAROL)
    create_workspace_folder(workspace, f"/Users/{DANA}/a/b")
    create_workspace_file(workspace, f"/Users/{DANA}/a/b/data.csv", 7)
    create_notebook(workspace, f"/Users/{DANA}/a/nb")
    create_dbfs_file(workspace, f"/Users/{DANA}/deep/er/f", 5)
    create_workspace_file(workspace, f"/Users/{CAROL}/mine", 3)
    return workspace


def figures(found):
    return [(home.user, home.file_count, home.total_size, home.status, home.file_source) for home in found]


ALL = [(CAROL, 1, 3, "success", "workspace"), (DANA, 3, 10_012, "success", "both")]


def test_both_file_systems_are_counted(workspace, tmp_path):
    found, _ = run_scan(InProcessScanApi(workspace), create_checkpoint(tmp_path, DANA, CAROL))
    assert figures(found) == ALL
    assert [(home.estimated, home.directories, home.largest_path) for home in found] == [
        (0, 1, f"/Users/{CAROL}/mine"),
        (1, 6, f"/Users/{DANA}/a/b/data.csv"),
    ]


def test_a_scan_with_one_worker_has_the_same_result(workspace, tmp_path):
    found, _ = run_scan(InProcessScanApi(workspace), create_checkpoint(tmp_path, DANA, CAROL), parallel=False)
    assert figures(found) == ALL


def test_a_user_without_homes_is_empty(workspace, tmp_path):
    found, _ = run_scan(InProcessScanApi(workspace), create_checkpoint(tmp_path, "nobody@x.org"))
    assert figures(found) == [("nobody@x.org", 0, 0, "empty", "none")]


def test_a_folder_with_access_denied_makes_a_home_partial(workspace, tmp_path):
    def fault(path, earlier):
        return refusal(403, "PERMISSION_DENIED", "not yours") if path.endswith("/a/b") else None

    found, _ = run_scan(InProcessScanApi(workspace, fault), create_checkpoint(tmp_path, DANA, CAROL))

    assert figures(found) == [ALL[0], (DANA, 2, 10_005, "partial", "both")]
    assert found[1].error == f"/Users/{DANA}/a/b: 403 PERMISSION_DENIED not yours"


def test_an_unusable_entry_makes_a_home_partial_without_retries(workspace, tmp_path):
    workspace.emulated.options.odd_entries = True
    checkpoint = create_checkpoint(tmp_path, DANA)

    found, _ = run_scan(InProcessScanApi(workspace), checkpoint)

    assert figures(found) == [(DANA, 3, 10_012, "partial", "both")]
    assert found[0].error == (
        f"/Users/{DANA}: /Users/{DANA}/ cannot be read: its name is empty, so no request can address it"
        " (and 3 more of its entries) (and 1 more)"
    )
    assert [folder.path for folder in iter(checkpoint.remaining_folders().next_folder, None)] == [
        f"/Users/{DANA}/ghost"
    ]


def test_an_error_with_status_200_is_not_an_empty_folder(workspace, tmp_path):
    def fault(path, earlier):
        return Response(200, {"error_code": "PERMISSION_DENIED", "message": "no"}) if path.endswith("/a/b") else None

    found, _ = run_scan(InProcessScanApi(workspace, fault), create_checkpoint(tmp_path, DANA))

    assert figures(found) == [(DANA, 2, 10_005, "partial", "both")]
    assert found[0].error == f"/Users/{DANA}/a/b: 200 PERMISSION_DENIED no"


def test_a_home_that_no_request_can_address_is_an_error_without_requests(workspace, tmp_path):
    nowhere = Folder("a/b", "workspace", "/Users//a/b")
    checkpoint = Checkpoint.create(tmp_path / "c", IDENTITY, [], [(nowhere, "its name has a slash")])

    found, progress = run_scan(InProcessScanApi(workspace), checkpoint)

    assert figures(found) == [("a/b", 0, 0, "error", "none")]
    assert (progress.visits, found[0].error, checkpoint.unlistable_homes()) == (
        0,
        "/Users//a/b: its name has a slash",
        [(nowhere, "its name has a slash")],
    )


def test_a_home_with_access_denied_is_an_error_and_not_empty(workspace, tmp_path):
    def fault(path, earlier):
        return refusal(403, "PERMISSION_DENIED", "no") if CAROL in path and "dbfs" not in path else None

    found, _ = run_scan(InProcessScanApi(workspace, fault), create_checkpoint(tmp_path, DANA, CAROL))
    assert figures(found) == [(CAROL, 0, 0, "error", "none"), ALL[1]]


def test_a_404_without_the_api_s_code_is_not_a_missing_home(workspace, tmp_path):
    found, _ = run_scan(
        InProcessScanApi(workspace, lambda path, earlier: Response(404, {"message": "<html>"})),
        create_checkpoint(tmp_path, DANA),
    )
    assert figures(found) == [(DANA, 0, 0, "error", "none")]


def test_a_folder_deleted_during_the_scan_makes_a_home_partial(workspace, tmp_path):
    def fault(path, earlier):
        if path == f"/Users/{DANA}/a":
            workspace.call("POST", "/api/2.0/workspace/delete", {"path": f"/Users/{DANA}/a/b", "recursive": True})
            create_workspace_folder(workspace, f"/Users/{DANA}/a/b")
        return refusal(404, "RESOURCE_DOES_NOT_EXIST", "gone") if path.endswith("/a/b") else None

    found, _ = run_scan(InProcessScanApi(workspace, fault), create_checkpoint(tmp_path, DANA))
    assert figures(found) == [(DANA, 2, 10_005, "partial", "both")]


def test_a_request_without_a_response_fails_after_six_tries(workspace, tmp_path):
    api = InProcessScanApi(
        workspace, lambda path, earlier: TransportError("no response for 60 seconds") if path.endswith("/a") else None
    )

    found, progress = run_scan(api, create_checkpoint(tmp_path, DANA))

    assert found[0].error == f"/Users/{DANA}/a: no response for 60 seconds, 6 times"
    assert (api.request_counts[f"/Users/{DANA}/a"], found[0].retries, progress.failures) == (6, 5, 1)


def test_no_request_is_sent_after_a_credential_expires(workspace, tmp_path):
    def fault(path, earlier):
        return refusal(401, "UNAUTHENTICATED", "expired") if path.endswith("/a") else None

    api = InProcessScanApi(workspace, fault)
    found, _ = run_scan(api, create_checkpoint(tmp_path, DANA), workers=1)

    assert found[0].status == "partial"
    assert "401 UNAUTHENTICATED expired" in found[0].error
    assert f"/Users/{DANA}/a/b" not in api.request_counts


def test_a_resumed_scan_retries_only_failed_folders(workspace, tmp_path):
    checkpoint = create_checkpoint(tmp_path, DANA, CAROL)
    run_scan(
        InProcessScanApi(workspace, lambda path, earlier: refusal(403, "NO") if path.endswith("/a") else None),
        checkpoint,
    )
    api = InProcessScanApi(workspace)

    found, _ = run_scan(api, checkpoint)

    assert figures(found) == ALL
    assert sorted(api.request_counts) == [f"/Users/{DANA}/a", f"/Users/{DANA}/a/b"]


def test_a_draining_scan_only_finishes_started_folders(workspace, tmp_path):
    checkpoint, limits = create_checkpoint(tmp_path, DANA, CAROL), {source: Limiter(rate=5000) for source in SOURCES}
    api = InProcessScanApi(workspace, lambda path, earlier: refusal(503, "BUSY") if earlier < 2 else None)
    seen = ScanProgress()
    part = FolderScan(
        api,
        checkpoint.remaining_folders(),
        checkpoint.store,
        limiters=limits,
        workers=1,
        stop=threading.Event(),
        jitter=lambda: 0.0,
        should_drain=lambda: bool(seen.requests),
        progress=seen,
    )
    assert not part.run()
    begun_folders = dict(api.request_counts)
    assert (0 < seen.visits == len(begun_folders) < 8, set(begun_folders.values())) == (True, {3})

    found, _ = run_scan(InProcessScanApi(workspace), checkpoint)
    assert figures(found) == ALL


def test_an_entry_outside_the_folder_is_a_failure(workspace, tmp_path):
    def fault(path, earlier):
        entries = [{"path": f"/Users/{CAROL}", "object_type": "DIRECTORY"}]
        return Response(200, {"objects": entries}) if path.endswith("/a") else None

    found, _ = run_scan(InProcessScanApi(workspace, fault), create_checkpoint(tmp_path, DANA))
    assert (found[0].status, found[0].failures) == ("partial", 1)


@given(workspace_tree=TREES, dbfs=TREES, faults=FAULTS, workers=st.integers(1, 4), denied=st.integers(0, 12))
@exactly_examples(25)
def test_any_tree_is_counted_except_for_subtrees_with_access_denied(workspace_tree, dbfs, faults, workers, denied):
    workspace = InProcessWorkspace()
    workspace.create_user(DANA)
    home = f"/Users/{DANA}"
    files = {f"{home}/{path}": size for path, size in create_tree(workspace, home, workspace_tree, dbfs=False).items()}
    files |= {f"dbfs:{home}/{path}": size for path, size in create_tree(workspace, home, dbfs, dbfs=True).items()}
    folders = sorted({path.rpartition("/")[0] for path in files if path.count("/") > 3})
    never = folders[denied] if denied < len(folders) else None
    order: dict[str, int] = {}

    def fault(path, earlier):
        if path == never:
            return refusal(403, "PERMISSION_DENIED", "no")
        planned = faults.get(order.setdefault(path, len(order)), [])
        return TRANSIENT_ERRORS[planned[earlier]] if earlier < len(planned) else None

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = create_checkpoint(Path(folder), DANA)
        found, _ = run_scan(InProcessScanApi(workspace, fault), checkpoint, workers=workers)
        again, _ = run_scan(InProcessScanApi(workspace), checkpoint)
        assert summarize_homes(checkpoint.roots(), checkpoint.folder_rows()) == again
        checkpoint.close()

    def counted(of):
        sizes = [10_000 if size == "NOTEBOOK" and not path.startswith("dbfs:") else size for path, size in of.items()]
        return len(sizes), sum(9 if size == "NOTEBOOK" else size for size in sizes)

    seen = {path: size for path, size in files.items() if never is None or not path.startswith(never + "/")}
    assert (found[0].file_count, found[0].total_size) == counted(seen)
    assert found[0].status == ("partial" if never else "success" if files else "empty")
    assert (again[0].file_count, again[0].total_size) == counted(files)
    assert again[0].status == ("success" if files else "empty")
