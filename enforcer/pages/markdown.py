"""Makes people's text safe for Markdown cells: it is shown as it is and is never interpreted. Pure."""

import re
from string import punctuation

from labkit.text import one_line

JOINER = "\u2060"
"""An invisible character without width that separates what a renderer would otherwise combine."""
_RIGHT_TO_LEFT, _OWN_DIRECTION, _END = "\u2067", "\u2068", "\u2069"
"""The characters that begin and end an isolate: a part of the text with a direction of its own."""
_SPECIAL = re.compile(f"[{re.escape(punctuation)}]")
# A backslash keeps punctuation from being interpreted. Some renderers look for links and formulas in the result, in
# which the backslash is gone; so nothing follows `@`, `$` and a backslash directly, and no `://` and `www.` remain.
_SEPARATED = re.compile(r"[@$\\]|:(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_MARKER = re.compile(r"(#{1,6} |- |)")


def escape(text: str) -> str:
    """Return people's text as Markdown in one line, isolated from the direction of the words around it.

    A renderer shows exactly `one_line(text)` and invisible characters: no block, link, image, tag, emphasis, entity or
    formula arises, whatever the text contains.
    """
    separated = _SEPARATED.sub(lambda found: found[0] + JOINER, one_line(text))
    escaped = _SPECIAL.sub(lambda found: "\\" + found[0], separated)
    return f"{_OWN_DIRECTION}{escaped}{_END}"


def right_to_left(markdown: str) -> str:
    """Return the same Markdown with the content of each line in a right-to-left isolate.

    Cells have no direction of their own. Each line must be a block of its own: a heading, a list item or a paragraph.
    """
    return "\n".join(_isolated(line) for line in markdown.split("\n"))


def _isolated(line: str) -> str:
    marker = _MARKER.match(line)
    start = marker.end() if marker else 0
    return f"{line[:start]}{_RIGHT_TO_LEFT}{line[start:]}{_END}" if line[start:].strip() else line


def visible(text: str) -> str:
    """Return the text without the invisible characters that this module adds."""
    return re.sub(f"[{JOINER}{_RIGHT_TO_LEFT}{_OWN_DIRECTION}{_END}]", "", text)
