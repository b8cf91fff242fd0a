"""Other ways to list everybody's files, as they are met in the field: what a scan is measured against.

All of them list the same folders of the same users over connections that stay open, and return how many files they saw.
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

PAUSE = 0.05
"""Seconds between two requests of the earlier tool; half as much again after each refusal, for the rest of the user."""
SPARK_WORKERS, UCX_THREADS = 8, 20
LISTS = {"dbfs": "/api/2.0/dbfs/list", "workspace": "/api/2.0/workspace/list"}


@dataclass(frozen=True)
class Target:
    """A workspace and whose files to list there."""

    url: str
    token: str
    users: Sequence[str]

    def client(self) -> WorkspaceClient:
        client = WorkspaceClient(host=self.url, token=self.token, auth_type="pat")
        # It keeps its connections open over TLS alone, and a real workspace has nothing else.
        client.api_client._api_client._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=100))
        return client


def one_after_another(target: Target) -> int:
    """User after user, request after request, by the earlier tool's rules."""
    return sum(_earlier_tool(target, user) for user in target.users)


def pool_of_users(target: Target) -> int:
    """The same with eight workers that take a user each, as its mode for Spark does."""
    with ThreadPoolExecutor(SPARK_WORKERS) as pool:
        return sum(pool.map(lambda user: _earlier_tool(target, user), target.users))


def _earlier_tool(target: Target, user: str) -> int:
    pause, files = PAUSE, 0
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {target.token}"
        waiting = [(source, f"/Users/{user}") for source in LISTS]
        while waiting:
            source, path = waiting.pop()
            time.sleep(pause)
            answer = session.get(target.url + LISTS[source], params={"path": path}, timeout=60)
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


def sdk_recursive(target: Target) -> int:
    """A thread a user, each with the SDK's own recursive listing, which opens no git folder."""
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


def pool_of_folders(target: Target) -> int:
    """Twenty threads take folder after folder with the SDK, as UCX lists a workspace; nothing looks at the rate."""
    client = target.client()

    def look(source: str, path: str) -> tuple[int, list[tuple[str, str]]]:
        try:
            entries: list[Any] = list(client.workspace.list(path) if source == "workspace" else client.dbfs.list(path))
        except NotFound:
            return 0, []
        folders = [(source, str(entry.path)) for entry in entries if _is_folder(entry.as_dict())]
        return len(entries) - len(folders), folders

    files = 0
    with ThreadPoolExecutor(UCX_THREADS) as pool:
        running = {pool.submit(look, source, f"/Users/{user}") for user in target.users for source in LISTS}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for number, folders in (future.result() for future in done):
                files += number
                running |= {pool.submit(look, *folder) for folder in folders}
    return files


RIVALS: dict[str, Callable[[Target], int]] = {
    "one user after another": one_after_another,
    "pool of users": pool_of_users,
    "SDK recursive, thread a user": sdk_recursive,
    "pool of folders, no rate": pool_of_folders,
}
