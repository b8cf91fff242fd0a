"""The demo stops all processes that it starts."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from processes import run, running

pytestmark = pytest.mark.process

# Starts a child in a new session, as Terraform might start a plugin, and prints the child's id.
PROGRAM_WITH_CHILD = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_each_line_is_passed_on_and_the_status_returned(tmp_path):
    lines: list[str] = []
    program = "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)"
    assert run([sys.executable, "-u", "-c", program], cwd=tmp_path, environment=os.environ, lines=lines.append) == 3
    assert lines == ["one", "two"]


def test_an_interrupt_stops_the_command_and_its_descendants(tmp_path):
    started: list[int] = []

    def add_line(line: str) -> None:
        started.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([sys.executable, "-c", PROGRAM_WITH_CHILD], cwd=tmp_path, environment=os.environ, lines=add_line)
    assert not set(started) & running().keys()


def test_the_interrupted_demo_leaves_no_process_and_no_folder(tmp_path):
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    demo = subprocess.Popen(
        [sys.executable, "examples/demo.py"], cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if "import" in line:
            break
    time.sleep(0.3)
    demo.send_signal(signal.SIGINT)
    output = demo.stdout.read()
    assert (demo.wait(timeout=30), "Interrupted. No process remains running." in output) == (130, True)
    assert list(tmp_path.iterdir()) == []
    assert demo.pid not in running().values()
