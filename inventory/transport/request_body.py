"""The body of a request. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NO_QUERY: Mapping[str, str] = {}


@dataclass(frozen=True)
class RequestBody:
    """Content that is sent, which may come in pieces."""

    content: bytes | Iterator[bytes]
    length: int
    """Bytes."""
    content_type: str = "application/json"


def json_body(document: Mapping[str, object]) -> RequestBody:
    """The body that holds a JSON document."""
    content = json.dumps(document).encode()
    return RequestBody(content, len(content))
