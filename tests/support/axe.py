"""Checks a page with axe-core in a real Chromium; tests that need it are skipped if one of them is missing."""

from __future__ import annotations

import html
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from browser import ARGUMENTS, chromium

SCRIPT = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
SERIOUS = ("serious", "critical")
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
WRAPPER = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>wrapper</title><body>
<iframe width="{width}" height="900" srcdoc="{page}"></iframe>
<pre id="found"></pre>"""
RUN = """<script src="{script}"></script><script>
const show = found => {{ parent.document.getElementById("found").textContent = JSON.stringify(found) }};
window.onload = () => axe.run(document, {{resultTypes: ["violations"]}}).then(
  found => show(found.violations.map(({{id, impact, nodes}}) => [id, impact, nodes.map(node => node.html)])),
  error => show([["axe", "critical", [String(error)]]]));
</script>"""


def violations(page: str, *, width: int, dark: bool = False) -> list[tuple[str, str, list[str]]]:
    """Return the serious and critical violations on a page: the rule, its impact, and the elements' HTML.

    The page is shown in a window of this width in pixels, without its Content-Security-Policy, which would block axe.
    """
    program = chromium()
    if not SCRIPT.exists():
        pytest.skip("axe-core is not installed: run make setup")
    own, run = POLICY.sub("", page), RUN.format(script=SCRIPT.as_uri())
    assert "<body" in own
    own = re.sub(r"(<body[^>]*>)", lambda found: f"{found[1]}{run}", own, count=1)
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder) / "wrapper.html"
        wrapper.write_text(WRAPPER.format(width=width, page=html.escape(own)), encoding="utf-8")
        options = [f"--user-data-dir={folder}/profile", "--virtual-time-budget=60000", "--window-size=1400,1000"]
        options += ["--blink-settings=preferredColorScheme=0"] if dark else []
        command = [program, *ARGUMENTS, *options, "--dump-dom", wrapper.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    found = re.search(r'<pre id="found">(.+?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    results: list[Any] = json.loads(html.unescape(found[1]))
    return [(rule, impact, nodes) for rule, impact, nodes in results if impact in SERIOUS]
