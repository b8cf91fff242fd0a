"""Parses `multipart/form-data` bodies in one pass, without copying the parts of a large body."""

import re

from emulator.api.errors import ApiError
from emulator.base.content import Content

_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_NAME = re.compile(r'\bname="([^"]*)"')


def is_multipart(content_type: str) -> bool:
    return content_type.lower().startswith("multipart/form-data")


def read_parts(content_type: str, sent: Content) -> dict[str, Content]:
    """Return the parts by name; if a name is repeated, its first part. Raises 400 MALFORMED_REQUEST for any other
    body."""
    match = _BOUNDARY.search(content_type)
    if not match:
        raise _malformed("no boundary")
    delimiter = b"--" + match[1].encode("latin-1")
    parts: dict[str, Content] = {}
    if sent.read(0, len(delimiter)) != delimiter:
        raise _malformed("it does not begin with its boundary")
    begin = len(delimiter)
    while sent.read(begin, 2) != b"--":
        head_end = sent.find(b"\r\n\r\n", begin)
        end = sent.find(b"\r\n" + delimiter, head_end) if head_end >= 0 else -1
        if end < 0:
            raise _malformed("it ends within a part")
        name = _NAME.search(sent.read(begin, head_end - begin).decode("utf-8", errors="replace"))
        if name:
            parts.setdefault(name[1], sent.slice(head_end + 4, end - head_end - 4))
        begin = end + 2 + len(delimiter)
    return parts


def _malformed(reason: str) -> ApiError:
    return ApiError(400, "MALFORMED_REQUEST", f"Could not parse multipart request: {reason}.")
