"""Runs the application: listens, prints the ready line, and stops at once on a signal."""

import asyncio
import contextlib
import json
import logging
import signal
import socket
import ssl
import struct
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from emulator.server.app import Application, Receive
from emulator.state.state_file import StateFile

BACKLOG = 2048
SAVE_INTERVAL_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 120
NO_LINGER = struct.pack("ii", 1, 0)


class Server:
    """An application on a listening socket, and its mail service on a second socket with TLS."""

    def __init__(self, application: Application, ready: dict[str, str], state_file: StateFile | None) -> None:
        self._application = application
        self._ready = ready
        self._state_file = state_file
        self._shared = ServerState()

    def run(self, listener: socket.socket, mail_listener: socket.socket, tls: ssl.SSLContext) -> None:
        """Serve until SIGTERM or SIGINT, then abort all connections, write the state and return."""
        config = server_config(self._application)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(self._serve(config, listener, mail_listener, tls))

    async def _serve(
        self, config: uvicorn.Config, listener: socket.socket, mail_listener: socket.socket, tls: ssl.SSLContext
    ) -> None:
        loop = asyncio.get_running_loop()
        stop_requested = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop_requested.set)

        def protocol() -> Protocol:
            return Protocol(config, self._shared, {}, self._application.workspace.state.workspace_id)

        server = await loop.create_server(protocol, sock=listener, backlog=BACKLOG)
        mail_server = await loop.create_server(protocol, sock=mail_listener, backlog=BACKLOG, ssl=tls)
        saving = asyncio.create_task(self._save_periodically())
        print(json.dumps(self._ready), flush=True)
        await stop_requested.wait()
        server.close()
        mail_server.close()
        saving.cancel()
        self._abort_connections()
        if self._state_file:
            self._state_file.save_final(self._application.workspace, self._application.changes)

    async def _save_periodically(self) -> None:
        while True:
            await asyncio.sleep(SAVE_INTERVAL_SECONDS)
            if self._state_file:
                await self._state_file.save_if_changed(self._application.workspace, self._application.changes)

    def _abort_connections(self) -> None:
        # Cancelling delayed requests makes uvicorn log errors.
        logging.getLogger("uvicorn.error").disabled = True
        for task in list(self._shared.tasks):
            task.cancel()
        for connection in list(self._shared.connections):
            connection.transport.abort()


def server_config(application: Application) -> uvicorn.Config:
    """Return the server's configuration for connections to an application."""
    config = uvicorn.Config(
        application,
        interface="asgi3",
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.load()
    return config


class Protocol(HttpToolsProtocol):
    """HTTP on one connection. Requests have it as `scope["connection"]`, for faults that cut the connection."""

    def __init__(
        self, config: uvicorn.Config, shared: ServerState, app_state: dict[str, Any], workspace_id: str
    ) -> None:
        super().__init__(config, shared, app_state)
        self._workspace_id = workspace_id

    async def reset(self, receive: Receive) -> None:
        """Cut the connection without a response: the client sees a reset."""
        descriptor = self.transport.get_extra_info("socket").fileno()
        with socket.socket(fileno=socket.dup(descriptor)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.transport.abort()
        await _wait_for_disconnect(receive)

    async def hang(self, receive: Receive, seconds: float) -> None:
        """Wait this long, or until the client disconnects, then cut the connection."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_wait_for_disconnect(receive), seconds)
            return
        await self.reset(receive)

    async def truncate(self, receive: Receive, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Send the headers and half of the body (half of the headers if there is no body), then close."""
        head = STATUS_LINE[status] + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n"
        self.transport.write(head + body[: len(body) // 2] if len(body) > 1 else head[: len(head) // 2])
        self.transport.close()
        await _wait_for_disconnect(receive)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["connection"] = self  # type: ignore[typeddict-unknown-key]

    def send_400_response(self, msg: str) -> None:
        body = json.dumps({"error_code": "MALFORMED_REQUEST", "message": msg, "details": []}).encode()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "x-databricks-org-id": self._workspace_id,
            "connection": "close",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.transport.write(STATUS_LINE[400] + lines.encode() + b"\r\n" + body)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Ignore the offered upgrade. The parser reads nothing after it, so the connection is closed."""
        self.cycle.keep_alive = False


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises OSError if the address is in use or not on this machine."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        # Two sockets may be bound to the same port while neither listens; only listening reserves the port.
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
