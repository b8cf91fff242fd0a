"""Cluster lists have the same fields, messages and times as in a real workspace."""

from __future__ import annotations

from typing import Any

import pytest

from in_process_workspace import CLUSTERS, SPEC, InProcessWorkspace

ANA = "ana@lab.example"
MINUTE = 60_000


def listed(workspace: InProcessWorkspace, cluster_id: str) -> dict[str, Any]:
    shown = workspace.call("GET", f"{CLUSTERS}list")["clusters"]
    return next(cluster for cluster in shown if cluster["cluster_id"] == cluster_id)


def chosen(shown: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: shown[name] for name in names if name in shown}


def test_a_list_has_the_times_of_a_launch_of_five_minutes() -> None:
    workspace = InProcessWorkspace(transition_seconds=300)
    created = workspace.now
    cluster_id = workspace.create()
    times = ("start_time", "last_restarted_time", "terminated_time", "driver")
    assert chosen(listed(workspace, cluster_id), *times) == {"start_time": created}
    workspace.advance(300)
    shown = listed(workspace, cluster_id)
    assert chosen(shown, *times[:3]) == {"start_time": created, "last_restarted_time": created + 5 * MINUTE}
    assert shown["driver"]["start_timestamp"] == created + 5 * MINUTE - 85_000
    driver = shown["driver"]
    workspace.advance(600)
    workspace.post("restart", cluster_id)
    assert "driver" not in listed(workspace, cluster_id)
    workspace.advance(300)
    shown = listed(workspace, cluster_id)
    assert chosen(shown, *times[:3]) == {"start_time": created, "last_restarted_time": created + 15 * MINUTE}
    assert shown["driver"] == driver
    workspace.post("delete", cluster_id)
    reason = {"code": "USER_REQUEST", "type": "SUCCESS", "parameters": {"username": "admin@lab.example"}}
    ends = ("terminated_time", "termination_reason")
    assert chosen(listed(workspace, cluster_id), *ends) == {}
    workspace.advance(300)
    expected = {"terminated_time": created + 25 * MINUTE, "termination_reason": reason}
    assert chosen(listed(workspace, cluster_id), *ends) == expected
    workspace.post("start", cluster_id)
    assert chosen(listed(workspace, cluster_id), *ends) == {}


def test_machines_of_a_short_launch_start_with_it(workspace: InProcessWorkspace) -> None:
    launched = workspace.now
    shown = listed(workspace, workspace.create_running(num_workers=2))
    starts = {node["start_timestamp"] for node in (shown["driver"], *shown["executors"])}
    assert (starts, shown["last_restarted_time"]) == ({launched}, launched + 2000)


