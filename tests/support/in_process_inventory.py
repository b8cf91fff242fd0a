"""Runs scans of an emulated workspace in the test's own process, without sockets and with injected faults."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from emulator.api.errors import ApiError
from in_process_workspace import InProcessWorkspace
from inventory.results.rows import Home, summarize_homes
from inventory.scan.checkpoint import Checkpoint, CheckpointIdentity
from inventory.scan.scan_work import FolderScan
from inventory.scan.visit import ScanProgress
from inventory.transport.limiter import Limiter
from inventory.transport.response import Response, TransportError
from inventory.tree.listing import SOURCES, Folder

Fault = Callable[[str, int], Response | TransportError | None]
"""Maps a path and the number of earlier requests for it to what happens instead of the response."""
IDENTITY = CheckpointIdentity(
    host="https://workspace", users="all", sources="dbfs and workspace", homes="users", files="none"
)


def refusal(status: int, code: str, message: str = "") -> Response:
    return Response(status, {"error_code": code, "message": message})


class InProcessScanApi:
    """The API that a scan uses, implemented by the emulator's handlers."""

    def __init__(self, workspace: InProcessWorkspace, fault: Fault = lambda path, earlier: None) -> None:
        self._workspace, self._fault = workspace, fault
        self._lock = threading.Lock()
        self.request_counts: dict[str, int] = {}

    def get(self, path: str, query: Mapping[str, str]) -> Response:
        place = f"{'dbfs:' if 'dbfs' in path else ''}{query['path']}"
        with self._lock:
            earlier = self.request_counts.get(place, 0)
            self.request_counts[place] = earlier + 1
            task_handler = self._fault(place, earlier)
            if isinstance(task_handler, TransportError):
                raise task_handler
            if task_handler:
                return task_handler
            try:
                return Response(200, self._workspace.call("GET", f"{path}?path={quote(query['path'])}"))
            except ApiError as error:
                return refusal(error.status, str(error.code), error.message)

    def close(self) -> None:
        """Do nothing: there is no connection."""


def create_notebook(workspace: InProcessWorkspace, path: str) -> None:
    content = base64.b64encode(b"print(1)").decode()
    body = {"path": path, "content": content, "format": "SOURCE", "language": "PYTHON"}
    workspace.call("POST", "/api/2.0/workspace/import", body)


def create_workspace_file(workspace: InProcessWorkspace, path: str, size: int) -> None:
    body = {"path": path, "content": base64.b64encode(b"x" * size).decode(), "format": "RAW"}
    workspace.call("POST", "/api/2.0/workspace/import", body)


def create_workspace_folder(workspace: InProcessWorkspace, path: str) -> None:
    workspace.call("POST", "/api/2.0/workspace/mkdirs", {"path": path})


def create_dbfs_file(workspace: InProcessWorkspace, path: str, size: int) -> None:
    body = {"path": path, "contents": base64.b64encode(b"x" * size).decode(), "overwrite": True}
    workspace.call("POST", "/api/2.0/dbfs/put", body)


def run_scan(api: Any, checkpoint: Checkpoint, **options: Any) -> tuple[list[Home], ScanProgress]:
    """Run a scan until nothing remains to be done; return the homes and the progress."""
    scan = FolderScan(
        api,
        checkpoint.remaining_folders(),
        checkpoint.store,
        limiters={source: Limiter(rate=5000) for source in SOURCES},
        stop=threading.Event(),
        jitter=lambda: 0.0,
        **({"workers": 3} | options),
    )
    assert scan.run()
    return summarize_homes(checkpoint.roots(), checkpoint.folder_rows()), scan.progress


def create_checkpoint(folder: Path, *users: str) -> Checkpoint:
    """Create the checkpoint for a scan of these users' homes."""
    roots = [Folder(user, source, f"/Users/{user}") for user in users for source in SOURCES]
    return Checkpoint.create(folder / "scan.checkpoint", IDENTITY, roots)
