"""Why a host cannot be reached: from an error, and from one connection."""

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
    """A port of this machine at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def raised_from(cause: BaseException) -> BaseException:
    """As requests and urllib3 wrap what the socket raises."""
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
def test_the_cause_is_found_however_deep_it_is(error: BaseException, cause: str) -> None:
    assert (connection_failure(error), connection_failure(raised_from(error))) == (cause, cause)


@pytest.mark.process
def test_a_port_at_which_nobody_listens_is_said_to_refuse_while_the_sdk_tries_again() -> None:
    host = f"http://127.0.0.1:{closed_port()}"
    over = threading.Event()
    with pytest.raises(ConnectionError) as raised:
        sdk.call_with_timeout(15, lambda: over.wait(15), host=host)
    over.set()

    assert (probe(host), str(raised.value)) == ("connection refused", "connection refused")


@pytest.mark.process
def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://localhost:{closed_port()}")

    assert probe("https://adb-1.azuredatabricks.net") == "the proxy localhost: connection refused"


def test_a_host_without_any_credential_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def config(**arguments: object) -> None:
        raise ValueError(
            "default auth: cannot configure default credentials, please check https://docs… Config: host=…"
        )

    monkeypatch.setattr(sdk, "Config", config)
    choice = WorkspaceChoice("the environment", "https://lab.example", {"host": "https://lab.example"}, {})
    with pytest.raises(sdk.CredentialNotFound) as raised:
        sdk.configure(choice, http_seconds=1, retry_seconds=1)

    assert str(raised.value) == (
        "there is no credential for https://lab.example of the environment: set DATABRICKS_TOKEN, or"
        " DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, beside DATABRICKS_HOST, or log in."
    )
