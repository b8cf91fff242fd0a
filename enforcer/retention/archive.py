"""Archives a term as files: tables as CSV and Parquet, reports, course file, allowances, and the ledger itself.

Data that may name people is in `people/`; `totals/` names only groups. So `people/` can be deleted when it may no
longer be kept, while `totals/` stays.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
from pyarrow import parquet

from enforcer.domain.snapshot import Snapshot
from enforcer.domain.usage import iso
from enforcer.ledger import queries, term_rows
from enforcer.ledger.database import Ledger, save_copy
from enforcer.retention.anonymise import without_addresses
from enforcer.retention.archive_tables import TABLES, Cell, Table, groups
from labkit.course_file import ALLOWANCES, FILE_NAME
from labkit.csv_cells import write_rows
from labkit.files import create_private
from labkit.folders import atomic_folder
from labkit.text import escaped

FORMAT = 2
"""In version 1, the table `messages` was called `letters`, and two columns of `days` had different names."""
TOTALS, PEOPLE = "totals", "people"
MANIFEST = "manifest.json"
Render = Callable[[date, str], bytes]
"""Renders the report for a day as a file with a suffix."""


@dataclass(frozen=True)
class ArchiveFacts:
    """Course and term, and the time that the ledger covers."""

    course: str
    term: str
    last_poll: datetime | None
    """Start of the last poll; None if no poll ran."""
    last_poll_failed: int
    """Number of failures in the last poll."""
    settled_up_to: date | None
    """Last settled day; None if no day is settled."""

    def as_json(self) -> dict[str, Any]:
        return {
            "course": self.course,
            "term": self.term,
            "last_poll": iso(self.last_poll) if self.last_poll else None,
            "last_poll_failed": self.last_poll_failed,
            "settled_up_to": self.settled_up_to.isoformat() if self.settled_up_to else None,
        }


def facts_of(ledger: Ledger, snapshot: Snapshot) -> ArchiveFacts:
    last = term_rows.last_poll(ledger)
    settled = queries.last_settled_day(ledger)
    course = snapshot.course
    return ArchiveFacts(course.id, course.term, last.began if last else None, last.failed if last else 0, settled)


def days_of(ledger: Ledger, snapshot: Snapshot) -> list[date]:
    """Return the days with a report: settled days, and days on which a session started."""
    tz = snapshot.course.calendar.tz
    settled = term_rows.settled_days(ledger, groups(snapshot))
    started = {s.start.astimezone(tz).date() for sessions in snapshot.sessions.values() for s in sessions}
    return sorted(settled | started)


def write(target: Path, ledger: Ledger, snapshot: Snapshot, *, days: Iterable[date], render: Render) -> None:
    """Atomically create the folder `target`, which must be empty or missing, readable only by its owner.

    `ledger` is a copy in memory. Raises OSError.
    """
    with atomic_folder(target) as draft:
        _fill(draft, ledger, snapshot, days, render)


def _fill(draft: Path, ledger: Ledger, snapshot: Snapshot, days: Iterable[date], render: Render) -> None:
    for table in TABLES:
        place = draft / (PEOPLE if table.has_people else TOTALS)
        rows = list(table.rows(ledger, snapshot))
        create_private(place / f"{table.name}.csv", to_csv(table, rows))
        create_private(place / f"{table.name}.parquet", _parquet(table, rows))
    for path, content in _course_files(ledger, snapshot):
        create_private(draft / path, content.encode())
    for day in days:
        for suffix in (".html", ".csv"):
            create_private(draft / PEOPLE / "reports" / f"{day}{suffix}", render(day, suffix))
    saved = draft / PEOPLE / "ledger.db"
    create_private(saved, b"")
    save_copy(ledger, saved)
    create_private(draft / "README.md", _readme(ledger, snapshot).encode())
    create_private(draft / MANIFEST, _manifest(draft, ledger, snapshot).encode())


def to_csv(table: Table, rows: Sequence[Sequence[Cell]]) -> bytes:
    """Return the table as UTF-8 with a byte order mark, one line per cell, formulas escaped."""
    text = io.StringIO()
    write_rows(text, [[column.name for column in table.columns]])
    write_rows(text, ([_csv_value(cell) for cell in row] for row in rows))
    return text.getvalue().encode("utf-8-sig")


def _csv_value(cell: Cell) -> Cell:
    match cell:
        case bool():
            return "true" if cell else "false"
        case datetime():
            return iso(cell)
        case str():
            return escaped(cell)
    return cell


def _parquet(table: Table, rows: Sequence[Sequence[Cell]]) -> bytes:
    kinds = {
        str: pa.string(),
        int: pa.int64(),
        bool: pa.bool_(),
        date: pa.date32(),
        datetime: pa.timestamp("ms", tz="UTC"),
    }
    schema = pa.schema([(column.name, kinds[column.kind]) for column in table.columns])
    columns = list(zip(*rows, strict=True)) or [()] * len(table.columns)
    arrays = [pa.array(list(column), kind) for column, kind in zip(columns, schema.types, strict=True)]
    content = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), content)
    return content.getvalue()


def _course_files(ledger: Ledger, snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Yield path and content of the course file without addresses, and of every allowance and revocation unchanged."""
    folder = snapshot.course.folder
    for path, content in term_rows.files(ledger, folder):
        name = path.removeprefix(f"{folder}/")
        if name == FILE_NAME:
            yield f"{TOTALS}/{name}", without_addresses(content)
        elif name.startswith(f"{ALLOWANCES}/"):
            # Workspace file names may contain characters that a file system does not accept.
            stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in name.removeprefix(f"{ALLOWANCES}/"))
            yield f"{PEOPLE}/{ALLOWANCES}/{stem.lstrip('.') or '_'}", content


