"""A report shows all known figures, and its page is safe in a browser."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from browser import evaluate
from example_counts import exactly_examples
from in_process_inventory import create_checkpoint
from inventory.__main__ import main
from inventory.results import summary
from inventory.results.report import Amount, Report
from inventory.results.result_csv import InvalidResult, ResultRow, read_result
from inventory.results.rows import COLUMNS, DETAILS, FileRow
from inventory.results.summary import LargestItem, Summary
from inventory.tree.listing import File, Folder, Listing
from labkit.lazy_package import LazyModule

pytestmark = [pytest.mark.waits, pytest.mark.xdist_group("matplotlib")]
output = LazyModule("inventory.output.page")

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
MB = 2**20
DANA = ResultRow("dana@x.org", 3, 5 * MB, "success", "both", "")
CAROL = ResultRow("carol@x.org", 1, 7 * MB, "partial", "dbfs", "dbfs:/Users/carol@x.org/a: 403 no")
IDLE = ResultRow("idle@x.org", 0, 0, "empty", "none", "")
DATE = int(datetime(2026, 10, 3, tzinfo=UTC).timestamp() * 1000)
HOSTILE = '<img src=x onerror="document.title=1">$x^2$\u202e</td><script>document.title=2</script>{{ 7 * 7 }}'
SIZES = """
  const words = [...page.querySelectorAll("svg text")].map(e => e.getBoundingClientRect());
  return {
    overflows: page.documentElement.scrollWidth > page.documentElement.clientWidth,
    pictures: page.querySelectorAll("svg").length,
    smallest: Math.min(...words.map(box => box.height)),
    cut: words.filter(box => box.left < 0 || box.right > page.documentElement.clientWidth).length,
    title: page.title,
    foreign: page.querySelectorAll("script, img, link, iframe, object, embed, form, a, [onload], [onerror]").length,
    shown: page.body.innerText,
  };
"""


def report(*entries: ResultRow, rows: list[FileRow] | None = None) -> Report:
    return Report("https://lab.example", NOW, entries, None if rows is None else summary.summarize_file_rows(rows))


def row(path: str, size: int, kind: str = "FILE", at: int | None = DATE, source: str = "workspace") -> FileRow:
    return FileRow("dana@x.org", source, path, kind, "", size, kind == "NOTEBOOK", at)


ROWS = [
    row("/Users/dana@x.org/a", 5),
    row("/Users/dana@x.org/b", 7),
    row("/Users/dana@x.org/d/nb", 10_000, "NOTEBOOK", None),
    row("/Users/dana@x.org/f", 70, source="dbfs", at=0),
]


def test_figures_that_need_details_are_unknown_without_them():
    found = report(DANA, CAROL, IDLE)
    assert (found.sources, found.kinds, found.ages, found.estimated, found.directories) == (None,) * 5
    assert found.total == Amount("all", 4, 12 * MB)
    assert found.largest == [CAROL, DANA, IDLE]
    assert found.failures == [CAROL]
    assert report(CAROL, IDLE).sources == [Amount("DBFS", 1, 7 * MB), Amount("Workspace", 0, 0)]


def test_file_rows_give_types_ages_and_largest_files():
    found = report(DANA, rows=ROWS)
    assert found.kinds == [
        Amount("notebooks in Workspace", 1, 10_000), Amount("files in DBFS", 1, 70), Amount("files in Workspace", 2, 12)
    ]  # fmt: skip
    assert found.sources == [Amount("DBFS", 1, 70), Amount("Workspace", 3, 10_012)]
    assert [(age.name, age.files) for age in found.ages or [] if age.files] == [
        ("1 to 2 months", 2), ("over 2 years", 1), ("no date", 1)
    ]  # fmt: skip
    assert found.summary is not None
    assert found.summary.largest_files == [
        LargestItem(70, "dbfs:/Users/dana@x.org/f", ""),
        LargestItem(7, "/Users/dana@x.org/b", ""),
    ]
    assert [(place.path, place.size, place.files) for place in found.summary.largest_folders] == [
        ("/Users/dana@x.org/d", 10_000, 1), ("dbfs:/Users/dana@x.org", 70, 1), ("/Users/dana@x.org", 12, 2)
    ]  # fmt: skip


def test_small_types_are_combined():
    kinds = [row(f"/Users/dana@x.org/{number}", number, f"T{number}") for number in range(1, 20)]
    found = report(DANA, rows=kinds).kinds or []
    assert (len(found), found[-1]) == (8, Amount("others", 12, sum(range(1, 13))))


FILES = st.lists(
    st.builds(
        File, st.sampled_from(["a", "b", "c", "d"]), st.sampled_from(["FILE", "NOTEBOOK", "X"]),
        st.none() | st.integers(0, 99), st.none() | st.integers(0, 2**41),
    ),
    unique_by=lambda file: file.path, max_size=4,
)  # fmt: skip


@given(st.dictionaries(st.integers(0, 20), FILES, max_size=8))
@exactly_examples(25)
def test_a_scan_and_its_file_rows_give_the_same_report(tmp_path_factory, tree):
    from inventory.scan.file_rows import file_rows
    from inventory.scan.visit import Visit

    visits = []
    for number, files in tree.items():
        folder = Folder("dana@x.org", "dbfs" if number % 2 else "workspace", f"/Users/dana@x.org/{number}")
        inside = (File(f"{folder.path}/{f.path}", f.type, f.size, f.modified_at) for f in files)
        visits.append(Visit(folder, Listing((), tuple(inside))))
    checkpoint = create_checkpoint(tmp_path_factory.mktemp("figures"), "dana@x.org")
    checkpoint.store(visits)

    def all_of(found: Summary) -> tuple[object, ...]:
        places = [(p.size, p.path, p.user, p.files) for p in (*found.largest_files, *found.largest_folders)]
        return found.kinds, found.months, places

    assert all_of(summary.summarize_folders(checkpoint.folder_rows())) == all_of(
        summary.summarize_file_rows(file_rows(visits))
    )
    checkpoint.close()


@pytest.mark.process
@pytest.mark.parametrize("width", [360, 1280], ids=["phone", "desktop"])
def test_a_page_is_readable_in_a_browser(width):
    paths = [row(f"/Users/dana@x.org/{'deep folder/' * depth}a_file_with_a_long_name.csv", 9) for depth in range(9)]
    page = output.render_page(report(DANA, CAROL, IDLE, rows=[*ROWS, *paths]))

    seen = evaluate(page, SIZES, width=width)

    shown = seen.pop("shown")
    assert seen.pop("smallest") > 8
    assert seen == {
        "overflows": False, "pictures": 3, "cut": 0, "title": "Files of https://lab.example", "foreign": 0
    }  # fmt: skip
    for words in ("12.0 MB", "What could not be listed", "carol@x.org/a: 403 no", "1 to 2 months", "Largest files"):
        assert words in shown


@pytest.mark.process
def test_hostile_names_are_escaped(tmp_path):
    user = ResultRow(HOSTILE, 1, MB, "error", "workspace", f"/Users/x: {HOSTILE}")
    hostile = row(f"/Users/x/{HOSTILE.replace('/', '')}", 5, f"<b>{HOSTILE}")
    page = output.render_page(Report(HOSTILE, NOW, [user], summary.summarize_file_rows([hostile])))

    seen = evaluate(page, SIZES, width=360)

    assert (seen["foreign"], seen["overflows"]) == (0, False)
    assert seen["title"] == f"Files of {HOSTILE}".replace("\u202e", "\\u202e")
    assert "{{ 7 * 7 }}" in seen["shown"]
    assert "$x^2$" in seen["shown"]
    assert "\u202e" not in page


def test_a_page_needs_no_external_resource():
    page = output.render_page(report(DANA, CAROL, rows=ROWS))
    assert [word for word in ("src=", "@import", "url(http", "<script", "<link") if word in page] == []
    assert page == output.render_page(report(DANA, CAROL, rows=ROWS))


@pytest.fixture
def run_report(tmp_path, monkeypatch):
    """Run `report …` in an empty folder. Return exit status and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["report", *arguments], obj=dict(os.environ))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stderr

    return run


