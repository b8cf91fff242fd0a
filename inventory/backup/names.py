"""Names that any file system can hold, made from names that it may not, and read back from them. Pure.

    %2F    a byte of a character that some file system does not take, or that has a meaning here
    %~2    before a name: there is another in the folder that some file system takes for the same
    %- %+  at the end of a folder and at the beginning of what is in it: one name, too long for one file

A name that needs none of this stays as it is. A `%` of the name itself is always `%25`, so nothing is ambiguous.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from unicodedata import normalize

NameAndSuffix = tuple[str, str]
"""A name and the ending that is added to it, if any: a notebook `a` is stored as `a.py`, where a file may be, too."""
PathParts = tuple[str, ...]
"""A name as it is stored: one component of a path, or several for a long one."""
MAX_COMPONENT_BYTES: Final = 255
"""Bytes of one component."""
_FORBIDDEN = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff%<>:"/\\\\|?*#]')
"""What Windows refuses, what moves a cursor, what divides an address, and what is no character at all."""
_TRAILING = re.compile(r"[. ]\Z")
"""Windows drops these without a word; `.` and `..` are no names at all."""
_DEVICES = re.compile(r"(?:CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])(?=[. ]*(?:\.|\Z))", re.I)
"""Windows opens a device for these, whatever their extension."""
_ESCAPED = re.compile(r"(?:%[0-9A-F]{2})+")
_COUNTER = re.compile(r"%~\d+")
_CONTINUES, _CONTINUED = "%-", "%+"


def encode_name(name: str) -> PathParts:
    """The name as it is stored where nothing else is in its way."""
    return _split_long_name(_escape_name(name))


def decode_name(parts: Iterable[str]) -> str:
    """The name that was stored so."""
    text = "".join(part.removeprefix(_CONTINUED).removesuffix(_CONTINUES) for part in parts)
    text = _COUNTER.sub("", text, count=1)
    return _ESCAPED.sub(lambda found: _decode_bytes(bytes.fromhex(found[0].replace("%", ""))), text)


def assign_names(
    items: Iterable[NameAndSuffix], taken: Mapping[NameAndSuffix, PathParts] | None = None
) -> dict[NameAndSuffix, PathParts]:
    """How the names of one folder are stored beside each other, on file systems that ignore case, too.

    `taken` are those that were stored already, and how; among the result in any case. The order of `items` does not
    matter.
    """
    found: dict[NameAndSuffix, PathParts] = dict(taken or {})
    used: dict[PathParts, PathParts] = {}
    for parts in found.values():
        _claim(used, parts)
    for item in sorted(set(items) - found.keys(), key=lambda item: ("".join(item), item[1])):
        text = _escape_name("".join(item))
        counter = 1
        while not _is_free(used, parts := _split_long_name(text if counter == 1 else f"%~{counter}{text}")):
            counter += 1
        _claim(used, parts)
        found[item] = parts
    return found


def _is_free(used: Mapping[PathParts, PathParts], parts: PathParts) -> bool:
    """Whether it and every folder it lies in is new, or is the folder that has exactly this name."""
    if _folded(parts) in used:
        return False
    prefixes = (parts[:depth] for depth in range(1, len(parts)))
    return all(used.get(_folded(prefix), prefix) == prefix for prefix in prefixes)


def _claim(used: dict[PathParts, PathParts], parts: PathParts) -> None:
    for depth in range(1, len(parts) + 1):
        used[_folded(parts[:depth])] = parts[:depth]


def _folded(parts: PathParts) -> PathParts:
    """The same for what some file system takes for the same."""
    return tuple(normalize("NFC", normalize("NFC", part).casefold()) for part in parts)


def _escape_name(name: str) -> str:
    text = _FORBIDDEN.sub(_escape, name)
    text = _TRAILING.sub(_escape, text)
    if _DEVICES.match(text):
        text = f"%{ord(text[0]):02X}{text[1:]}"
    return text or "%00"


def _escape(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))


def _decode_bytes(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _split_long_name(text: str) -> PathParts:
    """Cut into pieces that are short enough."""
    parts: list[str] = []
    while len(text.encode()) > MAX_COMPONENT_BYTES:
        size, length = len(_CONTINUES), 0
        while size + (width := len(text[length].encode())) <= MAX_COMPONENT_BYTES:
            size += width
            length += 1
        parts.append(text[:length] + _CONTINUES)
        text = _CONTINUED + text[length:]
    return (*parts, text)
