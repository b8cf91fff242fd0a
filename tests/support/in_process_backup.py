"""Runs backups and restores of an emulated workspace in the test's own process, without sockets and with injected
faults.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from in_process_client import InProcessClient
from inventory.backup import run
from inventory.backup.backup_index import newest_backup
from inventory.backup.manifest import ManifestEntry
from inventory.backup.pools import RequestPacing
from inventory.restore import run as restore
from inventory.transport.request_body import NO_QUERY, RequestBody
from inventory.transport.response import Response, TransportError

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
FAST_RATE = RequestPacing(initial_rate=5000, jitter=lambda: 0.0)
TaskHandler = Response | TransportError | Callable[[], None] | None
Fault = Callable[[str, str, int], TaskHandler]
"""Maps method and URL, workspace path, and number of earlier such requests to what happens."""


class TreeEntry(NamedTuple):
    """An object at a path: type, language and content."""

    type: str
    language: str | None = None
    content: bytes | None = None


class BackupWorkspace(InProcessClient):
    """An emulated workspace, and the client through which the program uses it."""

    def __init__(self, fault: Fault = lambda request, path, earlier: None, host: str = "https://lab.example") -> None:
        super().__init__()
        self.host, self.fault = host, fault
        self.request_counts: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    # --- requests from the program

    def get(self, path: str, query: Mapping[str, str]) -> Response:
        return self._ask("GET", path, query)

    def download(self, path: str, query: Mapping[str, str], sink: Callable[[bytes], object]) -> Response:
        response = self._ask("GET", path, query)
        if response.status != 200:
            return response
        content = response.document if isinstance(response.document, bytes) else json.dumps(response.document).encode()
        half = len(content) // 2
        for piece in filter(None, (content[:half], content[half:])):
            sink(piece)
        return Response(200, None)

    def send(self, method: str, path: str, body: RequestBody, query: Mapping[str, str] = NO_QUERY) -> Response:
        sent = body.content if isinstance(body.content, bytes) else b"".join(body.content)
        assert len(sent) == body.length
        return self._ask(method, path, query, sent, {"content-type": body.content_type})

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _ask(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Response:
        with self._lock:
            key = (f"{method} {path}", query.get("path", ""))
            earlier = self.request_counts[key] = self.request_counts.get(key, -1) + 1
            task_handler = self.fault(*key, earlier)
            if isinstance(task_handler, TransportError):
                raise task_handler
            if isinstance(task_handler, Response):
                return task_handler
            if task_handler:
                task_handler()
            status, document = self.request(
                method, f"{path}?{urlencode(query, quote_via=quote)}", body, headers=headers
            )
            return Response(status, document)

    # --- actions by a student

    def folder(self, path: str) -> None:
        assert self.request("POST", "/api/2.0/workspace/mkdirs", {"path": path})[0] == 200

    def put(self, path: str, content: bytes, *, format: str = "RAW", language: str | None = None) -> None:
        self.folder(path.rpartition("/")[0])
        body = {"path": path, "content": base64.b64encode(content).decode(), "format": format, "overwrite": True}
        status, response = self.request(
            "POST", "/api/2.0/workspace/import", body | ({"language": language} if language else {})
        )
        assert status == 200, response

    def put_dbfs(self, path: str, content: bytes) -> None:
        body = {"path": path, "contents": base64.b64encode(content).decode(), "overwrite": True}
        assert self.request("POST", "/api/2.0/dbfs/put", body)[0] == 200

    def clone(self, path: str, url: str) -> None:
        self.folder(path.rpartition("/")[0])
        status, response = self.request("POST", "/api/2.0/repos", {"url": url, "provider": "gitHub", "path": path})
        assert status == 200, response

    def tree(self, *roots: str) -> dict[str, TreeEntry]:
        """Return everything below these folders, in both file systems; git folders count as folders."""
        found: dict[str, TreeEntry] = {}
        waiting = [(source, root) for root in roots for source in ("workspace", "dbfs")]
        while waiting:
            source, folder = waiting.pop()
            status, response = self.request("GET", f"/api/2.0/{source}/list?path={quote(folder)}")
            if status == 404:
                continue
            for entry in response.get("objects", response.get("files", [])):
                path = f"{'dbfs:' if source == 'dbfs' else ''}{entry['path']}"
                if entry.get("is_dir") or entry.get("object_type") in ("DIRECTORY", "REPO"):
                    found[path] = TreeEntry("FOLDER")
                    waiting.append((source, entry["path"]))
                else:
                    found[path] = self._object(source, entry)
        return found

    def _object(self, source: str, entry: dict[str, Any]) -> TreeEntry:
        path = quote(entry["path"])
        if source == "dbfs":
            response = self.request("GET", f"/api/2.0/dbfs/read?path={path}&offset=0&length=1048576")[1]
            return TreeEntry("FILE", None, base64.b64decode(response["data"]))
        url = f"/api/2.0/workspace/export?path={path}&direct_download=true&format="
        kind = entry["object_type"]
        content = self.request("GET", url + ("SOURCE" if kind == "NOTEBOOK" else "AUTO"))[1]
        return TreeEntry(kind, entry.get("language"), content if isinstance(content, bytes) else None)


def run_backup(
    lab: BackupWorkspace, folder: Path, *users: str, resume: bool = False, **fields: Any
) -> run.BackupResult:
    """Run a backup until it completes."""
    request = run.BackupRequest(output=str(folder), users=users, **fields)
    one = run.prepare_backup(lab, request, resume=resume, now=NOW, environ={})  # type: ignore[arg-type]
    outcome = one.save(threading.Event(), pacing=FAST_RATE)
    one.close(complete=outcome.complete and not outcome.failed)
    return outcome


def run_restore(
    lab: BackupWorkspace, folder: Path, *users: str, resume: bool = False, **fields: Any
) -> restore.RestoreResult:
    """Run a restore until it completes; its checkpoint is in the working directory."""
    backup = newest_backup(str(folder), {})
    index, _ = backup.read_manifest()
    request = restore.RestoreRequest(backup, users, **fields)
    one = restore.prepare_restore(lab, request, index, resume=resume, now=NOW)  # type: ignore[arg-type]
    with one:
        return one.restore(threading.Event(), pacing=FAST_RATE)


def recorded_entries(outcome: run.BackupResult) -> dict[str, ManifestEntry]:
    """Map path and format to the manifest's entries."""
    return {
        f"{'dbfs:' if entry.source == 'dbfs' else ''}{entry.path}{':' if entry.format else ''}{entry.format}": entry
        for entry in outcome.index.all_entries()
    }
