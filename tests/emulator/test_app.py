"""The emulator's HTTP below the services: connections, bodies, paths, errors, start and stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from emulator.api.errors import ApiError
from emulator.api.request_body import RequestBodyReader
from emulator.api.routing import Request, Router, Routes, parse_json
from emulator.base.content import EMPTY
from emulator.faults.profiles import PROFILES
from emulator.server.app import Application
from emulator.server.services import open_workspace
from emulator.state.options import Options
from emulator_process import ROOT, EmulatorProcess
from raw_socket import body_of, connect, exchange, headers_of, request, status_of

ME = "/api/2.0/preview/scim/v2/Me"


def run(awaitable: Awaitable[object]) -> object:
    """Return the result of an awaitable that never suspends."""
    iterator = awaitable.__await__()
    try:
        next(iterator)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


# --- connections and messages


def test_one_connection_serves_many_requests(emulator: EmulatorProcess) -> None:
    connection = emulator.connection()
    for _ in range(3):
        connection.request("GET", "/_emulator/clock")
        assert connection.getresponse().read().startswith(b'{"now":"')
    connection.close()


def test_pipelined_requests_are_answered_in_order(emulator: EmulatorProcess) -> None:
    first = b"GET /_emulator/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = exchange(emulator.url, first + request("GET /_emulator/clock HTTP/1.1"))
    assert [line for line in answer.split(b"\r\n") if b"HTTP/1.1" in line] == [
        b"HTTP/1.1 404 Not Found",
        # the end of the first body and the next status line are in one line
        next(line for line in answer.split(b"\r\n") if line.endswith(b"HTTP/1.1 200 OK")),
    ]


def test_an_http_1_0_connection_is_closed_after_the_response(emulator: EmulatorProcess) -> None:
    answer = exchange(emulator.url, b"GET /_emulator/clock HTTP/1.0\r\n\r\n")
    assert (status_of(answer), headers_of(answer)["connection"]) == (200, "close")


def test_a_head_response_has_the_headers_of_get_without_a_body(emulator: EmulatorProcess) -> None:
    answer = exchange(emulator.url, request("HEAD /_emulator/clock HTTP/1.1"))
    assert status_of(answer) == 200
    assert int(headers_of(answer)["content-length"]) == len('{"now":"2026-10-18T07:00:00.000Z"}')
    assert body_of(answer) == b""


def test_expect_100_continue_is_answered(emulator: EmulatorProcess) -> None:
    body = b'{"advance_seconds": 1}'
    head = request("POST /_emulator/clock HTTP/1.1", f"Content-Length: {len(body)}", "Expect: 100-continue")
    with connect(emulator.url) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert status_of(connection.recv(1000)) == 200


def test_a_body_is_rejected_unread_if_its_content_length_is_too_large(emulator: EmulatorProcess) -> None:
    head = request("PUT /api/2.0/fs/files/a HTTP/1.1", "Content-Length: 99999999999", "Expect: 100-continue")
    answer = exchange(emulator.url, head)
    assert (status_of(answer), headers_of(answer)["connection"]) == (413, "close")
    assert json.loads(body_of(answer)) == {
        "error_code": "MAX_REQUEST_SIZE_EXCEEDED",
        "message": "The request is larger than 5120 MiB.",
        "details": [],
    }


def test_a_chunked_body_is_read(emulator: EmulatorProcess) -> None:
    chunks = b'B\r\n{"advance_s\r\nC\r\neconds": 5 }\r\n0\r\n\r\n'
    head = request("POST /_emulator/clock HTTP/1.1", "Transfer-Encoding: chunked")
    assert status_of(exchange(emulator.url, head + chunks)) == 200


def test_an_upgrade_request_is_ignored(emulator: EmulatorProcess) -> None:
    offer = b"GET /_emulator/clock HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    answer = exchange(emulator.url, offer)
    assert (status_of(answer), headers_of(answer)["connection"]) == (200, "close")


@pytest.mark.parametrize("nonsense", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"])
def test_a_request_that_is_not_http_gets_a_400_in_json(emulator: EmulatorProcess, nonsense: bytes) -> None:
    answer = exchange(emulator.url, nonsense)
    assert status_of(answer) == 400
    assert headers_of(answer)["x-databricks-org-id"] == emulator.workspace_id
    assert json.loads(body_of(answer))["error_code"] == "MALFORMED_REQUEST"


def test_a_large_upload_takes_time_in_proportion_to_its_length(emulator: EmulatorProcess) -> None:
    def seconds(length: int) -> float:
        began = time.monotonic()
        status, _ = emulator.request("POST", "/api/2.0/nothing-here", b" " * length)
        assert status == 501
        return time.monotonic() - began

    seconds(2**20)
    small, large = seconds(8 * 2**20), seconds(128 * 2**20)
    assert large < 0.5 + 16 * 4 * small


# --- paths


@pytest.mark.parametrize(
    "path", ["/_emulator/clock", "/%5Femulator/clock", "/_emulator/clock?", "/_emulator/clock?a=1"]
)
def test_equivalent_spellings_of_a_path_are_equal(emulator: EmulatorProcess, path: str) -> None:
    assert status_of(exchange(emulator.url, request(f"GET {path} HTTP/1.1"))) == 200


def test_an_encoded_slash_stays_inside_its_segment() -> None:
    routes = Routes()
    routes.get("/files/{path:path}")(lambda call: None)
    routes.get("/one/{name}")(lambda call: None)
    router = Router(list(routes))

    def parameters(path: str) -> dict[str, str] | None:
        found = router.find("GET", path)
        return found and found[1]

    assert parameters("/one/a%2Fb%20c") == {"name": "a/b c"}
    assert parameters("/one/a/b") is None
    assert parameters("/files/a/b%2Fc") == {"path": "a/b/c"}


def test_a_route_for_head_takes_precedence() -> None:
    routes = Routes()
    routes.add("HEAD", "/a")(lambda call: "head")
    routes.get("/a")(lambda call: "get")
    found = Router(list(routes)).find("HEAD", "/a")
    assert found is not None and found[0].method == "HEAD"


# --- errors


def test_an_unknown_route_returns_501_and_is_logged(emulator: EmulatorProcess) -> None:
    status, answer = emulator.request("GET", "/api/2.0/quantum/leap?x=1")
    assert (status, answer["error_code"]) == (501, "NOT_IMPLEMENTED")
    last = emulator.request_log()[-1]
    assert (last["method"], last["path"], last["query"], last["status"]) == ("GET", "/api/2.0/quantum/leap", "x=1", 501)


def test_every_response_has_the_workspace_id_header(emulator: EmulatorProcess) -> None:
    requested = ["/.well-known/databricks-config", "/api/2.0/nothing", ME, "/_emulator/clock", "/_emulator/nothing"]
    get = [exchange(emulator.url, request(f"GET {path} HTTP/1.1")) for path in requested]
    assert {headers_of(answer)["x-databricks-org-id"] for answer in get} == {emulator.workspace_id}


def test_a_missing_token_is_a_401_and_an_invalid_token_a_403(emulator: EmulatorProcess) -> None:
    without = exchange(emulator.url, request(f"GET {ME} HTTP/1.1"))
    wrong = exchange(emulator.url, request(f"GET {ME} HTTP/1.1", "Authorization: Bearer dapi00"))
    assert status_of(without) == 401
    assert json.loads(body_of(without)) == {
        "error_code": 401,
        "message": "Credential was not sent or was of an unsupported type for this API.",
        "details": [],
    }
    assert (status_of(wrong), json.loads(body_of(wrong))["message"]) == (403, "Invalid access token.")


@pytest.mark.parametrize(
    "raw", [b"{", b"[" * 200_000, b'{"a": NaN}', b'{"a": 1e999}', b'{"a": "\\ud800"}', b"\xff\xfe"]
)
def test_a_body_that_cannot_be_json_is_rejected(raw: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        parse_json(raw)
    assert (refused.value.status, refused.value.code) == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize("raw", ['{"a": "ש"}'.encode(), '{"a": "ש"}'.encode("utf-16"), b'{"a": "\\u05e9"}'])
def test_json_is_read_in_every_unicode_encoding(raw: bytes) -> None:
    assert parse_json(raw) == {"a": "ש"}


def test_json_is_read_with_any_content_type(emulator: EmulatorProcess) -> None:
    for kind in ("application/scim+json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"):
        sent = emulator.request("POST", "/_emulator/clock", {"advance_seconds": 0}, headers={"Content-Type": kind})
        assert sent[0] == 200


def get(application: Application, path: str) -> tuple[int, dict[str, Any]]:
    """Return status and body of a GET, without a server."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "scheme": "http",
        "method": "GET",
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    run(application(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


def test_an_exception_in_a_due_task_does_not_fail_the_request(caplog: pytest.LogCaptureFixture) -> None:
    workspace = open_workspace(Options())
    application = Application(workspace)
    workspace.state.scheduler.schedule(0, "nothing.known")
    assert get(application, "/_emulator/clock")[0] == 200
    assert "a due task failed" in caplog.text
    assert workspace.state.scheduler.entries == []


def test_an_exception_in_a_handler_is_a_500_with_a_logged_traceback(caplog: pytest.LogCaptureFixture) -> None:
    workspace = open_workspace(Options())
    application = Application(workspace)
    del workspace.state.scheduler
    status, body = get(application, "/_emulator/state")
    assert (status, body["error_code"]) == (500, "INTERNAL_ERROR")
    assert "Traceback" in caplog.text


# --- reading bodies


def receiver_of(parts: list[bytes]) -> Callable[[], Awaitable[dict[str, object]]]:
    left = list(parts)

    async def receive() -> dict[str, object]:
        if not left:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0), "more_body": True}

    return receive


