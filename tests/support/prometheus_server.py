"""A real Prometheus, and promtool; tests that need them are skipped if they are missing."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

MISSING = "Prometheus is not installed: run apt-get install prometheus, or get it from https://prometheus.io/download"
PATIENCE_SECONDS = 60


def require_prometheus() -> None:
    """Skip the test if `prometheus` or `promtool` is missing."""
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        pytest.skip(MISSING)


def promtool(*arguments: object, stdin: bytes = b"") -> tuple[int, str]:
    """Return the exit status and the output of promtool."""
    done = subprocess.run(
        ["promtool", *map(str, arguments)],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode()


class PrometheusServer:
    """Prometheus with its data in a folder; it scrapes one target every second. Use it as a context manager."""

    def __init__(self, folder: Path, target: str, rules: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._url = f"http://127.0.0.1:{free.getsockname()[1]}"
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": "lab", "static_configs": [{"targets": [target]}]}],
        }
        # JSON is YAML, too.
        (folder / "prometheus.yml").write_text(json.dumps(configuration), encoding="utf-8")
        self._folder = folder
        self._command = [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={self._url.removeprefix('http://')}",
        ]

    def __enter__(self) -> PrometheusServer:
        with (self._folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def get(self, path: str, **parameters: str) -> Any:
        """Return the data of an API response."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self._url}/api/v1/{path}?{query}", timeout=10) as response:
            return json.load(response)["data"]

    def until(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return labels and value of each series of an expression as soon as there is one."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                if found := self.get("query", query=expression)["result"]:
                    return [(one["metric"], float(one["value"][1])) for one in found]
            except (urllib.error.URLError, ConnectionError):
                pass  # it is still starting
            log = self._folder / "prometheus.log"
            assert time.monotonic() < ends, f"{expression} has no result: {log.read_text(encoding='utf-8')[-2000:]}"
            time.sleep(0.2)
