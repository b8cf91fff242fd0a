"""Reads the only sheet with content from a workbook."""

from __future__ import annotations

import io
from collections.abc import Sequence

import python_calamine

from labkit.tables import Row, Table, TableError
from labkit.text import quoted
from workbooks.archive import Archive, WorkbookError, is_archive, unpack
from workbooks.cell_text import Value, cell_text
from workbooks.sheet_checks import check_sheets

XLSX, ODS = "XLSX", "ODS"
_BINARY_WORKBOOK = "xl/workbook.bin"
_UNREADABLE = "the workbook is damaged: not every sheet can be read; download or save it again"


def is_workbook(data: bytes) -> bool:
    """Return whether the bytes may be a workbook, judged by their beginning and not by the file's name."""
    return is_archive(data)


def read_workbook(data: bytes) -> tuple[Table, str]:
    """Return the table in a workbook and the workbook's format, XLSX or ODS.

    The line of a row is its number in the sheet. Raises TableError if it is not a workbook, cannot be read safely and
    completely, or has several sheets with content.
    """
    try:
        archive = unpack(data)
        name = _format(archive)
        check_sheets(archive)
        return _table(_only_sheet(_sheets(data))), name
    except WorkbookError as error:
        raise TableError(1, f"{error}.") from error


def _format(archive: Archive) -> str:
    if archive.is_xlsx:
        return XLSX
    if archive.is_ods:
        return ODS
    if _BINARY_WORKBOOK in archive.files:
        raise WorkbookError("the file is a binary workbook (.xlsb): save it as .xlsx")
    raise WorkbookError("the file is a zip archive, but not an .xlsx or .ods workbook: download the groups again")


def _sheets(data: bytes) -> dict[str, list[tuple[str, ...]]]:
    """Return the rows of all sheets that have content, by the name of the sheet."""
    found = {}
    try:
        with python_calamine.load_workbook(io.BytesIO(data)) as workbook:
            for name in workbook.sheet_names:
                rows = _texts(workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))
                if any(cell.strip() for row in rows for cell in row):
                    found[name] = rows
    except python_calamine.PasswordError as error:
        raise WorkbookError("the workbook is protected by a password: save it without one") from error
    except (python_calamine.CalamineError, OSError, OverflowError, ValueError) as error:
        raise WorkbookError(_UNREADABLE) from error
    except BaseException as error:
        # A failed assertion in the library, which is written in Rust, is not an Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise WorkbookError(_UNREADABLE) from error
    return found


def _texts(rows: Sequence[Sequence[Value]]) -> list[tuple[str, ...]]:
    return [tuple(cell_text(value) for value in row) for row in rows]


def _only_sheet(sheets: dict[str, list[tuple[str, ...]]]) -> list[tuple[str, ...]]:
    if not sheets:
        raise WorkbookError("the workbook is empty: download the groups again")
    if len(sheets) > 1:
        names = ", ".join(quoted(name) for name in sheets)
        raise WorkbookError(
            f"the workbook has {len(sheets)} sheets with content, {names}: keep only the one with the groups"
        )
    return next(iter(sheets.values()))


def _table(rows: Sequence[tuple[str, ...]]) -> Table:
    """Return the rows as a table; a `sep=` line, which some programs keep as the first row, is left out."""
    numbered = [Row(number, cells) for number, cells in enumerate(rows, start=1)]
    while numbered[0].is_blank or _is_separator_line(numbered[0]):
        del numbered[0]
        if not numbered:
            raise WorkbookError("the workbook has no rows: download the groups again")
    return Table(numbered[0], tuple(numbered[1:]), delimiter="")


def _is_separator_line(row: Row) -> bool:
    texts = [cell.strip() for cell in row.cells if cell.strip()]
    return len(texts) == 1 and row.line == 1 and texts[0].lower().startswith("sep=") and len(texts[0]) <= len("sep=,")
