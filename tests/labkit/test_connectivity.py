"""The cause of a failed connection, from an error and from a probe."""

from __future__ import annotations

import errno
import socket
import threading

import pytest
from requests import ConnectionError as RequestsConnectionError

from labkit.extras import sdk
from labkit.workspace.choice import WorkspaceChoice
from labkit.workspace.connectivity import connection_failure, probe


def closed_port() -> int:
    """Return a port on this machine that no process listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def raised_from(cause: BaseException) -> BaseException:
    """Return the error as requests and urllib3 wrap it."""
    inner = RuntimeError("Max retries exceeded")
    inner.reason = cause  # type: ignore[attr-defined]
    try:
        raise TimeoutError("Timed out after 0:00:20") from RequestsConnectionError(inner)
    except TimeoutError as outer:
        return outer


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "connection refused"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "no such address"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "no such address, or no name server answers"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), ""),
        (TimeoutError("timed out"), ""),
    ],
)
def test_the_cause_is_found_at_any_depth(error: BaseException, cause: str) -> None:
    assert (connection_failure(error), connection_failure(raised_from(error))) == (cause, cause)


@pytest.mark.process
def test_a_closed_port_is_reported_while_the_sdk_still_retries() -> None:
    host = f"http://127.0.0.1:{closed_port()}"
    over = threading.Event()
    with pytest.raises(ConnectionError) as raised:
        sdk.call_with_timeout(15, lambda: over.wait(15), host=host)
    over.set()

    assert (probe(host), str(raised.value)) == ("connection refused", "connection refused")


@pytest.mark.process
def test_the_error_identifies_a_proxy_that_refuses_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://localhost:{closed_port()}")

    assert probe("https://adb-1.azuredatabricks.net") == "the proxy localhost: connection refused"


def test_a_host_without_a_credential_is_reported_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def config(**arguments: object) -> None:
        raise ValueError(
            "default auth: cannot configure default credentials, please check https://docs… Config: host=…"
        )

    monkeypatch.setattr(sdk, "Config", config)
    choice = WorkspaceChoice("the environment", "https://lab.example", {"host": "https://lab.example"}, {})
    with pytest.raises(sdk.CredentialNotFound) as raised:
        sdk.configure(choice, http_seconds=1, retry_seconds=1)

    assert str(raised.value) == (
        "there is no credential for https://lab.example from the environment: set DATABRICKS_TOKEN, or"
        " DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, in addition to DATABRICKS_HOST, or log in."
    )
