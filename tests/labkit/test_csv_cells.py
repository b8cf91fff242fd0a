"""None of the project's CSV files contains a cell that a spreadsheet evaluates, and readers return the original
strings.
"""

from __future__ import annotations

import ast
import csv
import io
import re
import string
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_calendar.table import CalendarRow, TableError, format_table, parse_table
from enforcer.domain.course import Course, CourseGroup
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import Calendar, Quota
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import Observation, Session
from enforcer.reports.day_report import make_report
from enforcer.reports.formats import to_csv as report_csv
from enforcer.retention.archive import to_csv as archive_csv
from enforcer.retention.archive_tables import TABLES, Column, Table
from import_graph import TREE, program_of
from inventory.commands.users import users_table as users_table
from inventory.output.file_formats import FORMATS, read_rows
from inventory.output.retention import TOTALS, ExpiredFile, record_totals
from inventory.results.result_csv import read_result
from inventory.results.rows import COLUMNS, DETAILS, FileRow, Home
from inventory.results.rows import result_table as result_table
from inventory.results.users_file import read_users_file
from inventory.scan.users import User
from labkit.csv_cells import escape_formula, unescape_formula, write_rows
from labkit.text import escaped, one_line
from roster.model import Group, Member, Roster, format_roster, parse_roster
from roster.names import clean_name

PROGRAMS = ("cdktf", "emulator", "enforcer", "inventory", "labkit")
UTF8 = st.characters(exclude_categories=["Cs"])
# Strings close to the rule: apostrophes, spaces and signs in all orders, followed by any other characters.
NEAR = st.text("' =+-@\t\r\n＝＋－＠﹦﹢﹣﹫−\u00a0\u3000\u200e\ufeff\0a", max_size=6)
TEXT = st.builds(str.__add__, NEAR, st.text(UTF8, max_size=6))
EXAMPLES = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1+1", "\u00a0 =1", "＝1+1", "＋1", "－1", "＠x"]
EXAMPLES += ["﹦1", "−1", "\ufeff=1", "\u200e=1", "\t1", "\n1", "'=1", "' =1", "'  =1", "''   ＝1"]


def is_formula(cell: str) -> bool:
    """Return whether a spreadsheet may evaluate the cell; written independently of the rule under test."""
    for character in cell:
        if character in "\t\r\n":
            return True
        if unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp") or character in "\u200b\u200e\u200f\u2060\ufeff":
            continue
        return unicodedata.normalize("NFKC", character)[0] in "=+-@\u2212"
    return False


def cells_of(text: str) -> list[list[str]]:
    """Return the cells as any CSV reader returns them."""
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def written(rows: Sequence[Sequence[object]], **options: str) -> str:
    file = io.StringIO(newline="")
    write_rows(file, rows, **options)
    return file.getvalue()


@pytest.mark.parametrize("text", EXAMPLES)
def test_a_formula_is_escaped(text: str) -> None:
    assert not is_formula(escape_formula(text))
    assert is_formula(text) or text.startswith("'")


@given(TEXT)
def test_an_escaped_string_is_no_formula(text: str) -> None:
    cell = escape_formula(text)
    assert not is_formula(cell)
    assert unescape_formula(cell) == text
    assert cell == text or is_formula(text) or text.startswith("'")


@given(TEXT, TEXT)
def test_different_strings_give_different_cells(one: str, other: str) -> None:
    assert (escape_formula(one) == escape_formula(other)) == (one == other)


def test_numbers_and_dates_are_not_escaped() -> None:
    row = [-1, -2.5, Decimal("-3.50"), "-1", None, date(2026, 11, 2), "x=1", 0, ""]
    assert cells_of(written([row])) == [["-1", "-2.5", "-3.50", "'-1", "", "2026-11-02", "x=1", "0", ""]]