def test_a_resize_shows_how_far_it_is(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running(num_workers=1)
    workspace.post("resize", cluster_id, num_workers=4)
    seen = []
    for seconds in (0, 0.999, 0.001, 0.999, 0.001):
        workspace.advance(seconds)
        shown = listed(workspace, cluster_id)
        seen.append((shown["state"], shown["state_message"]))
    finding = "Finding instances for new nodes, acquiring more instances if necessary"
    assert seen == [
        ("RESIZING", finding),
        ("RESIZING", finding),
        ("RESIZING", "Setting up 3 nodes."),
        ("RESIZING", "Setting up 3 nodes."),
        ("RUNNING", ""),
    ]


@pytest.mark.parametrize(
    ("fields", "version"),
    [
        ({}, "15.4.x-scala2.12"),
        ({"runtime_engine": "PHOTON"}, "15.4.x-photon-scala2.12"),
        ({"runtime_engine": "STANDARD"}, "15.4.x-scala2.12"),
        ({"use_ml_runtime": True}, "15.4.x-cpu-ml-scala2.12"),
        ({"use_ml_runtime": True, "node_type_id": "Standard_NC4as_T4_v3"}, "15.4.x-gpu-ml-scala2.12"),
        ({"spark_version": "15.4.x-cpu-ml-scala2.12"}, "15.4.x-cpu-ml-scala2.12"),
    ],
)
def test_the_effective_version_names_the_build(
    workspace: InProcessWorkspace, fields: dict[str, Any], version: str
) -> None:
    shown = listed(workspace, workspace.create(**fields))
    wanted = chosen(SPEC | fields, "spark_version")
    names = ("spark_version", "effective_spark_version", "release_version")
    assert chosen(shown, *names) == wanted | {"effective_spark_version": version, "release_version": "15.4.7"}


def test_machines_come_from_a_node_type_or_a_pool(workspace: InProcessWorkspace) -> None:
    names = ("instance_source", "driver_instance_source")
    shown = listed(workspace, workspace.create(driver_node_type_id="Standard_DS4_v2"))
    types = ({"node_type_id": "Standard_DS3_v2"}, {"node_type_id": "Standard_DS4_v2"})
    assert chosen(shown, *names) == dict(zip(names, types, strict=True))
    body = {"instance_pool_name": "p", "node_type_id": "Standard_DS3_v2", "idle_instance_autotermination_minutes": 0}
    pool_id = workspace.call("POST", "/api/2.0/instance-pools/create", body)["instance_pool_id"]
    spec = {name: value for name, value in SPEC.items() if name != "node_type_id"} | {"instance_pool_id": pool_id}
    pooled = workspace.call("POST", f"{CLUSTERS}create", spec)["cluster_id"]
    source = {"instance_pool_id": pool_id}
    assert chosen(listed(workspace, pooled), *names) == {names[0]: source, names[1]: source}


def test_spot_machines_follow_those_on_demand(workspace: InProcessWorkspace) -> None:
    azure = {"availability": "SPOT_WITH_FALLBACK_AZURE", "first_on_demand": 2}
    shown = listed(workspace, workspace.create_running(num_workers=2, azure_attributes=azure))
    nodes = [shown["driver"], *shown["executors"]]
    assert [node["node_attributes"] for node in nodes] == [{"is_spot": False}, {"is_spot": False}, {"is_spot": True}]
    assert {node["ngrok_endpoint_base_domain"] for node in nodes} == {"westeurope.tunnel.azuredatabricks.invalid"}
    assert shown["driver_healthy"] is True


def test_a_dedicated_cluster_names_its_principal(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user(ANA)
    workspace.group("group_01", ana)
    principals = []
    for name in (ANA, "group_01"):
        cluster_id = workspace.create(data_security_mode="SINGLE_USER", single_user_name=name)
        principals.append(listed(workspace, cluster_id)["assigned_principal"])
    assert principals == [f"user:{ANA}", "group:group_01"]
    assert "assigned_principal" not in listed(workspace, workspace.create(data_security_mode="USER_ISOLATION"))


def test_a_pinned_cluster_names_the_id_of_who_pinned_it(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create()
    seen = [listed(workspace, cluster_id).get("pinned_by_user_name")]
    for action in ("pin", "unpin"):
        workspace.post(action, cluster_id)
        seen.append(listed(workspace, cluster_id).get("pinned_by_user_name"))
    assert seen == [None, workspace.emulated.administrator.id, None]


def test_logs_are_delivered_every_five_minutes_and_at_the_end(workspace: InProcessWorkspace) -> None:
    log = {"dbfs": {"destination": "dbfs:/logs"}}
    cluster_id = workspace.create(cluster_log_conf=log, autotermination_minutes=0)
    assert "cluster_log_status" not in listed(workspace, cluster_id)
    workspace.advance(2)
    began = workspace.now
    seen = []
    for seconds in (0, 299, 1, 400):
        workspace.advance(seconds)
        seen.append(listed(workspace, cluster_id)["cluster_log_status"]["last_attempted"] - began)
    workspace.post("delete", cluster_id)
    workspace.advance(2)
    shown = listed(workspace, cluster_id)
    assert (seen, shown["cluster_log_status"]) == (
        [0, 0, 300_000, 600_000],
        {"last_attempted": shown["terminated_time"]},
    )


def test_autoscaling_shows_its_target_only_while_it_runs(workspace: InProcessWorkspace) -> None:
    scale = {"min_workers": 1, "max_workers": 3}
    cluster_id = workspace.create(num_workers=None, autoscale=scale)
    seen = [listed(workspace, cluster_id)["autoscale"]]
    workspace.advance(2)
    shown = workspace.get(cluster_id)
    assert (seen, shown["autoscale"], shown["spec"]["autoscale"]) == ([scale], scale | {"target_workers": 1}, scale)


def test_default_tags_have_those_of_the_resource_group(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create()
    assert listed(workspace, cluster_id)["default_tags"] == {
        "Vendor": "Databricks",
        "Creator": "admin@lab.example",
        "ClusterName": "cluster_01",
        "ClusterId": cluster_id,
        "application": "databricks",
        "databricks-environment": "true",
    }
