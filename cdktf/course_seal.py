"""The checksum inside a course file, which tells a file as it was written from one that somebody edited. Pure."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

KEY = "checksum"


def seal(document: Mapping[str, Any]) -> str:
    """The SHA-256 of the document without its own checksum, in a form that white space and order do not change."""
    content = {key: value for key, value in document.items() if key != KEY}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def is_sealed(content: bytes) -> bool:
    """Whether this is a course file exactly as it was once written."""
    try:
        document = json.loads(content)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get(KEY) == seal(document)
