"""The ASGI application: reads a request, runs due tasks, authenticates, responds, and logs the request."""

import asyncio
import ipaddress
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from copy import deepcopy
from dataclasses import asdict, replace
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote

from emulator.api.errors import ApiError, denied, not_implemented
from emulator.api.request_body import RequestBodyReader
from emulator.api.request_log import RequestLog
from emulator.api.routing import DeferredResponse, Request, Response, Route, Router, parse_query
from emulator.base.clock import Millis
from emulator.base.content import CHUNK_SIZE, EMPTY, BytesContent, Content
from emulator.control import routes as control
from emulator.faults.faulty_responses import FaultyResponses
from emulator.faults.profiles import PROFILES, FaultProfile, ServiceFault, inject, service_faults
from emulator.faults.rules import RESPONSE_KINDS, FaultRule, Faults
from emulator.mail.errors import MailError
from emulator.mail.routes import routes as mail_routes
from emulator.server import in_process, services
from emulator.state.workspace import EmulatedWorkspace

log = logging.getLogger("emulator")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CONTROL = "/_emulator/"
POLL_SECONDS = 0.02
"""Seconds between two checks of a deferred response."""


class Application:
    """Serves one workspace, and its mail service over TLS.

    `connection` in the scope (set by `http_server`) is the connection that connection faults cut.
    """

    def __init__(self, workspace: EmulatedWorkspace, profile: str | None = None) -> None:
        """`profile` is the fault profile at startup."""
        self.workspace = workspace
        self.faults = Faults(workspace.options.seed)
        self._faulty_responses = FaultyResponses()
        self.request_log = RequestLog()
        self.changes = 0
        """The number of requests that may have changed the state."""
        self._router = Router(services.routes())
        self._mail = Router(list(mail_routes))
        self._control = control.router(self)
        self._body_reader = RequestBodyReader()
        self._options = workspace.options
        self._first_profile = profile
        self.profile: str | None = None
        self.set_faults(profile, [])

    def set_faults(self, profile: str | None, faults: Iterable[FaultRule | ServiceFault]) -> None:
        """Replace the active profile and faults.

        The state is not changed, except for its service faults.
        """
        chosen = PROFILES[profile] if profile else FaultProfile(description="none")
        given = list(faults)
        self.profile = profile
        self._faulty_responses = FaultyResponses()
        self.faults.set([*(one for one in given if isinstance(one, FaultRule)), *chosen.rules], chosen.limits)
        self.workspace.options = replace(self._options, **chosen.options)
        others = [one for one in given if not isinstance(one, FaultRule)]
        inject(self.workspace.state, deepcopy([*others, *chosen.service_faults]))

    def counts(self) -> list[dict[str, Any]]:
        """Return all active faults with their counts."""
        return [*self.faults.counts(), *map(asdict, service_faults(self.workspace.state))]

    def reset(self) -> None:
        """Restore everything as at startup: a new workspace, the initial faults, an empty request log."""
        # Faults are set before seeding because of the options, and after it because service faults are in the state.
        self.set_faults(self._first_profile, [])
        services.reset(self.workspace)
        self.set_faults(self._first_profile, [])
        self.request_log.clear()

    def send_as_administrator(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request as the administrator, and return the JSON response. Raises ApiError for an error.

        The request gets no fault and is not logged.
        """
        content = EMPTY if body is None else BytesContent(json.dumps(body).encode())
        return in_process.send_request(self.workspace, self._router, method, path, content).body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        try:
            content = await self._body_reader.read(scope["headers"], receive)
        except ApiError as error:
            # The rest of the body is not read, so the connection cannot be reused.
            response = Response(error.status, error.body(), {"Connection": "close", **error.headers})
            await _send(send, response, self._workspace_id_of(scope))
            return
        if content is None:
            return
        request = self._request(scope, content)
        if request.path.startswith(CONTROL):
            response = self._control_response(scope, request)
            self._set_date(response)
            await _send(send, response, self._workspace_id_of(scope))
            return
        await self._serve(scope, receive, send, request, began)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request: Request, began: float) -> None:
        fault = self.faults.find_fault(request.method, request.path)
        if fault and fault.delay:
            await _sleep_at_least(fault.delay)
            request.now = self._catch_up()
        if fault and fault.kind in ("reset", "hang"):
            response = Response(0)
        elif fault and fault.status:
            body = MailError(fault.status, "A fault on request.").body() if _is_mail(scope) else fault.body()
            response = Response(fault.status, body, fault.headers())
        else:
            response = self._response(self._mail if _is_mail(scope) else self._router, scope, request)
            if isinstance(response.body, DeferredResponse):
                response = await self._deferred_response(response.body, request)
            if fault and fault.kind in RESPONSE_KINDS:
                status, body = self._faulty_responses.apply(
                    fault.kind, fault.shape, request.path, response.status, response.body
                )
                response = replace(response, status=status, body=body)
        if fault is None or fault.kind != "no_date":
            self._set_date(response)
        self.request_log.add(request, scope["query_string"], response.status, time.perf_counter() - began)
        if fault is None:
            await _send(send, response, self._workspace_id_of(scope))
        elif fault.kind == "reset":
            await scope["connection"].reset(receive)
        elif fault.kind == "hang":
            await scope["connection"].hang(receive, fault.seconds)
        elif fault.kind == "truncate":
            await scope["connection"].truncate(receive, *_encode(response, self._workspace_id_of(scope)))
        else:
            await _send(send, response, self._workspace_id_of(scope))

    def _request(self, scope: Scope, content: Content) -> Request:
        query = scope["query_string"]
        return Request(
            workspace=self.workspace,
            method=scope["method"],
            path=unquote(scope["raw_path"].decode("latin-1")),
            query=parse_query(query.decode("latin-1")) if query else {},
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            content=content,
            now=self._catch_up(),
            target=(scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1"),
        )

    def _catch_up(self) -> Millis:
        """Run due tasks and return the time. An exception in a task is logged; it does not fail the request."""
        try:
            return self.workspace.catch_up()
        except Exception:  # noqa: BLE001 - see above
            log.exception("a due task failed")
            return self.workspace.clock.now()

    def _set_date(self, response: Response) -> None:
        """Set the Date header to the emulator's time."""
        response.headers.setdefault("Date", formatdate(self.workspace.clock.now() / 1000, usegmt=True))

    def _workspace_id_of(self, scope: Scope) -> str:
        """Return the workspace id for the response headers; empty for the mail service."""
        return "" if _is_mail(scope) else self.workspace.state.workspace_id

    def _control_response(self, scope: Scope, request: Request) -> Response:
        client = scope.get("client")
        if client and not _is_loopback(client[0]):
            return _refused(f"{CONTROL} is only available on loopback addresses.")
        # Requests from any site's web pages in a browser on this machine also come from a loopback address.
        if "origin" in request.headers or not _is_local_name(request.headers.get("host", "")):
            return _refused(f"{CONTROL} accepts no requests from web pages or with a Host other than localhost.")
        return self._response(self._control, scope, request)

    def _response(self, router: Router, scope: Scope, request: Request) -> Response:
        """Return the response of a handler. An unexpected exception becomes a 500, with a traceback in the log."""
        try:
            found = router.find(request.method, scope["raw_path"].decode("latin-1"))
            if found is None:
                raise control.unknown_endpoint(request) if router is self._control else _unknown(request)
            route, request.parameters = found
            self._authenticate(route, request)
            answer = route.handler(request)
        except ApiError as error:
            return Response(error.status, error.body(), error.headers)
        except Exception:  # noqa: BLE001 - see above
            log.exception("%s %s failed", request.method, request.path)
            return Response(
                500, {"error_code": "INTERNAL_ERROR", "message": "Internal error of the emulator; see its log."}
            )
        finally:
            if request.method not in ("GET", "HEAD"):
                self.changes += 1
        return answer if isinstance(answer, Response) else Response(200, answer)

    async def _deferred_response(self, deferred: DeferredResponse, request: Request) -> Response:
        """Wait until the response is ready or its time has passed, while other requests are answered."""
        started, ends = time.monotonic(), request.now + int(deferred.seconds * 1000)
        while not deferred.is_ready() and time.monotonic() - started < deferred.seconds:
            if self._catch_up() >= ends:
                break
            await asyncio.sleep(POLL_SECONDS)
        request.now = self._catch_up()
        try:
            return Response(200, deferred.respond(request))
        finally:
            self.changes += 1

    def _authenticate(self, route: Route, request: Request) -> None:
        """Raise 401 without a token, 403 with an invalid token. The int error codes are as in the real service."""
        if route.public:
            return
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            text = "Credential was not sent or was of an unsupported type for this API."
            raise ApiError(401, 401, text)
        request._caller = self.workspace.authenticate(value.strip(), request.now)
        if request._caller is None:
            raise ApiError(403, 403, "Invalid access token.")


def _is_mail(scope: Scope) -> bool:
    """Return whether the request is for the mail service, which uses TLS because its clients require it."""
    return bool(scope["scheme"] == "https")


def _unknown(request: Request) -> ApiError:
    error = not_implemented(request.method, request.path)
    log.warning("%s", error)
    return error


def _refused(message: str) -> Response:
    error = denied(message)
    return Response(error.status, error.body())


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def _is_local_name(host: str) -> bool:
    """Return whether a Host header, with optional port, refers to this machine; True if it is empty."""
    name = host.rpartition("]")[0].lstrip("[") or host.partition(":")[0]
    return name.lower() in ("", "localhost") or _is_loopback(name)


def _encode(response: Response, workspace_id: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return status, headers and body as sent."""
    if isinstance(response.body, bytes | Content):
        body = response.body if isinstance(response.body, bytes) else response.body.read()
        kind = b"application/octet-stream"
    else:
        body = b"" if response.body is None else json.dumps(response.body, separators=(",", ":")).encode()
        kind = b"application/json"
    headers = {b"x-databricks-org-id": workspace_id.encode()} if workspace_id else {}
    if response.status != 204:
        headers |= {b"content-type": kind, b"content-length": b"%d" % len(body)}
    for name, value in response.headers.items():
        headers[name.lower().encode("latin-1")] = value.encode("latin-1")
    return response.status, list(headers.items()), body


async def _send(send: Send, response: Response, workspace_id: str) -> None:
    if isinstance(response.body, Content):
        await _stream(send, response, response.body, workspace_id)
        return
    status, headers, body = _encode(response, workspace_id)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _stream(send: Send, response: Response, content: Content, workspace_id: str) -> None:
    """Send content in chunks, one at a time."""
    headers = {"Content-Length": str(content.size), "Content-Type": "application/octet-stream", **response.headers}
    status, sent, _ = _encode(Response(response.status, b"", headers), workspace_id)
    await send({"type": "http.response.start", "status": status, "headers": sent})
    for offset in range(0, content.size, CHUNK_SIZE):
        await send({"type": "http.response.body", "body": content.read(offset, CHUNK_SIZE), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _sleep_at_least(seconds: float) -> None:
    """Sleep for at least this time; timers of the event loop may fire up to a millisecond early."""
    until = time.monotonic() + seconds
    while (tokens := until - time.monotonic()) > 0:
        await asyncio.sleep(tokens)
