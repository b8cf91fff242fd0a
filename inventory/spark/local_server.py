"""Starts and stops a local Spark server, see `server`."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from inventory.spark import server
from inventory.spark.errors import SparkError

START_TIMEOUT_SECONDS = 180.0
STOP_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Endpoint:
    """Port and secret of a running server."""

    port: int
    secret: str
    pid: int
    """Process id of the server's Java process."""


class LocalServer:
    """A local server; `master` is `local[N]`. It always ends with this process."""

    def __init__(self, master: str) -> None:
        self._master = master
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[str] | None = None
        self.endpoint: Endpoint | None = None

    def ensure_running(self) -> Endpoint:
        """Return the endpoint of the running server; start one if necessary. Raises SparkError."""
        if self.endpoint is None or not _is_listening(self.endpoint.port):
            self.close()
            self.endpoint = self._start()
        return self.endpoint

    def close(self) -> None:
        """Stop the server."""
        process, endpoint = self._process, self.endpoint
        self._process = self.endpoint = None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            if endpoint:
                with suppress(ProcessLookupError):
                    os.kill(endpoint.pid, signal.SIGKILL)
        process.stdout.close()
        if self._log:
            self._log.close()

    def _start(self) -> Endpoint:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the server
        # -P: modules beside the script are not importable, so that workers import only what a cluster has. A separate
        # process session: Ctrl-C reaches only this program, which lets running tasks end.
        command = [sys.executable, "-P", str(Path(server.__file__).resolve()), self._master]
        self._process = subprocess.Popen(
            command,
            cwd=tempfile.gettempdir(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
        )
        ready = self._ready_line(self._process)
        if "problem" in ready:
            self.close()
            raise SparkError(str(ready["problem"]))
        return Endpoint(**ready)

    def _ready_line(self, process: "subprocess.Popen[str]") -> dict[str, Any]:
        """Return the line that the server prints when it listens; Java may print other lines before it."""
        assert process.stdout is not None
        timer = threading.Timer(START_TIMEOUT_SECONDS, process.kill)
        timer.start()
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    found: dict[str, Any] = json.loads(line)
                    return found
        finally:
            timer.cancel()
        return {
            "problem": f"the Spark server did not start within {START_TIMEOUT_SECONDS:.0f} seconds:"
            f" {self._last_log_line()}"
        }

    def _last_log_line(self) -> str:
        if self._log is None:
            return ""
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read().splitlines() if line.strip()]
        return lines[-1][:300] if lines else "its log is empty."


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True
