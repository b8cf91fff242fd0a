"""What the text of one cell means: an address, a name, something to show a person. Pure."""

from __future__ import annotations

import html
import re
import unicodedata

from labkit.csv_cells import unescape_formula

# Letters of any language, digits, and the signs that mail systems use. What Terraform ($ { } %), a path (/ \ *) or
# a table (, ; | ") would read as its own is left out: an address becomes a key, a folder and a cell.
_LOCAL = r"[\w!#&'+=^~-]+(?:\.[\w!#&'+=^~-]+)*"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"{_LOCAL}@(?:{_LABEL}\.)+{_LABEL}")
_MAX_ADDRESS = 254
_MAX_SHOWN = 60

_BEFORE_ADDRESS = re.compile(r"^[\s']+")

# Directional marks, embeddings and isolates, and the byte order mark: invisible, and no part of a name. The joiners
# (U+200C, U+200D) are part of words in some scripts and of emoji, so names keep them.
_MARKS = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def clean_name(cell: str) -> str:
    """A name as people see it: NFC, no directional marks or control characters, single spaces."""
    visible = _MARKS.sub("", cell)
    spaced = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in visible)
    return " ".join(unicodedata.normalize("NFC", spaced).split())


def name_key(name: str) -> str:
    """What two names have in common when they are the same name, however an export wrote it.

    Moodle's overview writes & as &amp; where the group self-selection writes it as it is.
    """
    return clean_name(unescape_formula(html.unescape(name))).casefold()


def normalised_address(cell: str) -> str:
    """The address as we keep it: NFC, lower case, no spaces, marks or spreadsheet's apostrophes around it."""
    visible = "".join(letter for letter in cell if unicodedata.category(letter) != "Cf")
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", visible).lower())
    return _BEFORE_ADDRESS.sub("", lowered.strip())


def is_address(text: str) -> bool:
    """Whether this is a whole, normalised e-mail address that can become an account."""
    return len(text) <= _MAX_ADDRESS and _ADDRESS.fullmatch(text) is not None


def shown(text: str) -> str:
    """Foreign text in quotes for a message: short, and nothing in it that a terminal would obey."""
    short = text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
    return f'"{printable(short)}"'


def printable(text: str) -> str:
    """Foreign text with whatever a terminal would obey spelled out; one line."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
