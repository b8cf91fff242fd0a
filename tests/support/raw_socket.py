"""Raw exchanges with a server, for tests that compare bytes."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

SECONDS = 10.0


def connect(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname or "", address.port or 80), timeout=SECONDS)


def exchange(url: str, request: bytes) -> bytes:
    """Return everything the server sends until it closes. Raises ConnectionResetError if it resets the connection."""
    with connect(url) as connection:
        connection.sendall(request)
        response = b""
        while received := connection.recv(65536):
            response += received
        return response


def request(first_line: str, *headers: str, body: bytes = b"") -> bytes:
    """Return the bytes of a request that asks the server to close the connection."""
    lines = [first_line, "Host: localhost", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def status_of(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])


def headers_of(response: bytes) -> dict[str, str]:
    head = response.partition(b"\r\n\r\n")[0].decode()
    pairs = (line.partition(": ") for line in head.splitlines()[1:])
    return {name.lower(): value for name, _, value in pairs}


def body_of(response: bytes) -> bytes:
    return response.partition(b"\r\n\r\n")[2]
