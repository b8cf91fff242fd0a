"""The state on disk, so that a workspace survives restarts and crashes."""

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
"""The pause after a save, as a multiple of its duration."""


class StateFileError(Exception):
    """The file cannot be used; the message has the reason."""


class StateFile:
    """Saves the state of a workspace. The file is always complete, private to its owner, and at most a few seconds old.

    A forked child process writes the state at the time of the fork, while the parent handles requests, even if the
    state is large.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved = -1
        """Number of changes that the file contains."""
        self._next = 0.0
        self._child = 0
        """Id of the process that is writing the file, or 0."""

    def read(self) -> WorkspaceState | None:
        """Return the state in the file; None if there is no file. Raises StateFileError, also if it is not writable."""
        folder = self._path.parent
        if not folder.is_dir():
            raise StateFileError(f"{self._path}: the folder does not exist; create it")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StateFileError(f"{self._path}: the folder is not writable; choose a different one")
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
        """Return the error for a file without a valid, consistent state."""
        return StateFileError(
            f"{self._path} is not a valid state file ({where}); move it away to start with a new workspace"
        )

    async def save_if_changed(self, workspace: EmulatedWorkspace, changes: int) -> None:
        """Save the state if it has changed and the pause after the last save is over."""
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
        """Save unsaved changes. Raises StateFileError."""
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
        """Write the state and exit. The child first closes its copies of the connections, or they would stay open."""
        status = 1
        try:
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            content = dump_json(state)
            # If the parent has exited, a different emulator may be using the file.
            if os.getppid() == parent:
                self._write(content)
                status = 0
        except BaseException as error:  # noqa: BLE001 - after an exception the child would run the parent's code
            print(f"{self._path} could not be written: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(status)

    def _write(self, content: bytes) -> None:
        """Replace the file atomically."""
        # There is only one writer: the parent waits until the killed child has exited before it writes.
        with atomic_binary_file(self._path, single_writer=True) as file:
            file.write(content)
