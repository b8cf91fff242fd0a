"""Faults in responses, and their Date header."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from emulator.control.state_changes import KINDS
from emulator.faults.faulty_responses import MALFORMED_SHAPES, FaultyResponses
from emulator.faults.profiles import PROFILES
from emulator.faults.rules import FaultRule, Faults
from emulator_process import EmulatorProcess
from in_process_workspace import InProcessWorkspace
from raw_socket import exchange, headers_of, request

BODY: dict[str, Any] = {
    "events": [{"timestamp": 5, "type": "RUNNING", "details": {}}],
    "next_page": {"offset": 1},
    "total_count": 2,
}


@pytest.mark.parametrize(
    ("shape", "events"),
    [
        ("null lists", None),
        ("objects for lists", {"0": BODY["events"][0]}),
        ("empty entries", [{}]),
        ("null entries", [None]),
        ("no times", [{"type": "RUNNING", "details": {}}]),
        ("negative times", [{"timestamp": -1, "type": "RUNNING", "details": {}}]),
        ("texts for details", [{"timestamp": 5, "type": "RUNNING", "details": "none"}]),
    ],
)
def test_a_malformed_response_has_the_requested_shape(shape: str, events: Any) -> None:
    assert FaultyResponses().apply("malformed", shape, "/events", 200, BODY) == (200, BODY | {"events": events})


def test_every_shape_changes_the_response_but_not_errors() -> None:
    body = BODY | {"Resources": [{"displayName": "group_01", "members": []}]}
    changed = {shape: FaultyResponses().apply("malformed", shape, "/any", 200, body) for shape in MALFORMED_SHAPES}

    assert [shape for shape, answer in changed.items() if answer == (200, body)] == []
    assert changed["no members"] == (200, BODY | {"Resources": [{"displayName": "group_01"}]})
    assert FaultyResponses().apply("malformed", "null", "/events", 403, {"error_code": "X"}) == (
        403,
        {"error_code": "X"},
    )


def test_token_only_pages_have_no_deprecated_fields() -> None:
    assert FaultyResponses().apply("only_tokens", None, "/events", 200, BODY) == (200, {"events": BODY["events"]})


def test_each_endless_page_has_a_new_token() -> None:
    answers = FaultyResponses()
    first = answers.apply("endless", None, "/events", 200, BODY)
    second = answers.apply("endless", None, "/events", 400, {"error_code": "INVALID_PARAMETER_VALUE"})

    assert (first[1]["events"], second[1]["events"], second[0]) == (BODY["events"], BODY["events"], 200)
    assert first[1]["next_page_token"] != second[1]["next_page_token"]


def test_a_clock_fault_affects_no_request() -> None:
    faults = Faults()
    faults.set(PROFILES["clock-ahead"].rules)

    assert (faults.find_fault("GET", "/_emulator/clock"), faults.clock_ahead) == (None, 14_400)


def test_an_unknown_cluster_fault_has_the_platform_message() -> None:
    faults = Faults()
    faults.set([FaultRule(kind="unknown_cluster")])
    fault = faults.find_fault("POST", "/api/2.1/clusters/events")

    assert fault and (fault.status, fault.body()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "does not exist" in fault.body()["message"]


def test_job_clusters_are_listed_unless_filtered_by_source(workspace: InProcessWorkspace) -> None:
    KINDS["job_clusters"](workspace.emulated, "nightly", 250)
    own = workspace.create()

    def listed(query: str) -> list[str]:
        found, token = [], ""
        while True:
            page = workspace.call("GET", f"/api/2.1/clusters/list?{query}&page_token={token}")
            found += [cluster["cluster_id"] for cluster in page.get("clusters", [])]
            if not (token := page.get("next_page_token")):
                return found

    assert len(listed("")) == 251
    assert listed("filter_by.cluster_sources=API&filter_by.cluster_sources=UI") == [own]
    assert listed("filter_by.cluster_sources=JOB&filter_by.cluster_states=RUNNING") == []


@pytest.mark.process
def test_the_date_header_has_the_emulator_s_time_despite_clock_faults(emulator: EmulatorProcess) -> None:
    emulator.control("POST", "clock", {"now": "2031-01-01T10:00:00Z"})
    emulator.control("POST", "faults", {"profile": "clock-ahead"})

    shown = parsedate_to_datetime(ask_me(emulator)["date"])

    assert (shown.year, shown.hour, emulator.control("GET", "clock")["now"][11:13]) == (2031, 10, "14")
    emulator.control("POST", "faults", {"rules": [{"kind": "no_date"}]})
    assert "date" not in ask_me(emulator)


def ask_me(emulator: EmulatorProcess) -> dict[str, str]:
    """Return the headers of a response."""
    line, token = "GET /api/2.0/preview/scim/v2/Me HTTP/1.1", f"Authorization: Bearer {emulator.admin_token}"
    return headers_of(exchange(emulator.url, request(line, token)))
