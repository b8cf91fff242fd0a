"""`/_emulator/` for queries: work on warehouses and serverless compute, and the actual uptime of both."""

from __future__ import annotations

from typing import Any

import pytest

from emulator_process import EmulatorProcess

pytestmark = pytest.mark.process

WAREHOUSES = "/api/2.0/sql/warehouses"
START = "2026-10-18T07:00:00.000Z"


@pytest.fixture
def emulator(start_emulator: Any) -> EmulatorProcess:
    started: EmulatorProcess = start_emulator("--speed", "0", "--start", START)
    return started


def starter(emulator: EmulatorProcess) -> str:
    return str(emulator.request("GET", WAREHOUSES)[1]["warehouses"][0]["id"])


def advance(emulator: EmulatorProcess, seconds: float) -> None:
    emulator.control("POST", "clock", {"advance_seconds": seconds})


def test_work_on_a_warehouse_starts_it_and_counts_as_uptime(emulator: EmulatorProcess) -> None:
    warehouse_id = starter(emulator)
    token = emulator.control("POST", "users", {"user_name": "ana@lab.example"})["token"]
    emulator.control("POST", "work", {"warehouse_id": warehouse_id, "seconds": 58, "token": token, "text": "SELECT 2"})
    advance(emulator, 3600)
    assert emulator.control("GET", f"uptime?warehouse_id={warehouse_id}") == {
        "milliseconds": 658_000,
        "sessions": [
            {"start": "2026-10-18T07:00:02.000Z", "end": "2026-10-18T07:11:00.000Z", "started_by": "ana@lab.example"}
        ],
    }
    (query,) = emulator.control("GET", "queries")["queries"]
    assert query == {
        "query_id": query["query_id"],
        "user_name": "ana@lab.example",
        "warehouse_id": warehouse_id,
        "text": "SELECT 2",
        "status": "FINISHED",
        "submitted": START,
        "start": "2026-10-18T07:00:02.000Z",
        "end": "2026-10-18T07:01:00.000Z",
    }


def test_work_on_serverless_compute_is_a_query_without_a_warehouse(emulator: EmulatorProcess) -> None:
    emulator.control("POST", "work", {"serverless": True, "seconds": 60})
    advance(emulator, 600)
    emulator.control("POST", "work", {"warehouse_id": starter(emulator), "seconds": 60})
    advance(emulator, 600)

    def times(query: str) -> list[tuple[str, str]]:
        found = emulator.control("GET", f"queries?{query}")["queries"]
        return [(one["start"], one["end"]) for one in found]

    serverless = (START, "2026-10-18T07:01:00.000Z")
    on_warehouse = ("2026-10-18T07:10:02.000Z", "2026-10-18T07:11:02.000Z")
    assert times("") == [serverless, on_warehouse]
    assert times("warehouse_id=") == [serverless]
    assert times("user_name=ana@lab.example") == []
    assert times("from=2026-10-18T07:01:00Z") == [on_warehouse]
    assert times("to=2026-10-18T07:05:00Z") == [serverless]
    assert [
        len(one.get("warehouse_id", "")) for one in emulator.request("GET", "/api/2.0/sql/history/queries")[1]["res"]
    ] == [
        16,
        0,
    ]


def test_work_on_a_warehouse_needs_permission_to_use_it(emulator: EmulatorProcess) -> None:
    warehouse_id = starter(emulator)
    owner = {"access_control_list": [{"user_name": "admin@lab.example", "permission_level": "IS_OWNER"}]}
    assert emulator.request("PUT", f"/api/2.0/permissions/warehouses/{warehouse_id}", owner)[0] == 200
    token = emulator.control("POST", "users", {"user_name": "ana@lab.example"})["token"]
    body = {"warehouse_id": warehouse_id, "seconds": 60, "token": token}
    assert emulator.request("POST", "/_emulator/work", body)[0] == 403
    assert emulator.control("GET", "queries") == {"queries": []}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "work", {"seconds": 60}),
        ("POST", "work", {"seconds": 60, "serverless": True, "cluster_id": "c"}),
        ("GET", "uptime", None),
        ("GET", "uptime?cluster_id=c&warehouse_id=w", None),
    ],
)
def test_work_and_uptime_requests_must_specify_exactly_one_compute(
    emulator: EmulatorProcess, method: str, path: str, body: Any
) -> None:
    status, answer = emulator.request(method, f"/_emulator/{path}", body)
    assert (status, "give " in answer["message"]) == (400, True), answer
