"""Reads request bodies. Large bodies are kept in a file, and the total size is limited."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from emulator.api.errors import ApiError
from emulator.base.content import EMPTY, FILE_THRESHOLD, BytesContent, Content

BODY_LIMIT = 5 * 2**30
"""Maximum size of one body, in bytes. The largest real upload, one file in a volume, is 5 GB."""
TOTAL_LIMIT = 2 * BODY_LIMIT
"""Maximum total size of all bodies that are being received, in bytes."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class RequestBodyReader:
    """Reads bodies and counts the bytes in progress, so that many large bodies cannot fill the disk."""

    def __init__(self, body_limit: int = BODY_LIMIT, total_limit: int = TOTAL_LIMIT) -> None:
        self._body_limit = body_limit
        self._total_limit = total_limit
        self._under_way = 0

    async def read(self, headers: Iterable[tuple[bytes, bytes]], receive: Receive) -> Content | None:
        """Return the whole body, or None if the client disconnected before its end.

        Raises ApiError 413 if the body is too long (before reading it, if it has a Content-Length), and 503 if the
        total size would be too large or the disk is full.
        """
        announced = _announced(headers)
        self._check(announced)
        message = await receive()
        if not message.get("more_body"):
            return None if message["type"] == "http.disconnect" else BytesContent(bytes(message.get("body", b"")))
        content: Content = EMPTY
        latest = bytearray()
        counted = 0
        try:
            while True:
                if message["type"] == "http.disconnect":
                    return None
                part = message.get("body", b"")
                latest += part
                counted += len(part)
                self._under_way += len(part)
                self._check(counted)
                if not message.get("more_body"):
                    return content.plus(bytes(latest))
                if len(latest) >= FILE_THRESHOLD:
                    content = content.plus(bytes(latest))
                    latest.clear()
                message = await receive()
        except OSError as error:
            text = f"No space left for the request: {error.strerror}."
            raise ApiError(503, "TEMPORARILY_UNAVAILABLE", text) from None
        finally:
            self._under_way -= counted

    def _check(self, length: int) -> None:
        if length > self._body_limit:
            limit = self._body_limit // 2**20
            raise ApiError(413, "MAX_REQUEST_SIZE_EXCEEDED", f"The request is larger than {limit} MiB.")
        if self._under_way > self._total_limit:
            text = "Too many large uploads at once. Please try again later."
            raise ApiError(503, "TEMPORARILY_UNAVAILABLE", text, {"Retry-After": "1"})


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return next((int(value) for name, value in headers if name == b"content-length" and value.isdigit()), 0)
