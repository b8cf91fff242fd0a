"""People's texts in Markdown cells: shown as they are, and never interpreted."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from enforcer.pages.markdown import escape, right_to_left, visible
from enforcer.pages.notebook import NotebookError, parse_cells, to_notebook
from example_counts import at_most_examples
from hostile_texts import HOSTILE_TEXTS
from labkit.text import one_line
from rendered_markdown import structure, tokens, visible_text

PLACES = ("{}", "# {}", "## Before {} after", "- {}", "- **x** {}: y", "a {} b\n\n- {}\n- {}", "**bold** {}")
"""The places of people's texts in cells."""


@example("http\u2060://evil.example")
@at_most_examples(400)
@given(HOSTILE_TEXTS)
def test_no_text_of_a_person_adds_structure_to_a_cell(text: str) -> None:
    for place in PLACES:
        assert structure(place.replace("{}", escape(text))) == structure(place.replace("{}", escape("x")))


@at_most_examples(400)
@given(HOSTILE_TEXTS)
def test_a_reader_sees_a_persons_text_unchanged(text: str) -> None:
    assert visible_text(tokens(f"a {escape(text)} b")) == f"a {visible(one_line(text))} b".replace("\x00", "�")


@at_most_examples(400)
@given(HOSTILE_TEXTS)
def test_no_renderer_finds_a_link_or_a_formula_in_the_shown_text(text: str) -> None:
    """Some renderers look for them in the result, in which the backslashes of the source are gone."""
    shown = "".join(token.content for token in tokens(escape(text)) if token.type in ("text", "text_special"))
    assert not re.search(r"://|(?i:www)\.|@\w|\$\$|\\\(|\\\[", shown)


@given(HOSTILE_TEXTS)
def test_no_line_of_a_cell_begins_with_a_persons_text(text: str) -> None:
    (line,) = escape(text).splitlines()
    assert (line[0], line[-1], line.count("\u2068"), line.count("\u2069")) == ("\u2068", "\u2069", 1, 1)


@given(st.lists(HOSTILE_TEXTS, max_size=5))
def test_a_notebook_has_exactly_its_cells(cells: list[str]) -> None:
    cells = [cell.replace("\ud800", "") for cell in cells]
    text = to_notebook(cells)
    text.encode()
    assert parse_cells(text) == tuple(cells)
    assert {cell["cell_type"] for cell in json.loads(text)["cells"]} <= {"markdown"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is not a notebook in Jupyter's format (JSONDecodeError)"),
        ("{}", "it is not a notebook in Jupyter's format (KeyError)"),
        ("[]", "it is not a notebook in Jupyter's format (TypeError)"),
        ('{"cells": [{"cell_type": "code", "source": ""}]}', "it has cells of the type code"),
    ],
)
def test_anything_but_text_cells_is_not_a_page(text: str, problem: str) -> None:
    with pytest.raises(NotebookError) as caught:
        parse_cells(text)
    assert str(caught.value) == problem


def test_lines_of_a_right_to_left_page_are_isolated_after_their_markers() -> None:
    isolated = right_to_left("# כותרת\n\n- **היום:** 5\n\nשורה")
    assert isolated == "# \u2067כותרת\u2069\n\n- \u2067**היום:** 5\u2069\n\n\u2067שורה\u2069"
    assert [kind for kind, _, _ in structure(isolated)] == [
        "heading_open", "heading_close", "bullet_list_open", "list_item_open", "paragraph_open", "strong_open",
        "strong_close", "paragraph_close", "list_item_close", "bullet_list_close", "paragraph_open", "paragraph_close",
    ]  # fmt: skip
