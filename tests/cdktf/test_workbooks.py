"""A workbook gives the same groups as the CSV file of its sheet; hostile and incomplete workbooks are refused."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import moodle_course
import moodle_files
from canvas_files import Student, group_set
from labkit.tables import TableError, read_table
from moodle_files import Team
from moodle_languages import LANGUAGE_PACKS
from roster.group_list import GroupList
from roster.merge import merge
from roster.model import Roster, format_roster
from sources.detection import read_export
from workbook_files import (
    WRITERS,
    Cell,
    ErrorValue,
    Formula,
    changed,
    ods_archive,
    ods_rows,
    packed,
    unpacked,
    workbook,
)
from workbooks import archive, sheet_checks
from workbooks.read import is_workbook, read_workbook

FORMS = sorted(WRITERS)
TEAMS = (
    Team(71, "קבוצה 1", ("dana@uni.example", "noa@uni.example")),
    Team(72, 'R&D "Süd", <Ost>', ("o'brien@uni.example", "li-wei+lab@uni.example")),
    Team(75, "Empty"),
    Team(90, "-Minus-  2", ("zoë@uni.example",), "=SUM(A1)\nsecond line"),
)
COURSE = moodle_course.MoodleCourse({"T1": ("a@uni.example", "b@uni.example"), "T 2": ("c@uni.example",)})
EXPORTS = {
    "self-selection": moodle_files.self_selection(TEAMS),
    "overview": moodle_files.overview(TEAMS, ungrouped=["omer@uni.example"]),
    "choice": moodle_files.choice(TEAMS),
    "participants": moodle_course.participants(COURSE, LANGUAGE_PACKS["en"]),
    "users.csv": moodle_files.legacy_users(TEAMS),
    "Canvas": group_set([Student(17, "dana@uni.example", 'R&D "Süd"', "5001"), Student(18, "omer@uni.example")]),
    "roster": format_roster(merge(Roster(), read_export(moodle_files.self_selection(TEAMS))).roster),
}


def cells_of(text: str) -> list[list[str]]:
    table = read_table(text)
    return [list(row.cells) for row in (table.header, *table.rows)]


def numbers(rows: Sequence[Sequence[str]]) -> list[list[Cell]]:
    """Return the cells as a spreadsheet program opens them: digits became numbers."""
    return [[float(cell) if cell.isascii() and cell.isdigit() else cell for cell in row] for row in rows]


def content(listed: GroupList) -> object:
    assert listed.problems == ()
    groups = [
        (one.moodle_id, one.moodle_name, one.number, [(member.email, member.account) for member in one.members])
        for one in listed.groups
    ]
    return listed.format, groups, len(listed.ignored), listed.roster


def refused(data: bytes) -> str:
    with pytest.raises(TableError) as error:
        read_workbook(data)
    return error.value.sentence


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", EXPORTS)
def test_a_workbook_gives_the_same_groups_as_the_text(name, form):
    table, form_name = read_workbook(workbook(numbers(cells_of(EXPORTS[name])), form))
    assert form_name == form.upper()
    assert content(read_export(table)) == content(read_export(EXPORTS[name]))


@pytest.mark.parametrize("form", FORMS)
def test_cells_are_read_as_in_a_csv_file(form):
    moment = datetime(2026, 10, 18, 14, 5, tzinfo=UTC)
    cells: dict[str, Cell] = {
        "71": 71.0,
        "-3": -3,
        "0.25": 0.25,
        "123456789012345": 123456789012345,
        "1.23456789012346E+15": 1234567890123456,
        "2026-10-18": date(2026, 10, 18),
        "2026-10-18 14:05:00": moment,
        "TRUE": True,
        "'=1+1": "'=1+1",
        "=1+1": "=1+1",
        "0071": "0071",
        " two  blanks ": " two  blanks ",
        "two\nlines": "two\nlines",
        "computed": Formula("computed"),
        "8": Formula(8.0),
        "": None,
    }
    table, _ = read_workbook(workbook([["header"] * len(cells), list(cells.values())], form))
    assert table.rows[0].cells[: len(cells)] == tuple(cells)


@pytest.mark.parametrize("form", FORMS)
def test_lines_are_the_numbers_of_rows(form):
    rows = cells_of(EXPORTS["users.csv"])
    table, _ = read_workbook(workbook([["sep=,"], [], *rows[:1], [], *rows[1:]], form))
    assert (table.header.line, [row.line for row in table.rows if not row.is_blank]) == (3, [5, 6, 7])


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_second_sheet_does_not_matter_and_a_full_one_is_refused(form):
    rows = cells_of(EXPORTS["overview"])
    table, _ = read_workbook(WRITERS[form]({"Empty": [], "Groups": rows, "Blank": [[" "]]}))
    assert read_export(table).students == 5
    assert refused(WRITERS[form]({"Groups": rows, "Old": rows})) == (
        'the workbook has 2 sheets with content, "Groups", "Old": keep only the one with the groups.'
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        (Formula(None), "cell B2 has a formula without a computed value: "),
        (ErrorValue("#N/A"), "cell B2 has the error #N/A: "),
    ],
)
def test_a_cell_without_a_value_is_refused_by_its_name(cell, sentence, form):
    advice = "open the workbook in a spreadsheet program, correct the cell, and save it."
    assert refused(workbook([["a", "b"], ["x", cell]], form)) == sentence + advice


def test_a_cell_that_the_library_would_shorten_is_refused():
    data = ods_archive(f'<table:table table:name="A">{ods_rows([["a", "b"]])}</table:table>')
    data = changed(data, "content.xml", lambda xml: xml.replace(b">b<", b">b<text:line-break/>c<"))
    assert refused(data) == "cell B1 has a tab or a line break in its text, which would be lost: replace it."


def test_a_comment_of_a_cell_is_not_its_text():
    data = workbook([["a", "b"]], "ods")
    note = b"<office:annotation><dc:creator>x</dc:creator><text:p>note</text:p></office:annotation><text:p>b<"
    table, _ = read_workbook(changed(data, "content.xml", lambda xml: xml.replace(b"<text:p>b<", note)))
    assert table.header.cells[:2] == ("a", "b")


def test_the_form_is_judged_by_content():
    assert [is_workbook(workbook([["a"]], form)) for form in FORMS] == [True, True]
    assert not is_workbook(b"Group,Email\n")
    again = "the file is a zip archive, but not an .xlsx or .ods workbook: download the groups again."
    document = packed({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"})
    text = packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<c/>"})
    assert (refused(document), refused(text)) == (again, again)
    binary = packed({"[Content_Types].xml": "<Types/>", "xl/workbook.bin": b"\1"})
    assert refused(binary) == "the file is a binary workbook (.xlsb): save it as .xlsx."


DAMAGED = "the workbook is damaged or incomplete: download or save it again."
TOO_LARGE = "the workbook has more than 64 MB or 2000 files when unpacked: save only the sheet with the groups."


@cache
def bomb() -> bytes:
    """Return a workbook whose sheet is 80 MB of blanks."""
    return changed(
        workbook([["a"]], "xlsx"),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"<sheetData>", b" " * 80_000_000 + b"<sheetData>"),
    )


def with_stated_size(data: bytes, name: str, size: int) -> bytes:
    """Return the archive with a different size stated for a file, in the file's header and in the directory."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        entry = opened.getinfo(name)
    changed_data = bytearray(data)
    directory = data.rindex(b"PK\x01\x02", 0, data.rindex(name.encode()))
    struct.pack_into("<I", changed_data, entry.header_offset + 22, size)
    struct.pack_into("<I", changed_data, directory + 24, size)
    return bytes(changed_data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_archive_is_refused_before_it_is_unpacked():
    assert refused(bomb()) == TOO_LARGE
    assert refused(with_stated_size(bomb(), "xl/worksheets/sheet1.xml", 10)) == DAMAGED
    assert refused(packed({f"{number}.xml": "<a/>" for number in range(archive.MAX_FILES + 1)})) == TOO_LARGE
    data = io.BytesIO(workbook([["a"]], "xlsx"))
    with zipfile.ZipFile(data, "a") as opened:
        opened.writestr("XL/worksheets/sheet1.xml", "<worksheet/>")
    assert refused(data.getvalue()) == DAMAGED


@pytest.mark.parametrize("form", FORMS)
def test_a_broken_archive_is_refused(form):
    data = workbook(cells_of(EXPORTS["overview"]), form)
    assert {refused(data[:end]) for end in range(4, len(data) - 1, 97)} == {DAMAGED}
    encrypted = bytearray(data)
    encrypted[data.index(b"PK\x01\x02") + 8] |= 1
    assert refused(bytes(encrypted)) == "the workbook is protected by a password: save it without one."


def test_an_encrypted_ods_file_is_refused():
    encryption = b'media-type="text/xml"><manifest:encryption-data manifest:checksum="x"/></manifest:file-entry>'
    data = changed(
        workbook([["a"]], "ods"),
        "META-INF/manifest.xml",
        lambda xml: xml.replace(b'media-type="text/xml"/>', encryption),
    )
    data = changed(data, "content.xml", lambda _: b"\x91\x02not XML")
    names = list(unpacked(data))
    data = packed({name: unpacked(data)[name] for name in sorted(names, key=lambda name: name == "content.xml")})
    assert refused(data) == "the workbook is protected by a password: save it without one."


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "declaration",
    [
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE a SYSTEM "https://lab.example/a.dtd">',
    ],
)
def test_declarations_of_entities_are_refused(declaration, form):
    name = {"xlsx": "xl/worksheets/sheet1.xml", "ods": "content.xml"}[form]
    data = changed(workbook([["a"]], form), name, lambda xml: xml.replace(b"?>\n", b"?>\n" + declaration, 1))
    sentence = "the workbook declares XML entities, which no spreadsheet program does: it is not safe to read."
    assert refused(data) == sentence


