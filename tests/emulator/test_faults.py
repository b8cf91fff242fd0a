"""Faults: the affected requests, and the behaviour of real clients."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable

import databricks.sdk as sdk
import pytest
from databricks.sdk.config import Config
from databricks.sdk.errors import DeadlineExceeded, InternalError

from emulator.faults.profiles import AZURE_LIMITS, PROFILES, SCIM
from emulator.faults.rules import FaultRule, Faults, RateLimit, RequestFault
from emulator_process import EmulatorProcess
from raw_socket import body_of, exchange, headers_of, request, status_of

ME = "/api/2.0/preview/scim/v2/Me"
TIMER_RESOLUTION = 0.002
"""Seconds by which a timer of the emulator's event loop may end early; it counts whole milliseconds."""


def kinds(faults: Faults, requests: int, line: str = "GET /a") -> list[str]:
    method, _, path = line.partition(" ")
    return [fault.kind if (fault := faults.find_fault(method, path)) else "" for _ in range(requests)]


# --- the affected requests


def test_without_rules_there_are_no_faults() -> None:
    assert kinds(Faults(), 3) == ["", "", ""]


def test_a_rule_can_skip_first_requests_and_is_limited_by_its_count() -> None:
    faults = Faults()
    faults.set([FaultRule(kind="503", after=2, count=1)])
    assert kinds(faults, 5) == ["", "", "503", "", ""]


@pytest.mark.parametrize(
    ("match", "met"),
    [
        ("*", {"GET /api/2.1/clusters/get", "POST /api/2.1/clusters/create", "GET /x"}),
        ("/api/2.1/clusters/*", {"GET /api/2.1/clusters/get", "POST /api/2.1/clusters/create"}),
        ("POST /api/2.1/clusters/*", {"POST /api/2.1/clusters/create"}),
        ("GET /x", {"GET /x"}),
        ("get /x", set()),
    ],
)
def test_a_rule_matches_method_and_path_with_wildcards(match: str, met: set[str]) -> None:
    faults = Faults()
    faults.set([FaultRule(kind="500", match=match)])
    lines = ["GET /api/2.1/clusters/get", "POST /api/2.1/clusters/create", "GET /x"]
    assert {line for line in lines if kinds(faults, 1, line) == ["500"]} == met


def test_a_rate_is_the_share_of_faulty_requests() -> None:
    faults = Faults("seed")
    faults.set([FaultRule(kind="429", rate=0.05)])
    assert Counter(kinds(faults, 10_000))["429"] == pytest.approx(500, abs=80)


def test_the_first_matching_rule_applies_and_latencies_add_up() -> None:
    faults = Faults()
    faults.set(
        [
            FaultRule(kind="latency", seconds=0.2),
            FaultRule(kind="429", retry_after=3, count=1),
            FaultRule(kind="500"),
            FaultRule(kind="latency"),
        ]
    )
    assert faults.find_fault("GET", "/a") == RequestFault("429", 0.25, 0.0, 3)
    assert faults.find_fault("GET", "/a") == RequestFault("500", 0.25)


def test_a_token_bucket_allows_a_burst_and_then_the_rate() -> None:
    now = 0.0
    faults = Faults(monotonic=lambda: now)
    faults.set([], [RateLimit(match=("GET /a*",), requests=30)])
    assert Counter(kinds(faults, 31)) == {"": 30, "429": 1}
    now = 0.1
    assert Counter(kinds(faults, 10)) == {"": 3, "429": 7}
    now = 60.0
    assert Counter(kinds(faults, 40)) == {"": 30, "429": 10}
    assert kinds(faults, 100, "GET /b") == [""] * 100


def test_a_rate_limited_request_takes_no_tokens() -> None:
    faults = Faults(monotonic=lambda: 0.0)
    faults.set([], [RateLimit(match=("* /*",), requests=2), RateLimit(match=("GET *",), requests=1)])
    assert kinds(faults, 3) == ["", "429", "429"]
    assert kinds(faults, 2, "POST /a") == ["", "429"]


@pytest.mark.parametrize(
    ("line", "requests", "seconds"),
    [
        ("GET /api/2.0/preview/scim/v2/Users", 255, 60),
        ("POST /api/2.0/preview/scim/v2/Users", 20, 1),
        ("PATCH /api/2.0/preview/scim/v2/Groups/7", 20, 1),
        ("GET /api/2.0/dbfs/list", 30, 1),
        ("POST /api/2.0/dbfs/add-block", 30, 1),
        ("GET /api/2.0/workspace/export", 60, 1),
        ("POST /api/2.0/workspace/import", 30, 1),
        ("GET /api/2.0/workspace/list", 100, 1),
        ("GET /api/2.0/permissions/clusters/1", 100, 1),
        ("PUT /api/2.0/permissions/clusters/1", 30, 1),
        ("GET /api/2.1/clusters/get", 100, 1),
        ("POST /api/2.0/clusters/start", 100, 1),
    ],
)
def test_the_profile_azure_has_the_published_limits(line: str, requests: int, seconds: float) -> None:
    now = 0.0
    faults = Faults(monotonic=lambda: now)
    faults.set([], AZURE_LIMITS)
    assert Counter(kinds(faults, requests + 5, line)) == {"": requests, "429": 5}
    now = seconds
    assert Counter(kinds(faults, requests + 5, line)) == {"": requests, "429": 5}


def test_an_api_without_a_rate_limit_is_never_limited() -> None:
    faults = Faults(monotonic=lambda: 0.0)
    faults.set([], AZURE_LIMITS)
    assert set(kinds(faults, 1000, "GET /api/2.0/token/list")) == {""}


def test_every_profile_has_a_description() -> None:
    assert {name: bool(profile.description) for name, profile in PROFILES.items()} == dict.fromkeys(PROFILES, True)


# --- real clients


def inject(emulator: EmulatorProcess, **rule: object) -> None:
    emulator.control("POST", "faults", {"rules": [rule]})


def impatient(emulator: EmulatorProcess, seconds: int = 1) -> sdk.WorkspaceClient:
    """Return a client with a short response timeout and few retries."""
    config = Config(
        host=emulator.url,
        token=emulator.admin_token,
        auth_type="pat",
        http_timeout_seconds=seconds,
        retry_timeout_seconds=20,
    )
    return sdk.WorkspaceClient(config=config)


def statuses(emulator: EmulatorProcess, path: str = ME) -> list[int]:
    return [line["status"] for line in emulator.request_log() if line["path"] == path]


@pytest.mark.parametrize("kind", ["429", "503"])
def test_the_sdk_retries_429_and_503(emulator: EmulatorProcess, kind: str) -> None:
    inject(emulator, match=f"GET {ME}", kind=kind, count=1, retry_after=0)
    assert emulator.client().current_user.me().user_name == "admin@lab.example"
    assert statuses(emulator) == [int(kind), 200]


def test_the_sdk_waits_for_retry_after(emulator: EmulatorProcess) -> None:
    inject(emulator, match=f"GET {ME}", kind="429", count=1, retry_after=2)
    began = time.monotonic()
    emulator.client().current_user.me()
    assert 2.0 <= time.monotonic() - began < 4.5


def test_the_sdk_retries_after_a_second_without_retry_after(emulator: EmulatorProcess) -> None:
    inject(emulator, match=f"GET {ME}", kind="429", count=1)
    began = time.monotonic()
    emulator.client().current_user.me()
    assert 1.0 <= time.monotonic() - began < 3.5


@pytest.mark.parametrize(("kind", "error"), [("500", InternalError), ("504", DeadlineExceeded)])
def test_the_sdk_does_not_retry_500_and_504(emulator: EmulatorProcess, kind: str, error: type[Exception]) -> None:
    inject(emulator, kind=kind)
    with pytest.raises(error):
        emulator.client().current_user.me()
    assert statuses(emulator) == [int(kind)]


def test_the_sdk_retries_after_a_reset_and_a_hang(emulator: EmulatorProcess) -> None:
    for kind in ("reset", "hang"):
        inject(emulator, match=f"GET {ME}", kind=kind, count=1)
        assert impatient(emulator).current_user.me().user_name == "admin@lab.example"
    assert statuses(emulator) == [0, 200, 0, 200]


def test_a_reset_fault_resets_the_connection(emulator: EmulatorProcess) -> None:
    inject(emulator, kind="reset")
    with pytest.raises(ConnectionResetError):
        exchange(emulator.url, request("GET /api/2.0/x HTTP/1.1"))


def test_a_truncated_response_ends_in_the_middle_of_its_body(emulator: EmulatorProcess) -> None:
    inject(emulator, kind="truncate")
    answer = exchange(emulator.url, request(f"GET {ME} HTTP/1.1", f"Authorization: Bearer {emulator.admin_token}"))
    assert status_of(answer) == 200
    assert len(body_of(answer)) == int(headers_of(answer)["content-length"]) // 2
    with pytest.raises(ValueError):
        json.loads(body_of(answer))


def test_a_response_without_a_body_is_truncated_in_its_headers(emulator: EmulatorProcess) -> None:
    _, user = emulator.request("POST", "/api/2.0/preview/scim/v2/Users", {"userName": "ana@lab.example"})
    inject(emulator, kind="truncate")
    line = f"DELETE /api/2.0/preview/scim/v2/Users/{user['id']} HTTP/1.1"
    answer = exchange(emulator.url, request(line, f"Authorization: Bearer {emulator.admin_token}"))
    assert answer.startswith(b"HTTP/1.1 204 ") and not answer.endswith(b"\r\n\r\n")


def test_a_hang_ends_with_a_reset(emulator: EmulatorProcess) -> None:
    inject(emulator, kind="hang", seconds=0.3)
    began = time.monotonic()
    with pytest.raises(ConnectionResetError):
        exchange(emulator.url, request("GET /api/2.0/x HTTP/1.1"))
    assert 0.3 - TIMER_RESOLUTION <= time.monotonic() - began < 3


def test_latency_delays_only_matching_requests(emulator: EmulatorProcess) -> None:
    inject(emulator, match="GET /api/2.0/slow", kind="latency", seconds=0.4)
    began = time.monotonic()
    emulator.request("GET", "/api/2.0/fast")
    between = time.monotonic()
    emulator.request("GET", "/api/2.0/slow")
    assert between - began < 0.3 < 0.4 - TIMER_RESOLUTION <= time.monotonic() - between
    assert emulator.request_log()[-1]["milliseconds"] >= 400


def test_the_retry_after_header_is_sent_only_if_the_rule_has_it(emulator: EmulatorProcess) -> None:
    inject(emulator, kind="429")
    plain = headers_of(exchange(emulator.url, request("GET /api/2.0/x HTTP/1.1")))
    inject(emulator, kind="429", retry_after=7)
    delayed = headers_of(exchange(emulator.url, request("GET /api/2.0/x HTTP/1.1")))
    assert ("retry-after" in plain, delayed["retry-after"]) == (False, "7")


def test_control_requests_get_no_faults(emulator: EmulatorProcess) -> None:
    inject(emulator, kind="reset")
    assert emulator.control("GET", "clock")
    emulator.control("POST", "faults", {})
    assert emulator.request("GET", ME)[0] == 200


def test_clearing_faults_does_not_change_the_state(emulator: EmulatorProcess) -> None:
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    before = emulator.control("GET", "state")
    emulator.control("POST", "faults", {"profile": "flaky"})
    assert emulator.control("POST", "faults", {}) == {"profile": None, "rules": []}
    after = emulator.control("GET", "state")
    assert after == before


def test_an_active_profile_limits_requests(emulator: EmulatorProcess) -> None:
    emulator.control("POST", "faults", {"profile": "azure"})
    token = emulator.admin_token
    connection = emulator.connection()
    answered: Counter[int] = Counter()
    for _ in range(300):
        connection.request("GET", ME, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        answered[answer.status] += 1
        assert answer.status == 200 or answer.headers["Retry-After"] is None
    connection.close()
    assert 255 <= answered[200] < 275
    assert answered[200] + answered[429] == 300
    limit = next(rule for rule in emulator.control("GET", "faults")["rules"] if rule["match"] == [f"GET {SCIM}"])
    assert (limit["seen"], limit["met"]) == (300, answered[429])


def test_the_initial_profile_is_active_after_a_reset(start_emulator: Callable[..., EmulatorProcess]) -> None:
    emulator = start_emulator("--faults", "no-dbfs")
    assert emulator.control("POST", "faults", {})["profile"] is None
    emulator.control("POST", "reset")
    assert emulator.control("GET", "faults")["profile"] == "no-dbfs"
