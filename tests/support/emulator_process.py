"""Starts, calls and stops the emulator as a real process. Used by tests and benchmarks."""

from __future__ import annotations

import functools
import http.client
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, ClassVar, Self

from emulator_fork import ForkedEmulator

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 10, 18, 7, 0, tzinfo=UTC)
"""The initial time of an emulator's clock, independent of the test's time: a Sunday at 10:00 in Jerusalem."""
READY_SECONDS = 60.0
REQUEST_SECONDS = 60.0


class EmulatorError(RuntimeError):
    """The process did not start, or a control request failed; the message contains the output or response."""


@functools.cache
def opener_without_proxy() -> urllib.request.OpenerDirector:
    """Return an opener that uses no proxy. It is created once: since Python 3.13, it reads all system certificates."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


class EmulatorProcess:
    """One `python -m emulator` on a free port at the loopback address.

    `arguments` are further command-line arguments, such as `["--seed", "7", "--speed", "60"]`. The clock starts at
    `start`; None means the machine's time. The emulator's stderr goes to the file `log`, or to a temporary one;
    `EmulatorError` contains its end.

        with EmulatorProcess(["--seed", "7"]) as emulator:
            emulator.control("POST", "clock", {"advance_seconds": 60})
            emulator.client().clusters.list()
    """

    is_forked: ClassVar[bool] = False
    """Whether emulators are forked from a process with the emulator's modules, instead of starting Python. Programs
    whose main module must not be imported again, such as benchmarks, cannot use this.
    """

    def __init__(
        self,
        arguments: Sequence[str] = (),
        *,
        log: Path | None = None,
        port: int = 0,
        start: datetime | None = START,
    ) -> None:
        begins = ["--start", start.isoformat()] if start else []
        self._arguments = [*begins, *(str(argument) for argument in arguments)]
        self._log_path = log
        self._port = port
        self._process: subprocess.Popen[str] | ForkedEmulator | None = None
        self._log: IO[bytes] | None = None
        self.url = ""
        self.admin_token = ""
        self.workspace_id = ""
        self.mail_endpoint = ""
        self.mail_key = ""
        self.mail_ca = ""

    def start(self) -> Self:
        """Start the process and wait for its ready line. Raises EmulatorError if it does not come."""
        arguments = ["--port", str(self._port), *self._arguments]
        # A file instead of a pipe: no one reads the log meanwhile, and a full pipe would block the emulator.
        self._log = tempfile.TemporaryFile() if self._log_path is None else self._log_path.open("a+b")  # noqa: SIM115
        self._process = ForkedEmulator(arguments, ROOT, self._log) if self.is_forked else _run(arguments, self._log)
        try:
            ready = json.loads(self._first_line())
        except (ValueError, EmulatorError) as error:
            raise EmulatorError(f"the emulator did not start: {error}\n{self._end()}") from error
        self.url = str(ready["url"]).rstrip("/")
        self.admin_token = str(ready["admin_token"])
        self.workspace_id = str(ready["workspace_id"])
        self.mail_endpoint, self.mail_key, self.mail_ca = (
            str(ready[name]) for name in ("mail_endpoint", "mail_key", "mail_ca")
        )
        return self

    def stop(self) -> int | None:
        """Stop the process (SIGTERM, SIGKILL after ten seconds). Return its exit status, or None if it never ran."""
        if self._process is None:
            return None
        self._end()
        return self._process.returncode

    @property
    def running(self) -> bool:
        """Whether the process has been started and has not exited."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the running process."""
        if self._process is None:
            raise EmulatorError("the emulator is not running")
        return self._process.pid

    def kill(self) -> None:
        """Kill the process with SIGKILL, like a power failure."""
        if self._process is not None:
            self._process.kill()
            self._end()

    def client(self, token: str | None = None) -> WorkspaceClient:
        """Return the real SDK's client for this workspace, as the administrator unless a different token is given."""
        from databricks.sdk import WorkspaceClient  # the import takes two seconds; most tests do not need it

        return WorkspaceClient(host=self.url, token=token or self.admin_token, auth_type="pat")

    def environment(self, token: str | None = None) -> dict[str, str]:
        """Return the variables that point the SDK, the provider and the Databricks CLI to this workspace."""
        return {"DATABRICKS_HOST": self.url, "DATABRICKS_TOKEN": token or self.admin_token}

    @property
    def mail_connection_string(self) -> str:
        """The connection string for the mail service's client, which must trust `mail_ca`."""
        return f"endpoint={self.mail_endpoint};accesskey={self.mail_key}"

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request to `/_emulator/<path>` and return its JSON. Raises EmulatorError unless it succeeds."""
        status, response = self.request(method, f"/_emulator/{path.lstrip('/')}", body)
        if status >= 400:
            raise EmulatorError(f"{method} /_emulator/{path} answered {status}: {response}")
        return response

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Send one raw request as the administrator, or with `token`; return status and body.

        `body` is sent as JSON unless it is bytes. A JSON response is parsed; any other is returned as a string.
        """
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {token or self.admin_token}", "Content-Type": "application/json"}
        sent.update(headers or {})
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=sent)
        try:
            with opener_without_proxy().open(request, timeout=REQUEST_SECONDS) as response:
                return response.status, parse_body(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, parse_body(error.read())

    def request_log(self) -> list[dict[str, Any]]:
        """Return all requests so far, oldest first."""
        with opener_without_proxy().open(f"{self.url}/_emulator/journal", timeout=REQUEST_SECONDS) as response:
            return [json.loads(line) for line in response.read().decode().splitlines() if line.strip()]

    def connection(self) -> http.client.HTTPConnection:
        """Return a keep-alive connection to the emulator, for tests of raw HTTP."""
        address = urllib.parse.urlsplit(self.url)
        return http.client.HTTPConnection(address.hostname or "", address.port, timeout=REQUEST_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _first_line(self) -> str:
        """Return the ready line. Raises EmulatorError if the process exits or prints nothing for a minute."""
        assert self._process is not None and self._process.stdout is not None
        ends = time.monotonic() + READY_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while (left := ends - time.monotonic()) > 0:
                if selector.select(min(left, 1.0)):
                    line = self._process.stdout.readline()
                    if not line:
                        raise EmulatorError("it exited before it was ready")
                    return line
        raise EmulatorError(f"it was not ready after {READY_SECONDS:.0f} seconds")

    def _end(self) -> str:
        """Stop the process, close its streams, and return the end of its log."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if self._log is None or self._log.closed:
            return ""
        with self._log:
            self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 4000))
            return self._log.read().decode(errors="replace")


def _run(arguments: Sequence[str], log: IO[bytes]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "emulator", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)


def parse_body(content: bytes) -> Any:
    """Return JSON as data, anything else as a string."""
    text = content.decode(errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def isolated_environment(home: Path) -> dict[str, str]:
    """Return the environment with `home` as HOME and without variables for real workspaces or clouds."""
    secretive = ("DATABRICKS_", "ARM_", "AZURE_", "GOOGLE_", "LAB_", "TF_", "CDKTF_")
    variables = {key: value for key, value in os.environ.items() if not key.startswith(secretive)}
    return {
        **variables,
        "HOME": str(home),
        "DATABRICKS_CONFIG_FILE": str(home / ".databrickscfg"),
        "CHECKPOINT_DISABLE": "1",
    }
