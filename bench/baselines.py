"""Other common ways to list all users' files, as baselines for scans.

All methods list the same folders for the same users over keep-alive connections, and return the number of files found.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.workspace import ObjectType

PAUSE_SECONDS = 0.05
"""The legacy tool's pause between two requests; it grows by half after each refusal and is reset for each user."""
SPARK_WORKERS, UCX_THREADS = 8, 20
LIST_PATHS = {"dbfs": "/api/2.0/dbfs/list", "workspace": "/api/2.0/workspace/list"}


@dataclass(frozen=True)
class ListingTarget:
    """A workspace, and the users whose files are listed."""

    url: str
    token: str
    users: Sequence[str]

    def client(self) -> WorkspaceClient:
        client = WorkspaceClient(host=self.url, token=self.token, auth_type="pat")
        # The SDK keeps connections open only over TLS, which a real workspace always uses.
        client.api_client._api_client._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=100))
        return client


def sequential(target: ListingTarget) -> int:
    """List one user after another with one request at a time, by the legacy tool's rules."""
    return sum(_list_like_earlier_tool(target, user) for user in target.users)


def pool_of_users(target: ListingTarget) -> int:
    """List with eight workers, one user each, as the legacy tool's Spark mode did."""
    with ThreadPoolExecutor(SPARK_WORKERS) as pool:
        return sum(pool.map(lambda user: _list_like_earlier_tool(target, user), target.users))


def _list_like_earlier_tool(target: ListingTarget, user: str) -> int:
    pause, files = PAUSE_SECONDS, 0
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {target.token}"
        waiting = [(source, f"/Users/{user}") for source in LIST_PATHS]
        while waiting:
            source, path = waiting.pop()
            time.sleep(pause)
            answer = session.get(target.url + LIST_PATHS[source], params={"path": path}, timeout=60)
            if answer.status_code == 429:
                pause *= 1.5
                waiting.append((source, path))
            elif answer.status_code == 200:
                entries = answer.json().get("files" if source == "dbfs" else "objects", [])
                folders = [(source, entry["path"]) for entry in entries if _is_folder(entry)]
                files += len(entries) - len(folders)
                waiting += folders
    return files


def _is_folder(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("is_dir")) or entry.get("object_type") in ("DIRECTORY", "REPO")


def sdk_recursive(target: ListingTarget) -> int:
    """List with one thread per user and the SDK's recursive listing, which skips git folders."""
    client = target.client()

    def count(user: str) -> int:
        objects = client.workspace.list(f"/Users/{user}", recursive=True)
        files = sum(entry.object_type not in (ObjectType.DIRECTORY, ObjectType.REPO) for entry in objects)
        try:
            return files + sum(not entry.is_dir for entry in client.dbfs.list(f"/Users/{user}", recursive=True))
        except NotFound:
            return files

    with ThreadPoolExecutor(len(target.users)) as pool:
        return sum(pool.map(count, target.users))


def pool_of_folders(target: ListingTarget) -> int:
    """List with twenty threads, one folder at a time, with the SDK and no rate limit, as UCX does."""
    client = target.client()

    def list_folder(source: str, path: str) -> tuple[int, list[tuple[str, str]]]:
        try:
            entries: list[Any] = list(client.workspace.list(path) if source == "workspace" else client.dbfs.list(path))
        except NotFound:
            return 0, []
        folders = [(source, str(entry.path)) for entry in entries if _is_folder(entry.as_dict())]
        return len(entries) - len(folders), folders

    files = 0
    with ThreadPoolExecutor(UCX_THREADS) as pool:
        running = {pool.submit(list_folder, source, f"/Users/{user}") for user in target.users for source in LIST_PATHS}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for number, folders in (future.result() for future in done):
                files += number
                running |= {pool.submit(list_folder, *folder) for folder in folders}
    return files


BASELINES: dict[str, Callable[[ListingTarget], int]] = {
    "one user after another": sequential,
    "pool of users": pool_of_users,
    "SDK recursive, thread a user": sdk_recursive,
    "pool of folders, no rate": pool_of_folders,
}