def _manifest(draft: Path, ledger: Ledger, snapshot: Snapshot) -> str:
    files = {
        str(path.relative_to(draft)): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(draft.rglob("*"))
        if path.is_file()
    }
    document = {"format": FORMAT, **facts_of(ledger, snapshot).as_json(), "made_at": iso(snapshot.now), "files": files}
    return json.dumps(document, indent=2) + "\n"


def _readme(ledger: Ledger, snapshot: Snapshot) -> str:
    course, facts = snapshot.course, facts_of(ledger, snapshot)
    lines = [
        f"# {without_addresses(course.title) or course.id or 'Teaching lab'}, {course.id} {course.term}",
        "",
        f"The term {course.calendar.first_day} to {course.calendar.last_day} ({course.calendar.tz}), as the enforcer "
        f"knew it on {snapshot.now.astimezone(UTC):%Y-%m-%d %H:%M} UTC; settled up to "
        f"{facts.settled_up_to or 'no day'}.",
        *_PREAMBLE,
    ]
    for table in TABLES:
        place = PEOPLE if table.has_people else TOTALS
        lines += ["", f"## {place}/{table.name}", "", f"{table.about[:1].upper()}{table.about[1:]}.", ""]
        lines += ["| column | type | meaning |", "|---|---|---|"]
        lines += [f"| `{column.name}` | {_TYPES[column.kind]} | {column.meaning} |" for column in table.columns]
    return "\n".join(lines) + "\n"


_PREAMBLE = f"""
`{TOTALS}/` names groups and no people; keep it as long as you like. `{PEOPLE}/` names people: addresses in sessions,
events and messages, the text of messages, and the reasons for allowances. Keep it where only authorised people can read
it, and only as long as your institution allows. Then delete the folder `{PEOPLE}`; nothing in `{TOTALS}/` needs it.

Each table exists twice. The CSV is UTF-8. Times are in UTC. Each cell is one line, with control characters escaped
(`\\x0a` ends a line); a cell that a spreadsheet would read as a formula begins with `'`. The Parquet file has
the same values unescaped, with their types. An empty cell means no value.

`{TOTALS}/{FILE_NAME}` is the course file, `{PEOPLE}/{ALLOWANCES}` has the allowances, blocks and revocations,
`{PEOPLE}/reports` the report for every day. `{PEOPLE}/ledger.db` is the ledger as SQLite: set CLUSTER_UPTIMES_DB to a
copy of it to use `python -m enforcer usage` and `report`. `{MANIFEST}` has the checksum of each file.""".split("\n")

_TYPES = {str: "text", int: "whole number", bool: "true or false", date: "day", datetime: "instant"}
