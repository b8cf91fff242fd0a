"""One reader for delimited text, however it was saved; every error has a line number."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.tables import DELIMITERS, FileOrigin, TableError, decode, read_table

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=5)
)
HEADER = ["Alpha", "Beta", "Gamma", "Delta"]


def saved(rows: list[list[str]], delimiter: str, line_end: str) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    return file.getvalue()


@given(TABLES, st.sampled_from(DELIMITERS), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from(["", "#"]))
def test_any_saved_table_is_read_back_unchanged(rows, delimiter, line_end, is_named, comment):
    rows = [HEADER[: len(rows[0])], *rows]
    text = saved(rows, delimiter, line_end)
    table = read_table(f"\ufeffsep={delimiter}{line_end}{text}" if is_named else text, comment=comment)
    assert (table.delimiter, list(table.header.cells)) == (delimiter, rows[0])
    assert [list(row.cells) for row in table.rows] == rows[1:]
    assert table.header.line == 1 + is_named


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le with mark", "utf-16-be with mark", "cp1255"]
)
def test_the_encoding_comes_from_the_byte_order_mark_or_the_option(encoding):
    text = "קבוצה;b\n1;2\n"
    name, _, mark = encoding.partition(" with ")
    data = (("\ufeff" if mark else "") + text).encode(name)
    assert decode(data, "cp1255" if encoding == "cp1255" else None)[0] == text


def test_a_row_has_the_number_of_its_first_line():
    table = read_table('# list\na,b\n"1\n# no comment",2\n\n# comment\n3,4\n', comment="#")
    assert [(row.line, row.cells) for row in (table.header, *table.rows)] == [
        (2, ("a", "b")),
        (3, ("1\n# no comment", "2")),
        (7, ("3", "4")),
    ]


def test_a_comment_in_a_table_with_tabs_is_skipped():
    table = read_table("# list\na\tb\n# x\ty\n1\t2\n", comment="#")
    assert [(row.line, row.cells) for row in (table.header, *table.rows)] == [(2, ("a", "b")), (4, ("1", "2"))]


def test_spaces_before_a_cell_are_kept_unless_they_are_skipped():
    assert read_table("a, b\n").header.cells == ("a", " b")
    assert read_table('a, "b, c"\n', skip_initial_space=True).header.cells == ("a", "b, c")


@pytest.mark.parametrize(
    ("data", "origin", "sentence"),
    [
        (
            b"PK\x03\x04",
            FileOrigin(),
            "is a workbook (.xlsx or .ods) or a different zip archive, not text: open it and save it",
        ),
        (b"%PDF", FileOrigin("Moodle"), "is a PDF, not text: download the CSV from Moodle."),
        (b"a\0b\0", FileOrigin(), "looks like UTF-16 without a byte order mark; save it as UTF-8."),
        (b"a\0b\0", FileOrigin("", "--encoding"), "mark; if it is, add --encoding utf-16-le."),
        (b"\xe9", FileOrigin(), "not valid UTF-8 (byte 0xe9); save it as UTF-8."),
        (
            b"\xe9",
            FileOrigin("", "--encoding"),
            "specify the encoding, such as --encoding cp1255 (Hebrew) or cp1252 (Western).",
        ),
        (b"", FileOrigin(), "the file is empty: download it again."),
        (b"", FileOrigin("Moodle"), "the file is empty: download it from Moodle again."),
        (b"sep=;\n", FileOrigin(), "the file contains only a sep= line: download it again."),
        (b" ,\n,,\n", FileOrigin(), "the file contains only delimiters: download it again."),
        (b"sep=ab\n", FileOrigin(), 'sep= must be followed by one character, such as sep=, not "sep=ab".'),
        (b"<html>", FileOrigin(), "is a web page (HTML), not a table: download the file again."),
        (b"<html>", FileOrigin("Moodle"), "is a web page (HTML), probably a page of Moodle: log in to Moodle"),
        (b"{}", FileOrigin(), "is JSON, not a table: choose CSV when downloading."),
        (b'[[{"groupe": "A"}]]', FileOrigin(), "is JSON, not a table: choose CSV when downloading."),
        (b'[ ["a"] ]', FileOrigin("Moodle", json_sentence="is Moodle's JSON: no."), "is Moodle's JSON: no."),
        (
            b"<html><table><tr><td>A</table>",
            FileOrigin("Moodle"),
            "is an HTML export (a web page), not text",
        ),
        (
            b'<html><table><input type="password">',
            FileOrigin("Moodle"),
            "is a web page (HTML), probably a page of Moodle",
        ),
        (b'a,b\n1,"2\n', FileOrigin(), "a quoted cell that starts here is never closed"),
    ],
)
def test_a_file_that_is_no_table_is_rejected_with_advice(data, origin, sentence):
    with pytest.raises(TableError) as caught:
        read_table(decode(data, origin=origin)[0], origin=origin)
    assert sentence in caught.value.sentence
    assert caught.value.line == (2 if data.startswith(b"a,b") else 1)


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ('Gruppe;"Nachname, Vorname, Titel";Mail', ";"),
        ('"a;b;c","d;e"', ","),
        ('a|"b, ""c"", d, e"|f', "|"),
        ("Num&#39;x&#xE9;ro,Group&amp;Team", ","),
        ('Gruppe;"Nachname, Vor', ";"),
        ("Name, first;Group", ";"),
        ("alone", ","),
    ],
)
def test_only_characters_between_header_cells_are_delimiters(header, delimiter):
    rows = f"{header}\nBerg;T1\n" if header == "Name, first;Group" else f"{header}\n"
    rows += 'name, title";x\n' if header.endswith("Vor") else ""
    assert read_table(rows).delimiter == delimiter


def test_a_table_as_php_writes_it_is_read():
    r"""PHP does not double a quotation mark after a backslash; cells that end with a backslash look as in other
    programs' files.
    """
    table = read_table('a,b\n"Team \\"A\\" x",1\n"B\\"",2\n"C\\",3\n"say ""D""",4\n')
    cells = [row.cells[0] for row in table.rows]
    assert cells == ['Team \\"A\\" x', 'B\\"', "C\\", 'say "D"']


def test_unbalanced_quotation_marks_are_rejected_with_advice():
    with pytest.raises(TableError) as caught:
        read_table('a,b\n"Team "A" x",1\n')
    assert caught.value.line == 2
    assert 'a name contains a quotation mark ("): rename it and download again' in caught.value.sentence
