"""Saved queries and alerts in the emulator: records, folders, permissions, trash."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.state.state import dump_json, load_json
from in_process_client import InProcessClient

QUERIES, ALERTS = "/api/2.0/sql/queries", "/api/2.0/sql/alerts"
CONDITION = {"op": "EQUAL", "operand": {"column": {"name": "p1"}}, "threshold": {"value": {"double_value": 2}}}


def warehouse(lab: InProcessClient) -> str:
    return next(iter(lab.workspace.state.warehouses.by_id))


def save_query(lab: InProcessClient, caller: Any = None, **fields: Any) -> tuple[int, Any]:
    query = {"display_name": "Totals", "query_text": "SELECT 1 AS p1", "warehouse_id": warehouse(lab)}
    return lab.request("POST", QUERIES, {"query": query | fields, "auto_resolve_display_name": False}, caller=caller)


def save_alert(lab: InProcessClient, query_id: str, **fields: Any) -> tuple[int, Any]:
    alert = {"display_name": "High", "query_id": query_id, "condition": CONDITION}
    return lab.request("POST", ALERTS, {"alert": alert | fields})


def test_a_saved_query_has_the_sent_fields_and_the_platform_s_fields(lab: InProcessClient) -> None:
    status, query = save_query(lab, parameters=[{"name": "foo", "text_value": {"value": "bar"}}], tags=["course"])
    administrator = lab.workspace.administrator.name
    assert (status, query) == (
        200,
        {
            "display_name": "Totals",
            "query_text": "SELECT 1 AS p1",
            "warehouse_id": warehouse(lab),
            "parameters": [{"name": "foo", "text_value": {"value": "bar"}}],
            "tags": ["course"],
            "id": query["id"],
            "parent_path": f"/Workspace/Users/{administrator}",
            "create_time": query["create_time"],
            "update_time": query["create_time"],
            "lifecycle_state": "ACTIVE",
            "owner_user_name": administrator,
            "last_modifier_user_name": administrator,
            "apply_auto_limit": False,
            "run_as_mode": "OWNER",
        },
    )
    assert lab.request("GET", f"{QUERIES}/{query['id']}") == (200, query)


def test_an_alert_has_the_sent_fields_and_the_platform_s_fields(lab: InProcessClient) -> None:
    query = save_query(lab)[1]
    status, alert = save_alert(lab, query["id"], custom_subject="too high", notify_on_ok=False)
    administrator = lab.workspace.administrator.name
    assert (status, alert) == (
        200,
        {
            "display_name": "High",
            "query_id": query["id"],
            "condition": CONDITION,
            "custom_subject": "too high",
            "notify_on_ok": False,
            "seconds_to_retrigger": 0,
            "id": alert["id"],
            "parent_path": f"/Workspace/Users/{administrator}",
            "create_time": alert["create_time"],
            "update_time": alert["create_time"],
            "lifecycle_state": "ACTIVE",
            "owner_user_name": administrator,
            "state": "UNKNOWN",
        },
    )
    assert lab.request("GET", f"{ALERTS}/{alert['id']}") == (200, alert)


def test_an_update_sets_what_the_mask_names(lab: InProcessClient) -> None:
    query = save_query(lab, description="old", tags=["a"])[1]
    change = {"query": {"display_name": "Sums", "description": "new"}, "update_mask": "display_name,tags"}
    status, changed = lab.request("PATCH", f"{QUERIES}/{query['id']}", change)
    assert status == 200
    assert (changed["display_name"], changed["description"], "tags" in changed) == ("Sums", "old", False)
    everything = {"query": {"description": "new"}, "update_mask": "*"}
    assert lab.request("PATCH", f"{QUERIES}/{query['id']}", everything)[1] == changed | {
        "description": "new",
        "update_time": lab.request("GET", f"{QUERIES}/{query['id']}")[1]["update_time"],
    }


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"display_name": ""}, 400),
        ({"display_name": 7}, 400),
        ({"apply_auto_limit": "yes"}, 400),
        ({"parameters": {}}, 400),
        ({"run_as_mode": "ADMIN"}, 400),
        ({"warehouse_id": 7}, 400),
        ({"parent_path": "/Users/nobody@lab"}, 404),
    ],
)
def test_an_invalid_query_is_rejected(lab: InProcessClient, fields: dict[str, Any], status: int) -> None:
    assert save_query(lab, **fields)[0] == status
    assert lab.request("GET", QUERIES) == (200, {"results": []})


@pytest.mark.parametrize("body", [{}, {"query": {"tags": []}}, {"query": {}, "update_mask": "colour"}])
def test_an_update_needs_a_mask_of_known_fields(lab: InProcessClient, body: dict[str, Any]) -> None:
    query = save_query(lab)[1]
    assert lab.request("PATCH", f"{QUERIES}/{query['id']}", body)[0] == 400
    assert lab.request("GET", f"{QUERIES}/{query['id']}") == (200, query)


def test_an_alert_needs_a_query_and_a_condition(lab: InProcessClient) -> None:
    query = save_query(lab)[1]["id"]
    assert save_alert(lab, query, condition={"op": "ABOUT"})[0] == 400
    assert save_alert(lab, "")[0] == 400
    assert save_alert(lab, "11111111-2222-3333-4444-555555555555")[0] == 404
    lab.request("DELETE", f"{QUERIES}/{query}")
    assert save_alert(lab, query)[0] == 404


def test_a_name_is_free_once_in_a_folder_or_gets_a_number(lab: InProcessClient) -> None:
    save_query(lab)
    status, refusal = save_query(lab)
    assert (status, refusal["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    assert save_query(lab, parent_path="/Shared")[0] == 200
    body = {"query": {"display_name": "Totals"}, "auto_resolve_display_name": True}
    assert [lab.request("POST", QUERIES, body)[1]["display_name"] for _ in range(2)] == ["Totals (1)", "Totals (2)"]


def test_a_deleted_query_is_in_the_trash_for_thirty_days(lab: InProcessClient) -> None:
    query = save_query(lab)[1]
    path = f"{QUERIES}/{query['id']}"
    assert lab.request("DELETE", path) == (200, {})
    assert lab.request("GET", path)[1]["lifecycle_state"] == "TRASHED"
    assert lab.request("GET", QUERIES) == (200, {"results": []})
    change = {"query": {"display_name": "x"}, "update_mask": "display_name"}
    assert [lab.request("DELETE", path)[0], lab.request("PATCH", path, change)[0]] == [400, 400]
    lab.workspace.clock.advance(30 * 24 * 3600)
    assert lab.request("GET", path)[0] == 404


def test_permissions_decide_who_reads_changes_and_deletes(lab: InProcessClient) -> None:
    query, student = save_query(lab)[1], lab.user("s@lab")
    path, acl = f"{QUERIES}/{query['id']}", f"/api/2.0/permissions/sql/queries/{query['id']}"
    change = {"query": {"display_name": "Mine"}, "update_mask": "display_name"}

    def statuses() -> list[int]:
        requests = (("GET", None), ("PATCH", change), ("DELETE", None))
        return [lab.request(method, path, body, caller=student)[0] for method, body in requests]

    assert statuses() == [403, 403, 403]
    for level, expected in (("CAN_RUN", [200, 403, 403]), ("CAN_EDIT", [200, 200, 403]), ("CAN_MANAGE", [200] * 3)):
        grant = {"access_control_list": [{"user_name": "s@lab", "permission_level": level}]}
        status, permissions = lab.request("PUT", acl, grant)
        assert (status, permissions["object_type"]) == (200, "query")
        assert lab.request("GET", QUERIES, caller=student)[1]["results"][0]["id"] == query["id"]
        assert statuses() == expected


def test_an_alert_has_no_permissions_as_a_query(lab: InProcessClient) -> None:
    alert = save_alert(lab, save_query(lab)[1]["id"])[1]["id"]
    assert [lab.request("GET", f"/api/2.0/permissions/sql/{kind}/{alert}")[0] for kind in ("alerts", "queries")] == [
        200,
        404,
    ]


def test_a_student_saves_queries_at_home_only(lab: InProcessClient) -> None:
    student = lab.user("s@lab")
    assert save_query(lab, caller=student)[1]["parent_path"] == "/Workspace/Users/s@lab"
    other = lab.user("t@lab").name
    assert save_query(lab, caller=student, parent_path=f"/Users/{other}")[0] == 403


def test_the_owner_changes_with_permission_to_manage(lab: InProcessClient) -> None:
    query, student = save_query(lab)[1], lab.user("s@lab")
    path = f"{QUERIES}/{query['id']}"
    change = {"query": {"owner_user_name": "s@lab"}, "update_mask": "owner_user_name"}
    assert lab.request("PATCH", path, change)[1]["owner_user_name"] == "s@lab"
    assert lab.request("DELETE", path, caller=student) == (200, {})
    lab.request("DELETE", f"/api/2.0/preview/scim/v2/Users/{student.id}")
    assert "owner_user_name" not in lab.request("GET", path)[1]


def test_lists_have_pages_and_survive_a_restart(lab: InProcessClient) -> None:
    for number in range(5):
        save_query(lab, display_name=f"q{number}")
    lab.workspace.state = load_json(dump_json(lab.workspace.state))
    names, token = [], ""
    while True:
        page = lab.request("GET", f"{QUERIES}?page_size=2&page_token={token}")[1]
        names.append([entry["display_name"] for entry in page["results"]])
        token = page.get("next_page_token")
        if not token:
            break
    assert names == [["q0", "q1"], ["q2", "q3"], ["q4"]]
    assert [lab.request("GET", f"{QUERIES}?page_size={size}")[0] for size in (101, -1)] == [400, 400]


# --- the older API

OLDER_QUERIES, OLDER_ALERTS = "/api/2.0/preview/sql/queries", "/api/2.0/preview/sql/alerts"
OPTIONS = {"column": "p1", "op": "==", "value": "2", "muted": True}


def save_older_query(lab: InProcessClient, **fields: Any) -> tuple[int, Any]:
    [source] = lab.request("GET", "/api/2.0/preview/sql/data_sources")[1]
    query = {"name": "Totals", "query": "SELECT 1 AS p1", "data_source_id": source["id"], "schedule": None}
    return lab.request("POST", OLDER_QUERIES, query | fields)


def test_a_query_of_the_older_api_is_one_of_the_current_api(lab: InProcessClient) -> None:
    parameters: list[dict[str, Any]] = [
        {"name": "a", "type": "text", "value": "x"},
        {"name": "b", "title": "B", "type": "number", "value": 7},
    ]
    shared = lab.request("GET", "/api/2.0/workspace/get-status?path=/Shared")[1]["object_id"]
    status, query = save_older_query(lab, options={"parameters": parameters}, tags=["t"], parent=f"folders/{shared}")
    [source] = lab.request("GET", "/api/2.0/preview/sql/data_sources")[1]
    assert (status, query) == (
        200,
        {
            "id": query["id"],
            "name": "Totals",
            "query": "SELECT 1 AS p1",
            "description": "",
            "tags": ["t"],
            "data_source_id": source["id"],
            "run_as_role": "owner",
            "options": {"parameters": [parameters[0] | {"title": "a"}, parameters[1]]},
            "schedule": None,
            "visualizations": [],
            "is_archived": False,
            "created_at": query["created_at"],
            "updated_at": query["created_at"],
            "parent": f"folders/{shared}",
        },
    )
    current = lab.request("GET", f"{QUERIES}/{query['id']}")[1]
    assert (current["parent_path"], current["warehouse_id"]) == ("/Workspace/Shared", warehouse(lab))
    assert current["parameters"][1] == {"name": "b", "title": "B", "numeric_value": {"value": 7}}
    assert lab.request("GET", OLDER_QUERIES)[1] == {"count": 1, "page": 1, "page_size": 25, "results": [query]}


def test_the_older_api_changes_and_deletes_a_query(lab: InProcessClient) -> None:
    query = save_older_query(lab)[1]
    path = f"{OLDER_QUERIES}/{query['id']}"
    changed = lab.request("POST", path, {"name": "Sums", "run_as_role": "viewer"})[1]
    assert changed == query | {"name": "Sums", "run_as_role": "viewer", "updated_at": changed["updated_at"]}
    assert lab.request("DELETE", path) == (200, {})
    assert lab.request("GET", path)[1]["is_archived"] is True
    assert lab.request("GET", OLDER_QUERIES)[1]["results"] == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"data_source_id": "x"}, 404),
        ({"parent": "/Shared"}, 400),
        ({"parent": "folders/7"}, 404),
        ({"schedule": {"interval": 60}}, 400),
        ({"options": []}, 400),
        ({"options": {"parameters": [{}]}}, 400),
        ({"options": {"parameters": [{"name": "a", "type": "date"}]}}, 501),
        ({"run_as_role": "admin"}, 400),
    ],
)
def test_the_older_api_rejects_an_invalid_query(lab: InProcessClient, fields: dict[str, Any], status: int) -> None:
    assert save_older_query(lab, **fields)[0] == status
    assert lab.request("GET", QUERIES) == (200, {"results": []})


def test_an_alert_of_the_older_api_is_one_of_the_current_api(lab: InProcessClient) -> None:
    query = save_older_query(lab)[1]["id"]
    options = OPTIONS | {"custom_subject": "s", "empty_result_state": "ok"}
    body = {"name": "High", "query_id": query, "options": options, "rearm": 60}
    status, alert = lab.request("POST", OLDER_ALERTS, body)
    assert (status, alert) == (
        200,
        {
            "id": alert["id"],
            "name": "High",
            "query": {"id": query},
            "options": options,
            "rearm": 60,
            "state": "unknown",
            "created_at": alert["created_at"],
            "updated_at": alert["created_at"],
            "parent": alert["parent"],
        },
    )
    current = lab.request("GET", f"{ALERTS}/{alert['id']}")[1]
    assert current["condition"] == {
        "op": "EQUAL",
        "operand": {"column": {"name": "p1"}},
        "threshold": {"value": {"string_value": "2"}},
        "empty_result_state": "OK",
    }
    assert lab.request("GET", OLDER_ALERTS) == (200, [alert])
    change = {"name": "Low", "query_id": query, "options": {"column": "p2", "op": "<", "value": 3}}
    assert lab.request("PUT", f"{OLDER_ALERTS}/{alert['id']}", change) == (200, {})
    changed = lab.request("GET", f"{OLDER_ALERTS}/{alert['id']}")[1]
    assert (changed["options"], changed["rearm"]) == (change["options"] | {"muted": False}, 0)
    assert lab.request("DELETE", f"{OLDER_ALERTS}/{alert['id']}") == (200, {})
    assert lab.request("GET", OLDER_ALERTS) == (200, [])


@pytest.mark.parametrize("change", [{"op": "~"}, {"column": 7}, {"value": None}, {"empty_result_state": "maybe"}])
def test_the_older_api_rejects_an_invalid_alert(lab: InProcessClient, change: dict[str, Any]) -> None:
    body = {"name": "High", "query_id": save_older_query(lab)[1]["id"], "options": OPTIONS | change}
    assert lab.request("POST", OLDER_ALERTS, body)[0] == 400
    assert lab.request("GET", ALERTS) == (200, {"results": []})


def test_the_older_api_shows_what_the_current_api_saved(lab: InProcessClient) -> None:
    dates = {"name": "d", "date_value": {"date_value": "2026-11-01"}}
    query = save_query(lab, parameters=[dates])[1]["id"]
    assert lab.request("GET", f"{OLDER_QUERIES}/{query}")[1]["options"] == {"parameters": []}
    alert = save_alert(lab, query, condition={"op": "IS_NULL", "operand": 7, "empty_result_state": []})[1]["id"]
    options = lab.request("GET", f"{OLDER_ALERTS}/{alert}")[1]["options"]
    assert options == {"column": "", "op": "IS_NULL", "value": "", "muted": False}
