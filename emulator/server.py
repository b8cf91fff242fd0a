"""Runs the application under uvicorn, and keeps the state file up to date."""

import asyncio
import contextlib
import json
import os
import socket
import tempfile
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from emulator.app import Application
from emulator.state import dump_json

SAVE_SECONDS = 0.5


class Protocol(HttpToolsProtocol):
    """Hands the transport on with the request, for the faults that cut a connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class Server(uvicorn.Server):
    """Prints the ready line once it listens, and stops at once when told to: nobody waits for open connections."""

    def __init__(self, application: Application, ready: dict[str, str], state_file: Path | None) -> None:
        config = uvicorn.Config(
            application,
            http=Protocol,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=120,
            timeout_graceful_shutdown=0,
        )
        super().__init__(config)
        self._application = application
        self._ready = ready
        self._state_file = state_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(json.dumps(self._ready), flush=True)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        saving = asyncio.create_task(self._keep_saving())
        try:
            await super().serve(sockets)
        finally:
            saving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await saving
            self._save()

    async def _keep_saving(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            self._save()

    def _save(self) -> None:
        if self._state_file is None or not self._application.changed:
            return
        self._application.changed = False
        workspace = self._application.workspace
        workspace.state.clock = workspace.clock.now()
        write_privately(self._state_file, dump_json(workspace.state))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def write_privately(file: Path, content: bytes) -> None:
    """Replace the file in one step; only its owner may read it."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
