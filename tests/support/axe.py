"""Checks a page with axe-core in a real Chromium; tests that need it are skipped if one of them is missing."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from browser import results_of

SCRIPT = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
SERIOUS = ("serious", "critical")
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
FRAME = """
<iframe width="{width}" height="900" srcdoc="{page}"></iframe>
<pre id="found-{number}"></pre>"""
RUN = """<script src="{script}"></script><script>
const show = found => {{ parent.document.getElementById("found-{number}").textContent = JSON.stringify(found) }};
window.onload = () => axe.run(document, {{resultTypes: ["violations"]}}).then(
  found => show(found.violations.map(({{id, impact, nodes}}) => [id, impact, nodes.map(node => node.html)])),
  error => show([["axe", "critical", [String(error)]]]));
</script>"""


Violations = list[tuple[str, str, list[str]]]
"""The serious and critical violations on a page: the rule, its impact, and the elements' HTML."""


def violations(page: str, *, width: int) -> Violations:
    """Return the violations on a page.

    The page is shown in a window of this width in pixels, without its Content-Security-Policy, which would block axe.
    """
    return violations_each([(page, width)])[0]


def violations_each(pages: Sequence[tuple[str, int]], *, dark: bool = False) -> list[Violations]:
    """Return the violations on several pages with a width each. They share a browser, whose start takes longer."""
    if not SCRIPT.exists():
        pytest.skip("axe-core is not installed: run make setup")
    frames = [
        FRAME.format(number=number, width=width, page=html.escape(_with_axe(page, number)))
        for number, (page, width) in enumerate(pages)
    ]
    colours = ["--blink-settings=preferredColorScheme=0"] if dark else []
    results = results_of(frames, "--virtual-time-budget=60000", "--window-size=1400,1000", *colours)
    return [[(rule, impact, nodes) for rule, impact, nodes in result if impact in SERIOUS] for result in results]


def _with_axe(page: str, number: int) -> str:
    """Return the page with a script that runs axe and shows the result in the wrapper."""
    run = RUN.format(script=SCRIPT.as_uri(), number=number)
    page = POLICY.sub("", page)
    assert "<body" in page
    return re.sub(r"(<body[^>]*>)", lambda found: f"{found[1]}{run}", page, count=1)
