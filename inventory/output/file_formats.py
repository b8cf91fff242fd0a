"""Formats of file rows: CSV, JSON Lines and Parquet, written in parts, joined, and read back.

Memory holds at most one part or one row group.
"""

import array
import csv
import itertools
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from inventory.results.rows import FileRow, format_milliseconds
from labkit.csv_cells import unescape_formula, write_rows
from labkit.files import atomic_binary_file, atomic_text_file
from labkit.lazy_package import LazyModule

pyarrow, parquet = LazyModule("pyarrow"), LazyModule("pyarrow.parquet")
ROW_GROUP_ROWS = 16 * 1024
"""Minimum rows of a Parquet row group: small enough for memory, large enough to read single columns fast."""


class InvalidFileRows(ValueError):
    """The file does not contain file rows; the message has the line."""


class FileRowFormat(Protocol):
    """A format for file rows."""

    def write_part(self, path: Path, rows: Sequence[FileRow]) -> None:
        """Write rows to a part file. Raises OSError."""
        ...

    def join(self, parts: Iterable[Path], output: Path) -> None:
        """Join part files into one file. Raises OSError."""
        ...

    def read(self, path: Path) -> Iterator[FileRow]:
        """Yield all rows of a file. Raises OSError, InvalidFileRows."""
        ...


class _Csv:
    def write_part(self, path: Path, rows: Sequence[FileRow]) -> None:
        with atomic_text_file(path) as file:
            write_rows(file, ((*row[:6], "true" if row[6] else "false", format_milliseconds(row[7])) for row in rows))

    def join(self, parts: Iterable[Path], output: Path) -> None:
        _concatenate(parts, output, first=",".join(FileRow._fields).encode() + b"\r\n")

    def read(self, path: Path) -> Iterator[FileRow]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file)
            if tuple(next(table, ())) != FileRow._fields:
                raise InvalidFileRows(f"{path} has no file rows: expected the columns {','.join(FileRow._fields)}.")
            for cells in table:
                named = dict(zip(FileRow._fields, map(unescape_formula, cells), strict=False))
                yield _row(named, path, table.line_num)


class _Jsonl:
    def write_part(self, path: Path, rows: Sequence[FileRow]) -> None:
        with atomic_text_file(path) as file:
            for row in rows:
                named = {**row._asdict(), "modified_at": format_milliseconds(row.modified_at)}
                file.write(json.dumps(named, ensure_ascii=False) + "\n")

    def join(self, parts: Iterable[Path], output: Path) -> None:
        _concatenate(parts, output)

    def read(self, path: Path) -> Iterator[FileRow]:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    named = json.loads(line)
                except ValueError:
                    named = None
                yield _row(named, path, number)


