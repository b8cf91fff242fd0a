"""Checks the XML of sheets before a library reads them.

The library allocates memory for the rectangle that contains all cells, and returns an empty cell for an error and for a
formula without a computed value; an empty group would hide a student. Names are compared with their prefix or without
any, as the library does.
"""

from __future__ import annotations

import re
import xml.parsers.expat
from dataclasses import dataclass, field
from typing import Any

from workbooks.archive import Archive, WorkbookError

MAX_CELLS = 2_000_000
"""Maximum number of cells in the rectangle that contains all cells of a sheet."""
MAX_DEPTH = 100

_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})", re.ASCII)
_ODS_CELLS = ("table:table-cell", "table:covered-table-cell")
_DROPPED = ("text:tab", "text:line-break")
"""Elements that the library ignores."""
_DAMAGED, _AGAIN = "the workbook is damaged", "download or save it again"
_OPEN_AND_SAVE = "open the workbook in a spreadsheet program, correct the cell, and save it"


def check_sheets(archive: Archive) -> None:
    """Raise WorkbookError if a file is not plain XML, or if a sheet is too large or has a cell that cannot be read."""
    for name, content in archive.files.items():
        if not name.lower().endswith((".xml", ".rels")):
            continue
        if archive.is_xlsx:
            # A worksheet may have any path.
            _parse(content, _XlsxSheet())
        else:
            _parse(content, _OdsSheet() if name == "content.xml" else _Handler())


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell, such as B12; row and column count from 1."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


@dataclass
class _Handler:
    """Handles the elements of a file. The base class only rejects encrypted files."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element."""
        if name == "manifest:encryption-data":
            raise WorkbookError("the workbook is protected by a password: save it without one")

    def text(self, content: str) -> None:
        """Handle a part of an element's text."""

    def end(self, name: str) -> None:
        """Handle the end of an element."""


def _parse(content: bytes, handler: _Handler) -> None:
    """Parse a file. Refuse entity declarations, because XML bombs and references to other files use them."""
    parser = xml.parsers.expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def doctype(*_: Any) -> None:
        raise WorkbookError(
            "the workbook declares XML entities, which no spreadsheet program does: it is not safe to read"
        )

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise WorkbookError(f"{_DAMAGED}: its XML is nested too deeply; {_AGAIN}")
        handler.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        handler.end(name)

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = handler.text
    try:
        parser.Parse(content, True)
    except xml.parsers.expat.ExpatError as error:
        raise WorkbookError(f"{_DAMAGED}: a part of it is not XML; {_AGAIN}") from error


@dataclass
class _Area:
    """The rectangle from the first cell of a sheet to its last one."""

    rows: int = 0
    columns: int = 0

    def add(self, row: int, column: int) -> None:
        """Extend the rectangle to this cell."""
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)
        if self.rows * self.columns > MAX_CELLS:
            raise WorkbookError(
                f"the sheet reaches to cell {cell_name(row, column)}, which is too large for a list of groups: copy "
                "the groups into a new sheet"
            )


@dataclass
class _XlsxSheet(_Handler):
    """The cells of a worksheet; a file that is not a worksheet has none."""

    area: _Area = field(default_factory=_Area)
    row: int = 0
    column: int = 0
    kind: str = ""
    has_formula: bool = False
    value: str | None = None
    is_value: bool = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle a row, a cell, its formula or its value."""
        match name.rpartition(":")[2]:
            case "Relationship":
                target, kind = attributes.get("Target", ""), attributes.get("Type", "")
                if kind.endswith("/worksheet") and not target.lower().endswith(".xml"):
                    raise WorkbookError(f"{_DAMAGED}: a sheet is not in an XML file; {_AGAIN}")
            case "sheetData":
                self.row = self.column = 0
            case "row":
                self.row, self.column = _positive(attributes.get("r"), self.row + 1), 0
            case "c":
                self._start_cell(attributes)
            case "f":
                self.has_formula = True
            case "v" | "t":
                self.is_value, self.value = True, self.value or ""

    def _start_cell(self, attributes: dict[str, str]) -> None:
        if reference := attributes.get("r"):
            found = _REFERENCE.fullmatch(reference.upper())
            if not found:
                raise WorkbookError(f"{_DAMAGED}: a cell has no valid position; {_AGAIN}")
            self.row, self.column = int(found[2]), _column_number(found[1])
        else:
            self.column += 1
        self.kind, self.has_formula, self.value = attributes.get("t", "n"), False, None

    def text(self, content: str) -> None:
        """Collect a cell's value."""
        if self.is_value:
            self.value = (self.value or "") + content

    def end(self, name: str) -> None:
        """Check a complete cell."""
        match name.rpartition(":")[2]:
            case "v" | "t":
                self.is_value = False
            case "c":
                place = cell_name(self.row, self.column)
                if self.value is not None:
                    self.area.add(self.row, self.column)
                if self.kind == "e":
                    raise _error_in(place, self.value or "")
                if self.has_formula and not self.value and self.kind != "str":
                    raise _no_value_in(place)


def _positive(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 7 and int(text)):
        raise WorkbookError(f"{_DAMAGED}: {text[:20]!r} is not a number of rows or cells; {_AGAIN}")
    return int(text)


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


@dataclass
class _OdsSheet(_Handler):
    """The cells of each table in a spreadsheet."""

    area: _Area = field(default_factory=_Area)
    row: int = 0
    row_repeats: int = 1
    column: int = 0
    cell: dict[str, str] | None = None
    content: str = ""
    has_paragraph: bool = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle a table, a row, a cell or its text."""
        if name == "table:table":
            self.area, self.row, self.column = _Area(), 0, 0
        elif name == "table:table-row":
            self.row_repeats, self.column = _positive(attributes.get("table:number-rows-repeated"), 1), 0
        elif name in _ODS_CELLS:
            self.cell, self.content, self.has_paragraph = attributes, "", False
        elif name == "text:p":
            self.has_paragraph = True
        elif name in _DROPPED and self.cell is not None:
            place = cell_name(self.row + 1, self.column + 1)
            raise WorkbookError(f"cell {place} has a tab or a line break in its text, which would be lost: replace it")

    def text(self, content: str) -> None:
        """Collect the text of a cell."""
        if self.cell is not None and self.has_paragraph:
            self.content += content

    def end(self, name: str) -> None:
        """Check a complete cell, and count the cells and rows for which it is repeated."""
        if name == "table:table-row":
            self.row += self.row_repeats
        elif name in _ODS_CELLS and self.cell is not None:
            self._end_cell(self.cell)
            self.cell = None

    def _end_cell(self, cell: dict[str, str]) -> None:
        place = cell_name(self.row + 1, self.column + 1)
        self.column += _positive(cell.get("table:number-columns-repeated"), 1)
        has_value = "office:value-type" in cell
        if cell.get("calcext:value-type") == "error":
            raise _error_in(place, self.content)
        if "table:formula" in cell and not has_value:
            raise _no_value_in(place)
        if has_value or self.has_paragraph:
            self.area.add(self.row + self.row_repeats, self.column)


def _error_in(place: str, error: str) -> WorkbookError:
    return WorkbookError(f"cell {place} has the error {error[:20] or 'of a formula'}: {_OPEN_AND_SAVE}")


def _no_value_in(place: str) -> WorkbookError:
    return WorkbookError(f"cell {place} has a formula without a computed value: {_OPEN_AND_SAVE}")
