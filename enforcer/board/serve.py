"""Serves pages to this machine only: it binds a loopback address, checks the Host header, and changes nothing.

The Host header is checked because a web page in a browser on this machine could otherwise read the board through a name
that resolves to 127.0.0.1.
"""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from enforcer.board.html import POLICY, no_board
from labkit.addresses import is_loopback

FRESH_SECONDS = 5.0
"""Seconds for which a rendered page is reused."""
HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Page = Callable[[], Response]
"""Makes the response for a path; called in a worker thread, and never twice at the same time for one path."""


class Unavailable(Exception):
    """There is no page at the moment; the message is a sentence that gives the reason."""


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket on a loopback address; port 0 chooses a free port.

    Raises ValueError for another address, OSError if the address is in use.
    """
    address = host.strip("[]")
    if not is_loopback(address):
        raise ValueError(f"{host} is not a loopback address")
    if address.lower().endswith("localhost"):
        address = "127.0.0.1"  # not looked up, because a name may have other addresses
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the address of a listening socket as in a URL: `127.0.0.1:8321` or `[::1]:8321`."""
    host, port, *_ = listener.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def serve(listener: socket.socket, pages: Mapping[str, Page]) -> None:
    """Serve the pages, by path, until SIGINT or SIGTERM."""
    app = make_app(pages, address=address_of(listener))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, proxy_headers=False, lifespan="off"
    )
    uvicorn.Server(config).run(sockets=[listener])


def make_app(pages: Mapping[str, Page], *, address: str) -> ASGIApp:
    """Return the application for a server at `address`, which includes the port."""
    routes = [Route(path, _endpoint(page), methods=["GET"]) for path, page in pages.items()]
    port = address.rpartition(":")[2]
    hosts = frozenset({address, *(f"{host}:{port}" for host in ("localhost", "127.0.0.1", "[::1]"))})
    return _OnlyLocal(Starlette(routes=routes), hosts)


def html_page(render: Callable[[], str]) -> Page:
    """Return a page that shows the HTML of `render`, which may raise Unavailable."""

    def page() -> Response:
        try:
            return HTMLResponse(render())
        except Unavailable as error:
            return HTMLResponse(no_board(str(error)), HTTPStatus.SERVICE_UNAVAILABLE)

    return page


def metrics_page(render: Callable[[], bytes]) -> Page:
    """Return a page in Prometheus' text format from `render`, which may raise Unavailable."""

    def page() -> Response:
        try:
            return Response(render(), media_type=METRICS_TYPE)
        except Unavailable as error:
            return PlainTextResponse(f"{error}\n", HTTPStatus.SERVICE_UNAVAILABLE)

    return page


def _endpoint(page: Page) -> Callable[..., Response]:
    lock = threading.Lock()
    kept: list[tuple[float, Response]] = []

    def endpoint(_: object) -> Response:
        with lock:
            if not kept or time.monotonic() - kept[0][0] >= FRESH_SECONDS:
                response = page()
                response.headers.update(HEADERS)
                kept[:] = [(time.monotonic(), response)]
            return kept[0][1]

    return endpoint


class _OnlyLocal:
    """Refuses requests whose Host header does not name this server."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and not self._is_local(scope):
            expected = ", ".join(sorted(self._hosts))
            app = PlainTextResponse(
                f"This server answers only requests for {expected}.\n", HTTPStatus.MISDIRECTED_REQUEST, HEADERS
            )
        await app(scope, receive, send)

    def _is_local(self, scope: Scope) -> bool:
        named = Headers(scope=scope).getlist("host")
        return len(named) == 1 and named[0].lower() in self._hosts