@given(st.lists(st.lists(TEXT, min_size=2, max_size=3), max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_rows_of_arbitrary_strings_can_be_read_back(rows: list[list[str]], line_end: str) -> None:
    read = cells_of(written(rows, line_end=line_end))
    assert [[unescape_formula(cell) for cell in row] for row in read] == rows


# The escaping of version 0.1. Its files are still in use, so this must not change.
ROSTER_0_1 = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
INVENTORY_0_1 = ("=", "+", "-", "@", "\t", "\r")


@given(TEXT)
def test_names_in_a_roster_of_version_0_1_are_parsed_as_today(text: str) -> None:
    name = clean_name(text)  # version 0.1 cleaned every name, as the current version does
    cell = "'" + name if ROSTER_0_1.match(name) else name
    assert unescape_formula(cell) == name


@given(TEXT.filter(lambda text: not text.startswith("'")))
def test_a_cell_in_an_inventory_of_version_0_1_reads_the_same(text: str) -> None:
    cell = "'" + text if text.startswith(INVENTORY_0_1) else text
    assert unescape_formula(cell) == text


def roster(text: str, folder: Path) -> str:
    """Write a roster in which `text` is a group's name."""
    stored = Roster((Group(1, "71", text, (Member("-dana@x.example"), Member("noa@x.example"))), Group(2, "", "b")))
    if not any(group.moodle_name == text for group in parse_roster(format_roster(stored), "r.csv").groups):
        raise AssertionError(text)
    return format_roster(stored)


def result(text: str, folder: Path) -> str:
    """Write a scan result in which `text` is a user and a reason."""
    home = Home(text, failures=1, first_failure=(text, "403"), largest_path=text, largest_size=1)
    content = written(result_table([home], details=True, with_exact_size=True))
    [entry] = read_result(content, "inventory.csv")
    assert (entry.user, entry.error) == (text, f"{text}: 403")
    assert cells_of(content)[0][: len(COLUMNS) + len(DETAILS)] == [*COLUMNS, *DETAILS]
    return content


def users(text: str, folder: Path) -> str:
    """Write a user list in which `text` is a display name, and a user name if it can be one."""
    name = f"{''.join(c for c in text if c.isprintable() and c not in '/#')}x".strip()
    # A file with control characters is rejected as binary.
    display_name = "".join(c for c in text if c >= " " or c in "\t\r\n")
    content = written([list(row) for row in users_table([User(name, display_name), User("b@x", "")])])
    assert read_users_file(content.encode(), "users.csv") == list(dict.fromkeys([name, "b@x"]))
    return content


def file_rows(text: str, folder: Path) -> str:
    """Write per-file rows with `text` in all text columns."""
    rows = [FileRow(text, text, text, text, text, 7, True, None)]
    part, path = folder / "part.csv", folder / "files.csv"
    FORMATS[".csv"].write_part(part, rows)
    FORMATS[".csv"].join([part], path)
    assert list(read_rows(path)) == rows
    return path.read_bytes().decode()


def totals(text: str, folder: Path) -> str:
    """Write the totals of a result whose file name contains `text`; adding them twice keeps one row."""
    name = "".join(c for c in text if c not in "/\0") + "result.csv"
    result_path = folder / name
    result_path.write_bytes(written(result_table([Home("a")])).encode())
    for _ in range(2):
        record_totals(ExpiredFile("result", result_path, date(2026, 11, 2)))
    result_path.unlink()
    content = (folder / TOTALS).read_bytes().decode()
    (folder / TOTALS).unlink()
    assert [unescape_formula(row[0]) for row in cells_of(content)[1:]] == [name]
    return content


def report(text: str, folder: Path) -> str:
    """Write a daily report in which `text` is group, title, cluster and an estimate's reason."""
    tz, day = ZoneInfo("UTC"), date(2026, 11, 2)
    now, quota = datetime(2026, 11, 3, tzinfo=UTC), Quota(timedelta(), timedelta(hours=3))
    course = Course("1", "t", "c", Calendar(tz, day, day, 6), True, {text: CourseGroup(text, 1, text, quota)})
    cluster = ObservedCluster("id", text, text or None, "1", "t", "terraform", Observation(now, running=False), "")
    ran = Session(datetime(2026, 11, 2, 9, tzinfo=UTC), datetime(2026, 11, 2, 10, tzinfo=UTC), "a", estimate=text)
    snapshot = Snapshot(now, course, quota, (cluster,), {"id": [ran]}, (), None)
    content = report_csv(make_report(snapshot, day, settled={}, actions=(), polls=())).decode("utf-8-sig")
    [_, row] = cells_of(content)
    assert unescape_formula(row[2]) == one_line(text)
    assert row[4] == "60.00"
    return content


def archive(text: str, folder: Path) -> str:
    """Write an archive table that has every type of cell."""
    kinds = (str, int, bool, date, datetime)
    archived = Table(
        "t", "t", False, tuple(Column(kind.__name__, kind, "") for kind in kinds), lambda ledger, snapshot: iter(())
    )
    row = (text, -1, True, date(2026, 11, 2), datetime(2026, 11, 2, tzinfo=UTC))
    content = archive_csv(archived, [row, (None,) * 5]).decode("utf-8-sig")
    [heading, cells, nothing] = cells_of(content)
    assert heading == [kind.__name__ for kind in kinds]
    assert [unescape_formula(cells[0]), *cells[1:3]] == [escaped(text), "-1", "true"]
    assert nothing == [""] * 5
    return content


def calendar_table(text: str, folder: Path) -> str:
    """Write a calendar in which `text` is the kind and the hours, which its reader refuses."""
    day = date(2026, 11, 2)
    content = format_table([CalendarRow(day, day, text, text)])
    [heading, cells] = cells_of(content)
    assert heading == ["kind", "first_day", "last_day", "hours"]
    assert list(map(unescape_formula, cells)) == [text, "2026-11-02", "2026-11-02", text]
    with pytest.raises(TableError):
        parse_table(content, "calendar.csv")
    return content


Writer = Callable[[str, Path], str]
WRITERS: dict[str, list[Writer]] = {
    "cdktf/course_calendar/table.py": [calendar_table],
    "cdktf/roster/model.py": [roster],
    "enforcer/reports/formats.py": [report],
    "enforcer/retention/archive.py": [archive],
    "inventory/commands/users.py": [users],
    "inventory/output/file_formats.py": [file_rows],
    "inventory/output/retention.py": [totals],
    "inventory/scan/run.py": [result],
}
"""Maps each module to a function that writes a string, asserts that the module's reader returns it, and returns the
file.
"""


@pytest.mark.parametrize("writer", [writer for writers in WRITERS.values() for writer in writers])
@given(text=TEXT)
def test_csv_files_contain_no_formulas(tmp_path_factory: pytest.TempPathFactory, writer: Writer, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / writer.__name__
    folder.mkdir(exist_ok=True)
    for row in cells_of(writer(text, folder)):
        assert [cell for cell in row if is_formula(cell) and not is_number(cell)] == []


def is_number(cell: str) -> bool:
    return set(cell) <= set(string.digits + "-.") and cell[:1] == "-" and cell != "-"


def names_in(path: str) -> set[str]:
    attributes = {ast.unparse(node) for node in TREE.nodes(path) if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in TREE.nodes(path) if isinstance(node, ast.Name)}


@pytest.mark.xdist_group("syntax trees")
def test_every_csv_writer_is_tested() -> None:
    own = [path for path in TREE.files if program_of(path) in PROGRAMS and "csv" in TREE.files[path]]
    modules = {path: names_in(path) for path in own}
    users_of = {
        name: {path for path, names in modules.items() if name in names}
        for name in ("write_rows", "csv.writer", "csv.DictWriter")
    }
    assert users_of["write_rows"] == set(WRITERS)
    assert users_of["csv.DictWriter"] == set()
    assert users_of["csv.writer"] == {"labkit/csv_cells.py"}


def test_archive_tables_have_only_tested_types() -> None:
    assert {column.kind for table in TABLES for column in table.columns} <= {str, int, bool, date, datetime}
