"""Evaluates scripts on a page in a real Chromium; tests that need it are skipped if it is missing."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
WRAPPER = """<!DOCTYPE html><meta charset="utf-8"><body>
<iframe width="{width}" height="800" srcdoc="{page}"></iframe>
<pre id="found"></pre>
<script>
document.querySelector("iframe").onload = event => {{
  const page = event.target.contentDocument;
  const found = (() => {{ {script} }})();
  document.getElementById("found").textContent = JSON.stringify(found);
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
    program = chromium()
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder) / "wrapper.html"
        wrapper.write_text(WRAPPER.format(width=width, page=html.escape(page), script=script), encoding="utf-8")
        command = [program, *ARGUMENTS, f"--user-data-dir={folder}/profile", "--dump-dom", wrapper.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    found = re.search(r'<pre id="found">(.+?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    return json.loads(html.unescape(found[1]))
