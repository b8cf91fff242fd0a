"""Equal trees give equal results, byte for byte, which are safe to open."""

from __future__ import annotations

import io
import stat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.results.diff import HomeChange, HomeTotals, compare_results, read_totals
from inventory.results.result_csv import InvalidResult
from inventory.results.rows import FolderRow, format_milliseconds, result_table, summarize_homes
from inventory.results.users_file import UsersFileError, read_users_file
from inventory.tree.listing import Folder, Source
from labkit.csv_cells import write_rows
from labkit.files import atomic_text_file


def row(user: str, source: Source, path: str, state: Any = "listed", **more) -> FolderRow:
    blank: dict[str, Any] = dict(
        reason="", files=0, size=0, estimated=0, largest_path=None, largest_size=None, last_modified=None
    )
    return FolderRow(
        Folder(user, source, path), state, **(blank | {"requests": 1, "rate_limited": 0, "seconds": 0.0} | more)
    )


ROOTS = [Folder(user, source, f"/Users/{user}") for user in ("b", "a") for source in ("dbfs", "workspace")]
ROWS = [
    row("a", "dbfs", "/Users/a", "missing"),
    row("a", "workspace", "/Users/a", files=2, size=2**30, largest_path="/Users/a/z", largest_size=2**30 - 1),
    row("a", "workspace", "/Users/a/x", files=1, size=2**30 - 1, largest_path="/Users/a/x/y", largest_size=2**30 - 1),
    row("b", "dbfs", "/Users/b", "failed", reason="403 no"),
    row("b", "workspace", "/Users/b", "failed", reason="429 slow, 20 times", requests=20),
]


def text(rows) -> str:
    file = io.StringIO(newline="")
    write_rows(file, rows)
    return file.getvalue()


def test_the_table_has_exactly_these_columns():
    assert text(result_table(summarize_homes(ROOTS, ROWS))) == (
        "username,file_count,total_size,total_size_gb,status,file_source,error\r\n"
        "a,3,2147483647,2.000000,success,workspace,\r\n"
        'b,0,0,0.000000,error,none,"/Users/b: 429 slow, 20 times (and 1 more)"\r\n'
    )


@given(st.permutations(ROWS), st.permutations(ROOTS))
def test_the_result_does_not_depend_on_the_order_of_listing(rows, roots):
    assert result_table(summarize_homes(roots, rows), details=True) == result_table(
        summarize_homes(ROOTS, ROWS), details=True
    )


def test_a_user_with_one_missing_and_one_refused_home_is_an_error():
    rows = [row("a", "dbfs", "/Users/a", "missing"), row("a", "workspace", "/Users/a", "failed", reason="403")]
    assert summarize_homes(ROOTS[2:], rows)[0].status == "error"


def test_a_result_file_is_private_and_replaced_atomically(tmp_path):
    path = tmp_path / "inventory.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_text_file(path) as file:
        file.write(str(1 / 0))
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]

    with atomic_text_file(path) as file:
        file.write("new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)


def test_invalid_dates_are_unknown():
    assert [format_milliseconds(0), format_milliseconds(10**20), format_milliseconds(None)] == [
        "1970-01-01T00:00:00Z",
        None,
        None,
    ]


def test_growth_is_only_reported_if_both_totals_are_complete():
    whole = {"same": (1, 5), "more": (1, 5), "less": (2, 5), "gone": (1, 1), "torn": (1, 1)}
    old = {user: HomeTotals(*counts, True) for user, counts in whole.items()}
    new = {user: old[user] for user in ("same",)} | {
        "more": HomeTotals(1, 6, True), "less": HomeTotals(1, 5, True), "new": HomeTotals(0, 0, True),
        "torn": HomeTotals(9, 9, False),
    }  # fmt: skip
    assert list(compare_results(old, new)) == [
        HomeChange("gone", "gone", (1, None), (1, None)),
        HomeChange("less", "shrunk", (2, 1), (5, 5)),
        HomeChange("more", "grown", (1, 1), (5, 6)),
        HomeChange("new", "new", (None, 0), (None, 0)),
        HomeChange("torn", "unknown", (1, 9), (1, 9)),
    ]


def test_a_result_is_read_back_and_any_other_file_is_rejected():
    written = text(result_table(summarize_homes(ROOTS, ROWS), details=True))
    assert read_totals(written, "x.csv") == {"a": HomeTotals(3, 2**31 - 1, True), "b": HomeTotals(0, 0, False)}
    with pytest.raises(InvalidResult, match="x.csv is not an inventory"):
        read_totals("username\r\na\r\n", "x.csv")
    with pytest.raises(InvalidResult, match="x.csv line 4"):
        read_totals(written + "c,many\r\n", "x.csv")


@pytest.mark.parametrize(
    "content",
    [
        "a@x\nb@x\n",
        "\ufeffa@x\r\n\r\n# comment\r\n  b@x  \r\na@x\r\n",
        "userName\na@x\nb@x",
        "id,Username,active\n1,a@x,true\n2,b@x,false\n",
        'display_name,username\n"Doe, J",a@x\n"B","b@x"\n',
        'username\n"a@x"\n\'b@x\n'.replace("'", ""),
        "username;active\na@x;true\nb@x;false\n",
        "sep=;\r\nid;Email\r\n1;a@x\r\n2;b@x\r\n",
        "sep=,\na@x\nb@x\n",
        "Email\na@x\nb@x\n",
        "sep=;\nFirst name;Email address\nA;a@x\nB;b@x\n",
        "E-Mail\r\na@x\r\nb@x\r\n",
        "username\temail\na@x\t1@x\nb@x\t2@x\n",
        'display_name,username\n# comment, "x\n"Line\n# of a name",a@x\n"B","b@x"\n,\n',
    ],
)
def test_a_users_file_is_read_in_every_accepted_format(content):
    assert read_users_file(content.encode(), "u.csv") == ["a@x", "b@x"]
    assert read_users_file(b"\xff\xfe" + content.removeprefix("\ufeff").encode("utf-16-le"), "u.csv") == ["a@x", "b@x"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "u.csv contains no users"),
        ("username\n", "u.csv contains no users"),
        ("name,post\nx,y\n", "u.csv line 1: a table needs a header"),
        ("username,x\na,1\n,2\n", "u.csv line 3: the name is missing"),
        ("a@x\n../b\n", "u.csv line 2: '../b' is not a valid user name"),
        ("sep=;\nname;post\nx;y\n", "u.csv line 2: a table needs a header"),
        ("# list\na@x\n\n../b\n", "u.csv line 4: '../b' is not a valid user name"),
        ('username\na@x\n"b@x\n', "u.csv line 3: a quoted cell that starts here is never closed"),
        ("username\na@x\nd\xe9@x\n", "u.csv line 3: not valid UTF-8 .byte 0xe9.; save it as UTF-8"),
        ("<html>", "u.csv line 1: the file is a web page"),
    ],
)
def test_an_invalid_users_file_is_rejected_with_the_line(content, sentence):
    with pytest.raises(UsersFileError, match=sentence):
        read_users_file(content.encode("latin-1"), "u.csv")