def test_a_sheet_that_reaches_too_far_is_refused():
    def far(xml: bytes) -> bytes:
        return xml.replace(
            b"</row></sheetData>", b'</row><row r="999999"><c r="XFD999999"><v>1</v></c></row></sheetData>'
        )

    def styled(xml: bytes) -> bytes:
        return xml.replace(b"</row></sheetData>", b'</row><row r="999999"><c r="XFD999999" s="1"/></row></sheetData>')

    sentence = "which is too large for a list of groups: copy the groups into a new sheet."
    data = workbook([["a"]], "xlsx")
    assert refused(changed(data, "xl/worksheets/sheet1.xml", far)) == f"the sheet reaches to cell XFD999999, {sentence}"
    assert read_workbook(changed(data, "xl/worksheets/sheet1.xml", styled))[0].header.cells == ("a",)
    cell = '<table:table-cell office:value-type="string" table:number-columns-repeated="16384"><text:p>x</text:p>'
    rows = f'<table:table-row table:number-rows-repeated="1000">{cell}</table:table-cell></table:table-row>'
    data = ods_archive(f'<table:table table:name="A">{rows}</table:table>')
    assert refused(data) == f"the sheet reaches to cell XFD1000, {sentence}"


def test_a_sheet_in_a_file_that_is_not_checked_is_refused():
    data = workbook([["a"]], "xlsx")
    files = unpacked(data)
    files["xl/worksheets/sheet1.dat"] = files.pop("xl/worksheets/sheet1.xml")
    files["xl/_rels/workbook.xml.rels"] = files["xl/_rels/workbook.xml.rels"].replace(b"sheet1.xml", b"sheet1.dat")
    sentence = "the workbook is damaged: a sheet is not in an XML file; download or save it again."
    assert refused(packed(files)) == sentence


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_workbook_is_refused(form):
    assert refused(workbook([], form)) == "the workbook is empty: download the groups again."
    assert refused(workbook([["sep=,"]], form)) == "the workbook has no rows: download the groups again."


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"))


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6), st.sampled_from(FORMS))
def test_any_text_is_read_unchanged(pairs, form):
    rows = [("header", "x", "end"), *((first, second, "end") for first, second in pairs)]
    table, _ = read_workbook(workbook(rows, form))
    assert [row.cells for row in (table.header, *table.rows)] == rows


