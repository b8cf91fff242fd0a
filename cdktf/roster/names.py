"""Normalises group names for display and comparison. Pure."""

from __future__ import annotations

import html
import re
import unicodedata

from labkit.csv_cells import unescape_formula

# Directional marks, embeddings and isolates, and the byte order mark: invisible, and not part of a name. The joiners
# (U+200C, U+200D) stay, because they are part of words in some scripts and of emoji.
_MARKS = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def clean_name(cell: str) -> str:
    """Return a name as displayed: NFC, without directional marks or control characters, single spaces."""
    visible = _MARKS.sub("", cell)
    spaced = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in visible)
    return " ".join(unicodedata.normalize("NFC", spaced).split())


def plain_name(name: str) -> str:
    """Return a name from an export with its HTML escapes decoded and its case unchanged.

    Moodle's overview writes & as &amp;; its group self-selection leaves & as it is.
    """
    return clean_name(unescape_formula(html.unescape(name)))


def name_key(name: str) -> str:
    """Return a key that is equal for names that differ only in case: Straße and STRASSE."""
    return plain_name(name).casefold()
