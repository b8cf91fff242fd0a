"""Reads delimited text, from the bytes of a file to rows of cells with line numbers. Pure: bytes in, values out.

The encoding is taken from the byte order mark, else it is UTF-8; the caller has to specify any other. The delimiter is
taken from a `sep=` line, else it is the most frequent one in the header outside quotation marks and entities such as
`&amp;`.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from labkit.text import quoted

DELIMITERS = (",", ";", "\t", "|")

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "UTF-16BE"),
)
_QUOTED_CELL = re.compile(r'(?:^|(?<=[,;\t|]))\s*"(?:[^"]|"")*(?:"|$)')
_ENTITY = re.compile(r"&(?:#[0-9]+|#x[0-9a-f]+|[a-z][a-z0-9]*);", re.IGNORECASE)
_SAMPLE_LINES = 20
"""Number of lines that decide between delimiters that are equally frequent in the header."""
_JSON = re.compile(r'\s*(?:\{|\[\s*[\[{"\]])')
_SEP_LINE = re.compile(r'\s*"?sep=', re.IGNORECASE)
_SEP = re.compile(r'\s*"?sep=(?P<delimiter>[^"\w\s]|\t)"?[\s,;|]*', re.IGNORECASE)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


@dataclass(frozen=True)
class FileOrigin:
    """Where a file comes from, for the advice in error messages."""

    system: str = ""
    """The system that exports the file, such as "Moodle"; empty if unknown."""
    encoding_option: str = ""
    """The command-line option for the encoding, or an empty string."""
    json_sentence: str = ""
    """The error message for a JSON file, with advice; empty for the default message."""

    @property
    def from_phrase(self) -> str:
        """`" from Moodle"`, for use after a verb; empty if the system is unknown."""
        return f" from {self.system}" if self.system else ""


UNKNOWN_ORIGIN = FileOrigin()


class TableError(ValueError):
    """The file is not a table: `sentence` states the reason and what to do, `line` the line number."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"line {line}: {sentence}")
        self.line = line
        self.sentence = sentence


@dataclass(frozen=True)
class Row:
    """The cells of one record and the number of its first line; a quoted cell may span several lines."""

    line: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True)
class Table:
    """The header, the records below it, and the delimiter, which is empty if the table is not from delimited text."""

    header: Row
    rows: tuple[Row, ...]
    delimiter: str

    @property
    def last_line(self) -> int:
        return self.rows[-1].line if self.rows else self.header.line


def decode(data: bytes, encoding: str | None = None, *, origin: FileOrigin = UNKNOWN_ORIGIN) -> tuple[str, str]:
    """Decode a file; return its text and the encoding's name. Raises TableError if the encoding is not certain."""
    for signature, sentence in _signatures(origin):
        if data.startswith(signature):
            raise TableError(1, sentence)
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], name, origin), name
    if encoding is not None:
        return _decoded(data, encoding, origin), encoding
    _reject_binary(data, origin)
    return _decoded(data, "UTF-8", origin), "UTF-8"


def _signatures(origin: FileOrigin) -> tuple[tuple[bytes, str], ...]:
    as_csv = "open it and save it as “CSV UTF-8”"
    as_csv += f", or download the CSV{origin.from_phrase}" if origin.system else ""
    return (
        (b"PK\x03\x04", f"the file is a workbook (.xlsx or .ods) or a different zip archive, not text: {as_csv}."),
        (b"\xd0\xcf\x11\xe0", f"the file is an old workbook (.xls) or protected by a password: {as_csv}."),
        (b"%PDF", f"the file is a PDF, not text: download the CSV{origin.from_phrase}."),
        (b"\x1f\x8b", "the file is compressed (gzip), not text: unpack it first."),
    )


def _reject_binary(data: bytes, origin: FileOrigin) -> None:
    if not data:
        return
    if data.count(b"\0") * 3 > len(data):
        order = "utf-16-le" if data[1::2].count(b"\0") > data[0::2].count(b"\0") else "utf-16-be"
        option = origin.encoding_option
        advice = f"if it is, add {option} {order}" if option else "save it as UTF-8"
        raise TableError(1, f"the file looks like UTF-16 without a byte order mark; {advice}.")
    if len(data) - len(data.translate(None, _CONTROL)) > len(data) // 50 + 1:
        raise TableError(1, f"the file is binary, not text: download the CSV{origin.from_phrase} again.")


