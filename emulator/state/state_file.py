"""The state on disk, so that a workspace goes on after a restart, also after one that nobody announced."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from pydantic import ValidationError

from emulator.state.state import WorkspaceState, dump_json, load_json
from emulator.state.workspace import EmulatedWorkspace
from labkit.files import atomic_binary_file

PAUSE_FACTOR = 4
"""After a save it rests that many times as long as the save took."""


class StateFileError(Exception):
    """The file cannot be used; the text is a sentence that says why."""


class StateFile:
    """Follows the state of a workspace. The file is always whole, private to its owner, and behind by seconds.

    Writing is the work of a forked child, which sees the state as it was at that instant: requests go on meanwhile
    however large the state is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved = -1
        """Up to which change the file is written."""
        self._next = 0.0
        self._child = 0
        """The process that writes just now, or 0."""

    def read(self) -> WorkspaceState | None:
        """What the file holds; None if there is none yet. Raises StateFileError, also where it could not be written."""
        folder = self._path.parent
        if not folder.is_dir():
            raise StateFileError(f"{self._path}: the folder does not exist; create it")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StateFileError(f"{self._path}: nothing can be written to its folder; choose another")
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateFileError(f"{self._path} cannot be read: {error.strerror}") from None
        try:
            return load_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            location = ".".join(map(str, first["loc"])) or "the whole file"
            raise self.damaged_error(f"{location}: {first['msg']}") from None
        except (TypeError, KeyError, ValueError, RecursionError) as error:
            raise self.damaged_error(f"the whole file: {type(error).__name__} {error}") from None

    def damaged_error(self, where: str) -> StateFileError:
        """The error for a file that holds no state, or one that does not fit together."""
        return StateFileError(f"{self._path} is no state of this emulator ({where}); move it away to start anew")

    async def save_if_changed(self, workspace: EmulatedWorkspace, changes: int) -> None:
        """Write if there were changes since the last time and it has rested enough."""
        began = time.monotonic()
        if changes == self._saved or began < self._next:
            return
        workspace.state.clock = workspace.clock.now()
        parent = os.getpid()
        self._child = os.fork()
        if self._child == 0:
            self._write_in_child(workspace.state, parent)
        while not (ended := os.waitpid(self._child, os.WNOHANG))[0]:
            await asyncio.sleep(0.02)
        self._child = 0
        if ended[1] == 0:
            self._saved = changes
        self._next = time.monotonic() + (time.monotonic() - began) * PAUSE_FACTOR

    def save_final(self, workspace: EmulatedWorkspace, changes: int) -> None:
        """Write what is not yet written. Raises StateFileError."""
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
        if changes != self._saved:
            workspace.state.clock = workspace.clock.now()
            try:
                self._write(dump_json(workspace.state))
            except OSError as error:
                raise StateFileError(f"{self._path} could not be written: {error.strerror}") from None

    def _write_in_child(self, state: WorkspaceState, parent: int) -> None:
        """Never returns. A connection stays open as long as a process holds it, so the child drops them first."""
        status = 1
        try:
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            content = dump_json(state)
            # Where the parent is gone, another emulator may already be using the file.
            if os.getppid() == parent:
                self._write(content)
                status = 0
        except BaseException as error:  # noqa: BLE001 - nothing may get out of here: the parent's code would go on
            print(f"{self._path} could not be written: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(status)

    def _write(self, content: bytes) -> None:
        """Replace the file in one step."""
        # One writer: the child that was killed is gone before the parent writes.
        with atomic_binary_file(self._path, single_writer=True) as file:
            file.write(content)
