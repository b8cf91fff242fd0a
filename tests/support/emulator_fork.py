"""Starts emulators by forking a process that has imported the emulator: most of an emulator's start is imports.

Each emulator is a process of its own, and runs the same `main` as `python -m emulator`.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import IO


@functools.cache
def _server(folder: Path) -> ForkServerContext:
    """Start the process that imports the emulator from this folder and forks for each emulator."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["emulator.__main__"])
    with contextlib.chdir(folder):
        forkserver.ensure_running()
    return context


class ForkedEmulator:
    """A running emulator with the parts of `subprocess.Popen` that `EmulatorProcess` uses."""

    def __init__(self, arguments: Sequence[str], folder: Path, log: IO[bytes]) -> None:
        reader, writer = os.pipe()
        # A connection is the only object with a descriptor that can be sent to the new process.
        output, errors = Connection(writer), Connection(os.dup(log.fileno()))
        self._process = _server(folder).Process(
            target=_run, args=(list(arguments), str(folder), dict(os.environ), output, errors), daemon=True
        )
        self._process.start()
        output.close()
        errors.close()
        self.stdout = open(reader, encoding="utf-8")  # noqa: SIM115

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("emulator", timeout or 0.0)
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def _run(
    arguments: list[str], folder: str, environment: dict[str, str], output: Connection, errors: Connection
) -> None:
    """Be `python -m emulator` with these arguments, folder, environment and streams."""
    from emulator.__main__ import main

    os.dup2(output.fileno(), sys.stdout.fileno())
    os.dup2(errors.fileno(), sys.stderr.fileno())
    output.close()
    errors.close()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    main(arguments, prog_name="python -m emulator")
