"""The ASGI application: reads a request, lets due changes happen, asks who is calling, answers, notes it down."""

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
from emulator.api.request_body import Intake
from emulator.api.request_log import Journal
from emulator.api.routing import Call, Reply, Route, Router, parse_query
from emulator.base.clock import Millis
from emulator.base.content import EMPTY, PIECE, Content, Held
from emulator.control import routes as control
from emulator.faults.answers import Answers
from emulator.faults.profiles import PROFILES, Disturbance, Profile, disturb, disturbances
from emulator.faults.rules import CHANGES, Faults, Rule
from emulator.mail.errors import MailError
from emulator.mail.routes import routes as mail_routes
from emulator.server import in_process, services
from emulator.state.workspace import Workspace

log = logging.getLogger("emulator")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CONTROL = "/_emulator/"


class Application:
    """Serves one workspace, and over TLS the mail service beside it.

    `connection` in the scope (put there by `server`) is what connection faults cut.
    """

    def __init__(self, workspace: Workspace, profile: str | None = None) -> None:
        """`profile` names the faults that are in force from the start."""
        self.workspace = workspace
        self.faults = Faults(workspace.options.seed)
        self._answers = Answers()
        self.journal = Journal()
        self.changes = 0
        """How many requests may have changed the state so far."""
        self._router = Router(services.routes())
        self._mail = Router(list(mail_routes))
        self._control = control.router(self)
        self._intake = Intake()
        self._options = workspace.options
        self._first_profile = profile
        self.profile: str | None = None
        self.set_faults(profile, [])

    def set_faults(self, profile: str | None, faults: Iterable[Rule | Disturbance]) -> None:
        """Put this profile and these faults in the place of what was in force.

        The state is left alone, apart from the disturbances that it holds.
        """
        chosen = PROFILES[profile] if profile else Profile(says="nothing")
        given = list(faults)
        self.profile = profile
        self._answers = Answers()
        self.faults.set([*(one for one in given if isinstance(one, Rule)), *chosen.rules], chosen.limits)
        self.workspace.options = replace(self._options, **chosen.options)
        others = [one for one in given if not isinstance(one, Rule)]
        disturb(self.workspace.state, deepcopy([*others, *chosen.disturbances]))

    def tally(self) -> list[dict[str, Any]]:
        """Every fault in force, and how often it was met."""
        return [*self.faults.tally(), *map(asdict, disturbances(self.workspace.state))]

    def reset(self) -> None:
        """Everything as it was when the emulator started: a new workspace, its faults, an empty journal."""
        # Before it is seeded for the sake of the switches, and after it because they lie in the state.
        self.set_faults(self._first_profile, [])
        services.reset(self.workspace)
        self.set_faults(self._first_profile, [])
        self.journal.clear()

    def perform(self, method: str, path: str, body: Any = None) -> Any:
        """What the administrator gets for this request, as JSON. Raises ApiError when it is refused.

        It meets no fault and stands in no journal.
        """
        sent = EMPTY if body is None else Held(json.dumps(body).encode())
        return in_process.perform(self.workspace, self._router, method, path, sent).body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        try:
            sent = await self._intake.read(scope["headers"], receive)
        except ApiError as error:
            # What is left of the body is not read: the connection cannot be used again.
            reply = Reply(error.status, error.body(), {"Connection": "close", **error.headers})
            await _send(send, reply, self._name(scope))
            return
        if sent is None:
            return
        call = self._call(scope, sent)
        if call.path.startswith(CONTROL):
            reply = self._controlled(scope, call)
            self._date(reply)
            await _send(send, reply, self._name(scope))
            return
        await self._serve(scope, receive, send, call, began)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, call: Call, began: float) -> None:
        fault = self.faults.met_by(call.method, call.path)
        if fault and fault.delay:
            await _at_least(fault.delay)
            call.now = self._catch_up()
        if fault and fault.kind in ("reset", "hang"):
            reply = Reply(0)
        elif fault and fault.status:
            body = MailError(fault.status, "A fault on request.").body() if _is_mail(scope) else fault.body()
            reply = Reply(fault.status, body, fault.headers())
        else:
            reply = self._reply(self._mail if _is_mail(scope) else self._router, scope, call)
            if fault and fault.kind in CHANGES:
                status, body = self._answers.changed(fault.kind, fault.shape, call.path, reply.status, reply.body)
                reply = replace(reply, status=status, body=body)
        if fault is None or fault.kind != "no_date":
            self._date(reply)
        self.journal.note(call, scope["query_string"], reply.status, time.perf_counter() - began)
        if fault is None:
            await _send(send, reply, self._name(scope))
        elif fault.kind == "reset":
            await scope["connection"].reset(receive)
        elif fault.kind == "hang":
            await scope["connection"].hang(receive, fault.seconds)
        elif fault.kind == "truncate":
            await scope["connection"].truncate(receive, *_encoded(reply, self._name(scope)))
        else:
            await _send(send, reply, self._name(scope))

    def _call(self, scope: Scope, sent: Content) -> Call:
        query = scope["query_string"]
        return Call(
            workspace=self.workspace,
            method=scope["method"],
            path=unquote(scope["raw_path"].decode("latin-1")),
            query=parse_query(query.decode("latin-1")) if query else {},
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            sent=sent,
            now=self._catch_up(),
            target=(scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1"),
        )

    def _catch_up(self) -> Millis:
        """Let happen what is due. A defect in one happening costs that one, not the request."""
        try:
            return self.workspace.catch_up()
        except Exception:  # noqa: BLE001 - see above
            log.exception("something that was due did not happen")
            return self.workspace.clock.now()

    def _date(self, reply: Reply) -> None:
        """Stamp an answer with the emulator's own time, as every server does with its."""
        reply.headers.setdefault("Date", formatdate(self.workspace.clock.now() / 1000, usegmt=True))

    def _name(self, scope: Scope) -> str:
        """The workspace id that goes with an answer; the mail service has none."""
        return "" if _is_mail(scope) else self.workspace.state.workspace_id

    def _controlled(self, scope: Scope, call: Call) -> Reply:
        client = scope.get("client")
        if client and not _is_loopback(client[0]):
            return _refused(f"{CONTROL} answers on loopback only.")
        # A page in a browser on this machine comes from loopback too, whatever site it belongs to.
        if "origin" in call.headers or not _is_local_name(call.headers.get("host", "")):
            return _refused(f"{CONTROL} does not answer web pages, nor under a name other than localhost.")
        return self._reply(self._control, scope, call)

    def _reply(self, router: Router, scope: Scope, call: Call) -> Reply:
        """What the workspace answers. Defects of ours become a 500 and a traceback in the log."""
        try:
            found = router.find(call.method, scope["raw_path"].decode("latin-1"))
            if found is None:
                raise control.unknown(call) if router is self._control else _unknown(call)
            route, call.parameters = found
            self._admit(route, call)
            answer = route.handler(call)
        except ApiError as error:
            return Reply(error.status, error.body(), error.headers)
        except Exception:  # noqa: BLE001 - see above
            log.exception("%s %s failed", call.method, call.path)
            return Reply(500, {"error_code": "INTERNAL_ERROR", "message": "The emulator has a defect; see its log."})
        finally:
            if call.method not in ("GET", "HEAD"):
                self.changes += 1
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


def _is_mail(scope: Scope) -> bool:
    """The workspace is reached in the clear, on loopback; the mail service over TLS, as its clients insist."""
    return bool(scope["scheme"] == "https")


def _unknown(call: Call) -> ApiError:
    error = not_implemented(call.method, call.path)
    log.warning("%s", error)
    return error


def _refused(message: str) -> Reply:
    error = denied(message)
    return Reply(error.status, error.body())


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def _is_local_name(host: str) -> bool:
    """Whether a Host header, with or without port, names this machine; nothing does too."""
    name = host.rpartition("]")[0].lstrip("[") or host.partition(":")[0]
    return name.lower() in ("", "localhost") or _is_loopback(name)


def _encoded(reply: Reply, workspace_id: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body as they go over the wire."""
    if isinstance(reply.body, bytes | Content):
        body = reply.body if isinstance(reply.body, bytes) else reply.body.read()
        kind = b"application/octet-stream"
    else:
        body = b"" if reply.body is None else json.dumps(reply.body, separators=(",", ":")).encode()
        kind = b"application/json"
    headers = {b"x-databricks-org-id": workspace_id.encode()} if workspace_id else {}
    if reply.status != 204:
        headers |= {b"content-type": kind, b"content-length": b"%d" % len(body)}
    for name, value in reply.headers.items():
        headers[name.lower().encode("latin-1")] = value.encode("latin-1")
    return reply.status, list(headers.items()), body


async def _send(send: Send, reply: Reply, workspace_id: str) -> None:
    if isinstance(reply.body, Content):
        await _stream(send, reply, reply.body, workspace_id)
        return
    status, headers, body = _encoded(reply, workspace_id)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _stream(send: Send, reply: Reply, content: Content, workspace_id: str) -> None:
    """Piece by piece, each when the one before it is on its way."""
    headers = {"Content-Length": str(content.size), "Content-Type": "application/octet-stream", **reply.headers}
    status, sent, _ = _encoded(Reply(reply.status, b"", headers), workspace_id)
    await send({"type": "http.response.start", "status": status, "headers": sent})
    for offset in range(0, content.size, PIECE):
        await send({"type": "http.response.body", "body": content.read(offset, PIECE), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _at_least(seconds: float) -> None:
    """Wait. Timers of the event loop may fire within the millisecond before their time."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        await asyncio.sleep(left)
