"""HTTP of `/_emulator/`."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from emulator.api.errors import ApiError, invalid
from emulator.api.request_log import Journal
from emulator.api.routing import Call, Reply, Route, Router
from emulator.base.clock import to_iso, to_millis
from emulator.clusters import lifecycle
from emulator.clusters.uptime import uptime
from emulator.control import account, drift
from emulator.control.bodies import (
    ClockBody,
    DriftBody,
    FaultsBody,
    UptimeQuery,
    UserBody,
    WorkBody,
    parsed,
    parsed_query,
)
from emulator.control.people import admit
from emulator.faults.profiles import PROFILES, Disturbance
from emulator.faults.rules import Faults, Rule
from emulator.generated_files.truth import truth
from emulator.mail.routes import delivered
from emulator.permissions import cluster_access
from emulator.state import state

PREFIX = "/_emulator/"


class Controlled(Protocol):
    """What the control endpoints need of the application that serves the workspace."""

    faults: Faults
    journal: Journal
    profile: str | None

    def reset(self) -> None: ...

    def set_faults(self, profile: str | None, faults: Iterable[Rule | Disturbance]) -> None: ...

    def tally(self) -> list[dict[str, Any]]: ...

    def perform(self, method: str, path: str, body: Any = None) -> Any: ...


def router(application: Controlled) -> Router:
    """The control endpoints of this application."""

    def journal(call: Call) -> Reply:
        text = "".join(f"{line}\n" for line in application.journal.lines())
        return Reply(200, text.encode(), {"Content-Type": "application/x-ndjson"})

    def reset(call: Call) -> dict[str, Any]:
        application.reset()
        return {}

    def show_faults(call: Call) -> dict[str, Any]:
        return {"profile": application.profile, "rules": application.tally()}

    def set_faults(call: Call) -> dict[str, Any]:
        body = parsed(call, FaultsBody)
        if body.profile is not None and body.profile not in PROFILES:
            raise invalid(f"profile: there is no {body.profile!r}; there are {', '.join(PROFILES)}")
        application.set_faults(body.profile, [rule.fault() for rule in body.rules])
        return show_faults(call)

    def cause_drift(call: Call) -> dict[str, Any]:
        body = parsed(call, DriftBody)
        if body.kind in drift.KINDS:
            drift.KINDS[body.kind](application.perform, body.target, body.value)
        elif body.kind in account.KINDS:
            account.KINDS[body.kind](call.workspace, body.target, body.value)
        else:
            kinds = ", ".join([*drift.KINDS, *account.KINDS])
            raise invalid(f"kind: there is no {body.kind!r}; there are {kinds}")
        return {}

    def show_clock(call: Call) -> dict[str, str]:
        return {"now": to_iso(call.now + int(application.faults.clock_ahead * 1000))}

    handlers: dict[tuple[str, str], Callable[[Call], Any]] = {
        ("GET", "state"): dump,
        ("POST", "reset"): reset,
        ("GET", "clock"): show_clock,
        ("POST", "clock"): move_clock,
        ("POST", "users"): make_user,
        ("GET", "faults"): show_faults,
        ("POST", "faults"): set_faults,
        ("POST", "work"): work,
        ("POST", "drift"): cause_drift,
        ("GET", "journal"): journal,
        ("GET", "uptime"): show_uptime,
        ("GET", "mail"): delivered,
        ("GET", "files/truth"): tell_files,
    }
    return Router([Route(method, PREFIX + name, handler, True) for (method, name), handler in handlers.items()])


def unknown(call: Call) -> ApiError:
    """For any other path below `/_emulator/`."""
    message = f"There is no '{call.method} {call.path}'; docs/emulator.md lists what there is."
    return ApiError(404, "ENDPOINT_NOT_FOUND", message)


def dump(call: Call) -> Reply:
    """The whole state. Names are sorted, so that two dumps can be compared as text."""
    text = json.dumps(state.dump(call.workspace.state), sort_keys=True)
    return Reply(200, text.encode(), {"Content-Type": "application/json"})


def move_clock(call: Call) -> dict[str, str]:
    """What is due by then happens before the answer."""
    body = parsed(call, ClockBody)
    clock = call.workspace.clock
    try:
        if body.now is not None:
            clock.show(to_millis(body.now))
        else:
            clock.advance(body.advance_seconds or 0.0)
    except ValueError as error:
        raise invalid(str(error)) from None
    return {"now": to_iso(call.workspace.catch_up())}


def make_user(call: Call) -> dict[str, str]:
    body = parsed(call, UserBody)
    user_id, token = admit(call.workspace, body.user_name, call.now, admin=body.admin)
    return {"id": user_id, "token": token}


def work(call: Call) -> dict[str, Any]:
    """Somebody, the administrator unless a token is given, runs commands on a cluster for so long."""
    body = parsed(call, WorkBody)
    workspace = call.workspace
    somebody = workspace.administrator if body.token is None else workspace.authenticate(body.token, call.now)
    if somebody is None:
        raise ApiError(403, 403, "Invalid access token.")
    cluster = cluster_access.find(workspace, body.cluster_id, call.now)
    lifecycle.work(workspace, cluster, somebody, body.seconds, call.now)
    return {}


def tell_files(call: Call) -> dict[str, Any]:
    """What was there from the start, whatever was written and deleted since."""
    return truth(call.workspace.forest)


def show_uptime(call: Call) -> dict[str, Any]:
    """The sessions are whole; what of them lies between the two instants is the sum."""
    query = parsed_query(call, UptimeQuery)
    begin = to_millis(query.begin) if query.begin else 0
    end = min(to_millis(query.end), call.now) if query.end else call.now
    milliseconds, sessions = uptime(call.workspace.state, query.cluster_id, begin, end)
    told = [
        {
            "start": to_iso(session.start),
            "end": None if session.end is None else to_iso(session.end),
            "started_by": session.started_by,
        }
        for session in sessions
    ]
    return {"milliseconds": milliseconds, "sessions": told}
