"""Azurite, Microsoft's emulator of Azure Storage: installed with npm on first use, started and stopped by tests."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".lab/azurite"
PROGRAM = FOLDER / "node_modules/azurite/dist/src/blob/main.js"
VERSION = "3.35.0"
INSTALL_SECONDS, START_SECONDS = 240.0, 30.0
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's published default account and key; they are valid for nothing else."""


class AzuriteUnavailable(Exception):
    """Azurite cannot be installed or started; the message is one sentence."""


class Azurite:
    """A running Azurite with one container."""

    def __init__(self, container: str = "term") -> None:
        self.container = container
        self.address = f"abfss://{container}@{ACCOUNT}.dfs.core.windows.net/lab"
        self.connection_string = ""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def __enter__(self) -> Self:
        program = install()
        self._folder = tempfile.TemporaryDirectory(prefix="azurite-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = ["node", str(program), "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        command += ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", self._folder.name]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
        self.connection_string = (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint};"
        )
        try:
            self._wait(port)
            self.client().create_container(self.container)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def client(self) -> Any:
        """Return a client from azure-storage-blob."""
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient.from_connection_string(self.connection_string)

    def blobs(self) -> dict[str, tuple[int, str]]:
        """Map each blob's name to its size and tier."""
        listed = self.client().get_container_client(self.container).list_blobs()
        return {blob.name: (blob.size, str(blob.blob_tier)) for blob in listed}

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._log is not None:
            self._log.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _wait(self, port: int) -> None:
        assert self._process is not None and self._log is not None
        ends = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < ends:
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        self._log.seek(0)
        raise AzuriteUnavailable(f"Azurite did not start: {self._log.read()[-500:].decode(errors='replace')}")


def install() -> Path:
    """Return the program, installed with npm if it is missing. Raises AzuriteUnavailable."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        # Tests run in parallel; one of them installs it for all.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (FOLDER / ".complete").exists():
            _npm_install()
    return PROGRAM


def _npm_install() -> None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise AzuriteUnavailable(
            "Azurite needs Node.js with npm: get it from https://nodejs.org or your system's packages."
        )
    (FOLDER / "package.json").write_text(json.dumps({"private": True, "dependencies": {"azurite": VERSION}}))
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    # Tests have an empty home, but npm's registry is configured in the user's real one.
    environment = {**os.environ, "HOME": pwd.getpwuid(os.getuid()).pw_dir}
    try:
        done = subprocess.run(
            [npm, "install", *options], cwd=FOLDER, env=environment, capture_output=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise AzuriteUnavailable(f"npm did not install Azurite within {INSTALL_SECONDS:.0f} seconds.") from None
    if done.returncode or not PROGRAM.exists():
        stderr = done.stderr.decode(errors="replace").strip().splitlines()
        raise AzuriteUnavailable(f"npm could not install Azurite: {stderr[-1] if stderr else done.returncode}")
    (FOLDER / ".complete").touch()
