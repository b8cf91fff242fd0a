"""Evaluates scripts on a page in a real Chromium; tests that need it are skipped if it is missing."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
FRAME = """
<iframe id="page-{number}" width="{width}" height="800" srcdoc="{page}"></iframe>
<pre id="found-{number}"></pre>
<script>
document.getElementById("page-{number}").onload = event => {{
  const page = event.target.contentDocument;
  const found = (() => {{ {script} }})();
  document.getElementById("found-{number}").textContent = JSON.stringify(found);
}};
</script>"""


def chromium() -> str:
    """Return the path of Chromium; skip the test without one."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("Chromium is not installed: get it from your system's packages")
    return program


def evaluate(page: str, script: str, *, width: int) -> Any:
    """Return the result of a script on `page` in a window of this width in pixels; the page's scripts do not run."""
    return evaluate_each([(page, width)], script)[0]


def evaluate_each(pages: Sequence[tuple[str, int]], script: str) -> list[Any]:
    """Return the results of a script on several pages, each in a window of its own width, as `evaluate` does.

    They share a browser, because its start takes longer than a page.
    """
    return results_of(
        [
            FRAME.format(number=number, width=width, page=html.escape(page), script=script)
            for number, (page, width) in enumerate(pages)
        ]
    )


def results_of(frames: Sequence[str], *options: str) -> list[Any]:
    """Show the frames in one browser, and return the JSON that each writes into its element `found-NUMBER`."""
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder) / "wrapper.html"
        wrapper.write_text("\n".join(['<!DOCTYPE html><meta charset="utf-8"><body>', *frames]), encoding="utf-8")
        command = [chromium(), *ARGUMENTS, f"--user-data-dir={folder}/profile", *options, "--dump-dom"]
        command.append(wrapper.as_uri())
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    found = dict(re.findall(r'<pre id="found-(\d+)">(.+?)</pre>', done.stdout, re.DOTALL))
    assert len(found) == len(frames), done.stderr[-2000:]
    return [json.loads(html.unescape(found[str(number)])) for number in range(len(frames))]
