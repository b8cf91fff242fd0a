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

Item = tuple[str, str]
"""A name and the ending that is added to it, if any: a notebook `a` is stored as `a.py`, where a file may be, too."""
Parts = tuple[str, ...]
"""A name as it is stored: one component of a path, or several for a long one."""
LONGEST: Final = 255
"""Bytes of one component."""
_TROUBLE = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff%<>:"/\\\\|?*#]')
"""What Windows refuses, what moves a cursor, what divides an address, and what is no character at all."""
_ENDINGS = re.compile(r"[. ]\Z")
"""Windows drops these without a word; `.` and `..` are no names at all."""
_DEVICES = re.compile(r"(?:CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])(?=[. ]*(?:\.|\Z))", re.I)
"""Windows opens a device for these, whatever their extension."""
_ESCAPED = re.compile(r"(?:%[0-9A-F]{2})+")
_TURN = re.compile(r"%~\d+")
_END, _BEGIN = "%-", "%+"


def stored(name: str) -> Parts:
    """The name as it is stored where nothing else is in its way."""
    return _parts(_harmless(name))


def original(parts: Iterable[str]) -> str:
    """The name that was stored so."""
    text = "".join(part.removeprefix(_BEGIN).removesuffix(_END) for part in parts)
    text = _TURN.sub("", text, count=1)
    return _ESCAPED.sub(lambda found: _characters(bytes.fromhex(found[0].replace("%", ""))), text)


def arrange(items: Iterable[Item], taken: Mapping[Item, Parts] | None = None) -> dict[Item, Parts]:
    """How the names of one folder are stored beside each other, on file systems that ignore case, too.

    `taken` are those that were stored already, and how; among the result in any case. The order of `items` does not
    matter.
    """
    found: dict[Item, Parts] = dict(taken or {})
    used: dict[Parts, Parts] = {}
    for parts in found.values():
        _claim(used, parts)
    for item in sorted(set(items) - found.keys(), key=lambda item: ("".join(item), item[1])):
        text = _harmless("".join(item))
        turn = 1
        while not _is_free(used, parts := _parts(text if turn == 1 else f"%~{turn}{text}")):
            turn += 1
        _claim(used, parts)
        found[item] = parts
    return found


def _is_free(used: Mapping[Parts, Parts], parts: Parts) -> bool:
    """Whether it and every folder it lies in is new, or is the folder that has exactly this name."""
    if _folded(parts) in used:
        return False
    prefixes = (parts[:depth] for depth in range(1, len(parts)))
    return all(used.get(_folded(prefix), prefix) == prefix for prefix in prefixes)


def _claim(used: dict[Parts, Parts], parts: Parts) -> None:
    for depth in range(1, len(parts) + 1):
        used[_folded(parts[:depth])] = parts[:depth]


def _folded(parts: Parts) -> Parts:
    """The same for what some file system takes for the same."""
    return tuple(normalize("NFC", normalize("NFC", part).casefold()) for part in parts)


def _harmless(name: str) -> str:
    text = _TROUBLE.sub(_escape, name)
    text = _ENDINGS.sub(_escape, text)
    if _DEVICES.match(text):
        text = f"%{ord(text[0]):02X}{text[1:]}"
    return text or "%00"


def _escape(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))


def _characters(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _parts(text: str) -> Parts:
    """Cut into pieces that are short enough."""
    parts: list[str] = []
    while len(text.encode()) > LONGEST:
        size, length = len(_END), 0
        while size + (width := len(text[length].encode())) <= LONGEST:
            size += width
            length += 1
        parts.append(text[:length] + _END)
        text = _BEGIN + text[length:]
    return (*parts, text)