def _decoded(data: bytes, encoding: str, origin: FileOrigin) -> str:
    option = origin.encoding_option
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise TableError(1, f"{option} {encoding} is not a text encoding; cp1255 (Hebrew) is one.") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        advice = f"specify the encoding, such as {option} cp1255 (Hebrew) or cp1252 (Western)"
        advice = advice if option else f"save it as {encoding}"
        raise TableError(line, f"not valid {encoding} (byte 0x{data[error.start]:02x}); {advice}.") from error
    except UnicodeError as error:
        advice = f"specify the encoding, such as {option} cp1255" if option else f"save it as {encoding}"
        raise TableError(1, f"not valid {encoding}; {advice}.") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TableError(line, "there is a NUL byte, so the file is damaged or not text: download it again.")
    return text


def read_table(
    text: str, *, comment: str = "", skip_initial_space: bool = False, origin: FileOrigin = UNKNOWN_ORIGIN
) -> Table:
    """Parse a string as a table.

    Records that start with `comment` are skipped, unless it is empty. With `skip_initial_space`, spaces between a
    delimiter and a cell are not part of the cell. Raises TableError if there is no header, for web pages, XML and JSON,
    and for broken quoting.
    """
    text = text.removeprefix("\ufeff")
    lines = _Lines(list(io.StringIO(text, newline="")), comment)
    if lines.first() is None:
        raise TableError(1, f"the file is empty: download it{origin.from_phrase} again.")
    _reject_pages(text, origin)
    named, skipped = _sep_line(lines.all[0])
    lines.skip(skipped)
    header = lines.first()
    if header is None:
        raise TableError(1, f"the file contains only a sep= line: download it{origin.from_phrase} again.")
    delimiter = named if named and named in _without_quoted_cells(header) else _most_frequent(lines, header)
    if named and not any(mark in header for mark in DELIMITERS):
        delimiter = named
    rows = _records(lines, delimiter, skipped, skip_initial_space)
    if not rows:
        raise TableError(1 + skipped, f"the file contains only delimiters: download it{origin.from_phrase} again.")
    return Table(rows[0], tuple(rows[1:]), delimiter)


def _without_quoted_cells(line: str) -> str:
    """Return the line without its quoted cells and entities, whose characters are not delimiters."""
    return _ENTITY.sub("", _QUOTED_CELL.sub("", line))


def _most_frequent(lines: _Lines, header: str) -> str:
    """Return the header's most frequent delimiter; a tie goes to the one that most lines below have equally often."""
    count = {mark: _without_quoted_cells(header).count(mark) for mark in DELIMITERS}
    below = [_without_quoted_cells(line) for line in lines.all if line.strip() and not lines.is_comment(line)][
        1:_SAMPLE_LINES
    ]
    agreeing = {mark: sum(line.count(mark) == count[mark] for line in below) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: (count[mark], agreeing[mark]))


class _Lines:
    """The lines of a string for the csv module, with comments blanked. Only the first line of a record can be a
    comment.
    """

    def __init__(self, lines: list[str], comment: str) -> None:
        self.all = lines
        self.begins_record = True
        self.comment = comment
        self._position = 0

    def first(self) -> str | None:
        """Return the first line that is neither blank nor a comment, or None."""
        return next((line for line in self.all if line.strip() and not self.is_comment(line)), None)

    def skip(self, number: int) -> None:
        del self.all[:number]

    def is_comment(self, line: str) -> bool:
        return bool(self.comment) and line.lstrip().startswith(self.comment)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._position == len(self.all):
            raise StopIteration
        line = self.all[self._position]
        self._position += 1
        is_comment = self.begins_record and self.is_comment(line)
        self.begins_record = False
        return "\n" if is_comment else line


