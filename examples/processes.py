"""Child processes whose output can be shown line by line and that never outlive their parent program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Emulator:
    """A running emulator's URL and credentials."""

    url: str
    token: str
    workspace_id: str
    mail_endpoint: str = ""
    mail_key: str = ""
    mail_ca: str = ""


@contextmanager
def emulator(root: Path, log: Path, arguments: Sequence[str] = ()) -> Iterator[Emulator]:
    """Run an emulator on a free port while the `with` block lasts. Raise RuntimeError if it does not start."""
    command = [sys.executable, "-m", "emulator", "--port", "0", *arguments]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the emulator did not start: {log.read_text(errors='replace')[-2000:]}")
        ready = json.loads(line)
        yield Emulator(
            ready["url"],
            ready["admin_token"],
            str(ready["workspace_id"]),
            ready["mail_endpoint"],
            ready["mail_key"],
            ready["mail_ca"],
        )
    finally:
        end(process)


def run(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], lines: Callable[[str], None]) -> int:
    """Run a command until it exits and return its exit status; each output line is passed to `lines` at once.

    An interruption also stops the command and all processes that it started.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        # Children run in a new session, so that Ctrl-C reaches only this program, which then stops them in order.
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines(line.rstrip("\n"))
        return process.wait()
    finally:
        end(process)


def end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Stop a process and its descendants, including those that left its process group, and wait for it."""
    pids = {process.pid, *descendants(process.pid)} if process.poll() is None else set()
    send_signal(pids, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while process.poll() is None or pids & running().keys():
        if time.monotonic() > deadline:
            send_signal(pids, signal.SIGKILL)
            process.wait()
            break
        time.sleep(0.1)
    if process.stdout is not None:
        process.stdout.close()


def send_signal(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes, some of which may have exited."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def descendants(pid: int) -> set[int]:
    """Return the processes that a process started, directly or indirectly."""
    parents = running()
    found: set[int] = set()
    waiting = {pid}
    while waiting:
        waiting = {child for child, parent in parents.items() if parent in waiting} - found
        found |= waiting
    return found


def running() -> dict[int, int]:
    """Map all processes on this machine, except zombies, to their parents."""
    if Path("/proc/self/stat").exists():
        rows = [row for path in Path("/proc").glob("[0-9]*") if (row := _status(path))]
    else:
        table = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in table.splitlines()]
    return {int(pid): int(parent) for pid, parent, state, *_ in rows if not state.startswith("Z")}


def _status(process: Path) -> list[str]:
    """Return id, parent and state of a process in /proc; an empty list if it has exited."""
    try:
        # The name, in parentheses, may contain any character.
        state, parent, *_ = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
    return [process.name, parent, state]
