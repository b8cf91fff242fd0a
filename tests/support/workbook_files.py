"""Workbooks as Excel (XLSX) and LibreOffice (ODS) save them, with the files that hold cells, styles and sheet names."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

Rows = Sequence[Sequence["Cell"]]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill><patternFill/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4">'
    '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="49" quotePrefix="1"/></cellXfs></styleSheet>'
)
_DATE, _DATE_TIME, _TEXT = 1, 2, 3
_DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
ODS_NAMESPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        **{
            name: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"
            for name in ("office", "table", "text", "manifest")
        },
        "dc": "http://purl.org/dc/elements/1.1/",
        "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
    }.items()
)
_FORMULA = 'table:formula="of:=[.A1]"'
ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


@dataclass(frozen=True)
class Formula:
    """A cell with a formula and its computed value; None if no program has computed it."""

    value: str | float | None


@dataclass(frozen=True)
class ErrorValue:
    """A cell whose formula has an error, such as #N/A."""

    text: str


Cell = str | float | bool | date | Formula | ErrorValue | None


def workbook(rows: Rows, form: str) -> bytes:
    """Return a workbook with one sheet in this form, "xlsx" or "ods"."""
    return WRITERS[form]({"Sheet1": rows})


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip archive of these files; a `mimetype` is not compressed."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return data.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """Return the files in a zip archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return the workbook with one of its files changed."""
    files = unpacked(data)
    return packed({**files, name: change(files[name])})


def xlsx(sheets: Mapping[str, Rows]) -> bytes:
    shared: dict[str, int] = {}
    files = {f"xl/worksheets/sheet{at}.xml": xlsx_sheet(rows, shared) for at, rows in enumerate(sheets.values(), 1)}
    names = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{at}" r:id="rId{at}"/>' for at, name in enumerate(sheets, 1)
    )
    parts = {f"rId{at}": ("worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(sheets) + 1)}
    parts |= {"rId91": ("styles", "styles.xml"), "rId92": ("sharedStrings", "sharedStrings.xml")}
    strings = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in shared)
    spreadsheet = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    kinds = "".join(
        f'<Override PartName="/{name}" ContentType="{spreadsheet}.{kind}+xml"/>'
        for name, kind in {
            "xl/workbook.xml": "sheet.main",
            **dict.fromkeys(files, "worksheet"),
            "xl/styles.xml": "styles",
            "xl/sharedStrings.xml": "sharedStrings",
        }.items()
    )
    kinds += '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    workbook_open = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    return packed(
        {
            "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">{kinds}</Types>',
            "_rels/.rels": _relations({"rId1": ("officeDocument", "xl/workbook.xml")}),
            "xl/workbook.xml": f"{_XML}{workbook_open}<sheets>{names}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": _relations(parts),
            "xl/styles.xml": _STYLES,
            "xl/sharedStrings.xml": f'{_XML}<sst xmlns="{_MAIN}">{strings}</sst>',
            **files,
        }
    )


def _relations(parts: Mapping[str, tuple[str, str]]) -> str:
    lines = "".join(
        f'<Relationship Id="{id}" Type="{_OFFICE}/{kind}" Target="{target}"/>' for id, (kind, target) in parts.items()
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>'


def xlsx_sheet(rows: Rows, shared: dict[str, int]) -> str:
    lines = []
    for number, row in enumerate(rows, 1):
        cells = "".join(_xlsx_cell(f"{_letters(column)}{number}", cell, shared) for column, cell in enumerate(row, 1))
        lines.append(f'<row r="{number}">{cells}</row>')
    return f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _letters(column: int) -> str:
    before, rest = divmod(column - 1, 26)
    return (_letters(before) if before else "") + chr(ord("A") + rest)


def _xlsx_cell(place: str, cell: Cell, shared: dict[str, int]) -> str:
    match cell:
        case None | "":
            return f'<c r="{place}" s="{_TEXT}"/>'
        case str():
            return f'<c r="{place}" s="{_TEXT}" t="s"><v>{shared.setdefault(cell, len(shared))}</v></c>'
        case bool():
            return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
        case date():
            moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day, tzinfo=UTC)
            style = _DATE_TIME if isinstance(cell, datetime) else _DATE
            return f'<c r="{place}" s="{style}"><v>{(moment - _DAY_ZERO) / timedelta(days=1)!r}</v></c>'
        case Formula(None):
            return f'<c r="{place}"><f>A1</f></c>'
        case Formula(str(text)):
            return f'<c r="{place}" t="str"><f>A1</f><v>{escape(text)}</v></c>'
        case Formula(number):
            return f'<c r="{place}"><f>A1</f><v>{number!r}</v></c>'
        case ErrorValue(text):
            return f'<c r="{place}" t="e"><f>A1</f><v>{escape(text)}</v></c>'
    return f'<c r="{place}"><v>{cell!r}</v></c>'


def ods(sheets: Mapping[str, Rows]) -> bytes:
    tables = "".join(
        f"<table:table table:name={quoteattr(name)}>{ods_rows(rows)}</table:table>" for name, rows in sheets.items()
    )
    return ods_archive(tables)


def ods_archive(tables: str) -> bytes:
    """Return an ODS file with this XML of its tables."""
    content = f'{_XML}<office:document-content {ODS_NAMESPACES} office:version="1.3"><office:body><office:spreadsheet>'
    content += f"{tables}</office:spreadsheet></office:body></office:document-content>"
    manifest = (
        f'{_XML}<manifest:manifest {ODS_NAMESPACES} manifest:version="1.3"><manifest:file-entry manifest:full-path='
    )
    manifest += f'"/" manifest:media-type="{ODS_TYPE}"/><manifest:file-entry manifest:full-path="content.xml" '
    manifest += 'manifest:media-type="text/xml"/></manifest:manifest>'
    return packed({"mimetype": ODS_TYPE, "content.xml": content, "META-INF/manifest.xml": manifest})


def ods_rows(rows: Rows) -> str:
    """Return the XML of rows, followed by the empty rows and cells that LibreOffice writes up to the sheet's end."""
    lines = [f"<table:table-row>{''.join(map(_ods_cell, row))}<table:table-cell/></table:table-row>" for row in rows]
    rest = '<table:table-cell table:number-columns-repeated="16384"/>'
    return f'{"".join(lines)}<table:table-row table:number-rows-repeated="1048000">{rest}</table:table-row>'


