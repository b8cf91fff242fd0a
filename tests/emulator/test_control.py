"""`/_emulator/`: control endpoints for tests and rehearsals."""

from __future__ import annotations

import itertools
import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.__main__ import main
from emulator.api.request_log import RequestLog
from emulator.api.routing import Request
from emulator.base.clock import Clock
from emulator.base.content import EMPTY
from emulator.control import drift as drift_kinds
from emulator.control import state_changes
from emulator.control.bodies import FAULT_KINDS
from emulator.faults.profiles import AZURE_LIMITS, PROFILES
from emulator.server.app import _is_loopback
from emulator_process import ROOT, START, EmulatorProcess
from raw_socket import exchange, request, status_of
from workspace_calls import SCIM, control_refusal, ok

Start = Callable[..., EmulatorProcess]


def test_a_running_clock_can_be_advanced_by_zero() -> None:
    ticks = itertools.count(0.0, 0.001)
    clock = Clock(datetime(2026, 11, 27, tzinfo=UTC), monotonic=lambda: next(ticks))
    before = clock.now()
    clock.advance(0)
    clock.advance(60)
    assert clock.now() == before + 60_000 + 1


def instant(emulator: EmulatorProcess) -> datetime:
    return datetime.fromisoformat(emulator.control("GET", "clock")["now"])


# --- the clock


def test_the_clock_advances_with_real_time(emulator: EmulatorProcess) -> None:
    before = instant(emulator)
    time.sleep(0.3)
    assert timedelta(seconds=0.3) <= instant(emulator) - before < timedelta(seconds=5)


def test_the_clock_runs_faster_on_request(start_emulator: Start) -> None:
    emulator = start_emulator("--speed", 3600)
    before = instant(emulator)
    time.sleep(0.5)
    assert timedelta(minutes=30) <= instant(emulator) - before < timedelta(hours=5)


def test_the_clock_can_be_moved_by_seconds_and_to_an_instant(emulator: EmulatorProcess) -> None:
    before = instant(emulator)
    shown = datetime.fromisoformat(emulator.control("POST", "clock", {"advance_seconds": 3600})["now"])
    assert timedelta(hours=1) <= shown - before < timedelta(hours=1, seconds=5)
    target = (before + timedelta(days=3)).isoformat()
    shown = datetime.fromisoformat(emulator.control("POST", "clock", {"now": target})["now"])
    assert timedelta(0) <= shown - before - timedelta(days=3) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "give either advance_seconds or now"),
        ({"advance_seconds": 1, "now": "2100-01-01T00:00:00Z"}, "give either advance_seconds or now"),
        ({"advance_seconds": -1}, "advance_seconds: Input should be greater than or equal to 0"),
        ({"advance_seconds": "soon"}, "advance_seconds: Input should be a valid number"),
        ({"now": "2100-01-01T00:00:00"}, "now: Input should have timezone info"),
        ({"now": "tomorrow"}, "now: Input should be a valid datetime"),
        ({"now": "2001-01-01T00:00:00Z"}, "the clock only moves forward"),
        ({"now": "2999-01-01T00:00:00Z"}, "the clock ends in the year 2200"),
        ({"advance": 1}, "advance: unknown field"),
    ],
)
def test_an_invalid_clock_move_is_reported(emulator: EmulatorProcess, body: dict[str, Any], sentence: str) -> None:
    assert sentence in control_refusal(emulator, "clock", body)


# --- state, reset, users


def test_two_dumps_of_the_same_state_are_equal(emulator: EmulatorProcess) -> None:
    get_request = request("GET /_emulator/state HTTP/1.1")
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    first, second = (exchange(emulator.url, get_request).partition(b"\r\n\r\n")[2] for _ in range(2))
    assert first == second
    assert list(json.loads(first)) == sorted(json.loads(first))


def test_a_dump_does_not_depend_on_the_order_of_requests(start_emulator: Start) -> None:
    dumps = []
    for names in (("a", "b", "c"), ("c", "a", "b")):
        emulator = start_emulator("--seed", 1)
        for name in names:
            ok(emulator, "POST", f"{SCIM}/Groups", {"displayName": name})
        groups = emulator.control("GET", "state")["directory"]["groups"]
        dumps.append({name: group["display_name"] for name, group in groups.items()})
    assert list(dumps[0].items()) == list(dumps[1].items())


@pytest.mark.parametrize("start", [None, START])
def test_a_reset_restarts_the_clock_but_keeps_workspace_id_and_token(
    start_emulator: Any, start: datetime | None
) -> None:
    emulator: EmulatorProcess = start_emulator(start=start)
    ana = emulator.control("POST", "users", {"user_name": "ana@lab.example", "admin": True})
    emulator.control("POST", "clock", {"advance_seconds": 10**6})
    emulator.control("POST", "faults", {"rules": [{"kind": "500"}]})
    emulator.control("POST", "reset")
    assert emulator.control("GET", "faults") == {"profile": None, "rules": []}
    assert emulator.request_log() == []
    assert abs(instant(emulator) - (start or datetime.now(UTC))) < timedelta(seconds=5)
    assert ok(emulator, "GET", f"{SCIM}/Me")["userName"] == "admin@lab.example"
    assert emulator.control("GET", "state")["workspace_id"] == emulator.workspace_id
    assert emulator.request("GET", f"{SCIM}/Me", token=ana["token"])[0] == 403


def test_a_reset_restores_a_deleted_administrator(emulator: EmulatorProcess) -> None:
    other = emulator.control("POST", "users", {"user_name": "boss@lab.example", "admin": True})["token"]
    me = ok(emulator, "GET", f"{SCIM}/Me")["id"]
    ok(emulator, "DELETE", f"{SCIM}/Users/{me}", token=other)
    assert emulator.request("GET", f"{SCIM}/Me")[0] == 403
    emulator.control("POST", "reset")
    assert ok(emulator, "GET", f"{SCIM}/Me")["userName"] == "admin@lab.example"


def test_a_user_is_created_once_and_gets_a_token_each_time(emulator: EmulatorProcess) -> None:
    first, second = (emulator.control("POST", "users", {"user_name": "ana@lab.example"}) for _ in range(2))
    assert first["id"] == second["id"]
    assert first["token"] != second["token"]
    for given in (first, second):
        me = ok(emulator, "GET", f"{SCIM}/Me", token=given["token"])
        assert (me["id"], me["userName"]) == (first["id"], "ana@lab.example")
    assert emulator.request("POST", f"{SCIM}/Users", {"userName": "x@lab.example"}, token=first["token"])[0] == 403


def test_a_user_may_be_an_administrator(emulator: EmulatorProcess) -> None:
    token = emulator.control("POST", "users", {"user_name": "boss@lab.example", "admin": True})["token"]
    created = [ok(emulator, "POST", f"{SCIM}/Users", {"userName": "x@lab.example"}, token=token)]
    emulator.control("POST", "users", {"user_name": "boss@lab.example"})
    created.append(ok(emulator, "POST", f"{SCIM}/Users", {"userName": "y@lab.example"}, token=token))
    assert [user["userName"] for user in created] == ["x@lab.example", "y@lab.example"]


def test_a_user_created_by_the_control_endpoint_is_a_normal_user(emulator: EmulatorProcess) -> None:
    made = emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    user = ok(emulator, "GET", f"{SCIM}/Users/{made['id']}")
    assert (user["active"], [group["display"] for group in user["groups"]]) == (True, ["users"])
    home = ok(emulator, "GET", "/api/2.0/workspace/get-status?path=/Users/ana@lab.example")
    assert home["object_type"] == "DIRECTORY"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "user_name: Field required"),
        ({"user_name": ""}, "user_name: String should have at least 1 character"),
        ({"user_name": "a@b", "admin": "perhaps"}, "admin: Input should be a valid boolean"),
        ({"user_name": "a@b", "role": "x"}, "role: unknown field"),
    ],
)
def test_an_invalid_user_is_reported(emulator: EmulatorProcess, body: dict[str, Any], sentence: str) -> None:
    message = control_refusal(emulator, "users", body)
    assert sentence in message
    assert message.endswith('Allowed: `{"user_name", "admin": false}`')


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            {"rules": [{}]},
            "rules.0: kind: Field required; use one of 200, 429, 500, 503, 504, reset, hang, truncate, latency",
        ),
        ({"rules": [{"kind": "418"}]}, "rules.0: kind: unknown kind '418'; use one of 200, 429, 500"),
        ({"rules": [{"kind": "429", "rate": 2}]}, "rules.0.rate: Input should be less than or equal to 1"),
        ({"rules": [{"kind": "429", "retry_after": -1}]}, "retry_after: Input should be greater than or equal to 0"),
        ({"rules": [{"kind": "launch_failure", "rate": 1}]}, "rules.0.rate: unknown field"),
        ({"rules": [{"kind": "events_dropped", "types": ["NOPE"]}]}, "types: unknown event type 'NOPE'"),
        ({"rules": {"kind": "429"}}, "rules: Input should be a valid list"),
        ({"profile": "nope"}, "profile: unknown profile 'nope'; use one of azure, "),
        ({"rule": []}, "rule: unknown field"),
    ],
)
def test_an_invalid_fault_is_reported(emulator: EmulatorProcess, body: dict[str, Any], sentence: str) -> None:
    assert sentence in control_refusal(emulator, "faults", body)


