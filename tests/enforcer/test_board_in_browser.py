"""The staff's board in a real Chromium: on a phone, at a desk, in the dark, on paper, and with hostile titles."""

from __future__ import annotations

import functools
import itertools
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import axe
from browser import ARGUMENTS, chromium, evaluate, evaluate_each
from enforcer.board.assemble import make_board
from enforcer.board.demo import TITLES, demo_facts
from enforcer.board.html import no_board, render_board

pytestmark = pytest.mark.process

HOSTILE = (
    "<script>parent.document.title='hit'</script>",
    '"><img src=x onerror="parent.document.title=\'hit\'">',
    "<style>*{display:none}</style>",
    "</bdi></th></tr></table></section></main><h1>Stop</h1>",
    "javascript:alert(1)//<a href='javascript:alert(1)'>x</a>",
    "\u202elanoitceridib\u2066",
    "x" * 5000,
    "שם קבוצה בעברית (group_01) & <b>",
    "اسم المجموعة \"><svg onload=parent.document.title='hit'>",
    "{{ config }}",
)
TITLES_BY_NAME = {"usual": TITLES, "hostile": HOSTILE}
WIDTHS = 360, 390, 1280
MEASURE = """
  const root = page.documentElement, bodies = [...page.querySelectorAll("tbody th")];
  const wide = [...page.querySelectorAll("main *")].filter(e => {
    if (e.closest(".wide, svg, caption")) return false;
    const box = e.getBoundingClientRect();
    return box.right > root.clientWidth + 1 || box.left < -1;
  });
  const bidi = [...page.querySelectorAll("bdi")].filter(e => /[\\u0590-\\u06ff]/.test(e.textContent));
  return {
    overflows: root.scrollWidth > root.clientWidth,
    wide: wide.map(e => e.outerHTML.slice(0, 80)),
    foreign: page.querySelectorAll("script, img, b, a[href^=javascript], style + style, h1 ~ h1").length,
    headings: [...page.querySelectorAll("h1")].length,
    title: document.title,
    sections: page.querySelectorAll("section h2").length,
    groups: page.querySelectorAll(".heat tbody tr").length,
    rtl: bidi.length > 0 && bidi.every(e => getComputedStyle(e).unicodeBidi === "isolate"),
    dir: [...new Set(bodies.map(e => getComputedStyle(e).direction))],
    unlabelled: [...page.querySelectorAll("th")].filter(e => !e.scope).length
      + [...page.querySelectorAll("table")].filter(e => !e.caption).length,
    smallest: Math.min(...bodies.concat([...page.querySelectorAll("td, p, li")])
      .map(e => parseFloat(getComputedStyle(e).fontSize))),
  };
"""


def page_of(groups: int, titles: tuple[str, ...] = TITLES, *, with_names: bool = False) -> str:
    facts = demo_facts(groups, titles=titles)
    action = replace(facts.actions[0], reason=titles[0])
    requests = tuple(replace(one, reason=title) for one in facts.time_requests for title in titles)
    facts = replace(facts, actions=(*facts.actions[1:], action), time_requests=requests)
    return render_board(make_board(facts, with_names=with_names))


@functools.cache
def measured() -> dict[tuple[str, int], Any]:
    """Measure the board by titles and width."""
    boards = {titles: page_of(100, texts) for titles, texts in TITLES_BY_NAME.items()}
    pages = list(itertools.product(boards, WIDTHS))
    return dict(zip(pages, evaluate_each([(boards[titles], width) for titles, width in pages], MEASURE), strict=True))


@pytest.mark.parametrize("width", WIDTHS, ids=["small phone", "phone", "desk"])
@pytest.mark.parametrize("titles", TITLES_BY_NAME)
def test_a_board_of_100_groups_fits_the_window(width: int, titles: str) -> None:
    seen = dict(measured()[titles, width])
    assert seen.pop("smallest") >= 12
    assert seen == {
        "overflows": False,
        "wide": [],
        "foreign": 0,
        "headings": 1,
        "title": "",
        "sections": 14,
        "groups": 100,
        "rtl": True,
        "dir": ["ltr"],
        "unlabelled": 0,
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_on_the_board(dark: bool) -> None:
    page = page_of(14, with_names=True)
    assert axe.violations_each([(page, width) for width in (390, 1280)], dark=dark) == [[], []]


def test_axe_finds_nothing_serious_with_hostile_titles() -> None:
    assert axe.violations(page_of(100, HOSTILE), width=390) == []


def test_axe_finds_nothing_serious_without_a_board() -> None:
    assert axe.violations(no_board("the ledger has no course"), width=390) == []


def test_axe_finds_violations() -> None:
    page = page_of(14).replace('<html lang="en">', "<html>").replace("--ink: #17212b", "--ink: #e8e8e8")
    assert {rule for rule, _, _ in axe.violations(page, width=1280)} >= {"html-has-lang", "color-contrast"}


def test_a_printed_board_of_100_groups_is_complete(tmp_path: Path) -> None:
    """The heat map's columns are within the paper, and each group is on it."""
    page = page_of(100).replace("@media print", "@media screen").replace("@page", "@media not all")
    cut = evaluate(
        page,
        """
        const right = page.documentElement.clientWidth;
        const cells = [...page.querySelectorAll("th, td, p, li, dd")];
        return cells.filter(e => e.getBoundingClientRect().right > right + 1).map(e => e.outerHTML.slice(0, 80));
        """,
        # A4 without margins of 12 mm, at 96 pixels an inch.
        width=703,
    )
    assert cut == []
    source, target = tmp_path / "lab.html", tmp_path / "lab.pdf"
    source.write_text(page_of(100), encoding="utf-8")
    options = [f"--user-data-dir={tmp_path}/profile", "--no-pdf-header-footer", f"--print-to-pdf={target}"]
    subprocess.run([chromium(), *ARGUMENTS, *options, source.as_uri()], capture_output=True, timeout=120, check=True)
    pdf = target.read_bytes()
    pages = pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type /Page/")
    assert pdf.startswith(b"%PDF-") and 4 <= pages <= 12
