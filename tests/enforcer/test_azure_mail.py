"""Azure's client as the enforcer uses it, against the emulated service over TLS: responses become `SendResult`s."""

from __future__ import annotations

import http.server
import json
import logging
import platform
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.communication.email._api_versions import DEFAULT_VERSION

from emulator_process import EmulatorProcess
from enforcer.mail.azure import API_VERSION, Mailer, _retry_after
from enforcer.mail.mail_service import SendResult, SendStatus

platform.processor()  # Azure's client requests the platform once, which starts a process.

FIRST = "00000000-0000-4000-8000-000000000001"
SECONDS = timedelta(seconds=10)


def payload(subject: str = "Hello") -> str:
    return json.dumps(
        {
            "senderAddress": "lab@campus.example",
            "content": {"subject": subject, "plainText": "שלום", "html": "<p>שלום</p>"},
            "recipients": {"to": [{"address": "dana@campus.example"}], "cc": []},
        }
    )


@pytest.fixture
def mailer(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> Mailer:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.mail_ca)
    return Mailer(emulator.mail_connection_string)


def send(mailer: Mailer, subject: str = "Hello", *, timeout: timedelta = SECONDS) -> SendResult:
    return mailer.send(FIRST, payload(subject), timeout=timeout)


def status(mailer: Mailer) -> SendResult:
    return mailer.status(FIRST, timeout=SECONDS)


def fault(emulator: EmulatorProcess, match: str, kind: str, **more: Any) -> None:
    emulator.control("POST", "faults", {"rules": [{"match": match, "kind": kind, **more}]})


def sends(emulator: EmulatorProcess) -> int:
    return sum(entry["path"] == "/emails:send" for entry in emulator.request_log())


def test_the_operation_of_an_accepted_message_is_known(emulator: EmulatorProcess, mailer: Mailer) -> None:
    assert status(mailer).status is SendStatus.MISSING
    assert [send(mailer), send(mailer)] == [SendResult(SendStatus.ACCEPTED)] * 2
    assert status(mailer) == SendResult(SendStatus.ACCEPTED, "Succeeded", is_final=True)
    assert [message["text"] for message in emulator.control("GET", "mail")] == ["שלום"]


def test_refused_and_suppressed_recipients_appear_in_the_status(emulator: EmulatorProcess, mailer: Mailer) -> None:
    fault(emulator, "dana@*", "mail_refused", count=1)
    assert [send(mailer).status, status(mailer).status] == [SendStatus.CONFLICT, SendStatus.MISSING]
    fault(emulator, "dana@*", "mail_suppressed")
    assert send(mailer).status is SendStatus.ACCEPTED
    emulator.control("POST", "clock", {"advance_seconds": 60})
    assert status(mailer) == SendResult(
        SendStatus.FAILED, "Message dropped because all recipients were suppressed.", is_final=True
    )


def test_different_bytes_for_one_operation_are_a_conflict(mailer: Mailer) -> None:
    send(mailer)
    assert send(mailer, "Other").status is SendStatus.CONFLICT


@pytest.mark.parametrize("kind", ["429", "500", "503"])
def test_calls_are_neither_repeated_nor_delayed_by_retry_after(
    emulator: EmulatorProcess, mailer: Mailer, kind: str
) -> None:
    fault(emulator, "POST /emails:send", kind, retry_after=30)
    began = time.monotonic()
    answer = send(mailer)
    assert time.monotonic() - began < 5
    assert (answer.status, answer.retry_after) == (
        SendStatus.BUSY if kind == "429" else SendStatus.UNKNOWN,
        timedelta(seconds=30),
    )
    assert sends(emulator) == 1


@pytest.mark.parametrize("kind", ["reset", "truncate"])
def test_a_broken_connection_makes_the_status_unknown(emulator: EmulatorProcess, mailer: Mailer, kind: str) -> None:
    fault(emulator, "POST /emails:send", kind)
    answer = send(mailer)
    assert (answer.status, answer.concerns_all) == (SendStatus.UNKNOWN, True)
    assert sends(emulator) == 1
    emulator.control("POST", "faults", {})
    assert status(mailer).status is (SendStatus.ACCEPTED if kind == "truncate" else SendStatus.MISSING)


def test_a_call_to_an_unresponsive_service_ends_at_the_deadline(emulator: EmulatorProcess, mailer: Mailer) -> None:
    fault(emulator, "POST /emails:send", "hang")
    began = time.monotonic()
    assert send(mailer, timeout=timedelta(seconds=1)).status is SendStatus.UNKNOWN
    assert time.monotonic() - began < 4


