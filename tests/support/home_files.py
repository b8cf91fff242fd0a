"""Creates homes with all kinds of objects in a running emulator, and reads such homes."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from emulator_process import ROOT, EmulatorProcess

MB = 2**20
LANGUAGES = {"PYTHON": b"print(1)", "SQL": b"select 1", "SCALA": b"val a = 1", "R": b"x <- 1"}
HOSTILE = (
    "README",
    "readme",
    "ReadMe",
    "מחברת של דנה",
    "🎓",
    "ends.",
    "con",
    'a|b?*<>"',
    "%2F",
    "=1+1",
    "..x",
    "-rf",
    "x" * 255,
)
JUPYTER = b'{"cells": [{"cell_type": "code", "source": ["1+1"]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 0}'
Digest = Callable[[bytes], Any]


def request_ok(emulator: EmulatorProcess, method: str, path: str, body: Any = None, **options: Any) -> Any:
    """Return the response to a request that must succeed."""
    status, response = emulator.request(method, path, body, **options)
    assert status < 300, (method, path, response)
    return response


def create_homes(emulator: EmulatorProcess, users: Sequence[str], sizes: Sequence[int] = (0, 1, 3 * MB // 2)) -> None:
    """Give each user a home with notebooks, dashboards, a git folder, empty folders and files of these sizes."""
    for number, user in enumerate(users):
        emulator.control("POST", "users", {"user_name": user})
        home = f"/Users/{user}"
        for folder in ("week 1/empty", "names", "files"):
            request_ok(emulator, "POST", "/api/2.0/workspace/mkdirs", {"path": f"{home}/{folder}"})
        for language, text in LANGUAGES.items():
            import_file(emulator, f"{home}/week 1/{language.title()}", text, format="SOURCE", language=language)
        import_file(emulator, f"{home}/from jupyter", JUPYTER, format="JUPYTER")
        import_file(emulator, f"{home}/a file.ipynb", JUPYTER)
        import_file(emulator, f"{home}/sales.lvdash.json", b'{"pages": []}', format="AUTO")
        import_file(emulator, f"{home}/module.py", b"# Databricks notebook source\nit stays a file")
        import_file(emulator, f"{home}/module", b"a notebook", format="SOURCE", language="PYTHON")
        for name in HOSTILE:
            import_file(emulator, f"{home}/names/{name}", name.encode())
        body = {"url": f"https://github.com/x/{number}.git", "provider": "gitHub", "path": f"{home}/project"}
        request_ok(emulator, "POST", "/api/2.0/repos", body)
        import_file(emulator, f"{home}/project/main.py", b"print('in a git folder')")
        for size in sizes:
            import_file(
                emulator,
                f"{home}/files/{size}.bin",
                bytes(index % 251 for index in range(min(size, 65536))) * max(1, size // 65536),
            )
            name = f"{home}/data/{size}.bin"
            request_ok(emulator, "POST", "/api/2.0/dbfs/mkdirs", {"path": f"{home}/data/empty"})
            write_dbfs_file(
                emulator, name, (b"%7d\n" % index * (MB // 8) for index in range(size // MB + 1)) if size else ()
            )


def import_file(
    emulator: EmulatorProcess, path: str, content: bytes, *, format: str = "RAW", language: str = ""
) -> None:
    """Import a file or a notebook into the Workspace."""
    fields = {"path": path, "format": format, "overwrite": "true"} | ({"language": language} if language else {})
    head = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    head += '--b\r\nContent-Disposition: form-data; name="content"; filename="content"\r\n\r\n'
    body = head.encode() + content + b"\r\n--b--\r\n"
    request_ok(
        emulator, "POST", "/api/2.0/workspace/import", body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )


def write_dbfs_file(emulator: EmulatorProcess, path: str, blocks: Iterator[bytes] | Sequence[bytes]) -> None:
    """Write a file to DBFS, block by block."""
    handle = request_ok(emulator, "POST", "/api/2.0/dbfs/create", {"path": path, "overwrite": True})["handle"]
    for block in blocks:
        body = {"handle": handle, "data": base64.b64encode(block).decode()}
        request_ok(emulator, "POST", "/api/2.0/dbfs/add-block", body)
    request_ok(emulator, "POST", "/api/2.0/dbfs/close", {"handle": handle})


def write_large_file(emulator: EmulatorProcess, source: str, path: str, megabytes: int) -> None:
    """Write a file of this size."""
    if source == "dbfs":
        write_dbfs_file(emulator, path, (b"%7d\n" % number * (MB // 8) for number in range(megabytes)))
    else:
        import_file(emulator, path, b"".join(b"%7d\n" % number * (MB // 8) for number in range(megabytes)))


def read_homes(emulator: EmulatorProcess, users: Sequence[str], digest: Digest = bytes) -> dict[str, tuple[Any, ...]]:
    """Map each path below these users' homes to type, language and content."""
    found: dict[str, tuple[Any, ...]] = {}
    waiting = [(source, f"/Users/{user}") for user in users for source in ("workspace", "dbfs")]
    while waiting:
        source, folder = waiting.pop()
        status, response = emulator.request("GET", f"/api/2.0/{source}/list?path={quote(folder)}")
        assert status in (200, 404), response
        for entry in response.get("objects", response.get("files", [])):
            kind, path = entry.get("object_type", "FILE"), entry["path"]
            key = f"{'dbfs:' if source == 'dbfs' else ''}{path}"
            if entry.get("is_dir") or kind in ("DIRECTORY", "REPO"):
                found[key] = ("FOLDER",)
                waiting.append((source, path))
            else:
                content = _content(emulator, source, kind, path)
                found[key] = (kind, entry.get("language"), len(content), digest(content))
    return found


def _content(emulator: EmulatorProcess, source: str, kind: str, path: str) -> bytes:
    if source == "workspace" and kind == "FILE":
        return _raw(emulator, f"/api/2.0/workspace-files{quote(path)}")
    if source == "workspace":
        if kind != "NOTEBOOK":
            return _raw(emulator, f"/api/2.0/workspace-files{quote(path)}")
        return _raw(emulator, f"/api/2.0/workspace/export?direct_download=true&format=SOURCE&path={quote(path)}")
    content = bytearray()
    while True:
        url = f"/api/2.0/dbfs/read?path={quote(path)}&offset={len(content)}&length={MB}"
        response = json.loads(_raw(emulator, url))
        if not response["bytes_read"]:
            return bytes(content)
        content += base64.b64decode(response["data"])


def _raw(emulator: EmulatorProcess, path: str) -> bytes:
    """Return the body of a GET as bytes."""
    connection = emulator.connection()
    connection.request("GET", path, headers={"Authorization": f"Bearer {emulator.admin_token}"})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    assert response.status == 200, content
    return content


# getrusage is not used: its figure for a process includes the parent process.
MEASURE = """
import runpy, sys
from pathlib import Path
sys.argv[0] = "inventory"
try:
    runpy.run_module("inventory", run_name="__main__")
finally:
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(1024 * int(line.split()[1]), file=sys.stderr)
"""


def peak_memory_of(emulator: EmulatorProcess, folder: Path, *arguments: str) -> int:
    """Return an inventory command's peak memory in bytes, including imports; the command must succeed."""
    environment = {**os.environ, **emulator.environment(), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", MEASURE, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split()[-1])