def test_an_incomplete_body_of_a_disconnected_client_is_ignored() -> None:
    reader = RequestBodyReader()
    assert run(reader.read([], receiver_of([b"a" * 10, b"b"]))) is None
    assert reader._under_way == 0


def test_a_chunked_body_that_becomes_too_long_is_rejected() -> None:
    with pytest.raises(ApiError) as refused:
        run(RequestBodyReader(body_limit=15).read([], receiver_of([b"a" * 10] * 3)))
    assert refused.value.status == 413


def test_too_many_concurrent_upload_bytes_cause_a_503() -> None:
    with pytest.raises(ApiError) as refused:
        run(RequestBodyReader(total_limit=15).read([], receiver_of([b"a" * 10] * 3)))
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})


def test_a_large_body_is_not_kept_in_memory() -> None:
    length = 32 * 2**20
    part = bytes(2**16)
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": i + 1 < length // len(part)} for i in range(512)
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    tracemalloc.start()
    body: Any = run(RequestBodyReader().read([(b"content-length", str(length).encode())], receive))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert body is not None and body.size == length and body.read() == bytes(length)
    assert peak < 0.75 * length


# --- start and stop


def test_the_server_is_ready_when_it_prints_the_ready_line(start_emulator: Callable[..., EmulatorProcess]) -> None:
    assert status_of(exchange(start_emulator().url, request("GET /_emulator/clock HTTP/1.1"))) == 200


