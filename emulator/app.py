"""The ASGI application: reads a request, lets due changes happen, asks who is calling, answers, notes it down."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from emulator import services
from emulator.control import routes as control
from emulator.errors import ApiError
from emulator.faults import Faults, Rule
from emulator.journal import Journal
from emulator.routing import Call, Reply, Route, Router, parse_query
from emulator.workspace import Workspace

log = logging.getLogger("emulator")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CONTROL = "/_emulator/"
HANG_SECONDS = 90.0
"""Longer than any client's own patience (65 s in the provider)."""


class Application:
    """Serves one workspace. `transport` in the scope (put there by `server`) is what connection faults cut."""

    def __init__(self, workspace: Workspace, faults: Faults, journal: Journal) -> None:
        self.workspace = workspace
        self.faults = faults
        self.journal = journal
        self.changed = False
        """Whether a request may have changed the state since the state file was written."""
        self._router = Router(services.routes())
        self._control = control.router(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        began = time.perf_counter()
        raw = await _read(receive)
        call = self._call(scope, raw)
        if call.path.startswith(CONTROL):
            await _send(send, self._controlled(scope, call), self.workspace.state.workspace_id)
            return
        reply, fault = await self._answered(scope, call)
        milliseconds = (time.perf_counter() - began) * 1000
        query = scope["query_string"].decode("latin-1")
        agent = call.headers.get("user-agent", "")
        self.journal.note(call.now, call.method, call.path, query, reply.status, milliseconds, agent)
        if fault is None:
            await _send(send, reply, self.workspace.state.workspace_id)
        elif fault.kind == "truncate":
            await _send(send, reply, self.workspace.state.workspace_id, cut=scope["transport"])
        else:
            scope["transport"].abort()

    def _call(self, scope: Scope, raw: bytes) -> Call:
        return Call(
            workspace=self.workspace,
            method=scope["method"],
            path=unquote(scope["raw_path"].decode("latin-1").partition("?")[0]),
            query=parse_query(scope["query_string"].decode("latin-1")),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            raw=raw,
            now=self.workspace.catch_up(),
        )

    async def _answered(self, scope: Scope, call: Call) -> tuple[Reply, Rule | None]:
        """The answer, and the fault of the connection that is to spoil it."""
        spoiling: Rule | None = None
        for rule in self.faults.met_by(call.method, call.path):
            match rule.kind:
                case "latency":
                    await asyncio.sleep(rule.retry_after or 0.05)
                    call.now = self.workspace.catch_up()
                case "hang":
                    await asyncio.sleep(rule.retry_after or HANG_SECONDS)
                    return Reply(504), rule
                case "reset":
                    return Reply(0), rule
                case "truncate":
                    spoiling = rule
                case _:
                    return _fault_reply(rule), None
        return self._reply(self._router, scope, call), spoiling

    def _controlled(self, scope: Scope, call: Call) -> Reply:
        client = scope.get("client")
        if client and client[0] not in ("127.0.0.1", "::1"):
            return Reply(403, {"error_code": "PERMISSION_DENIED", "message": "/_emulator/ answers on loopback only."})
        return self._reply(self._control, scope, call)

    def _reply(self, router: Router, scope: Scope, call: Call) -> Reply:
        try:
            found = router.find(call.method, scope["raw_path"].decode("latin-1").partition("?")[0])
            if found is None:
                return _unknown(call)
            route, call.parameters = found
            self._admit(route, call)
            answer = route.handler(call)
        except ApiError as error:
            return Reply(error.status, error.body(), error.headers)
        except Exception:  # noqa: BLE001 - a defect of ours must reach the client as an answer, and the log as a traceback
            log.exception("%s %s failed", call.method, call.path)
            return Reply(500, {"error_code": "INTERNAL_ERROR", "message": "The emulator has a defect; see its log."})
        finally:
            self.changed = self.changed or call.method != "GET"
        return answer if isinstance(answer, Reply) else Reply(200, answer)

    def _admit(self, route: Route, call: Call) -> None:
        """Raises 401 without a token, 403 with one that is not valid; the int codes are the real service's."""
        if route.open:
            return
        scheme, _, value = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            text = "Credential was not sent or was of an unsupported type for this API."
            raise ApiError(401, 401, text)
        call._caller = self.workspace.authenticate(value.strip(), call.now)
        if call._caller is None:
            raise ApiError(403, 403, "Invalid access token.")


def _unknown(call: Call) -> Reply:
    # Not the platform's 404: on a 404 the Terraform provider silently drops the resource from its state.
    message = f"The emulator has no API for '{call.method} {call.path}'"
    log.warning("%s", message)
    return Reply(501, {"error_code": "NOT_IMPLEMENTED", "message": message, "details": []})


def _fault_reply(rule: Rule) -> Reply:
    code, message = {
        "429": ("REQUEST_LIMIT_EXCEEDED", "Too many requests. Please wait a moment and try again."),
        "500": ("INTERNAL_ERROR", "Internal error happened."),
        "503": ("TEMPORARILY_UNAVAILABLE", "The service at this path is temporarily unavailable."),
        "504": ("DEADLINE_EXCEEDED", "The request to the backend took too long."),
    }[rule.kind]
    headers = {} if rule.retry_after is None else {"Retry-After": f"{rule.retry_after:g}"}
    return Reply(int(rule.kind), {"error_code": code, "message": message, "details": []}, headers)


async def _read(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


async def _send(send: Send, reply: Reply, workspace_id: str, cut: Any = None) -> None:
    """`cut`: the transport to abort after half of the body."""
    if isinstance(reply.body, bytes):
        body, kind = reply.body, "application/octet-stream"
    else:
        body = b"" if reply.body is None else json.dumps(reply.body).encode()
        kind = "application/json"
    headers = {"content-type": kind, "x-databricks-org-id": workspace_id}
    headers |= {name.lower(): value for name, value in reply.headers.items()}
    headers.setdefault("content-length", str(len(body)))
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    if cut is not None:
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        cut.close()
        return
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
