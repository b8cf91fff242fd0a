"""Renders a page's cells from templates, one for each cell.

A course can use its own words: templates in the folder `pages` of LAB_MAIL_TEMPLATES replace built-in ones of the same
name. If one cannot be rendered, the error is logged and all built-in ones are used.

Every string in a template's values is people's text and is escaped; other values are numbers, days and times.
"""

import hashlib
import logging
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from enforcer.pages.content import PageContent
from enforcer.pages.dates import DATE_WORDS
from enforcer.pages.markdown import escape, right_to_left

log = logging.getLogger(__name__)

OURS = Path(__file__).with_name("templates")
FOLDER = "pages"
"""The folder with a course's own templates, inside the folder of its mail templates."""
CELLS = ("time", "why", "more_time", "mails", "cluster", "files")
"""The templates of the cells, in the order of the page; a cell that is rendered empty is left out."""
RIGHT_TO_LEFT = frozenset({"he"})
BAR_LENGTH = 20
IN_URLS = "%:/?#[]@!$&'()*+,;=~"
"""Characters of URLs that are not percent-encoded."""


def render_page(content: PageContent, language: str, mail_templates: Path | None = None) -> tuple[str, ...]:
    """Return the Markdown cells of a page."""
    folder = own_folder(mail_templates)
    try:
        return _rendered(content, language, folder)
    except Exception as error:  # noqa: BLE001 - a template may raise any exception
        if folder is None:
            raise
        log.error("the templates of pages in %s cannot be used (%s); using the built-in ones", folder, error)
        return _rendered(content, language, None)


def own_folder(mail_templates: Path | None) -> Path | None:
    """Return the folder with the course's own templates; None if there is none."""
    folder = mail_templates / FOLDER if mail_templates else None
    return folder if folder and folder.is_dir() else None


def problems_of(mail_templates: Path | None, language: str) -> list[str]:
    """Return a message for each of the course's own templates that cannot be parsed."""
    folder = own_folder(mail_templates)
    found = []
    for path in sorted(folder.glob("*.j2")) if folder else ():
        try:
            _environment(language, folder).get_template(path.name)
        except (TemplateError, OSError, UnicodeDecodeError) as error:
            found.append(f"{path}: {error}; correct it, or remove it to use the built-in one")
    return found


def templates_digest(language: str, mail_templates: Path | None = None) -> str:
    """Return a digest of the templates that render a page."""
    digest = hashlib.sha256()
    for folder in filter(None, (OURS / language, own_folder(mail_templates))):
        for path in sorted(folder.glob("*.j2")):
            digest.update(f"\n{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _rendered(content: PageContent, language: str, folder: Path | None) -> tuple[str, ...]:
    environment = _environment(language, folder)
    rendered = (environment.get_template(f"{name}.md.j2").render(page=content).strip() for name in CELLS)
    finish = right_to_left if language in RIGHT_TO_LEFT else str
    return tuple(finish(_spaced(cell)) for cell in rendered if cell)


def _spaced(cell: str) -> str:
    """Return the cell with each line as a block of its own: an empty line between all lines except those of a list."""
    lines = [line for line in cell.split("\n") if line.strip()]
    spaced = lines[:1]
    for before, line in pairwise(lines):
        is_list = before.startswith("- ") and line.startswith("- ")
        spaced += [line] if is_list else ["", line]
    return "\n".join(spaced)


@lru_cache(maxsize=8)
def _environment(language: str, folder: Path | None) -> Environment:
    words = DATE_WORDS[language]
    folders = [folder, OURS / language] if folder else [OURS / language]
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(str(one), encoding="utf-8") for one in folders]),
        # With autoescape, results of macros and blocks are Markup, which `_finalized` leaves as they are.
        autoescape=True,
        finalize=_finalized,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "day": lambda day: Markup(words.day(day)),
        "moment": lambda at: Markup(words.moment(at)),
        "clock": lambda at: Markup(f"{at:%H:%M}"),
        "weekday": lambda number: Markup(words.weekdays[number]),
        "bar": _bar,
        "address": _address,
    }
    environment.filters.update(filters)
    return environment


def _finalized(value: Any) -> Any:
    """Escape people's text. Markup is text by this module or a template."""
    if isinstance(value, Markup | StrictUndefined) or value is None:
        return value
    if isinstance(value, bool | int):
        return Markup(value)
    if isinstance(value, date | datetime):
        return Markup(value.isoformat())
    return Markup(escape(str(value)))


def _bar(used: int, limit: int) -> Markup:
    """Return a bar of characters in a code span, which all clients show with characters of equal width."""
    share = min(1.0, used / limit) if limit else 1.0
    # The bar is full only if the limit is reached, and empty only if nothing is used.
    length = BAR_LENGTH if share >= 1 else min(BAR_LENGTH - 1, max(round(share * BAR_LENGTH), 1 if used else 0))
    return Markup("`" + "█" * length + "░" * (BAR_LENGTH - length) + "`")


def _address(url: str) -> Markup:
    """Return a URL of the lab for the target of a link."""
    return Markup(f"<{quote(url, safe=IN_URLS)}>")