def test_sigterm_stops_the_server_despite_open_connections(
    start_emulator: Callable[..., EmulatorProcess], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    emulator = start_emulator(log=log)
    idle, hanging, uploading = (connect(emulator.url) for _ in range(3))
    emulator.control("POST", "faults", {"rules": [{"match": "GET /api/*", "kind": "hang"}]})
    hanging.sendall(b"GET /api/2.0/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
    uploading.sendall(b"POST /api/2.0/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc")
    time.sleep(0.2)
    began = time.monotonic()
    assert emulator.stop() == 0
    assert time.monotonic() - began < 2
    assert log.read_text() == ""
    for connection in (idle, hanging, uploading):
        connection.close()


def test_sigint_stops_the_server_without_output(start_emulator: Callable[..., EmulatorProcess], tmp_path: Path) -> None:
    log = tmp_path / "log"
    emulator = start_emulator(log=log)
    os.kill(emulator.pid, signal.SIGINT)
    assert emulator.stop() == 0
    assert log.read_text() == ""


def emulate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emulator", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.process
def test_a_port_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = emulate("--port", port)
    sentence = (
        f"Error: cannot listen on 127.0.0.1 port {port} (Address already in use); choose a different --host or --port\n"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", sentence)


@pytest.mark.process
def test_a_host_address_of_a_different_machine_is_reported() -> None:
    ended = emulate("--host", "192.0.2.1", "--port", 0)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("Error: cannot listen on 192.0.2.1 port 0 (")


@pytest.mark.process
def test_an_unknown_profile_is_reported_with_the_known_ones() -> None:
    ended = emulate("--port", 0, "--faults", "nope")
    assert ended.returncode == 2
    assert all(f"'{name}'" in ended.stderr for name in PROFILES)


@pytest.mark.process
@pytest.mark.parametrize("start", ["noon", "2026-10-18T07:00:00"])
def test_an_invalid_start_time_is_reported(start: str) -> None:
    ended = emulate("--port", 0, "--start", start)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: --start: ")
    assert ended.stderr.endswith("use 2026-10-18T07:00:00Z\n")


@pytest.mark.process
def test_help_has_examples() -> None:
    ended = emulate("--help")
    assert ended.returncode == 0
    assert "python -m emulator --port 0 --seed 1" in ended.stdout


def test_a_seed_makes_ids_but_not_tokens_reproducible(start_emulator: Callable[..., EmulatorProcess]) -> None:
    first, second = start_emulator("--seed", 7), start_emulator("--seed", 7)
    assert first.workspace_id == second.workspace_id
    assert first.admin_token != second.admin_token
    assert start_emulator().workspace_id != start_emulator().workspace_id


def test_the_server_listens_on_ipv6(start_emulator: Callable[..., EmulatorProcess]) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    emulator = start_emulator("--host", "::1")
    assert emulator.url.startswith("http://[::1]:")
    assert emulator.control("GET", "clock")


def test_query_arguments_of_both_sdks_are_parsed() -> None:
    def call(query: dict[str, list[str]]) -> Request:
        return Request(None, "GET", "/", query, {}, EMPTY, 0)  # type: ignore[arg-type]

    assert [call({"a": [value]}).flag("a") for value in ("true", "True", "false", "")] == [True, True, False, False]
    assert call({"a": ["7"]}).number("a", 1) == 7
    with pytest.raises(ApiError, match="a must be an integer, not 'x'"):
        call({"a": ["x"]}).number("a", 1)
