"""Drift, work on clusters, and their uptime."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from emulator_process import EmulatorProcess
from workspace_calls import CLUSTERS, SCIM, cluster_details, control_refusal, create_cluster, grants, ok

pytestmark = pytest.mark.process

LIBRARY = {"pypi": {"package": "pandas==2.2.2"}}

Start = Callable[..., EmulatorProcess]

# --- drift


@pytest.fixture
def lab(emulator: EmulatorProcess) -> dict[str, str]:
    """A group with a student, and its cluster with a library and a permission."""
    ana = emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    group = {"displayName": "group_01", "members": [{"value": ana["id"]}]}
    group_id = ok(emulator, "POST", f"{SCIM}/Groups", group)["id"]
    made = create_cluster(emulator, custom_tags={"origin": "terraform"})
    ok(emulator, "POST", "/api/2.0/libraries/install", {"cluster_id": made, "libraries": [LIBRARY]})
    grant = {"group_name": "group_01", "permission_level": "CAN_RESTART"}
    ok(emulator, "PUT", f"/api/2.0/permissions/clusters/{made}", {"access_control_list": [grant]})
    return {"cluster": made, "group": group_id, "token": ana["token"], "user": ana["id"]}


def drift(emulator: EmulatorProcess, kind: str, target: str, value: Any = None) -> None:
    emulator.control("POST", "drift", {"kind": kind, "target": target, "value": value})


def test_pinned_and_unpinned_clusters_are_deleted_permanently(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    ok(emulator, "POST", f"{CLUSTERS}/pin", {"cluster_id": lab["cluster"]})
    drift(emulator, "delete_cluster", "cluster_01")
    assert emulator.request("GET", f"{CLUSTERS}/get?cluster_id={lab['cluster']}")[0] == 400


def test_a_cluster_made_in_the_user_interface_belongs_to_its_creator(emulator: EmulatorProcess) -> None:
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    spec = {"cluster_name": "mine", "spark_version": "15.4.x-cpu-ml-scala2.12", "node_type_id": "Standard_D16ds_v5"}
    drift(emulator, "ui_cluster", "ana@lab.example", spec | {"num_workers": 0, "data_security_mode": "SINGLE_USER"})
    (shown,) = ok(emulator, "GET", f"{CLUSTERS}/list?filter_by.cluster_sources=UI")["clusters"]
    expected = {
        "creator_user_name": "ana@lab.example",
        "cluster_source": "UI",
        "kind": "CLASSIC_PREVIEW",
        "is_single_node": True,
        "use_ml_runtime": False,
        "assigned_principal": "user:ana@lab.example",
    }
    assert {name: shown[name] for name in expected} == expected


@pytest.mark.parametrize("running", [True, False])
def test_a_cluster_is_resized_in_any_state(emulator: EmulatorProcess, lab: dict[str, str], running: bool) -> None:
    if not running:
        ok(emulator, "POST", f"{CLUSTERS}/delete", {"cluster_id": lab["cluster"]})
    drift(emulator, "resize", lab["cluster"], 3)
    read = cluster_details(emulator, lab["cluster"])
    assert (read["num_workers"], read["state"]) == (3, "RUNNING" if running else "TERMINATED")
    drift(emulator, "resize", lab["cluster"], {"min_workers": 1, "max_workers": 4})
    read = cluster_details(emulator, lab["cluster"])
    scale = {"min_workers": 1, "max_workers": 4} | ({"target_workers": 3} if running else {})
    assert (read["autoscale"], "num_workers" in read) == (scale, False)


def test_a_tag_is_changed_added_and_removed(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    drift(emulator, "tag", "cluster_01", {"origin": "by hand", "more": "1"})
    assert cluster_details(emulator, lab["cluster"])["custom_tags"] == {"origin": "by hand", "more": "1"}
    drift(emulator, "tag", "cluster_01", {"origin": None})
    assert cluster_details(emulator, lab["cluster"])["custom_tags"] == {"more": "1"}


def test_a_permission_is_changed_and_removed(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    drift(emulator, "permission", "cluster_01", {"group_name": "group_01", "permission_level": "CAN_ATTACH_TO"})
    assert grants(emulator, lab["cluster"])["group_01"] == "CAN_ATTACH_TO"
    drift(emulator, "permission", "cluster_01", {"group_name": "group_01", "permission_level": None})
    assert "group_01" not in grants(emulator, lab["cluster"])
    drift(
        emulator,
        "permission",
        f"/clusters/{lab['cluster']}",
        {"user_name": "ana@lab.example", "permission_level": "CAN_MANAGE"},
    )
    assert grants(emulator, lab["cluster"])["ana@lab.example"] == "CAN_MANAGE"
    drift(emulator, "permission", "cluster_01")
    assert grants(emulator, lab["cluster"]) == {}


def test_a_member_is_removed_and_added(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    def members() -> list[str]:
        group = ok(emulator, "GET", f"{SCIM}/Groups/{lab['group']}")
        return [member["display"] for member in group.get("members", [])]

    drift(emulator, "remove_member", "group_01", "ana@lab.example")
    assert members() == []
    drift(emulator, "add_member", lab["group"], lab["user"])
    assert len(members()) == 1


def test_the_definition_of_a_policy_is_changed(emulator: EmulatorProcess) -> None:
    made = ok(emulator, "POST", "/api/2.0/policies/clusters/create", {"name": "lab", "definition": "{}"})
    drift(emulator, "policy", "lab", {"num_workers": {"type": "fixed", "value": 1}})
    drift(emulator, "policy", "Personal Compute", '{"node_type_id": {"type": "unlimited"}}')
    path = "/api/2.0/policies/clusters"
    assert "num_workers" in ok(emulator, "GET", f"{path}/get?policy_id={made['policy_id']}")["definition"]
    (personal,) = [p for p in ok(emulator, "GET", f"{path}/list")["policies"] if p["name"] == "Personal Compute"]
    assert personal["policy_family_definition_overrides"] == '{"node_type_id": {"type": "unlimited"}}'


def test_a_library_is_uninstalled(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    drift(emulator, "uninstall_library", "cluster_01", "pandas")
    answer = ok(emulator, "GET", f"/api/2.0/libraries/cluster-status?cluster_id={lab['cluster']}")
    assert [entry["status"] for entry in answer["library_statuses"]] == ["UNINSTALL_ON_RESTART"]


def test_an_account_group_is_assigned(emulator: EmulatorProcess) -> None:
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    drift(emulator, "account_group", "students", ["ana@lab.example"])
    found = ok(emulator, "GET", f"{SCIM}/Groups?filter=displayName%20eq%20%22students%22")["Resources"]
    assert [group["meta"]["resourceType"] for group in found] == ["Group"]
    assert emulator.request("DELETE", f"{SCIM}/Groups/{found[0]['id']}")[0] == 403


def test_a_metastore_is_assigned_and_unassigned(emulator: EmulatorProcess) -> None:
    path = "/api/2.1/unity-catalog/current-metastore-assignment"
    metastore = "5a0c6d3e-1f5b-4c0a-9d0e-3f2b1a4c5d6e"
    assert emulator.request("GET", path)[0] == 404
    drift(emulator, "metastore", metastore)
    assert ok(emulator, "GET", path)["metastore_id"] == metastore
    drift(emulator, "metastore", metastore, False)
    assert emulator.request("GET", path)[0] == 404


def test_a_warehouse_for_all_users_is_added(emulator: EmulatorProcess) -> None:
    drift(emulator, "warehouse", "Another Warehouse")
    ana = emulator.control("POST", "users", {"user_name": "ana@lab.example"})["token"]
    seen = ok(emulator, "GET", "/api/2.0/sql/warehouses", token=ana)["warehouses"]
    assert [warehouse["name"] for warehouse in seen] == ["Serverless Starter Warehouse", "Another Warehouse"]


def test_drift_requests_are_not_logged(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    before = len(emulator.request_log())
    drift(emulator, "resize", "cluster_01", 2)
    assert len(emulator.request_log()) == before


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "kind: Field required; target: Field required"),
        ({"kind": "nope", "target": "x"}, "kind: unknown kind 'nope'; use one of delete_cluster, resize, tag"),
        ({"kind": "resize", "target": "cluster_99", "value": 1}, "target: no cluster is named 'cluster_99'"),
        ({"kind": "resize", "target": "cluster_01", "value": "big"}, "value: a number of workers, or"),
        ({"kind": "tag", "target": "cluster_01"}, 'value: {"key": "value"}'),
        (
            {"kind": "permission", "target": "cluster_01", "value": {"permission_level": "CAN_MANAGE"}},
            "value: null, or",
        ),
        ({"kind": "remove_member", "target": "group_99", "value": "a"}, "no 'group_99' among the groups"),
        ({"kind": "remove_member", "target": "group_01", "value": "zoe@x"}, "no 'zoe@x' among the users"),
        ({"kind": "policy", "target": "nope", "value": "{}"}, "target: no policy 'nope' exists"),
        ({"kind": "uninstall_library", "target": "cluster_01", "value": "numpy"}, "value: one of the libraries of"),
    ],
)
def test_an_invalid_drift_is_reported(
    emulator: EmulatorProcess, lab: dict[str, str], body: dict[str, Any], sentence: str
) -> None:
    assert sentence in control_refusal(emulator, "drift", body)


# --- work and uptime


def test_work_keeps_a_cluster_from_idling(emulator: EmulatorProcess) -> None:
    made = create_cluster(emulator, autotermination_minutes=30)
    emulator.control("POST", "work", {"cluster_id": made, "seconds": 7200})
    emulator.control("POST", "clock", {"advance_seconds": 7000})
    assert cluster_details(emulator, made)["state"] == "RUNNING"
    emulator.control("POST", "clock", {"advance_seconds": 200 + 1800 + 60})
    read = cluster_details(emulator, made)
    assert (read["state"], read["termination_reason"]["code"]) == ("TERMINATED", "INACTIVITY")


def test_work_starts_a_cluster_with_the_permissions_of_its_user(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    ok(emulator, "POST", f"{CLUSTERS}/delete", {"cluster_id": lab["cluster"]})
    body = {"cluster_id": lab["cluster"], "seconds": 60, "token": lab["token"]}
    drift(emulator, "permission", "cluster_01", {"group_name": "group_01", "permission_level": "CAN_ATTACH_TO"})
    status, answer = emulator.request("POST", "/_emulator/work", body)
    assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED")
    assert f"do not have permission to autostart {lab['cluster']}" in answer["message"]
    drift(emulator, "permission", "cluster_01", {"group_name": "group_01", "permission_level": "CAN_RESTART"})
    emulator.control("POST", "work", body)
    assert cluster_details(emulator, lab["cluster"])["state"] == "RUNNING"
    answer = emulator.control("GET", f"uptime?cluster_id={lab['cluster']}")
    assert answer["sessions"][-1]["started_by"] == "ana@lab.example"


def test_work_without_permission_is_rejected(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    zoe = emulator.control("POST", "users", {"user_name": "zoe@lab.example"})["token"]
    body = {"cluster_id": lab["cluster"], "seconds": 60, "token": zoe}
    assert emulator.request("POST", "/_emulator/work", body)[0] == 403
    assert emulator.request("POST", "/_emulator/work", {**body, "token": "dapi0"})[0] == 403


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "seconds: Field required"),
        ({"cluster_id": "x", "seconds": 0}, "seconds: Input should be greater than 0"),
        ({"cluster_id": "0101-000000-abcd1234", "seconds": 5}, "Cluster 0101-000000-abcd1234 does not exist"),
    ],
)
def test_invalid_work_is_reported(emulator: EmulatorProcess, body: dict[str, Any], sentence: str) -> None:
    assert sentence in control_refusal(emulator, "work", body)


def test_uptime_is_counted_between_two_instants(start_emulator: Start) -> None:
    emulator = start_emulator("--transition-seconds", 60, "--speed", 0)
    made = create_cluster(emulator, autotermination_minutes=0)
    emulator.control("POST", "clock", {"advance_seconds": 600})
    (session,) = emulator.control("GET", f"uptime?cluster_id={made}")["sessions"]
    start = datetime.fromisoformat(session["start"])
    assert session == {"start": session["start"], "end": None, "started_by": "admin@lab.example"}
    emulator.control("POST", "clock", {"now": (start + timedelta(hours=2)).isoformat()})
    ok(emulator, "POST", f"{CLUSTERS}/delete", {"cluster_id": made})
    emulator.control("POST", "clock", {"advance_seconds": 3600})

    def uptime(**query: datetime) -> int:
        arguments = "".join(f"&{name.rstrip('_')}={value.isoformat()}" for name, value in query.items())
        return int(emulator.control("GET", f"uptime?cluster_id={made}{arguments}")["milliseconds"])

    hour = timedelta(hours=1)
    assert uptime() == 2 * 3_600_000
    assert uptime(from_=start + hour) == 3_600_000
    assert uptime(to=start + hour) == 3_600_000
    assert uptime(from_=start + hour / 2, to=start + hour) == 1_800_000
    assert uptime(from_=start - 5 * hour, to=start) == 0
    assert uptime(from_=start + 9 * hour) == 0


def test_uptime_is_kept_after_a_cluster_is_deleted(emulator: EmulatorProcess) -> None:
    made = create_cluster(emulator)
    drift(emulator, "delete_cluster", made)
    assert len(emulator.control("GET", f"uptime?cluster_id={made}")["sessions"]) == 1
    assert emulator.control("GET", "uptime?cluster_id=unknown") == {"milliseconds": 0, "sessions": []}


@pytest.mark.parametrize("query", ["", "?cluster_id=a&from=yesterday", "?cluster_id=a&since=2026-01-01T00:00:00Z"])
def test_an_invalid_uptime_query_is_reported(emulator: EmulatorProcess, query: str) -> None:
    status, answer = emulator.request("GET", f"/_emulator/uptime{query}")
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "?cluster_id=&from=ISO&to=ISO" in answer["message"]