def written(*cells: object, header: tuple[str, ...] = COLUMNS) -> str:
    return ",".join(header) + "\r\n" + ",".join(map(str, cells)) + "\r\n"


def test_the_page_of_a_result_is_private_and_beside_it(run_report):
    Path("november.csv").write_text(written("'=dana", 2, 10, "0.0", "success", "dbfs", ""))
    assert run_report("november.csv") == (0, "Written to november.html.\n")
    page = Path("november.html")
    assert ("<bdi>=dana</bdi>" in page.read_text(), stat.S_IMODE(page.stat().st_mode)) == (True, 0o600)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["none.csv"], "none.csv: No such file"),
        (["users.csv"], "users.csv is not an inventory"),
        (["good.csv", "--files", "users.csv"], "users.csv has no file rows"),
        (["good.csv", "--files", "none.jsonl"], "none.jsonl: No such file"),
        (["good.csv", "--files", "f.txt"], "ends in .csv, .jsonl or .parquet"),
        (["good.csv", "--output", "no/where.html"], "there is no folder no"),
    ],
)
def test_invalid_input_is_reported_and_no_page_is_written(run_report, arguments, sentence):
    Path("users.csv").write_text("username\r\n")
    Path("good.csv").write_text(written("dana", 2, 10, "0.0", "success", "dbfs", ""))
    status, output = run_report(*arguments)
    assert (status, sentence in output, sorted(os.listdir())) == (2, True, ["good.csv", "users.csv"])


def test_details_in_a_result_are_read():
    details = (1, 4, 1, 10_000, 1, 3, 0, "/Users/dana/x", 4, "2026-10-18T07:00:00Z", "0.1", 3, 0)
    text = written("dana", 2, 10_004, "0.0", "success", "both", "", *details, header=(*COLUMNS, *DETAILS))
    amounts = {"dbfs": (1, 4), "workspace": (1, 10_000)}
    assert read_result(text, "x.csv") == [
        ResultRow("dana", 2, 10_004, "success", "both", "", amounts, 1, 3, 0, "2026-10-18T07:00:00Z")
    ]


@pytest.mark.parametrize(
    "cells", [("a", "x", 1, "0", "success", "none", ""), ("a", 1, 1, "0", "well", "none", ""), ("a",)]
)
def test_an_invalid_row_is_rejected(cells):
    with pytest.raises(InvalidResult, match="x.csv line 2"):
        read_result(written(*cells), "x.csv")