def test_an_invalid_access_key_affects_all_messages(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.mail_ca)
    stranger = Mailer(f"endpoint={emulator.mail_endpoint};accesskey=d3Jvbmc=")
    assert [(answer.status, answer.concerns_all) for answer in (send(stranger), status(stranger))] == [
        (SendStatus.REFUSED, True)
    ] * 2


@pytest.mark.parametrize("wrong", ["", "endpoint=https://x.example", "endpoint=https://127.0.0.1:9;accesskey=x"])
def test_an_invalid_connection_string_is_reported_with_its_setting(wrong: str) -> None:
    answer = send(Mailer(wrong))
    assert (answer.status, answer.concerns_all, "AZURE_EMAIL_" in answer.text) == (SendStatus.REFUSED, True, True)


@pytest.mark.process
def test_a_closed_port_is_reported_quickly() -> None:
    began = time.monotonic()
    answer = send(Mailer("endpoint=https://127.0.0.1:9;accesskey=d3Jvbmc="))
    assert (answer.status, answer.concerns_all) == (SendStatus.UNKNOWN, True)
    assert time.monotonic() - began < 5


class _Elsewhere(http.server.BaseHTTPRequestHandler):
    """A server that redirects every call and returns unusual statuses."""

    answers: list[tuple[int, bytes]] = []
    seen: list[str] = []

    def do_POST(self) -> None:
        self.seen.append(self.path)
        self.rfile.read(int(self.headers["content-length"]))
        port = self.connection.getsockname()[1]
        self.send_response(307)
        self.send_header("Location", f"https://127.0.0.1:{port}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        code, body = self.answers.pop(0)
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Do not log requests to stderr."""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailer]:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _Elsewhere.seen.clear()
        yield Mailer(f"endpoint=https://127.0.0.1:{server.server_address[1]};accesskey=d3Jvbmc=")
        server.shutdown()


@pytest.mark.process
def test_redirects_of_the_mail_service_are_not_followed(elsewhere: Mailer) -> None:
    assert send(elsewhere).status is SendStatus.UNKNOWN
    assert [path.partition("?")[0] for path in _Elsewhere.seen] == ["/emails:send"]


@pytest.mark.process
def test_every_status_of_the_mail_service_is_mapped(elsewhere: Mailer) -> None:
    said = {
        b'{"id": "x", "status": "NotStarted"}': SendResult(SendStatus.ACCEPTED, "NotStarted"),
        b'{"id": "x", "status": "Running"}': SendResult(SendStatus.ACCEPTED, "Running"),
        b'{"id": "x", "status": "Succeeded"}': SendResult(SendStatus.ACCEPTED, "Succeeded", is_final=True),
        b'{"id": "x", "status": "Failed", "error": {"code": "E", "message": "bounced\\n"}}': SendResult(
            SendStatus.FAILED, "bounced", is_final=True
        ),
        b'{"id": "x", "status": "Canceled"}': SendResult(
            SendStatus.FAILED, "the service could not deliver it", is_final=True
        ),
        b'{"id": "x", "status": "Odd"}': SendResult(SendStatus.UNKNOWN, "a response without a known status ('odd')"),
        b"[]": SendResult(SendStatus.UNKNOWN, "a response without a known status ('')"),
    }
    _Elsewhere.answers = [(200, body) for body in said]
    assert [status(elsewhere) for _ in said] == [*said.values()]
    _Elsewhere.answers = [(200, b"{")]
    assert status(elsewhere).status is SendStatus.UNKNOWN


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, None), ("17", 17), (" 3 ", 3), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)]
)
def test_retry_after_is_parsed_as_seconds_or_date(header: str | None, seconds: int | None) -> None:
    assert _retry_after(header) == (None if seconds is None else timedelta(seconds=seconds))


def test_no_log_at_any_level_contains_the_access_key(
    emulator: EmulatorProcess, mailer: Mailer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for logger in ("azure", "urllib3", "enforcer"):
        caplog.set_level(logging.DEBUG, logger)
    send(mailer)
    status(mailer)
    assert caplog.text and emulator.mail_key not in caplog.text
    assert "Signature=" not in caplog.text


def test_the_api_version_matches_the_locked_client() -> None:
    assert DEFAULT_VERSION.value == API_VERSION