def _reject_pages(text: str, origin: FileOrigin) -> None:
    start = text.lstrip()[:1000].lower()
    system = origin.system
    if start.startswith(("<!doctype", "<html", "<head", "<body", "<script")):
        page = text.lower()
        if system and "<table" in page and 'type="password"' not in page:
            raise TableError(
                1,
                f"the file is an HTML export (a web page), not text: download the CSV{origin.from_phrase}.",
            )
        if not system:
            raise TableError(1, "the file is a web page (HTML), not a table: download the file again.")
        page = f"{system}'s login page" if "login" in text.lower() else f"a page of {system}"
        raise TableError(1, f"the file is a web page (HTML), probably {page}: log in to {system} and download again.")
    if start.startswith(("<?xml", "<")):
        raise TableError(1, f"the file is XML or HTML, not a table: download the CSV{origin.from_phrase}.")
    if _JSON.match(start):
        usual = f"the file is JSON, not a table: choose CSV when downloading{origin.from_phrase}."
        raise TableError(1, origin.json_sentence or usual)


def _sep_line(line: str) -> tuple[str, int]:
    """Return the delimiter of a `sep=` line and 1, the lines to skip; an empty string and 0 for any other line."""
    if not _SEP_LINE.match(line):
        return "", 0
    named = _SEP.fullmatch(line)
    if not named:
        raise TableError(1, f"sep= must be followed by one character, such as sep=, not {quoted(line.strip())}.")
    return named["delimiter"], 1


def _records(lines: _Lines, delimiter: str, skipped: int, skip_initial_space: bool) -> list[Row]:
    tabs = {line.count("\t") for line in lines.all if line.strip() and not lines.is_comment(line)}
    if delimiter == "\t" and len(tabs) == 1:
        return _unquoted_records(lines, skipped)
    # Descriptions may contain embedded pictures, so the csv module's limit of 128 kB per cell is raised.
    csv.field_size_limit(max(csv.field_size_limit(), sum(map(len, lines.all)) + 1))
    try:
        return _quoted_records(lines, delimiter, skipped, skip_initial_space)
    except TableError:
        as_php = [_without_php_escapes(line, delimiter) for line in lines.all]
        if as_php == lines.all:
            raise
        return _quoted_records(_Lines(as_php, lines.comment), delimiter, skipped, skip_initial_space)


def _quoted_records(lines: _Lines, delimiter: str, skipped: int, skip_initial_space: bool) -> list[Row]:
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=skip_initial_space, strict=True)
    rows: list[Row] = []
    begins = 1
    while True:
        lines.begins_record = True
        try:
            cells = next(reader)
        except StopIteration:
            return rows
        except csv.Error as error:
            raise TableError(begins + skipped, _quoting_sentence(str(error), reader.line_num > begins)) from error
        if cells and (rows or any(cell.strip() for cell in cells)):
            rows.append(Row(begins + skipped, tuple(cells)))
        begins = reader.line_num + 1


def _without_php_escapes(line: str, delimiter: str) -> str:
    r"""Return the line with each `\"` written as `\""`: PHP does not double a quotation mark after a backslash.

    A mark before a delimiter or the line end stays single: there the backslash is the last character of the cell.
    """
    return re.sub(rf'\\"(?=[^{re.escape(delimiter)}\r\n])', r'\\""', line)


def _quoting_sentence(reason: str, spans_lines: bool) -> str:
    if "unexpected end" in reason or spans_lines:
        return "a quoted cell that starts here is never closed: the download was interrupted; download it again."
    return (
        f"unbalanced quotation marks ({reason}): download it again instead of editing it by hand; if it "
        'is the original download, a name contains a quotation mark ("): rename it and download again.'
    )


def _unquoted_records(lines: _Lines, skipped: int) -> list[Row]:
    """Return the rows of tab-separated text without multi-line cells: Moodle quotes none of its cells, Excel quotes
    some.
    """
    rows: list[Row] = []
    for number, line in enumerate(lines.all, start=1 + skipped):
        if line.strip("\r\n") and (rows or line.strip()) and not lines.is_comment(line):
            rows.append(Row(number, tuple(_unquoted(cell) for cell in line.rstrip("\r\n").split("\t"))))
    return rows


def _unquoted(cell: str) -> str:
    inner = cell[1:-1]
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return cell
