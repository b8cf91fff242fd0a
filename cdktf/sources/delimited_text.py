"""From the bytes of a file to rows of cells, each with its line. Pure: bytes in, values out.

An encoding is recognised by its byte order mark or by being valid UTF-8; any other is said, never guessed.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass

from roster.cells import shown

DELIMITERS = (",", ";", "\t", "|")

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "UTF-16BE"),
)
_AS_CSV = "open it and save it as “CSV UTF-8”, or download the CSV from Moodle"
_SIGNATURES = (
    (b"PK\x03\x04", f"is a workbook (.xlsx or .ods) or another zip file, not text: {_AS_CSV}."),
    (b"\xd0\xcf\x11\xe0", f"is an old workbook (.xls), not text: {_AS_CSV}."),
    (b"%PDF", "is a PDF, not text: download the CSV from Moodle."),
    (b"\x1f\x8b", "is a compressed file (gzip), not text: unpack it first."),
)
_SEP_LINE = re.compile(r'\s*"?sep=', re.IGNORECASE)
_SEP = re.compile(r'\s*"?sep=(?P<delimiter>[^"\w\s]|\t)"?[\s,;|]*', re.IGNORECASE)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


class TextError(ValueError):
    """The file is no table; `sentence` says why and what to do, `line` where."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"line {line}: {sentence}")
        self.line = line
        self.sentence = sentence


@dataclass(frozen=True)
class Row:
    """The cells of one record and the line it begins on; a quoted cell may go over several lines."""

    line: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True)
class Table:
    """The header, the records below it, and what stood between the cells."""

    header: Row
    rows: tuple[Row, ...]
    delimiter: str

    @property
    def last_line(self) -> int:
        return self.rows[-1].line if self.rows else self.header.line


def decode(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text of the file and the name of its encoding. Raises TextError when that is not known for sure."""
    for signature, sentence in _SIGNATURES:
        if data.startswith(signature):
            raise TextError(1, sentence)
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], name), name
    if encoding is not None:
        return _decoded(data, encoding), encoding
    _refuse_binary(data)
    return _decoded(data, "UTF-8"), "UTF-8"


def _refuse_binary(data: bytes) -> None:
    if not data:
        return
    if data.count(b"\0") * 3 > len(data):
        order = "utf-16-le" if data[1::2].count(b"\0") > data[0::2].count(b"\0") else "utf-16-be"
        raise TextError(1, f"looks like UTF-16 without a byte order mark; if it is, add --encoding {order}.")
    if len(data) - len(data.translate(None, _CONTROL)) > len(data) // 50 + 1:
        raise TextError(1, "is a binary file, not text: download the CSV from Moodle again.")


def _decoded(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise TextError(1, f"--encoding {encoding} is not a text encoding; cp1255 (Hebrew) is one.") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        advice = "say which it is, such as --encoding cp1255 (Hebrew) or cp1252 (Western)"
        raise TextError(line, f"is not {encoding} (byte 0x{data[error.start]:02x}); {advice}.") from error
    except UnicodeError as error:
        raise TextError(1, f"is not {encoding}; say which encoding it is, such as --encoding cp1255.") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TextError(line, "has a NUL byte, so the file is damaged or not text: download it again.")
    return text


def read_table(text: str) -> Table:
    """The table in this text, its delimiter taken from a `sep=` line or else from the header.

    Raises TextError for a text without header, for pages and data that are no table, and for broken quoting.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise TextError(1, "the file is empty: download it from Moodle again.")
    _refuse_pages(text)
    lines = list(io.StringIO(text, newline=""))
    named, skipped = _sep_line(lines[0])
    header = next((line for line in lines[skipped:] if line.strip()), "")
    if not header:
        raise TextError(1, "the file holds a sep= line and nothing else: download it from Moodle again.")
    delimiter = named if named and named in header else max(DELIMITERS, key=header.count)
    if named and not any(mark in header for mark in DELIMITERS):
        delimiter = named
    rows = _records(lines[skipped:], delimiter, skipped)
    return Table(rows[0], tuple(rows[1:]), delimiter)


def _refuse_pages(text: str) -> None:
    start = text.lstrip()[:1000].lower()
    if start.startswith(("<!doctype", "<html", "<head", "<body", "<script")):
        page = "Moodle's login page" if "login" in text.lower() else "a page of Moodle"
        raise TextError(1, f"is a web page (HTML), probably {page}: log in to Moodle and download the file again.")
    if start.startswith(("<?xml", "<")):
        raise TextError(1, "is XML or HTML, not a table: download the CSV from Moodle.")
    if start.startswith(("{", "[{", '["')):
        raise TextError(1, "is JSON, not a table: choose CSV when downloading from Moodle.")


def _sep_line(line: str) -> tuple[str, int]:
    """The delimiter that the first line names, if it is a `sep=` line, and how many lines that took."""
    if not _SEP_LINE.match(line):
        return "", 0
    named = _SEP.fullmatch(line)
    if not named:
        raise TextError(1, f"sep= must name one character, such as sep=, but the line is {shown(line.strip())}.")
    return named["delimiter"], 1


def _records(lines: list[str], delimiter: str, skipped: int) -> list[Row]:
    tabs = {line.count("\t") for line in lines if line.strip()}
    if delimiter == "\t" and len(tabs) == 1:
        return _unquoted_records(lines, skipped)
    # Descriptions may hold whole pictures; the library's limit of 128 kB a cell is not about them.
    csv.field_size_limit(max(csv.field_size_limit(), sum(map(len, lines)) + 1))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows: list[Row] = []
    begins = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return rows
        except csv.Error as error:
            raise TextError(begins + skipped, _quoting_sentence(str(error), reader.line_num > begins)) from error
        if cells and (rows or any(cell.strip() for cell in cells)):
            rows.append(Row(begins + skipped, tuple(cells)))
        begins = reader.line_num + 1


def _quoting_sentence(reason: str, goes_on: bool) -> str:
    if "unexpected end" in reason or goes_on:
        return "a quoted cell that begins here is never closed: the download broke off; download it again."
    return f"its quotation marks do not fit together ({reason}): download it again instead of editing it by hand."


def _unquoted_records(lines: list[str], skipped: int) -> list[Row]:
    """Tab-separated text without multi-line cells: Moodle quotes nothing in it, Excel some cells."""
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1 + skipped):
        if line.strip("\r\n") and (rows or line.strip()):
            rows.append(Row(number, tuple(_unquoted(cell) for cell in line.rstrip("\r\n").split("\t"))))
    return rows


def _unquoted(cell: str) -> str:
    inner = cell[1:-1]
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return cell
