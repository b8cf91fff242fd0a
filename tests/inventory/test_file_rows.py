"""File rows are the same in every format, and after an interrupted scan."""

from __future__ import annotations

import json
import stat
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_counts import exactly_examples
from inventory.output.file_formats import FORMATS, InvalidFileRows, format_of, read_rows
from inventory.results.rows import FileRow
from inventory.scan.file_rows import FileRowParts
from inventory.scan.visit import Visit
from inventory.tree.listing import Failure, File, Folder, Listing, Source

HOME = Folder("dana@x.org", "workspace", "/Users/dana@x.org")
DATA = FileRow(HOME.user, "workspace", f"{HOME.path}/data.csv", "FILE", "", 7, False, 1_790_000_000_000)
BOOK = FileRow(HOME.user, "workspace", f"{HOME.path}/nb", "NOTEBOOK", "PYTHON", 10_000, True, None)
SOME = FileRow(HOME.user, "dbfs", f"{HOME.path}/a/b", "FILE", "", 2**40, False, 0)
FORMAT = pytest.mark.parametrize("ending", sorted(FORMATS))
# Lone surrogates are escaped before rows are written.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ROWS = st.lists(
    st.builds(
        FileRow, TEXT, st.sampled_from(["dbfs", "workspace"]), TEXT.map("/".__add__), TEXT, TEXT,
        st.integers(0, 2**62), st.booleans(), st.none() | st.integers(0, 4_000_000_000).map(lambda s: s * 1000),
    ),
    max_size=9,
)  # fmt: skip


def listed(*rows: FileRow) -> Visit:
    files = tuple(
        File(row.path, row.type, None if row.size_is_estimate else row.size, row.modified_at, row.language)
        for row in rows
    )
    return Visit(
        Folder(rows[0].user, cast(Source, rows[0].source), rows[0].path.rpartition("/")[0]), Listing((), files)
    )


@FORMAT
def test_written_rows_are_read_back(tmp_path, ending):
    parts = FileRowParts(tmp_path / "parts", tmp_path / f"files{ending}", 0)
    assert parts.add([listed(DATA, BOOK), Visit(HOME, Failure(HOME.path, "no"))]) == (1, 2)
    assert parts.add([Visit(HOME, Listing())]) is None
    assert parts.add([listed(SOME)]) == (2, 1)
    parts.join([1, 2])
    parts.remove()

    (output,) = tmp_path.iterdir()
    assert list(read_rows(output)) == [DATA, BOOK, SOME]
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


@FORMAT
def test_a_part_file_that_the_checkpoint_does_not_record_is_replaced(tmp_path, ending):
    output = tmp_path / f"files{ending}"
    first = FileRowParts(tmp_path / "parts", output, 0)
    first.add([listed(DATA)])
    first.add([listed(BOOK)])

    resumed = FileRowParts(tmp_path / "parts", output, 1)
    assert resumed.add([listed(SOME)]) == (2, 1)
    resumed.join([1, 2])

    assert list(read_rows(output)) == [DATA, SOME]


@FORMAT
def test_without_files_there_are_no_rows(tmp_path, ending):
    FileRowParts(tmp_path / "parts", tmp_path / f"files{ending}", 0).join([])
    assert list(read_rows(tmp_path / f"files{ending}")) == []


@FORMAT
@given(rows=ROWS)
@exactly_examples(30)
def test_any_row_is_the_same_in_every_format(tmp_path_factory, ending, rows):
    folder = tmp_path_factory.mktemp("rows")
    if rows:
        FORMATS[ending].write_part(folder / f"1{ending}", rows)
    FORMATS[ending].join([folder / f"1{ending}"] if rows else [], folder / f"all{ending}")
    assert list(read_rows(folder / f"all{ending}")) == rows


def test_the_formats_are_as_documented(tmp_path):
    for ending, each in FORMATS.items():
        each.write_part(tmp_path / f"1{ending}", [BOOK, SOME])
        each.join([tmp_path / f"1{ending}"], tmp_path / f"all{ending}")

    assert (tmp_path / "all.csv").read_bytes().decode().splitlines()[:2] == [
        "user,source,path,type,language,size,size_is_estimate,modified_at",
        "dana@x.org,workspace,/Users/dana@x.org/nb,NOTEBOOK,PYTHON,10000,true,",
    ]
    assert json.loads((tmp_path / "all.jsonl").read_text().splitlines()[1]) == {
        "user": "dana@x.org", "source": "dbfs", "path": "/Users/dana@x.org/a/b", "type": "FILE", "language": "",
        "size": 2**40, "size_is_estimate": False, "modified_at": "1970-01-01T00:00:00Z",
    }  # fmt: skip
    parquet = pytest.importorskip("pyarrow.parquet")
    kinds = {field.name: str(field.type) for field in parquet.read_schema(tmp_path / "all.parquet")}
    assert kinds == {
        "user": "string", "source": "string", "path": "string", "type": "string", "language": "string",
        "size": "int64", "size_is_estimate": "bool", "modified_at": "timestamp[ms, tz=UTC]",
    }  # fmt: skip


def test_an_invalid_date_is_unknown_in_every_format(tmp_path):
    for ending, each in FORMATS.items():
        each.write_part(tmp_path / f"1{ending}", [DATA._replace(modified_at=10**17)])
        each.join([tmp_path / f"1{ending}"], tmp_path / f"all{ending}")
        assert list(read_rows(tmp_path / f"all{ending}")) == [DATA._replace(modified_at=None)]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("f.csv", b"username\r\n", "expected the columns user,source,path"),
        ("f.csv", b"user,source,path,type,language,size,size_is_estimate,modified_at\r\na,b\r\n", "f.csv line 2"),
        ("f.csv", b"\xff\xfe", "was not written by a scan"),
        ("f.jsonl", b'{"user": 1}\n', "f.jsonl line 1: this is not a file row"),
        ("f.jsonl", b"[]\n", "f.jsonl line 1"),
        ("f.parquet", b"PAR1", "cannot be read as Parquet"),
        ("f.xlsx", b"", "ends in .csv, .jsonl or .parquet"),
    ],
)
def test_a_file_without_file_rows_is_rejected_with_the_line(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidFileRows, match=sentence):
        list(read_rows(tmp_path / name))


def test_the_suffix_selects_the_format_ignoring_case(tmp_path):
    assert format_of(tmp_path / "F.Parquet") is FORMATS[".parquet"]
