"""Runs the inventory as a process and stops it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulator_process import ROOT


def run_and_stop(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, *, after: float
) -> tuple[int, str]:
    """Start a command and stop it `after` seconds after its checkpoint appears; return exit status and stderr."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    while not list(folder.rglob("*.checkpoint-wal")):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(after)
    process.terminate()
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr
