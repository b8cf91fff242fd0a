"""Clusters in the emulated workspace: definition, states, permissions, lists."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.api.errors import ApiError
from emulator.clusters.definition import apply_update_mask
from emulator.models.clusters import LaunchFailure
from emulator.reference import node_types
from emulator.state.state import dump_json, load_json
from emulator_process import EmulatorProcess
from in_process_workspace import CLUSTERS, SPEC, InProcessWorkspace

ANA, DAN = "ana@lab.example", "dan@lab.example"
DAY = 24 * 3600


def test_a_cluster_is_pending_and_runs_one_transition_later(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create()
    assert workspace.state(cluster_id) == "PENDING"
    workspace.advance(1.999)
    assert workspace.state(cluster_id) == "PENDING"
    workspace.advance(0.001)
    assert workspace.state(cluster_id) == "RUNNING"


def test_sent_fields_are_returned_and_only_known_defaults_are_added(workspace: InProcessWorkspace) -> None:
    sent = {
        "cluster_name": "c",
        "spark_version": "15.4.x-scala2.12",
        "node_type_id": "Standard_DS3_v2",
        "autoscale": {"min_workers": 1, "max_workers": 2},
        "spark_conf": {"b": "2", "a": "1"},
        "custom_tags": {"origin": "terraform"},
        "init_scripts": [{"workspace": {"destination": "/x"}}, {"workspace": {"destination": "/a"}}],
        "docker_image": {"url": "x", "basic_auth": {"username": "u", "password": "p"}},
        "workload_type": {"clients": {"jobs": False, "notebooks": True}},
        "azure_attributes": {"first_on_demand": 1, "spot_bid_max_price": -1},
        "data_security_mode": "NONE",
        "autotermination_minutes": 0,
    }
    shown = workspace.get(workspace.call("POST", f"{CLUSTERS}create", sent)["cluster_id"])
    assert {name: shown[name] for name in sent} == sent
    assert shown["spec"] == sent
    filled_in = set(shown) - set(sent) - {"spec"}
    assert filled_in == {
        "cluster_id", "creator_user_name", "cluster_source", "state", "state_message", "start_time", "default_tags",
        "last_state_loss_time", "driver_node_type_id", "enable_elastic_disk", "enable_local_disk_encryption",
        "effective_spark_version", "release_version", "instance_source", "driver_instance_source", "disk_spec",
        "init_scripts_safe_mode",
    }  # fmt: skip


def test_a_running_cluster_shows_its_machines(workspace: InProcessWorkspace) -> None:
    shown = workspace.get(workspace.create_running(num_workers=3))
    assert (shown["cluster_cores"], shown["cluster_memory_mb"], len(shown["executors"])) == (16.0, 4 * 14336, 3)
    assert shown["driver"]["node_id"] not in [executor["node_id"] for executor in shown["executors"]]
    assert "num_workers" not in workspace.get(
        workspace.create_running(num_workers=None, autoscale={"min_workers": 1, "max_workers": 2})
    )


def test_a_dedicated_cluster_is_for_its_creator_by_default(workspace: InProcessWorkspace) -> None:
    ana, cluster_id = workspace.create_user(ANA), workspace.create_running(data_security_mode="SINGLE_USER")
    assert workspace.get(cluster_id)["single_user_name"] == "admin@lab.example"
    workspace.grant(cluster_id, ana, "CAN_MANAGE")
    workspace.post("edit", cluster_id, ana, **(SPEC | {"data_security_mode": "SINGLE_USER"}))
    assert workspace.get(cluster_id)["single_user_name"] == "admin@lab.example"
    assert "single_user_name" not in workspace.get(workspace.create(data_security_mode="USER_ISOLATION"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"spark_version": None}, "Missing required field: spark_version"),
        ({"spark_version": "99.9.x-scala2.12"}, "Invalid spark version 99.9.x-scala2.12."),
        ({"node_type_id": "m5.large"}, "Node type m5.large is not supported."),
        ({"node_type_id": None}, "Missing required field: node_type_id or instance_pool_id"),
        ({"num_workers": None}, "Exactly 1 of num_workers or autoscale must be specified."),
        ({"num_workers": -1}, "num_workers must be a non-negative integer, not -1."),
        ({"num_workers": None, "autoscale": {"min_workers": 3, "max_workers": 2}}, "autoscale: max_workers (2)"),
        ({"autotermination_minutes": 5}, "autotermination_minutes must be 0 or between 10 and 10000 minutes, not 5."),
        ({"custom_tags": {str(n): "x" for n in range(46)}}, "A cluster can have at most 45 custom tags."),
        ({"custom_tags": {"Name": "x"}}, "The key 'Name' cannot be used for a custom tag"),
        ({"custom_tags": {"": "x"}}, "The key of a custom tag must have 1 to 512 characters, not 0."),
        ({"custom_tags": {"k" * 513: "x"}}, "The key of a custom tag must have 1 to 512 characters, not 513."),
        ({"custom_tags": {"a/b": "x"}}, "The key 'a/b' of a custom tag must not contain any of %&*+/;<>?\\"),
        ({"custom_tags": {"קבוצה": "x"}}, "The key 'קבוצה' of a custom tag can only contain characters of ISO 8859-1"),
        ({"instance_pool_id": "pool-1"}, "The field 'node_type_id' cannot be supplied when an instance pool ID"),
        ({"instance_pool_id": "pool-1", "node_type_id": None}, "Can't find an instance pool with ID: pool-1."),
    ],
)
def test_an_invalid_cluster_is_rejected(workspace: InProcessWorkspace, fields: dict[str, Any], words: str) -> None:
    spec = {name: value for name, value in (SPEC | fields).items() if value is not None}
    status, code, message = workspace.refusal("POST", f"{CLUSTERS}create", spec)
    assert (status, code, message[: len(words)]) == (400, "INVALID_PARAMETER_VALUE", words)


def test_custom_tags_may_have_long_keys_and_any_characters_in_values(workspace: InProcessWorkspace) -> None:
    tags = {"k" * 512: "", "équipe (1): a_b-c.d=e@f": "קבוצה <1/2>"}
    assert workspace.get(workspace.create(custom_tags=tags))["custom_tags"] == tags


def test_a_workspace_without_legacy_features_rejects_old_runtimes() -> None:
    workspace = InProcessWorkspace(dbfs=False)
    for fields in ({"spark_version": "12.2.x-scala2.12"}, {"data_security_mode": "NONE"}):
        assert "legacy features are disabled" in workspace.refusal("POST", f"{CLUSTERS}create", SPEC | fields)[2]
    assert workspace.create_running(spark_version="13.3.x-scala2.12", data_security_mode="USER_ISOLATION")


def test_equal_idempotency_tokens_return_the_same_cluster(workspace: InProcessWorkspace) -> None:
    assert workspace.create(idempotency_token="t") == workspace.create(idempotency_token="t") != workspace.create()


VERBS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("start", {}), ("restart", {}), ("edit", SPEC), ("resize", {"num_workers": 2}),
    ("update", {"update_mask": "num_workers", "cluster": {"num_workers": 2}}),
)  # fmt: skip


def in_state(workspace: InProcessWorkspace, state: str) -> str:
    cluster_id = workspace.create() if state == "PENDING" else workspace.create_running()
    steps: dict[str, tuple[str, dict[str, Any]]] = {
        "RESTARTING": ("restart", {}),
        "RESIZING": ("resize", {"num_workers": 2}),
    }
    if state in steps:
        verb, fields = steps[state]
        workspace.post(verb, cluster_id, **fields)
    elif state.startswith("TERMINAT"):
        workspace.post("delete", cluster_id)
        workspace.advance(2 if state == "TERMINATED" else 0)
    assert workspace.state(cluster_id) == state
    return cluster_id


@pytest.mark.parametrize("state", ["PENDING", "RESTARTING", "RESIZING", "TERMINATING", "RUNNING", "TERMINATED"])
@pytest.mark.parametrize(("verb", "fields"), VERBS)
def test_a_request_in_the_wrong_state_is_rejected(
    workspace: InProcessWorkspace, state: str, verb: str, fields: dict[str, Any]
) -> None:
    allowed = {"start": {"TERMINATED"}, "restart": {"RUNNING"}, "resize": {"RUNNING"}}
    cluster_id = in_state(workspace, state)
    if state in allowed.get(verb, {"RUNNING", "TERMINATED"}):
        workspace.post(verb, cluster_id, **fields)
        return
    refused = workspace.refusal("POST", CLUSTERS + verb, {"cluster_id": cluster_id} | fields)
    words = f"Cluster {cluster_id} is in unexpected state {state.capitalize()}."
    assert refused == (400, "INVALID_STATE", words)


def test_terminate_is_allowed_in_every_state(workspace: InProcessWorkspace) -> None:
    for state in ("PENDING", "RUNNING", "RESTARTING", "RESIZING", "TERMINATING", "TERMINATED"):
        cluster_id = in_state(workspace, state)
        workspace.post("delete", cluster_id)
        workspace.advance(2)
        assert workspace.state(cluster_id) == "TERMINATED"
        assert workspace.types(cluster_id).count("TERMINATING") == 1


def test_the_termination_reason_contains_the_user(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    workspace.post("delete", cluster_id)
    ended = workspace.now + 2000
    workspace.advance(2)
    shown = workspace.get(cluster_id)
    reason = {"code": "USER_REQUEST", "type": "SUCCESS", "parameters": {"username": "admin@lab.example"}}
    assert (shown["termination_reason"], shown["terminated_time"]) == (reason, ended)
    assert "driver" not in shown


def test_an_edit_restarts_only_a_running_cluster(workspace: InProcessWorkspace) -> None:
    running, stopped = workspace.create_running(), workspace.create_stopped()
    for cluster_id in (running, stopped):
        workspace.post("edit", cluster_id, **(SPEC | {"custom_tags": {"a": "b"}}))
        assert workspace.get(cluster_id)["custom_tags"] == {"a": "b"}
    assert (workspace.state(running), workspace.state(stopped)) == ("RESTARTING", "TERMINATED")
    workspace.advance(2)
    assert workspace.state(running) == "RUNNING"


def test_an_update_changes_only_the_fields_in_its_mask(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_stopped(custom_tags={"a": "1"}, spark_conf={"x": "1"})
    workspace.post(
        "update",
        cluster_id,
        update_mask="custom_tags,spark_conf,autoscale",
        cluster={"custom_tags": {"b": "2"}, "autoscale": {"min_workers": 1, "max_workers": 4}, "cluster_name": "no"},
    )
    shown = workspace.get(cluster_id)
    assert (shown["custom_tags"], shown["autoscale"]) == ({"b": "2"}, {"min_workers": 1, "max_workers": 4})
    assert not {"spark_conf", "num_workers"} & shown.keys()
    assert shown["cluster_name"] == "cluster_01"


def test_a_mask_selects_a_nested_field() -> None:
    assert apply_update_mask({"a": {"x": 1, "y": 2}}, "a.x", {"a": {"x": 3}}) == {"a": {"x": 3, "y": 2}}
    assert apply_update_mask({"a": {"x": 1}}, "a.x", {}) == {"a": {}}
    assert apply_update_mask({"a": 1}, "*", {"b": 2}) == {"b": 2}
    with pytest.raises(ApiError, match="update_mask"):
        apply_update_mask({}, " ", {"b": 2})


def test_an_idle_cluster_terminates_after_its_idle_minutes(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running(autotermination_minutes=10)
    workspace.advance(599.999)
    assert workspace.state(cluster_id) == "RUNNING"
    workspace.advance(0.001)
    shown = workspace.get(cluster_id)
    assert (shown["state"], shown["state_message"]) == (
        "TERMINATING",
        "Inactive cluster terminated (inactive for 10 minutes).",
    )
    assert not {"termination_reason", "terminated_time", "driver"} & shown.keys()
    workspace.advance(2)
    assert workspace.get(cluster_id)["termination_reason"] == {
        "code": "INACTIVITY", "type": "SUCCESS", "parameters": {"inactivity_duration_min": "10"},
    }  # fmt: skip


def test_a_clock_jump_terminates_an_idle_cluster_at_the_due_time(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running(autotermination_minutes=10)
    due = workspace.now + 600_000
    workspace.advance(30 * DAY)
    assert workspace.get(cluster_id)["terminated_time"] == due + 2000


def test_zero_minutes_disable_autotermination(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running(autotermination_minutes=0)
    workspace.advance(365 * DAY)
    assert workspace.state(cluster_id) == "RUNNING"


def test_failed_launches_have_a_reason_and_later_launches_succeed(workspace: InProcessWorkspace) -> None:
    workspace.emulated.state.clusters.set_launch_failures([LaunchFailure("cluster_0*", count=1)])
    failing, other = workspace.create(), workspace.create(cluster_name="another")
    workspace.advance(4)
    shown = workspace.get(failing)
    assert (shown["state"], shown["termination_reason"]["type"]) == ("TERMINATED", "CLOUD_FAILURE")
    assert "cluster_01" in shown["state_message"] and "driver" not in shown
    assert workspace.types(failing) == ["CREATING", "TERMINATING"]
    assert workspace.state(other) == "RUNNING"
    workspace.post("start", failing)
    workspace.advance(2)
    assert workspace.state(failing) == "RUNNING"


def test_a_failed_launch_can_have_error_events(workspace: InProcessWorkspace) -> None:
    failure = LaunchFailure(troubles=["METASTORE_DOWN", "A_TYPE_OF_TOMORROW"], seconds=9, count=2)
    workspace.emulated.state.clusters.set_launch_failures([failure])
    cluster_id, called_off, t = workspace.create(), workspace.create(cluster_name="another"), workspace.now
    workspace.advance(4)
    workspace.post("delete", called_off)
    workspace.advance(7)
    recorded = [(event["timestamp"] - t, event["type"]) for event in workspace.events(cluster_id)]
    assert recorded == [(0, "CREATING"), (3000, "METASTORE_DOWN"), (6000, "A_TYPE_OF_TOMORROW"), (9000, "TERMINATING")]
    assert workspace.types(called_off) == ["CREATING", "METASTORE_DOWN", "TERMINATING"]


def test_a_cluster_in_state_error_can_be_started_again(workspace: InProcessWorkspace) -> None:
    workspace.emulated.state.clusters.set_launch_failures([LaunchFailure(ends_in="ERROR")])
    cluster_id = workspace.create()
    workspace.advance(4)
    assert workspace.state(cluster_id) == "ERROR"
    workspace.post("start", cluster_id)
    workspace.advance(2)
    assert workspace.state(cluster_id) == "RUNNING"


def test_an_unknown_cluster_has_the_message_that_clients_check(workspace: InProcessWorkspace) -> None:
    words = "Cluster 1-2-x does not exist"
    assert workspace.refusal("GET", f"{CLUSTERS}get?cluster_id=1-2-x") == (400, "INVALID_PARAMETER_VALUE", words)
    for verb, fields in (*VERBS, ("delete", {}), ("pin", {}), ("events", {})):
        refused = workspace.refusal("POST", CLUSTERS + verb, {"cluster_id": "1-2-x"} | fields)
        assert refused == (400, "INVALID_PARAMETER_VALUE", words)
    refused = workspace.refusal("POST", f"{CLUSTERS}permanent-delete", {"cluster_id": "1-2-x"})
    assert refused[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_removed_cluster_keeps_only_its_uptime(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    workspace.advance(60)
    workspace.post("permanent-delete", cluster_id)
    state = workspace.emulated.state
    assert (state.clusters.by_id, state.clusters.events, state.acls.direct.get(f"/clusters/{cluster_id}")) == (
        {}, {}, None,
    )  # fmt: skip
    assert [entry.kind for entry in state.scheduler.entries] == []
    assert [(one.end or 0) - one.start for one in state.clusters.sessions[cluster_id]] == [60_000]


def test_a_pinned_cluster_cannot_be_removed(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_stopped()
    workspace.post("pin", cluster_id)
    _, _, message = workspace.refusal("POST", f"{CLUSTERS}permanent-delete", {"cluster_id": cluster_id})
    assert message == f"Cannot delete pinned cluster {cluster_id}. Please ask an admin to unpin the cluster first."
    workspace.post("unpin", cluster_id)
    assert workspace.post("permanent-delete", cluster_id) == {}


def test_a_hundred_clusters_can_be_pinned(workspace: InProcessWorkspace) -> None:
    ids = [workspace.create(cluster_name=f"c{number}") for number in range(101)]
    for cluster_id in ids[:100]:
        workspace.post("pin", cluster_id)
    workspace.post("pin", ids[0])
    assert "100 pinned clusters" in workspace.refusal("POST", f"{CLUSTERS}pin", {"cluster_id": ids[100]})[2]
    workspace.post("unpin", ids[0])
    workspace.post("pin", ids[100])


def listed(workspace: InProcessWorkspace, query: str = "", user: Any = None) -> list[str]:
    path = f"{CLUSTERS}list?{query}"
    return [shown["cluster_name"] for shown in workspace.call("GET", path, user=user).get("clusters", ())]


def test_lists_are_filtered_sorted_and_paged(workspace: InProcessWorkspace) -> None:
    stopped = workspace.create_stopped(cluster_name="a")
    workspace.create_running(cluster_name="c")
    workspace.create_running(cluster_name="b")
    assert listed(workspace) == ["b", "c", "a"]
    workspace.post("pin", stopped)
    assert listed(workspace, "filter_by.is_pinned=True") == ["a"]
    assert listed(workspace, "filter_by.cluster_states=RUNNING&filter_by.cluster_states=PENDING") == ["b", "c"]
    assert listed(workspace, "filter_by.cluster_sources=JOB") == []
    assert listed(workspace, "filter_by.policy_id=ABC") == []
    assert listed(workspace, "sort_by.field=CLUSTER_NAME&sort_by.direction=DESC") == ["c", "b", "a"]
    first = workspace.call("GET", f"{CLUSTERS}list?sort_by.field=CLUSTER_NAME&page_size=2")
    rest = f"sort_by.field=CLUSTER_NAME&page_size=2&page_token={first['next_page_token']}"
    assert listed(workspace, rest) == ["c"]
    second = workspace.call("GET", f"{CLUSTERS}list?{rest}")
    assert (first["prev_page_token"], second["next_page_token"]) == ("", "")
    assert listed(workspace, f"sort_by.field=CLUSTER_NAME&page_size=2&page_token={second['prev_page_token']}") == [
        "a",
        "b",
    ]
    assert "spec" not in first["clusters"][0]


def test_the_older_list_is_not_paged(workspace: InProcessWorkspace) -> None:
    assert workspace.call("GET", "/api/2.0/clusters/list") == {}
    for number in range(103):
        workspace.create(cluster_name=str(number))
    assert len(workspace.call("GET", "/api/2.0/clusters/list?page_size=5")["clusters"]) == 103
    assert len(listed(workspace)) == 100


def test_an_unpinned_cluster_is_listed_for_30_and_readable_for_60_days(
    workspace: InProcessWorkspace,
) -> None:
    ends, pinned = workspace.create_stopped(cluster_name="ends"), workspace.create_stopped(cluster_name="pinned")
    workspace.post("pin", pinned)
    workspace.advance(29 * DAY)
    assert listed(workspace) == ["pinned", "ends"]
    workspace.advance(1.1 * DAY)
    assert listed(workspace) == ["pinned"]
    assert workspace.state(ends) == "TERMINATED"
    workspace.advance(30 * DAY)
    _, code, message = workspace.refusal("GET", f"{CLUSTERS}get?cluster_id={ends}")
    assert (code, message) == (
        "INVALID_STATE",
        f"Cannot access cluster {ends} that was terminated or unpinned more than 30 days ago.",
    )
    workspace.post("unpin", pinned)
    assert listed(workspace) == ["pinned"]
    workspace.advance(31 * DAY)
    assert (listed(workspace), workspace.state(pinned)) == ([], "TERMINATED")


def test_each_level_allows_its_requests(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user(ANA)
    cluster_id = workspace.create_running()
    calls: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "CAN_ATTACH_TO": [("events", {})],
        "CAN_RESTART": [("restart", {}), ("delete", {}), ("start", {})],
        "CAN_MANAGE": [("edit", SPEC), ("resize", {"num_workers": 2}), ("permanent-delete", {})],
    }
    words = {"CAN_ATTACH_TO": "Attach", "CAN_RESTART": "Restart", "CAN_MANAGE": "Manage"}
    levels = [None, *calls]
    for held in levels:
        workspace.grant(cluster_id, ana, held)
        for level, verbs in calls.items():
            if levels.index(level) <= levels.index(held):
                continue
            for verb, fields in verbs:
                refused = workspace.refusal("POST", CLUSTERS + verb, {"cluster_id": cluster_id} | fields, ana)
                text = f"{ANA} does not have {words[level]} permissions on {cluster_id}. "
                text += "Please contact the owner or an administrator for access."
                assert refused == (403, "PERMISSION_DENIED", text)
    for verbs in calls.values():
        for verb, fields in verbs:
            workspace.post(verb, cluster_id, ana, **fields)
            workspace.advance(4)


def test_a_list_has_only_clusters_that_the_caller_may_attach_to(workspace: InProcessWorkspace) -> None:
    ana, dan = workspace.create_user(ANA), workspace.create_user(DAN)
    mine = workspace.create(cluster_name="of the group")
    workspace.create(cluster_name="of others")
    workspace.grant(mine, workspace.group("group_01", ana), "CAN_ATTACH_TO")
    assert (listed(workspace, user=ana), listed(workspace, user=dan)) == (["of the group"], [])
    assert workspace.get(mine, ana)["cluster_name"] == "of the group"
    assert workspace.refusal("GET", f"{CLUSTERS}get?cluster_id={mine}", user=dan)[0] == 403


def test_creating_a_cluster_needs_the_entitlement_and_grants_can_manage(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user(ANA)
    assert workspace.refusal("POST", f"{CLUSTERS}create", SPEC, ana)[:2] == (403, "PERMISSION_DENIED")
    ana.entitlements.append("allow-cluster-create")
    cluster_id = workspace.create_running(ana)
    workspace.post("resize", cluster_id, ana, num_workers=2)
    assert workspace.emulated.state.acls.direct[f"/clusters/{cluster_id}"] == {ana.id: ["CAN_MANAGE"]}


def test_a_policy_applies_to_a_cluster(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user(ANA)
    elements = {
        "autotermination_minutes": {"type": "fixed", "value": 20},
        "num_workers": {"type": "range", "maxValue": 2},
    }
    body = {"name": "lab", "definition": json.dumps(elements)}
    policy_id = workspace.call("POST", "/api/2.0/policies/clusters/create", body)["policy_id"]
    spec = {name: value for name, value in SPEC.items() if name != "autotermination_minutes"} | {"policy_id": policy_id}
    assert workspace.refusal("POST", f"{CLUSTERS}create", spec, ana)[0] == 403
    workspace.emulated.state.acls.grant(f"/cluster-policies/{policy_id}", ana.id, "CAN_USE")
    cluster_id = workspace.call("POST", f"{CLUSTERS}create", spec, ana)["cluster_id"]
    shown = workspace.get(cluster_id)
    assert (shown["policy_id"], shown["autotermination_minutes"]) == (policy_id, 20)
    refused = workspace.refusal("POST", f"{CLUSTERS}create", spec | {"num_workers": 3}, ana)
    assert refused[:2] == (400, "INVALID_PARAMETER_VALUE") and "num_workers" in refused[2]
    assert listed(workspace, f"filter_by.policy_id={policy_id}") == ["cluster_01"]


def test_a_cluster_from_a_pool_has_its_node_type(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user(ANA)
    ana.entitlements.append("allow-cluster-create")
    pool = {"instance_pool_name": "p", "node_type_id": "Standard_DS4_v2", "min_idle_instances": 0, "max_capacity": 9}
    pool_id = workspace.call("POST", "/api/2.0/instance-pools/create", pool)["instance_pool_id"]
    spec = {name: value for name, value in SPEC.items() if name != "node_type_id"} | {"instance_pool_id": pool_id}
    refused = workspace.refusal("POST", f"{CLUSTERS}create", spec, ana)
    assert refused[:2] == (403, "PERMISSION_DENIED") and f"Attach permissions on {pool_id}" in refused[2]
    workspace.emulated.state.acls.grant(f"/instance-pools/{pool_id}", ana.id, "CAN_ATTACH_TO")
    cluster_id = workspace.call("POST", f"{CLUSTERS}create", spec, ana)["cluster_id"]
    shown = workspace.get(cluster_id)
    names = ("node_type_id", "driver_node_type_id", "instance_pool_id", "driver_instance_pool_id")
    assert [shown[name] for name in names] == ["Standard_DS4_v2", "Standard_DS4_v2", pool_id, pool_id]
    workspace.advance(2)
    echoed = {name: shown[name] for name in (*spec, "driver_instance_pool_id")}
    workspace.post("edit", cluster_id, ana, **echoed)
    assert workspace.state(cluster_id) == "RESTARTING"


def test_only_administrators_pin_clusters_and_change_owners(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user(ANA)
    cluster_id = workspace.create_stopped()
    workspace.grant(cluster_id, ana, "CAN_MANAGE")
    for verb, fields in (("pin", {}), ("unpin", {}), ("change-owner", {"owner_username": ANA})):
        assert workspace.refusal("POST", CLUSTERS + verb, {"cluster_id": cluster_id} | fields, ana)[0] == 403
    workspace.post("change-owner", cluster_id, owner_username=ANA)
    shown = workspace.get(cluster_id)
    assert (shown["creator_user_name"], shown["default_tags"]["Creator"]) == (ANA, ANA)
    running = workspace.create_running()
    body = {"cluster_id": running, "owner_username": ANA}
    assert workspace.refusal("POST", f"{CLUSTERS}change-owner", body)[1] == "INVALID_STATE"


def test_a_clone_has_the_definition_of_its_source(workspace: InProcessWorkspace) -> None:
    source = workspace.create(spark_conf={"a": "1"})
    body = {"clone_from": {"source_cluster_id": source}, "cluster_name": "copy"}
    shown = workspace.get(workspace.call("POST", f"{CLUSTERS}create", body)["cluster_id"])
    assert (shown["cluster_name"], shown["spark_conf"], shown["node_type_id"]) == (
        "copy",
        {"a": "1"},
        "Standard_DS3_v2",
    )


def test_a_saved_workspace_continues_after_a_restart(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running(autotermination_minutes=10)
    other = workspace.create(num_workers=None, autoscale={"min_workers": 1, "max_workers": 3})
    library = {"pypi": {"package": "pandas"}}
    workspace.call("POST", "/api/2.0/libraries/install", {"cluster_id": cluster_id, "libraries": [library]})
    workspace.call("POST", "/api/1.2/contexts/create", {"clusterId": other, "language": "python"})
    workspace.call("POST", "/api/2.1/jobs/runs/submit", {"existing_cluster_id": other, "notebook_task": {}})
    workspace.advance(1)
    workspace.emulated.state = load_json(dump_json(workspace.emulated.state))
    workspace.advance(700)
    assert (workspace.state(cluster_id), workspace.state(other)) == ("TERMINATED", "RUNNING")
    runs = workspace.emulated.state.clusters.runs.values()
    assert [run.result for run in runs] == ["SUCCESS"]
    assert [one.end is None for found in workspace.emulated.state.clusters.sessions.values() for one in found] == [
        False,
        True,
    ]


def test_the_list_has_runtimes_of_every_kind() -> None:
    keys = [version["key"] for version in node_types.spark_versions()]
    names = [version["name"] for version in node_types.spark_versions()]
    assert len(keys) == len(set(keys))
    assert sum(" LTS " in name for name in names) >= 2
    assert all(any(sort in text for text in [*keys, *names]) for sort in ("-cpu-ml-", "-gpu-ml-", "Beta", "esr"))


def test_every_node_type_has_all_numeric_fields() -> None:
    for node_type in node_types.node_types().values():
        numbers = [node_type[name] for name in ("memory_mb", "num_cores", "num_gpus", "display_order")]
        assert all(
            isinstance(number, int | float)
            for number in [*numbers, *list(node_type["node_instance_type"].values())[1:]]
        )


def test_the_sdk_manages_a_cluster(emulator: EmulatorProcess) -> None:
    from databricks.sdk.errors import InvalidState, ResourceDoesNotExist
    from databricks.sdk.service import compute

    client = emulator.client()
    created = client.clusters.create_and_wait(
        cluster_name="cluster_01",
        spark_version=client.clusters.select_spark_version(long_term_support=True),
        node_type_id=client.clusters.select_node_type(local_disk=True, min_memory_gb=14),
        autoscale=compute.AutoScale(min_workers=1, max_workers=2),
        autotermination_minutes=30,
    )
    cluster_id = str(created.cluster_id)
    assert (created.state, created.autoscale) == (
        compute.State.RUNNING,
        compute.AutoScale(min_workers=1, max_workers=2),
    )
    with pytest.raises(InvalidState, match="is in unexpected state Running"):
        client.clusters.start(cluster_id)
    client.clusters.resize(cluster_id, num_workers=3).result()
    assert client.clusters.get(cluster_id).num_workers == 3
    client.clusters.pin(cluster_id)
    pinned = compute.ListClustersFilterBy(is_pinned=True)
    assert [found.cluster_id for found in client.clusters.list(filter_by=pinned)] == [cluster_id]
    assert client.clusters.delete_and_wait(cluster_id).state == compute.State.TERMINATED
    client.clusters.unpin(cluster_id)
    client.clusters.permanent_delete(cluster_id)
    with pytest.raises(ResourceDoesNotExist):
        client.clusters.get(cluster_id)
    assert client.clusters.list_zones().default_zone == "1"
