"""The query history: pages, time ranges, visibility."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from emulator.warehouses.queries import submit
from in_process_workspace import InProcessWorkspace

HISTORY = "/api/2.0/sql/history/queries"
PATH = "/api/2.0/sql/warehouses"
DAY = 86_400_000


def run(workspace: InProcessWorkspace, user: Any, seconds: float = 1, warehouse_id: str | None = None) -> str:
    """Run a query of the user, serverless unless a warehouse is named; return its id."""
    emulated = workspace.emulated
    warehouse = emulated.state.warehouses.by_id[warehouse_id] if warehouse_id else None
    return submit(emulated, warehouse, user, "SELECT 1", int(seconds * 1000), workspace.now).id


def listed(workspace: InProcessWorkspace, user: Any = None, body: Any = None, **query: Any) -> list[str]:
    """Return the ids on all pages."""
    found: list[str] = []
    while True:
        path = f"{HISTORY}?{urlencode({name.replace('__', '.'): value for name, value in query.items()}, doseq=True)}"
        page = workspace.call("GET", path, body, user)
        found += [one["query_id"] for one in page["res"]]
        if not page["has_next_page"]:
            return found
        query["page_token"] = page["next_page_token"]


def warehouse(workspace: InProcessWorkspace) -> str:
    warehouse_id = str(workspace.call("POST", PATH, {"name": "lab", "auto_stop_mins": 0})["id"])
    workspace.advance(2)
    return warehouse_id


def test_a_query_is_described_with_user_times_and_warehouse(workspace: InProcessWorkspace) -> None:
    warehouse_id, ana = warehouse(workspace), workspace.create_user("ana@lab.example")
    t, query_id = workspace.now, run(workspace, ana, 5, warehouse_id)
    workspace.advance(60)
    (seen,) = workspace.call("GET", HISTORY)["res"]
    assert seen == {
        "query_id": query_id,
        "status": "FINISHED",
        "query_text": "SELECT 1",
        "query_start_time_ms": t,
        "query_end_time_ms": t + 5_000,
        "execution_end_time_ms": t + 5_000,
        "user_id": int(ana.id),
        "user_name": "ana@lab.example",
        "executed_as_user_id": int(ana.id),
        "executed_as_user_name": "ana@lab.example",
        "duration": 5_000,
        "rows_produced": 0,
        "is_final": True,
        "statement_type": "SELECT",
        "plans_state": "IGNORED_SMALL_DURATION",
        "client_application": "",
        "lookup_key": query_id,
        "warehouse_id": warehouse_id,
        "endpoint_id": warehouse_id,
    }


def test_a_serverless_query_runs_at_once_and_has_no_warehouse(workspace: InProcessWorkspace) -> None:
    run(workspace, workspace.create_user("ana@lab.example"), 5)
    (seen,) = workspace.call("GET", f"{HISTORY}?include_metrics=true")["res"]
    assert (seen["status"], "warehouse_id" in seen, "endpoint_id" in seen) == ("RUNNING", False, False)
    assert seen["metrics"]["total_time_ms"] == 0


def test_a_query_waits_for_its_warehouse_and_keeps_it_from_idling(workspace: InProcessWorkspace) -> None:
    starter = workspace.call("GET", PATH)["warehouses"][0]["id"]
    workspace.call("POST", f"{PATH}/{starter}/start")
    run(workspace, workspace.create_user("ana@lab.example"), 1200, starter)
    assert workspace.call("GET", HISTORY)["res"][0]["status"] == "QUEUED"
    workspace.advance(2)
    assert workspace.call("GET", HISTORY)["res"][0]["status"] == "RUNNING"
    assert workspace.call("GET", f"{PATH}/{starter}")["num_active_sessions"] == 1
    workspace.advance(1200 + 599)
    assert workspace.call("GET", f"{PATH}/{starter}")["state"] == "RUNNING"
    workspace.advance(1)
    assert workspace.call("GET", f"{PATH}/{starter}")["state"] == "STOPPING"


def test_a_query_fails_when_its_warehouse_is_stopped(workspace: InProcessWorkspace) -> None:
    warehouse_id = warehouse(workspace)
    run(workspace, workspace.create_user("ana@lab.example"), 60, warehouse_id)
    workspace.advance(10)
    workspace.call("POST", f"{PATH}/{warehouse_id}/stop")
    workspace.advance(600)
    (seen,) = workspace.call("GET", HISTORY)["res"]
    assert (seen["status"], seen["duration"]) == ("FAILED", 10_000)
    assert seen["error_message"] == "The SQL warehouse was stopped."


def test_pages_show_every_query_once_newest_first(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user("ana@lab.example")
    made = []
    for number in range(7):
        made.append(run(workspace, ana))
        workspace.advance(number % 2)
    for size in (1, 2, 7, 1000):
        assert listed(workspace, max_results=size) == made[::-1]


def test_a_query_that_comes_between_two_pages_is_not_on_the_second(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user("ana@lab.example")
    made = [run(workspace, ana) for _ in range(4)]
    first = workspace.call("GET", f"{HISTORY}?max_results=2")
    run(workspace, ana)
    second = workspace.call("GET", f"{HISTORY}?max_results=2&page_token={first['next_page_token']}")
    assert [one["query_id"] for one in [*first["res"], *second["res"]]] == made[::-1]


def test_queries_are_filtered_by_user_warehouse_status_id_and_time(workspace: InProcessWorkspace) -> None:
    warehouse_id = warehouse(workspace)
    ana, ben = workspace.create_user("ana@lab.example"), workspace.create_user("ben@lab.example")
    first = run(workspace, ana, 1)
    workspace.advance(60)
    second, t = run(workspace, ben, 1, warehouse_id), workspace.now
    workspace.advance(60)
    third = run(workspace, ana, 600)
    assert listed(workspace, filter_by__user_ids=[ana.id]) == [third, first]
    assert listed(workspace, filter_by__warehouse_ids=[warehouse_id]) == [second]
    assert listed(workspace, filter_by__statuses=["RUNNING"]) == [third]
    assert listed(workspace, filter_by__statement_ids=[first, second]) == [second, first]
    assert listed(workspace, filter_by__query_start_time_range__start_time_ms=t) == [third, second]
    assert listed(workspace, filter_by__query_start_time_range__end_time_ms=t) == [second, first]
    assert listed(workspace, body={"filter_by": {"user_ids": [int(ben.id)]}, "max_results": 1}) == [second]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("max_results=1001", "max_results must be between 1 and 1000, not 1001."),
        ("max_results=many", "max_results must be an integer, not 'many'."),
        ("page_token=nonsense", "page_token is not from an earlier response."),
        ("filter_by.statuses=DONE", "'DONE' is not a status of queries"),
        (f"filter_by.query_start_time_range.start_time_ms={1792306800000 - 31 * DAY}", "less than or equal to 30 days"),
    ],
)
def test_a_wrong_argument_is_refused(workspace: InProcessWorkspace, query: str, message: str) -> None:
    status, code, text = workspace.refusal("GET", f"{HISTORY}?{query}")
    assert (status, code, message in text) == (400, "INVALID_PARAMETER_VALUE", True), text


def test_users_see_their_queries_and_those_on_warehouses_they_may_view(workspace: InProcessWorkspace) -> None:
    warehouse_id = warehouse(workspace)
    ana, ben = workspace.create_user("ana@lab.example"), workspace.create_user("ben@lab.example")
    on_warehouse, serverless = run(workspace, ben, 1, warehouse_id), run(workspace, ben)
    own = run(workspace, ana)
    grants = workspace.emulated.state.acls
    assert listed(workspace) == [own, serverless, on_warehouse]
    assert listed(workspace, ana) == [own]
    grants.grant(f"/sql/warehouses/{warehouse_id}", ana.id, "CAN_USE")
    assert listed(workspace, ana) == [own]
    grants.grant(f"/sql/warehouses/{warehouse_id}", ana.id, "CAN_VIEW")
    assert listed(workspace, ana) == [own, on_warehouse]


def test_the_history_is_closed_to_those_who_may_not_use_sql(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user("ana@lab.example")
    users = workspace.emulated.state.directory.find_group("users")
    assert users
    users.entitlements.remove("databricks-sql-access")
    assert workspace.refusal("GET", HISTORY, user=ana)[:2] == (403, "PERMISSION_DENIED")
