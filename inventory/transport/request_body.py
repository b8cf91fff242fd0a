"""Request bodies. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NO_QUERY: Mapping[str, str] = {}


@dataclass(frozen=True)
class RequestBody:
    """The content of a request, in memory or in chunks."""

    content: bytes | Iterator[bytes]
    length: int
    """Bytes."""
    content_type: str = "application/json"


def json_body(document: Mapping[str, object]) -> RequestBody:
    """Encode a JSON document as a request body."""
    content = json.dumps(document).encode()
    return RequestBody(content, len(content))
