"""HTTP handlers for `/_emulator/`."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from emulator.api.errors import ApiError, invalid, missing
from emulator.api.request_log import RequestLog
from emulator.api.routing import Request, Response, Route, Router
from emulator.base.clock import to_iso, to_millis
from emulator.clusters import lifecycle
from emulator.control import drift, state_changes
from emulator.control.bodies import (
    ClockBody,
    DriftBody,
    FaultsBody,
    QueriesQuery,
    UptimeQuery,
    UserBody,
    WorkBody,
    parse_body,
    parse_query_as,
)
from emulator.control.usage import correct_usage, show_usage
from emulator.control.users import ensure_user
from emulator.faults.profiles import PROFILES, ServiceFault
from emulator.faults.rules import FaultRule, Faults
from emulator.generated_files.ground_truth import ground_truth
from emulator.mail.routes import accepted_messages
from emulator.metering.uptime import uptime
from emulator.permissions import cluster_access
from emulator.state import state
from emulator.warehouses.lifecycle import ensure_started
from emulator.warehouses.queries import submit

PREFIX = "/_emulator/"


class ControlledApplication(Protocol):
    """The part of the application that the control endpoints use."""

    faults: Faults
    request_log: RequestLog
    profile: str | None

    def reset(self) -> None: ...

    def set_faults(self, profile: str | None, faults: Iterable[FaultRule | ServiceFault]) -> None: ...

    def counts(self) -> list[dict[str, Any]]: ...

    def send_as_administrator(self, method: str, path: str, body: Any = None) -> Any: ...


def router(application: ControlledApplication) -> Router:
    """Return a router with the control endpoints of this application."""

    def show_request_log(request: Request) -> Response:
        text = "".join(f"{line}\n" for line in application.request_log.lines())
        return Response(200, text.encode(), {"Content-Type": "application/x-ndjson"})

    def reset(request: Request) -> dict[str, Any]:
        application.reset()
        return {}

    def show_faults(request: Request) -> dict[str, Any]:
        return {"profile": application.profile, "rules": application.counts()}

    def set_faults(request: Request) -> dict[str, Any]:
        body = parse_body(request, FaultsBody)
        if body.profile is not None and body.profile not in PROFILES:
            raise invalid(f"profile: unknown profile {body.profile!r}; use one of {', '.join(PROFILES)}")
        application.set_faults(body.profile, [rule.to_fault() for rule in body.rules])
        return show_faults(request)

    def cause_drift(request: Request) -> dict[str, Any]:
        body = parse_body(request, DriftBody)
        if body.kind in drift.KINDS:
            drift.KINDS[body.kind](application.send_as_administrator, body.target, body.value)
        elif body.kind in state_changes.KINDS:
            state_changes.KINDS[body.kind](request.workspace, body.target, body.value)
        else:
            kinds = ", ".join([*drift.KINDS, *state_changes.KINDS])
            raise invalid(f"kind: unknown kind {body.kind!r}; use one of {kinds}")
        return {}

    def show_clock(request: Request) -> dict[str, str]:
        return {"now": to_iso(request.now + int(application.faults.clock_ahead * 1000))}

    handlers: dict[tuple[str, str], Callable[[Request], Any]] = {
        ("GET", "state"): dump_state,
        ("POST", "reset"): reset,
        ("GET", "clock"): show_clock,
        ("POST", "clock"): move_clock,
        ("POST", "users"): make_user,
        ("GET", "faults"): show_faults,
        ("POST", "faults"): set_faults,
        ("POST", "work"): work,
        ("POST", "drift"): cause_drift,
        ("GET", "journal"): show_request_log,
        ("GET", "uptime"): show_uptime,
        ("GET", "queries"): show_queries,
        ("GET", "usage"): show_usage,
        ("POST", "usage"): correct_usage,
        ("GET", "mail"): accepted_messages,
        ("GET", "files/truth"): show_generated_files,
    }
    return Router([Route(method, PREFIX + name, handler, True) for (method, name), handler in handlers.items()])


def unknown_endpoint(request: Request) -> ApiError:
    """Return the error for any other path below `/_emulator/`."""
    message = f"No endpoint '{request.method} {request.path}'; docs/emulator.md lists all endpoints."
    return ApiError(404, "ENDPOINT_NOT_FOUND", message)


def dump_state(request: Request) -> Response:
    """Return the whole state with sorted keys, so that two dumps can be compared as text."""
    text = json.dumps(state.dump(request.workspace.state), sort_keys=True)
    return Response(200, text.encode(), {"Content-Type": "application/json"})


def move_clock(request: Request) -> dict[str, str]:
    """Move the clock. Tasks that become due run before the response."""
    body = parse_body(request, ClockBody)
    clock = request.workspace.clock
    try:
        if body.now is not None:
            clock.move_to(to_millis(body.now))
        else:
            clock.advance(body.advance_seconds or 0.0)
    except ValueError as error:
        raise invalid(str(error)) from None
    return {"now": to_iso(request.workspace.catch_up())}


def make_user(request: Request) -> dict[str, str]:
    body = parse_body(request, UserBody)
    user_id, token = ensure_user(request.workspace, body.user_name, request.now, admin=body.admin)
    return {"id": user_id, "token": token}


def work(request: Request) -> dict[str, Any]:
    """Let a user, by default the administrator, run commands on a cluster or a query for the given seconds."""
    body = parse_body(request, WorkBody)
    workspace = request.workspace
    user = workspace.administrator if body.token is None else workspace.authenticate(body.token, request.now)
    if user is None:
        raise ApiError(403, 403, "Invalid access token.")
    if body.cluster_id is not None:
        cluster = cluster_access.find_cluster(workspace, body.cluster_id, request.now)
        lifecycle.simulate_work(workspace, cluster, user, body.seconds, request.now)
        return {}
    warehouse = None
    if body.warehouse_id is not None:
        warehouse = workspace.state.warehouses.by_id.get(body.warehouse_id)
        if warehouse is None:
            raise missing(f"SQL warehouse {body.warehouse_id} does not exist.")
        ensure_started(workspace, warehouse, user, request.now)
    submit(workspace, warehouse, user, body.text, int(body.seconds * 1000), request.now)
    return {}


def show_generated_files(request: Request) -> dict[str, Any]:
    """Return counts and sizes of the files at startup, unaffected by later changes."""
    return ground_truth(request.workspace.generated_tree)


def show_uptime(request: Request) -> dict[str, Any]:
    """Return the uptime in the interval, and all sessions that overlap it."""
    query = parse_query_as(request, UptimeQuery)
    begin, end = query.range(request.now)
    state = request.workspace.state
    if query.cluster_id is not None:
        milliseconds, sessions = uptime(state.clusters, query.cluster_id, begin, end)
    else:
        milliseconds, sessions = uptime(state.warehouses, query.warehouse_id or "", begin, end)
    described = [
        {
            "start": to_iso(session.start),
            "end": None if session.end is None else to_iso(session.end),
            "started_by": session.started_by,
        }
        for session in sessions
    ]
    return {"milliseconds": milliseconds, "sessions": described}


def show_queries(request: Request) -> dict[str, Any]:
    """Return all users' queries with their times, oldest first, even queries that a caller may not view."""
    wanted = parse_query_as(request, QueriesQuery)
    begin, end = wanted.range(request.now)
    found = [
        {
            "query_id": query.id,
            "user_name": query.user_name,
            "warehouse_id": query.warehouse_id,
            "text": query.text,
            "status": query.status,
            "submitted": to_iso(query.submitted_at),
            "start": None if query.began_at is None else to_iso(query.began_at),
            "end": None if query.ended_at is None else to_iso(query.ended_at),
        }
        for query in request.workspace.state.warehouses.queries.values()
        if query.submitted_at <= end and (query.ended_at is None or query.ended_at > begin)
        if wanted.user_name in (None, query.user_name)
        if wanted.warehouse_id in (None, query.warehouse_id or "")
    ]
    return {"queries": found}
