"""Reading a `multipart/form-data` body: one pass over the bytes, no copy of a part but the one handed out. Pure."""

import re

from emulator.errors import ApiError

_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_NAME = re.compile(r'\bname="([^"]*)"')


def is_multipart(content_type: str) -> bool:
    return content_type.lower().startswith("multipart/form-data")


def read_parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts by name; the first of a name counts. Raises a 400 MALFORMED_REQUEST for what is no such body."""
    match = _BOUNDARY.search(content_type)
    if not match:
        raise _malformed("no boundary")
    delimiter = b"--" + match[1].encode("latin-1")
    parts: dict[str, bytes] = {}
    if not body.startswith(delimiter):
        raise _malformed("it does not begin with its boundary")
    begin = len(delimiter)
    while not body.startswith(b"--", begin):
        head_end = body.find(b"\r\n\r\n", begin)
        end = body.find(b"\r\n" + delimiter, head_end)
        if head_end < 0 or end < 0:
            raise _malformed("it ends within a part")
        name = _NAME.search(body[begin:head_end].decode("utf-8", errors="replace"))
        if name:
            parts.setdefault(name[1], body[head_end + 4 : end])
        begin = end + 2 + len(delimiter)
    return parts


def _malformed(reason: str) -> ApiError:
    return ApiError(400, "MALFORMED_REQUEST", f"Could not parse multipart request: {reason}.")
