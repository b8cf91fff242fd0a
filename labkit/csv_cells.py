"""Escaping of text cells in CSV files, so that spreadsheets do not evaluate them as formulas, and the inverse. Pure.

`escape_formula` puts an apostrophe in front of a string that a spreadsheet would evaluate. `unescape_formula` returns
the original string of every cell that `escape_formula` wrote.

Files written by earlier versions are read as before. Those versions put an apostrophe in front of only some formulas
and wrote every other string unchanged. A prefix added since then must therefore differ from every string that they
wrote unchanged: it is an apostrophe and two spaces, because names in rosters contain only single spaces.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

# The characters that start a formula. Tabs and line breaks count, because some spreadsheets drop them and evaluate the
# rest; full-width forms count, because East Asian input methods and spreadsheets treat them as the ASCII characters.
_FORMULA_STARTS = "=+\\-@\t\r\n＝＋－＠"
# Further characters that compatibility normalisation or LibreOffice (U+2212) turns into these.
_COMPATIBILITY_SIGNS = "﹦﹢﹣﹫\u2212"
# White space and invisible characters, which a spreadsheet may skip.
_BLANK = "[\\s\0-\x20\x7f-\xa0\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
# A formula after white space, or one that starts with a compatibility character.
_HIDDEN = f"(?![{_FORMULA_STARTS}]){_BLANK}*[{_FORMULA_STARTS}{_COMPATIBILITY_SIGNS}]"

_PREFIX = "'"
_HIDDEN_PREFIX = "'  "

_PLAIN_FORMULA = re.compile(f"'*[{_FORMULA_STARTS}]")
_HIDDEN_FORMULA = re.compile(_HIDDEN)
_LOOKS_ESCAPED = re.compile(f"'+  {_HIDDEN}")
_ESCAPED = re.compile(f"'+[{_FORMULA_STARTS}]|''+  {_HIDDEN}")
_ESCAPED_HIDDEN = re.compile(f"'  {_HIDDEN}")


def escape_formula(text: str) -> str:
    """Return the string as a cell that no spreadsheet evaluates; most strings stay unchanged."""
    if text[:1].isalnum() or text.startswith("/"):
        return text
    if _PLAIN_FORMULA.match(text) or _LOOKS_ESCAPED.match(text):
        return _PREFIX + text
    return _HIDDEN_PREFIX + text if _HIDDEN_FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    """Return the string that `escape_formula` turned into this cell."""
    if not cell.startswith(_PREFIX):
        return cell
    if _ESCAPED.match(cell):
        return cell.removeprefix(_PREFIX)
    return cell.removeprefix(_HIDDEN_PREFIX) if _ESCAPED_HIDDEN.match(cell) else cell


class TextWriter(Protocol):
    """An object that rows can be written to."""

    def write(self, text: str, /) -> object: ...


def write_rows(file: TextWriter, rows: Iterable[Sequence[object]], *, line_end: str = "\r\n") -> None:
    """Write rows as RFC 4180 defines them: strings escaped, None as an empty cell, numbers and dates unchanged.

    A file on disk must be opened with `newline=""`. Raises what `file.write` raises.
    """
    # The csv module quotes a lone carriage return only if its line terminator contains one.
    target = file if line_end == "\r\n" else _LineEndWriter(file, line_end)
    csv.writer(target, lineterminator="\r\n").writerows([_cell(value) for value in row] for row in rows)


def _cell(value: object) -> object:
    if isinstance(value, str):
        return escape_formula(value)
    return "" if value is None else value


class _LineEndWriter:
    """Replaces the line end of each row; the csv module passes a whole row in one call."""

    def __init__(self, file: TextWriter, line_end: str) -> None:
        self._file, self._line_end = file, line_end

    def write(self, text: str, /) -> object:
        return self._file.write(text.removesuffix("\r\n") + self._line_end)