class _Parquet:
    def write_part(self, path: Path, rows: Sequence[FileRow]) -> None:
        with atomic_binary_file(path) as file:
            parquet.write_table(arrow_table(rows), file)

    def join(self, parts: Iterable[Path], output: Path) -> None:
        # Paths are unique: dictionary encoding and large pages would only take memory.
        options = {"use_dictionary": ["user", "source", "type", "language"], "data_page_size": 64 * 1024}
        with atomic_binary_file(output) as file, parquet.ParquetWriter(file, _schema(), **options) as writer:
            # A part file has half a second of work; row groups of that size would be slow to read.
            for group in _groups(parts):
                writer.write_table(group)

    def read(self, path: Path) -> Iterator[FileRow]:
        arrow = _arrow()
        try:
            with path.open("rb") as opened, parquet.ParquetFile(opened) as file:
                if tuple(file.schema_arrow.names) != FileRow._fields:
                    raise InvalidFileRows(f"{path} has no file rows: expected the columns {','.join(FileRow._fields)}.")
                for batch in file.iter_batches(batch_size=4096, use_threads=False):
                    columns = [column.to_pylist() for column in batch.cast(_schema(arrow.int64())).columns]
                    yield from map(FileRow._make, zip(*columns, strict=True))
        except arrow.ArrowException as error:
            raise InvalidFileRows(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from None


def _concatenate(parts: Iterable[Path], output: Path, first: bytes = b"") -> None:
    with atomic_binary_file(output) as file:
        file.write(first)
        for part in parts:
            with part.open("rb") as content:
                shutil.copyfileobj(content, file, 2**20)


def _arrow() -> Any:
    """Return pyarrow, whose import takes a third of a second and 50 MB."""
    # The default allocator would keep tens of megabytes after use.
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    return pyarrow


def _schema(instants: Any = None) -> Any:
    arrow = _arrow()
    kinds = {"size": arrow.int64(), "size_is_estimate": arrow.bool_()}
    kinds["modified_at"] = instants or arrow.timestamp("ms", "UTC")
    return arrow.schema([(name, kinds.get(name, arrow.string())) for name in FileRow._fields])


def arrow_table(rows: Sequence[FileRow]) -> Any:
    """Return rows as an Arrow table, built from buffers: building it from lists imports pandas, which takes 60 MB."""
    arrow = _arrow()

    def buffer(content: bytes | None) -> Any:
        return None if content is None else arrow.py_buffer(content)

    def numbers(values: Iterable[int]) -> bytes:
        return array.array("q", values).tobytes()

    def bits(values: Iterable[bool]) -> bytes:
        found = bytearray(-(-len(rows) // 8))
        for place, value in enumerate(values):
            found[place >> 3] |= value << (place & 7)
        return bytes(found)

    def texts(values: Iterable[str]) -> list[bytes | None]:
        contents = [value.encode() for value in values]
        ends = array.array("i", itertools.accumulate(map(len, contents), initial=0))
        return [None, ends.tobytes(), b"".join(contents)]

    if not rows:
        return _schema().empty_table()
    by_name: list[Any] = list(zip(*rows, strict=True))
    *strings, sizes, estimates, instants = by_name
    known = [format_milliseconds(instant) is not None for instant in instants]
    dates = [instant if is_known else 0 for instant, is_known in zip(instants, known, strict=True)]
    columns: list[list[bytes | None]] = [texts(values) for values in strings]
    columns += [[None, numbers(sizes)], [None, bits(estimates)], [bits(known), numbers(dates)]]
    arrays = [
        arrow.Array.from_buffers(field.type, len(rows), [buffer(each) for each in column])
        for field, column in zip(_schema(), columns, strict=True)
    ]
    return arrow.Table.from_arrays(arrays, schema=_schema())


def _groups(parts: Iterable[Path]) -> Iterator[Any]:
    """Yield the rows of all part files in tables of at least ROW_GROUP_ROWS rows, except for the last table."""
    arrow = _arrow()
    collected: list[Any] = []
    for part in parts:
        with parquet.ParquetFile(part) as file:
            collected.append(file.read(use_threads=False))
        if sum(each.num_rows for each in collected) >= ROW_GROUP_ROWS:
            yield arrow.concat_tables(collected)
            collected = []
    if collected:
        yield arrow.concat_tables(collected)


def _row(named: Any, file: Path, line: int) -> FileRow:
    """Convert a row read from CSV or JSON."""
    try:
        user, source, path, kind, language, size, is_estimate, at = (named[name] for name in FileRow._fields)
        estimate = str(is_estimate).lower() == "true"
        return FileRow(
            str(user), str(source), str(path), str(kind), str(language), int(size), estimate, _milliseconds(at)
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidFileRows(f"{file} line {line}: this is not a file row.") from None


def _milliseconds(text: Any) -> int | None:
    return int(datetime.fromisoformat(text).timestamp() * 1000) if text else None


FORMATS: dict[str, FileRowFormat] = {".csv": _Csv(), ".jsonl": _Jsonl(), ".parquet": _Parquet()}
"""Formats by suffix."""


def format_of(path: Path) -> FileRowFormat:
    """Return the format for a file name. Raises InvalidFileRows."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        *first, last = FORMATS
        raise InvalidFileRows(f"{path}: expected a name that ends in {', '.join(first)} or {last}.") from None


def read_rows(path: Path) -> Iterator[FileRow]:
    """Yield all rows of a file written by `scan --files`. Raises OSError, InvalidFileRows."""
    try:
        yield from format_of(path).read(path)
    except (UnicodeDecodeError, csv.Error):
        raise InvalidFileRows(f"{path} cannot be read: it was not written by a scan.") from None


def is_parquet_of_rows(path: Path) -> bool:
    """Return whether a Parquet file contains file rows."""
    try:
        return tuple(parquet.read_schema(path).names) == FileRow._fields
    except (OSError, pyarrow.ArrowException):
        return False
