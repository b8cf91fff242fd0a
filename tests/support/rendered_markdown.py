"""Markdown as a CommonMark library renders it, with GitHub's tables, strikethrough and links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from enforcer.pages.markdown import visible

FRAME = """<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
body {{ margin: 0 auto; max-width: 60rem; padding: 0 16px; font: 16px/1.5 sans-serif;
  color: #1f2328; background: #fff; }}
code {{ font-family: monospace; background: #eff1f3; }}
section {{ border-top: 1px solid #d1d9e0; overflow-wrap: break-word; }}
</style></head>
<body><main>
{cells}
</main></body></html>
"""
"""A page with the cells below one another, as a notebook shows them."""


def renderer() -> MarkdownIt:
    return MarkdownIt("gfm-like", {"html": True, "typographer": False})


def framed(cells: Iterable[str], *, language: str, title: str = "Cluster time") -> str:
    """Return the cells as an HTML page."""
    rendered = "\n".join(f"<section>\n{renderer().render(cell)}</section>" for cell in cells)
    return FRAME.format(language=language, title=title, cells=rendered)


def tokens(markdown: str) -> list[Token]:
    """Return all tokens of a cell, with the inline ones in place of their block's content."""
    return [one for token in renderer().parse(markdown) for one in (token, *(token.children or ()))]


def structure(markdown: str) -> list[tuple[str, str, str]]:
    """Return type, tag and attributes of all tokens of a cell except text."""
    return [
        (token.type, token.tag, str(sorted(token.attrs.items())))
        for token in tokens(markdown)
        if token.type not in ("inline", "text", "text_special")
    ]


def visible_text(found: Sequence[Token]) -> str:
    """Return what a reader sees of these tokens."""
    return visible("".join(token.content for token in found if token.type in ("text", "text_special", "code_inline")))
