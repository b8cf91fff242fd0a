"""What the demo starts, it also ends."""

import os
import sys

import pytest

from processes import run, running

# A child that leaves its parent's session and writes down its id, as a helper of Terraform might.
FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_each_line_is_heard_and_the_status_returned(tmp_path):
    heard: list[str] = []
    program = "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)"
    assert run([sys.executable, "-u", "-c", program], cwd=tmp_path, environment=os.environ, heard=heard.append) == 3
    assert heard == ["one", "two"]


def test_an_interruption_ends_the_command_and_what_it_started_elsewhere(tmp_path):
    started: list[int] = []

    def hear(line: str) -> None:
        started.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([sys.executable, "-c", FAMILY], cwd=tmp_path, environment=os.environ, heard=hear)
    assert not set(started) & running().keys()
