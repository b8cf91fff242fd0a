"""Encodes names so that every file system can hold them, and decodes them again. Pure.

    %2F    a byte of a character that some file system rejects or that this encoding uses
    %~2    prefix: some file system would confuse the name with a different one in the folder
    %- %+  suffix of a folder and prefix of its content: one name, split because it is too long

Other names stay as they are. A `%` in the original name becomes `%25`, so that decoding is unambiguous.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from unicodedata import normalize

NameAndSuffix = tuple[str, str]
"""A name and the suffix to add: a notebook `a` is stored as `a.py`, and a file may have that name, too."""
PathParts = tuple[str, ...]
"""An encoded name: one path component, or several for a long name."""
MAX_COMPONENT_BYTES: Final = 255
"""Maximum length of one component in bytes."""
_FORBIDDEN = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff%<>:"/\\\\|?*#]')
"""Characters that Windows rejects, control characters, URL separators, and lone surrogates."""
_TRAILING = re.compile(r"[. ]\Z")
"""Windows silently drops these; `.` and `..` are not valid names."""
_DEVICES = re.compile(r"(?:CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])(?=[. ]*(?:\.|\Z))", re.I)
"""Windows opens a device for these names, whatever their suffix."""
_ESCAPED = re.compile(r"(?:%[0-9A-F]{2})+")
_COUNTER = re.compile(r"%~\d+")
_CONTINUES, _CONTINUED = "%-", "%+"


def encode_name(name: str) -> PathParts:
    """Encode a name for a folder without other names."""
    return _split_long_name(_escape_name(name))


def decode_name(parts: Iterable[str]) -> str:
    """Decode a name."""
    text = "".join(part.removeprefix(_CONTINUED).removesuffix(_CONTINUES) for part in parts)
    text = _COUNTER.sub("", text, count=1)
    return _ESCAPED.sub(lambda found: _decode_bytes(bytes.fromhex(found[0].replace("%", ""))), text)


def assign_names(
    items: Iterable[NameAndSuffix], taken: Mapping[NameAndSuffix, PathParts] | None = None
) -> dict[NameAndSuffix, PathParts]:
    """Encode the names of one folder so that they also differ on file systems that ignore case.

    `taken` has the names encoded earlier; the result contains them. The order of `items` does not matter.
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
    """Return whether the path and its parent folders are new, or the parents are the same folders."""
    if _folded(parts) in used:
        return False
    prefixes = (parts[:depth] for depth in range(1, len(parts)))
    return all(used.get(_folded(prefix), prefix) == prefix for prefix in prefixes)


def _claim(used: dict[PathParts, PathParts], parts: PathParts) -> None:
    for depth in range(1, len(parts) + 1):
        used[_folded(parts[:depth])] = parts[:depth]


def _folded(parts: PathParts) -> PathParts:
    """Return a key that is equal for names that some file system considers equal."""
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
    """Split a name into components that are short enough."""
    parts: list[str] = []
    while len(text.encode()) > MAX_COMPONENT_BYTES:
        size, length = len(_CONTINUES), 0
        while size + (width := len(text[length].encode())) <= MAX_COMPONENT_BYTES:
            size += width
            length += 1
        parts.append(text[:length] + _CONTINUES)
        text = _CONTINUED + text[length:]
    return (*parts, text)
