"""The templates of pages: every text of people is escaped, in every language and state, and own templates are used."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.pages.content import AskingForTime, PageContent, State
from enforcer.pages.markdown import visible
from enforcer.pages.notebook import parse_cells, to_notebook
from enforcer.pages.render import problems_of, render_page, templates_digest
from example_counts import at_most_examples
from hostile_texts import HOSTILE_TEXTS
from labkit.course_file import PAGE_LANGUAGES
from labkit.text import one_line
from page_examples import full_page
from rendered_markdown import structure, tokens, visible_text


@at_most_examples(60)
@given(HOSTILE_TEXTS, st.sampled_from(PAGE_LANGUAGES), st.sampled_from(State))
def test_peoples_texts_add_nothing_but_text_to_a_page(text: str, language: str, state: State) -> None:
    text = text or "x"
    hostile, plain = (render_page(full_page(each, state), language) for each in (text, "x"))

    assert list(map(structure, hostile)) == list(map(structure, plain))
    assert parse_cells(to_notebook(hostile)) == hostile
    for line in "\n".join(hostile).splitlines():
        assert not line.lstrip().startswith(("%", "# MAGIC", "# COMMAND"))


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
def test_a_page_shows_every_text(language: str) -> None:
    shown = [visible_text(tokens(cell)) for cell in render_page(full_page("Déjà vu *#1*"), language)]
    counts = [text.count("Déjà vu *#1*") for text in shown]
    assert counts == [2, 10, 14, 2, 2, 0], "names, reasons and titles, requests with answers, mails, cluster"


@pytest.mark.parametrize("language", PAGE_LANGUAGES)
@pytest.mark.parametrize("state", State)
def test_every_state_has_a_sentence_of_its_own(language: str, state: State) -> None:
    others = {render_page(full_page("x", other), language)[0] for other in State if other is not state}
    assert render_page(full_page("x", state), language)[0] not in others


def text_of(content: PageContent, cell: str) -> str:
    """Return the English cell that contains a text."""
    return visible(next(one for one in render_page(content, "en") if cell in one))


def test_the_way_to_ask_is_a_file_an_address_or_the_staff() -> None:
    page = full_page("x")
    file = text_of(page, "Asking for more time").splitlines()[2]
    mail, nobody = (
        text_of(replace(page, asking=asking), "Asking for more time").splitlines()[2]
        for asking in (AskingForTime("admin@campus.example"), AskingForTime())
    )
    assert file == (
        "Write the minutes and the reason into [your request file](<https://adb-1.azuredatabricks.net/?o=1#files/2>),"
        ' such as "60 minutes: project deadline". The answer appears here. The file is'
        " \\/lab\\-94290\\-2026w\\/requests\\/group\\_03\\.txt."
    )
    assert mail == "Write to the course staff before the limit is reached: admin\\@campus\\.example"
    assert nobody == "Ask the course staff before the limit is reached."


def test_a_day_without_limits_has_its_reasons() -> None:
    page = replace(full_page("x", State.READY), unlimited_reasons=("exam", "hackathon"))
    assert text_of(page, "Cluster time").splitlines()[6] == (
        "**Today has no limit**: exam; hackathon. The time still counts for the limits of week and term."
    )


def test_own_templates_replace_built_in_ones_of_the_same_name(tmp_path: Path) -> None:
    before = templates_digest("en", tmp_path)
    own = tmp_path / "pages" / "files.md.j2"
    own.parent.mkdir()
    own.write_text("## Files\n\n{{ page.course }}\n", encoding="utf-8")

    assert render_page(full_page("*a*"), "en", tmp_path)[-1] == "## Files\n\n\u2068\\*a\\*\u2069"
    assert templates_digest("en", tmp_path) != before
    assert problems_of(tmp_path, "en") == []


@pytest.mark.parametrize("text", ["{{ page.nothing }}", "{% if %}", "{{ page.course|nothing }}"])
def test_an_unusable_template_is_logged_and_the_built_in_ones_are_used(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = tmp_path / "pages" / "files.md.j2"
    own.parent.mkdir()
    own.write_text(text, encoding="utf-8")

    with caplog.at_level(logging.ERROR):
        cells = render_page(full_page("x"), "en", tmp_path)
    assert cells == render_page(full_page("x"), "en")
    assert "using the built-in ones" in caplog.text
    assert bool(problems_of(tmp_path, "en")) is (text != "{{ page.nothing }}")


def test_long_texts_are_cut() -> None:
    assert one_line("a" * 1000) in visible(render_page(full_page("a" * 1000), "en")[0])
