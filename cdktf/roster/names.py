"""What two names have in common when they are the same name. Pure."""

from __future__ import annotations

import html
import re
import unicodedata

from labkit.csv_cells import unescape_formula

# Directional marks, embeddings and isolates, and the byte order mark: invisible, and no part of a name. The joiners
# (U+200C, U+200D) are part of words in some scripts and of emoji, so names keep them.
_MARKS = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def clean_name(cell: str) -> str:
    """A name as people see it: NFC, no directional marks or control characters, single spaces."""
    visible = _MARKS.sub("", cell)
    spaced = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in visible)
    return " ".join(unicodedata.normalize("NFC", spaced).split())


def plain_name(name: str) -> str:
    """The name that an export wrote, case and all.

    Moodle's overview writes & as &amp; where the group self-selection writes it as it is.
    """
    return clean_name(unescape_formula(html.unescape(name)))


def name_key(name: str) -> str:
    """What two names have in common when they are the same name but for case: Straße is STRASSE."""
    return plain_name(name).casefold()