def _ods_cell(cell: Cell) -> str:
    match cell:
        case None | "":
            return "<table:table-cell/>"
        case str():
            return _value_cell('office:value-type="string" calcext:value-type="string"', _paragraphs(cell))
        case bool():
            value = f'office:value-type="boolean" office:boolean-value="{str(cell).lower()}"'
            return _value_cell(value, _paragraphs(str(cell).upper()))
        case date():
            moment = f"{cell:%Y-%m-%dT%H:%M:%S}" if isinstance(cell, datetime) else f"{cell:%Y-%m-%d}"
            return _value_cell(
                f'office:value-type="date" office:date-value="{moment}"', f"<text:p>{cell:%d/%m/%y}</text:p>"
            )
        case Formula(None):
            return f"<table:table-cell {_FORMULA}/>"
        case Formula(str(text)):
            value = f'{_FORMULA} office:value-type="string" office:string-value={quoteattr(text)}'
            return _value_cell(value, _paragraphs(text))
        case Formula(number):
            return _value_cell(
                f'{_FORMULA} office:value-type="float" office:value="{number!r}"', _paragraphs(str(number))
            )
        case ErrorValue(text):
            value = 'office:value-type="string" office:string-value="" calcext:value-type="error"'
            return _value_cell(f"{_FORMULA} {value}", _paragraphs(text))
    return _value_cell(f'office:value-type="float" office:value="{cell!r}"', _paragraphs(str(cell)))


def _value_cell(value: str, paragraphs: str) -> str:
    return f"<table:table-cell {value}>{paragraphs}</table:table-cell>"


def _paragraphs(text: str) -> str:
    """Return a cell's text: a paragraph for each line, and an element for the second and further spaces of a run."""
    lines = []
    for line in text.split("\n"):
        spaced = escape(line).replace("  ", ' <text:s text:c="1"/>')
        if spaced.startswith(" "):
            spaced = "<text:s/>" + spaced[1:]
        lines.append(f"<text:p>{spaced}</text:p>")
    return "".join(lines)


WRITERS: Mapping[str, Callable[[Mapping[str, Rows]], bytes]] = {"xlsx": xlsx, "ods": ods}
