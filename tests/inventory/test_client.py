"""Only a complete response counts: a truncated or lost response is never an empty folder."""

from __future__ import annotations

import socket
import threading

import pytest

from inventory.scan.folder_request import classify_listing
from inventory.transport.client import Client
from inventory.transport.response import Response, TransportError
from inventory.transport.retry import Retry, Unauthorized, is_rate_limited, next_retry
from inventory.tree.listing import Failure, Folder, Listing

LIST = "/api/2.0/workspace/list"
CUT = "the response is not JSON, or ends too early"
HOME = Folder("dana", "workspace", "/Users/dana")


def served(content: bytes) -> Client:
    """A client for a server that sends this content once and closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(content)

    threading.Thread(target=serve, daemon=True).start()
    return Client(f"http://127.0.0.1:{listener.getsockname()[1]}", dict, timeout=5)


def of(body: bytes, length: int | None = None, head: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {head}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


@pytest.mark.process
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (of(b""), CUT),
        (of(b"", length=2), CUT),
        (of(b"{}", length=20), CUT),
        (of(b'{"objects": ['), CUT),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", CUT),
        (b"", "the connection was closed before the response"),
        (b"nonsense\r\n\r\n", "no response: nonsense"),
    ],
    ids=["nothing", "less than nothing", "short", "half", "no last chunk", "closed", "no HTTP"],
)
def test_an_incomplete_response_is_a_transport_error(content, reason):
    with pytest.raises(TransportError, match=reason):
        served(content).get(LIST, {"path": "/"})


@pytest.mark.process
def test_a_response_keeps_status_message_and_retry_after():
    assert served(of(b"{}")).get(LIST, {}) == Response(200, {})
    slow = "429 Too Many Requests\r\nRetry-After: 7"
    assert served(of(b'{"error_code":"X","message":"a\\nb"}', head=slow)).get(LIST, {}).retry_after == 7
    page = served(of(b"<html>", head="404 Not Found")).get(LIST, {})
    assert (page.status, page.reason) == (404, "404 <html>")


@pytest.mark.parametrize(
    ("kind", "reason"), [("hang", "no response for 0.4 seconds"), ("truncate", CUT), ("reset", "closed before")]
)
def test_a_broken_connection_is_replaced(emulator, kind, reason):
    client = Client(emulator.url, lambda: {"Authorization": f"Bearer {emulator.admin_token}"}, timeout=0.4)
    assert client.get(LIST, {"path": "/Shared"}).status == 200
    rule = {"match": f"GET {LIST}", "kind": kind, "count": 1, "seconds": 2}
    emulator.control("POST", "faults", {"rules": [rule if kind == "hang" else rule | {"seconds": None}]})
    with pytest.raises(TransportError, match=reason):
        client.get(LIST, {"path": "/Shared"})
    assert client.get(LIST, {"path": "/Shared"}) == Response(200, {})
    client.close()


def test_a_failed_credential_refresh_is_a_transport_error():
    def broken() -> dict[str, str]:
        raise ValueError("the login has expired")

    with pytest.raises(TransportError, match="no credential: the login has expired"):
        Client("http://127.0.0.1:9", broken).get(LIST, {})


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_requests_are_tried_six_times_on_server_errors(status):
    found = [classify_listing(HOME, Response(status, {}), tries, lambda: 1.0) for tries in range(1, 7)]
    assert found[:5] == [Retry(0.5), Retry(1.0), Retry(2.0), Retry(4.0), Retry(8.0)]
    assert found[5] == Failure(HOME.path, f"{status}, 6 times")


def test_rate_limited_requests_are_tried_twenty_times():
    slow = Response(429, {}, retry_after=3.0)
    assert [next_retry(slow, tries, lambda: 0.0) for tries in (1, 19, 20)] == [Retry(3.0), Retry(3.0), None]
    assert is_rate_limited(Response(400, {"error_code": "REQUEST_LIMIT_EXCEEDED"}))
    assert is_rate_limited(Response(200, {"error_code": "REQUEST_LIMIT_EXCEEDED"}))
    assert not is_rate_limited(Response(200, {}))


@pytest.mark.parametrize("status", [302, 400, 403, 404, 501])
def test_a_permanent_error_is_a_failure_at_once(status):
    answer = Response(status, {"error_code": "SOME_CODE", "message": "why"})
    assert classify_listing(HOME, answer, 1, lambda: 1.0) == Failure(HOME.path, f"{status} SOME_CODE why")


def test_a_path_is_missing_only_with_the_api_s_error_code():
    missing = Response(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"})
    assert classify_listing(HOME, missing, 1, lambda: 1.0) == Failure(
        HOME.path, "404 RESOURCE_DOES_NOT_EXIST gone", missing=True
    )
    assert classify_listing(HOME, Response(401, {"message": "expired"}), 1, lambda: 1.0) == Unauthorized("401 expired")
    assert classify_listing(HOME, Response(200, {}), 1, lambda: 1.0) == Listing()