@settings(max_examples=150)
@given(st.sampled_from(FORMS), st.data())
def test_a_corrupted_workbook_yields_a_sentence_or_a_table(form, data):
    files = unpacked(workbook(numbers(cells_of(EXPORTS["self-selection"])), form))
    name = data.draw(st.sampled_from(sorted(files)))
    part = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(part)))
        pieces = [
            b"",
            b"<",
            b">",
            b'"',
            b"99999999999",
            b"-1",
            b"\0",
            b"\xff",
            b"</c>",
            b't="s"',
            b't="d"',
            b"1e999",
            b"&#0;",
        ]
        part[start : start + data.draw(st.integers(0, 30))] = data.draw(st.sampled_from(pieces))
    try:
        table, _ = read_workbook(packed({**files, name: bytes(part)}))
    except TableError as error:
        assert error.sentence.endswith(".")
        return
    assert all(isinstance(cell, str) for row in (table.header, *table.rows) for cell in row.cells)
    assert len(table.rows) * len(table.header.cells) <= sheet_checks.MAX_CELLS


def test_names_of_cells_have_the_letters_of_their_columns():
    assert [sheet_checks.cell_name(3, column) for column in (1, 26, 27, 702, 703, 16384)] == [
        "A3", "Z3", "AA3", "ZZ3", "AAA3", "XFD3",
    ]  # fmt: skip
