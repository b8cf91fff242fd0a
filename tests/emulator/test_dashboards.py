"""Dashboards in the emulator: drafts in folders, publishing, the trash, permissions."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from emulator.state.state import dump_json, load_json
from in_process_client import InProcessClient

DASHBOARDS = "/api/2.0/lakeview/dashboards"
PAGES = '{"pages":[{"name":"a","displayName":"Sales"}]}'


def draft(lab: InProcessClient, name: str = "Sales", caller: Any = None, **fields: Any) -> tuple[int, Any]:
    body = {"display_name": name, "parent_path": "/Shared", "serialized_dashboard": PAGES, "warehouse_id": "0a"}
    return lab.request("POST", DASHBOARDS, body | fields, caller=caller)


def test_a_dashboard_is_an_object_in_its_folder(lab: InProcessClient) -> None:
    status, created = draft(lab)
    assert (status, created) == (
        200,
        {
            "dashboard_id": created["dashboard_id"],
            "display_name": "Sales",
            "path": "/Shared/Sales.lvdash.json",
            "parent_path": "/Shared",
            "create_time": created["create_time"],
            "update_time": created["create_time"],
            "warehouse_id": "0a",
            "etag": created["etag"],
            "serialized_dashboard": PAGES,
            "lifecycle_state": "ACTIVE",
        },
    )
    assert lab.request("GET", f"{DASHBOARDS}/{created['dashboard_id']}") == (200, created)
    [entry] = lab.request("GET", "/api/2.0/workspace/list?path=/Shared")[1]["objects"]
    assert (entry["object_type"], entry["path"]) == ("DASHBOARD", created["path"])
    assert entry["resource_id"] == created["dashboard_id"]


def test_an_imported_dashboard_is_one(lab: InProcessClient) -> None:
    body = {"path": "/Shared/x.lvdash.json", "format": "AUTO", "content": b64encode(PAGES.encode()).decode()}
    assert lab.request("POST", "/api/2.0/workspace/import", body)[0] == 200
    [entry] = lab.request("GET", DASHBOARDS)[1]["dashboards"]
    assert set(entry) == {
        "dashboard_id",
        "display_name",
        "create_time",
        "update_time",
        "warehouse_id",
        "lifecycle_state",
    }
    assert lab.request("GET", f"{DASHBOARDS}/{entry['dashboard_id']}")[1]["serialized_dashboard"] == PAGES


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"parent_path": "/Workspace/None"}, 404, "Path (/Workspace/None) doesn't exist."),
        ({"display_name": "a/b"}, 400, "display_name must be a text without slashes"),
        ({"display_name": ""}, 400, "Missing required field: display_name"),
        ({"serialized_dashboard": "[]"}, 400, "serialized_dashboard must be a JSON object in a string"),
        ({"serialized_dashboard": "{"}, 400, "serialized_dashboard must be a JSON object in a string"),
        ({"serialized_dashboard": {}}, 400, "serialized_dashboard must be a JSON object in a string"),
        ({"warehouse_id": 7}, 400, "warehouse_id must be a string"),
    ],
)
def test_an_invalid_draft_is_rejected(lab: InProcessClient, fields: dict[str, Any], status: int, message: str) -> None:
    found, error = draft(lab, **fields)
    assert (found, error["message"]) == (status, message)
    assert lab.request("GET", DASHBOARDS) == (200, {"dashboards": []})


def test_an_update_changes_the_draft_and_its_etag(lab: InProcessClient) -> None:
    created = draft(lab)[1]
    path = f"{DASHBOARDS}/{created['dashboard_id']}"
    change = {"display_name": "Costs", "serialized_dashboard": "{}", "etag": created["etag"]}
    status, changed = lab.request("PATCH", path, change)
    assert status == 200
    assert (changed["path"], changed["serialized_dashboard"]) == ("/Shared/Costs.lvdash.json", "{}")
    assert (changed["warehouse_id"], changed["etag"] == created["etag"]) == ("0a", False)
    assert lab.request("PATCH", path, change)[0] == 409
    assert lab.request("GET", path) == (200, changed)


def test_names_are_free_once_in_a_folder(lab: InProcessClient) -> None:
    draft(lab, "Costs")
    other = draft(lab)[1]
    assert draft(lab)[1]["error_code"] == "RESOURCE_ALREADY_EXISTS"
    path = f"{DASHBOARDS}/{other['dashboard_id']}"
    assert lab.request("PATCH", path, {"display_name": "Costs"})[1]["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert lab.request("GET", path) == (200, other)


def test_a_published_dashboard_keeps_its_name_and_warehouse(lab: InProcessClient) -> None:
    created = draft(lab)[1]
    path = f"{DASHBOARDS}/{created['dashboard_id']}"
    assert lab.request("GET", f"{path}/published")[0] == 404
    lab.workspace.clock.advance(1)
    status, published = lab.request("POST", f"{path}/published", {"embed_credentials": False})
    assert (status, published) == (
        200,
        {
            "display_name": "Sales",
            "embed_credentials": False,
            "revision_create_time": published["revision_create_time"],
            "warehouse_id": "0a",
        },
    )
    after = lab.request("GET", path)[1]
    assert after == created | {"update_time": after["update_time"]} and after["update_time"] > created["update_time"]
    lab.request("PATCH", path, {"display_name": "Costs", "warehouse_id": "0b"})
    lab.workspace.state = load_json(dump_json(lab.workspace.state))
    assert lab.request("GET", f"{path}/published") == (200, published)
    assert lab.request("DELETE", f"{path}/published") == (200, {})
    assert lab.request("GET", f"{path}/published")[0] == 404


def test_a_deleted_dashboard_is_in_the_trash_for_thirty_days(lab: InProcessClient) -> None:
    created = draft(lab)[1]
    path = f"{DASHBOARDS}/{created['dashboard_id']}"
    assert lab.request("DELETE", path) == (200, {})
    assert lab.request("GET", path) == (200, created | {"lifecycle_state": "TRASHED"})
    assert lab.request("DELETE", path)[1]["error_code"] == "PERMISSION_DENIED"
    assert lab.request("GET", "/api/2.0/workspace/list?path=/Shared") == (200, {})
    assert draft(lab)[0] == 200
    lab.workspace.clock.advance(30 * 24 * 3600)
    assert lab.request("GET", path)[0] == 404


def test_permissions_decide_who_reads_changes_and_deletes(lab: InProcessClient) -> None:
    student = lab.user("s@lab")
    lab.request("POST", "/api/2.0/workspace/mkdirs", {"path": "/course"})
    id = draft(lab, parent_path="/course")[1]["dashboard_id"]
    path, acl = f"{DASHBOARDS}/{id}", f"/api/2.0/permissions/dashboards/{id}"

    def statuses() -> list[int]:
        requests = (("GET", path), ("POST", f"{path}/published"), ("DELETE", path))
        return [lab.request(method, target, caller=student)[0] for method, target in requests]

    assert statuses() == [403, 403, 403]
    for level, expected in (("CAN_READ", [200, 403, 403]), ("CAN_EDIT", [200, 200, 403]), ("CAN_MANAGE", [200] * 3)):
        grant = {"access_control_list": [{"user_name": "s@lab", "permission_level": level}]}
        assert lab.request("PUT", acl, grant)[1]["object_type"] == "dashboard"
        assert len(lab.request("GET", DASHBOARDS, caller=student)[1]["dashboards"]) == 1
        assert statuses() == expected
    assert lab.request("GET", acl)[0] == 404


def test_permissions_are_inherited_from_the_folder(lab: InProcessClient) -> None:
    id = draft(lab)[1]["dashboard_id"]
    permissions = lab.request("GET", f"/api/2.0/permissions/dashboards/{id}")[1]
    node = lab.workspace.state.objects.find_dashboard(id)
    assert node and permissions["object_id"] == f"/dashboards/{node.id}"
    held = {entry["group_name"]: entry["all_permissions"] for entry in permissions["access_control_list"]}
    assert {name: [one["inherited"] for one in levels] for name, levels in held.items()} == {
        "users": [True],
        "admins": [True],
    }


def test_generated_dashboards_are_listed_in_pages() -> None:
    lab = InProcessClient(files="users=3,files=200")
    found, token = [], ""
    while True:
        page = lab.request("GET", f"{DASHBOARDS}?page_size=2&page_token={token}")[1]
        found += [one["dashboard_id"] for one in page["dashboards"]]
        token = page.get("next_page_token")
        if not token:
            break
    assert found and len(found) == len(set(found))
    path = f"{DASHBOARDS}/{found[0]}"
    renamed = lab.request("PATCH", path, {"display_name": "Mine"})
    assert renamed[0] == 200 and lab.request("GET", path) == renamed
    assert lab.request("GET", f"/api/2.0/workspace/get-status?path={renamed[1]['path']}")[0] == 200
