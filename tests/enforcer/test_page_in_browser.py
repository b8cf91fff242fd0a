"""Rendered pages in a real Chromium: phone and desk, right-to-left, hostile texts."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import pytest

from axe import Violations, violations, violations_each
from browser import evaluate, evaluate_each
from enforcer.pages.content import State
from enforcer.pages.render import render_page
from hostile_texts import ODD
from labkit.course_file import PAGE_LANGUAGES
from page_examples import full_page
from rendered_markdown import framed

pytestmark = pytest.mark.process
WIDTHS = PHONE, DESK = 360, 1280
STATES = {PHONE: State.RUNNING, DESK: State.REACHED}
LONG = "A_very_long_name_without_any_space_" * 5
HOSTILE = " ".join(ODD).replace("\ud800", "")
TEXTS = {"plain": "Team 3", "long": LONG, "hostile": HOSTILE}
MEASURE = """
const root = page.documentElement;
return {
  overflow: root.scrollWidth - root.clientWidth,
  foreign: page.querySelectorAll("script, img, iframe, table, pre, blockquote, hr, em, del, input, ol").length,
  links: Array.from(page.querySelectorAll("a"), link => link.getAttribute("href")),
  headings: page.querySelectorAll("h1, h2, h3").length,
};
"""
ORDER = """
const paragraph = Array.from(page.querySelectorAll("p")).find(one => one.textContent.includes(%s));
const words = paragraph.textContent.trim();
const walker = page.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
const at = word => {
  walker.currentNode = paragraph;
  for (let node; node = walker.nextNode();) {
    const start = node.textContent.indexOf(word);
    if (start < 0) continue;
    const range = page.createRange();
    range.setStart(node, start); range.setEnd(node, start + word.length);
    const box = range.getBoundingClientRect();
    return [Math.round(box.left), Math.round(box.top)];
  }
};
return %s.map(at);
"""


def page(text: str, language: str, state: State = State.RUNNING) -> str:
    return framed(render_page(full_page(text, state), language), language=language)


@functools.cache
def measured() -> dict[tuple[str, str, int], Any]:
    """Measure every page by text, language and width."""
    pages = list(itertools.product(TEXTS, PAGE_LANGUAGES, WIDTHS))
    found = evaluate_each([(page(TEXTS[text], language), width) for text, language, width in pages], MEASURE)
    return dict(zip(pages, found, strict=True))


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("text", TEXTS)
def test_a_page_fits_its_window_and_has_only_its_own_elements(language: str, width: int, text: str) -> None:
    assert measured()[text, language, width] == {
        "overflow": 0,
        "foreign": 0,
        "links": ["https://adb-1.azuredatabricks.net/?o=1#files/2"],
        "headings": 6,
    }


def test_a_hebrew_line_runs_from_right_to_left() -> None:
    """Even in a cell whose own direction is left-to-right, and with an English name in it."""
    words = ["המחשב פועל", "אם ימשיך", "ייגמר"]
    script = ORDER % (f'"{words[0]}"', str(words).replace("'", '"'))
    found = evaluate(page("Team 3 (final)", "he"), script, width=DESK)
    lefts = [left for left, _ in found]
    assert len({top for _, top in found}) == 1
    assert lefts == sorted(lefts, reverse=True)


def test_an_english_line_keeps_its_order_around_a_hebrew_name() -> None:
    words = ["Write the minutes", "such as", "The answer"]
    found = evaluate(page("צוות 3", "en"), ORDER % ('"Write the minutes"', str(words).replace("'", '"')), width=2000)
    lefts = [left for left, _ in found]
    assert lefts == sorted(lefts)


@functools.cache
def checked() -> dict[tuple[str, int], Violations]:
    """Check a page by language and width."""
    pages = list(itertools.product(PAGE_LANGUAGES, WIDTHS))
    found = violations_each([(page("Team 3", language, STATES[width]), width) for language, width in pages])
    return dict(zip(pages, found, strict=True))


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious_on_a_page(language: str, width: int) -> None:
    assert checked()[language, width] == []


def test_axe_finds_a_link_without_text_in_the_frame() -> None:
    broken = framed(("# Title\n\n[](https://adb-1.azuredatabricks.net/)",), language="en")
    assert [rule for rule, _, _ in violations(broken, width=DESK)] == ["link-name"]
