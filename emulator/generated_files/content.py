"""The bytes of generated files: reproducible, with the listed size, and readable at any offset. Pure."""

import random
from functools import lru_cache

from emulator.notebook_formats.notebooks import header

BLOCK = 2**16
_DASHBOARD = b'{"pages":[],"datasets":[],"note":"'
_END = b'"}'


def head(flavour: str) -> bytes:
    """Return the first bytes of a file with this flavour."""
    if flavour == "dashboard":
        return _DASHBOARD
    return f"{header(flavour)}\n".encode() if flavour else b""


def read(flavour: str, key: int, size: int, offset: int, length: int) -> bytes:
    """Return bytes of the file `key`; its `flavour` is a notebook's language, `dashboard` or empty."""
    end = min(size, offset + length)
    if offset >= end:
        return b""
    first = head(flavour)[:size]
    tail = _END if flavour == "dashboard" else b""
    body = size - len(tail)
    parts = [first[offset:end]]
    begin = max(offset, len(first))
    if begin < min(end, body):
        filling = _filling(key, begin, min(end, body))
        parts.append(filling.replace(b"\n", b" ") if flavour == "dashboard" else filling)
    parts.append(tail[max(0, offset - body) : max(0, end - body)])
    return b"".join(parts)


def _filling(key: int, begin: int, end: int) -> bytes:
    block = _block(key)
    first = begin % BLOCK
    repeated = block * (1 + (first + end - begin - 1) // BLOCK)
    return repeated[first : first + end - begin]


@lru_cache(maxsize=64)
def _block(key: int) -> bytes:
    """Return lines of hexadecimal digits, which need no escaping in any format."""
    digits = random.Random(key).randbytes(BLOCK // 2).hex()
    return "".join(digits[line : line + 63] + "\n" for line in range(0, BLOCK, 64)).encode()