def test_an_unknown_control_endpoint_is_a_404(emulator: EmulatorProcess) -> None:
    for method, path in (("GET", "nothing"), ("DELETE", "clock"), ("POST", "journal")):
        assert emulator.request(method, f"/_emulator/{path}")[0] == 404


# --- access


def test_control_is_only_available_on_loopback_addresses(start_emulator: Start) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing, but selects the address of this machine
        except OSError:
            pytest.skip("this machine has no network but loopback")
        outside = probe.getsockname()[0]
    if outside.startswith("127."):
        pytest.skip("this machine has no network but loopback")
    emulator = start_emulator("--host", "0.0.0.0")
    port = emulator.url.rpartition(":")[2]
    get_request = request("GET /_emulator/clock HTTP/1.1")
    assert status_of(exchange(f"http://127.0.0.1:{port}", get_request)) == 200
    assert status_of(exchange(f"http://{outside}:{port}", get_request)) == 403


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Host: 127.0.0.1:8765", 200),
        ("Host: LOCALHOST:8765", 200),
        ("Host: [::1]:8765", 200),
        ("Host: evil.example:8765", 403),
        ("Host: localhost\r\nOrigin: https://evil.example", 403),
    ],
)
def test_control_rejects_requests_from_web_pages(emulator: EmulatorProcess, header: str, status: int) -> None:
    get_request = f"GET /_emulator/state HTTP/1.1\r\n{header}\r\nConnection: close\r\n\r\n"
    assert status_of(exchange(emulator.url, get_request.encode())) == status


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("unix", False),
    ],
)
def test_loopback_addresses_are_recognised_in_all_spellings(address: str, inside: bool) -> None:
    assert _is_loopback(address) is inside


# --- the request log


def test_the_request_log_has_caller_request_and_status(emulator: EmulatorProcess) -> None:
    agent = "databricks-tf-provider/1.99.0 databricks-sdk-go/0.93.0 go/1.24 os/linux resource/cluster auth/pat"
    emulator.request("GET", f"{SCIM}/Users?count=2", headers={"User-Agent": agent})
    emulator.request("GET", "/api/2.0/preview/scim/v2/Users/404", headers={"User-Agent": "x data/current_user y"})
    first, second = emulator.request_log()
    assert first.pop("milliseconds") > 0
    assert abs(datetime.fromisoformat(first.pop("at")) - instant(emulator)) < timedelta(seconds=10)
    assert first == {
        "method": "GET",
        "path": f"{SCIM}/Users",
        "query": "count=2",
        "status": 200,
        "caller": "admin@lab.example",
        "resource": "cluster",
        "user_agent": agent,
    }
    assert (second["status"], second["resource"]) == (404, "current_user")


def test_the_request_log_has_no_tokens_or_control_requests(emulator: EmulatorProcess) -> None:
    emulator.request("GET", f"{SCIM}/Me")
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    request_log = emulator.request_log()
    assert [line["path"] for line in request_log] == [f"{SCIM}/Me"]
    assert emulator.admin_token not in json.dumps(request_log)


def test_the_request_log_drops_the_oldest_entries() -> None:
    request_log = RequestLog(keep=2)
    for number in range(3):
        logged = Request(None, "GET", f"/{number}", {}, {}, EMPTY, 0)  # type: ignore[arg-type]
        request_log.add(logged, b"", 200, 0.001)
    assert [json.loads(line)["path"] for line in request_log.lines()] == ["/1", "/2"]


# --- documentation


def test_the_documentation_lists_all_profiles_kinds_and_options() -> None:
    text = (ROOT / "docs" / "emulator.md").read_text()
    options = [option for parameter in main.params for option in parameter.opts]
    named = [*PROFILES, *drift_kinds.KINDS, *state_changes.KINDS, *FAULT_KINDS, *options]
    assert [name for name in named if f"`{name}" not in text] == []


def test_the_documentation_has_the_current_limits() -> None:
    text = (ROOT / "docs" / "emulator.md").read_text()
    figures = {f"{limit.requests} a {'minute' if limit.seconds == 60 else 'second'}" for limit in AZURE_LIMITS}
    assert [figure for figure in figures if f"| {figure} |" not in text] == []
