"""SQL warehouses: states by the clock, permissions, actual uptime."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.api.errors import ApiError
from emulator.metering.uptime import uptime
from emulator.models.clusters import ClusterRestart, UptimeSession
from emulator.state.state import dump, dump_json, load, load_json
from in_process_workspace import InProcessWorkspace

ADMIN = "admin@lab.example"
PATH = "/api/2.0/sql/warehouses"
SPEC: dict[str, Any] = {"name": "lab", "cluster_size": "2X-Small", "auto_stop_mins": 10, "max_num_clusters": 1}


def create(workspace: InProcessWorkspace, user: Any = None, **fields: Any) -> str:
    return str(workspace.call("POST", PATH, SPEC | fields, user)["id"])


def running(workspace: InProcessWorkspace, **fields: Any) -> str:
    warehouse_id = create(workspace, **fields)
    workspace.advance(2)
    return warehouse_id


def get(workspace: InProcessWorkspace, warehouse_id: str, user: Any = None) -> dict[str, Any]:
    answer: dict[str, Any] = workspace.call("GET", f"{PATH}/{warehouse_id}", user=user)
    return answer


def state(workspace: InProcessWorkspace, warehouse_id: str) -> str:
    return str(get(workspace, warehouse_id)["state"])


def sessions(workspace: InProcessWorkspace, warehouse_id: str) -> tuple[int, list[UptimeSession]]:
    return uptime(workspace.emulated.state.warehouses, warehouse_id, 0, workspace.now)


def grant(workspace: InProcessWorkspace, warehouse_id: str, user: Any, level: str) -> None:
    workspace.emulated.state.acls.grant(f"/sql/warehouses/{warehouse_id}", user.id, level)


def test_a_new_workspace_has_a_stopped_starter_warehouse(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user("ana@lab.example")
    (starter,) = workspace.call("GET", PATH, user=ana)["warehouses"]
    shown = ("name", "cluster_size", "auto_stop_mins", "warehouse_type", "enable_serverless_compute", "state")
    assert {name: starter[name] for name in shown} == {
        "name": "Serverless Starter Warehouse",
        "cluster_size": "Small",
        "auto_stop_mins": 10,
        "warehouse_type": "PRO",
        "enable_serverless_compute": True,
        "state": "STOPPED",
    }


def test_a_warehouse_starts_when_it_is_created_and_echoes_its_definition(workspace: InProcessWorkspace) -> None:
    tags = {"custom_tags": [{"key": "Owner", "value": "lab"}]}
    warehouse_id = create(workspace, warehouse_type="PRO", tags=tags)
    assert state(workspace, warehouse_id) == "STARTING"
    workspace.advance(2)
    path = f"/sql/1.0/warehouses/{warehouse_id}"
    assert get(workspace, warehouse_id) == SPEC | {
        "id": warehouse_id,
        "creator_name": ADMIN,
        "min_num_clusters": 1,
        "enable_photon": True,
        "enable_serverless_compute": False,
        "warehouse_type": "PRO",
        "spot_instance_policy": "COST_OPTIMIZED",
        "channel": {"name": "CHANNEL_NAME_CURRENT"},
        "tags": tags,
        "num_clusters": 1,
        "num_active_sessions": 0,
        "jdbc_url": "jdbc:spark://127.0.0.1:443/default;transportMode=http;ssl=1;AuthMech=3;httpPath=" + path + ";",
        "odbc_params": {"hostname": "127.0.0.1", "path": path, "port": 443, "protocol": "https"},
        "state": "RUNNING",
        "health": {"status": "HEALTHY"},
    }


def test_a_warehouse_that_is_left_alone_stops_by_itself(workspace: InProcessWorkspace) -> None:
    t, warehouse_id = workspace.now, running(workspace)
    workspace.advance(599)
    assert state(workspace, warehouse_id) == "RUNNING"
    workspace.advance(1)
    assert state(workspace, warehouse_id) == "STOPPING"
    workspace.advance(2)
    assert state(workspace, warehouse_id) == "STOPPED"
    assert sessions(workspace, warehouse_id) == (600_000, [UptimeSession(t + 2_000, t + 602_000, ADMIN)])


def test_a_warehouse_without_auto_stop_runs_until_it_is_stopped(workspace: InProcessWorkspace) -> None:
    warehouse_id = running(workspace, auto_stop_mins=0)
    workspace.advance(86_400)
    assert state(workspace, warehouse_id) == "RUNNING"
    workspace.call("POST", f"{PATH}/{warehouse_id}/stop")
    workspace.advance(2)
    assert (state(workspace, warehouse_id), sessions(workspace, warehouse_id)[0]) == ("STOPPED", 86_400_000)


def test_an_edit_restarts_a_running_warehouse_within_its_session(workspace: InProcessWorkspace) -> None:
    t, warehouse_id = workspace.now, running(workspace)
    workspace.advance(60)
    workspace.call("POST", f"{PATH}/{warehouse_id}/edit", {"cluster_size": "Small"})
    assert state(workspace, warehouse_id) == "STARTING"
    workspace.advance(2)
    seen = get(workspace, warehouse_id)
    assert (seen["state"], seen["cluster_size"], seen["name"]) == ("RUNNING", "Small", "lab")
    session = UptimeSession(t + 2_000, None, ADMIN, [ClusterRestart(t + 62_000, ADMIN)])
    assert sessions(workspace, warehouse_id) == (62_000, [session])


def test_an_edit_leaves_a_stopped_warehouse_stopped(workspace: InProcessWorkspace) -> None:
    warehouse_id = running(workspace)
    workspace.call("POST", f"{PATH}/{warehouse_id}/stop")
    workspace.advance(2)
    workspace.call("POST", f"{PATH}/{warehouse_id}/edit", {"name": "other", "auto_stop_mins": 0})
    seen = get(workspace, warehouse_id)
    assert (seen["state"], seen["name"], seen["auto_stop_mins"]) == ("STOPPED", "other", 0)


def test_a_deleted_warehouse_is_gone_and_its_uptime_is_kept(workspace: InProcessWorkspace) -> None:
    warehouse_id = running(workspace)
    workspace.advance(30)
    workspace.call("DELETE", f"{PATH}/{warehouse_id}")
    assert workspace.refusal("GET", f"{PATH}/{warehouse_id}") == (
        404,
        "RESOURCE_DOES_NOT_EXIST",
        f"SQL warehouse {warehouse_id} does not exist.",
    )
    workspace.advance(3600)
    assert sessions(workspace, warehouse_id)[0] == 30_000


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "SQL warehouse name cannot be empty."),
        ({"name": "Serverless Starter Warehouse"}, "`Serverless Starter Warehouse` already exists"),
        ({"auto_stop_mins": 5}, "auto_stop_mins must be 0 or at least 10 minutes, not 5."),
        ({"cluster_size": "Huge"}, "'Huge' is not a supported cluster_size"),
        ({"min_num_clusters": 3}, "max_num_clusters must be greater than or equal to min_num_clusters."),
        ({"max_num_clusters": 41}, "max_num_clusters must be between 1 and 40, not 41."),
        ({"warehouse_type": "CLASSIC", "enable_serverless_compute": True}, "only supported for PRO warehouses."),
        ({"tags": []}, "tags must be an object with custom_tags"),
        ({"tags": {"custom_tags": [{"key": "a/b"}]}}, "The key 'a/b' of a custom tag must not contain any of"),
        ({"enable_photon": "yes"}, "enable_photon must be a boolean"),
    ],
)
def test_a_definition_that_no_warehouse_can_have_is_refused(
    workspace: InProcessWorkspace, fields: dict[str, Any], message: str
) -> None:
    status, code, text = workspace.refusal("POST", PATH, SPEC | fields)
    assert (status, code, message in text) == (400, "INVALID_PARAMETER_VALUE", True), text


def test_levels_on_a_warehouse_decide_who_may_do_what(workspace: InProcessWorkspace) -> None:
    warehouse_id = running(workspace)
    calls = {
        "show": ("GET", f"{PATH}/{warehouse_id}"),
        "start": ("POST", f"{PATH}/{warehouse_id}/start"),
        "stop": ("POST", f"{PATH}/{warehouse_id}/stop"),
        "edit": ("POST", f"{PATH}/{warehouse_id}/edit"),
    }
    allowed: dict[str, set[str]] = {}
    for level in ("", "CAN_VIEW", "CAN_USE", "CAN_MONITOR", "CAN_MANAGE"):
        user = workspace.create_user(f"{level.lower()}-user@lab.example")
        if level:
            grant(workspace, warehouse_id, user, level)
        for name, (method, path) in calls.items():
            try:
                workspace.call(method, path, {}, user)
                allowed.setdefault(level, set()).add(name)
            except ApiError as error:
                assert (error.status, error.code) == (403, "PERMISSION_DENIED")
    assert allowed == {
        "CAN_VIEW": {"show"},
        "CAN_USE": {"show", "start"},
        "CAN_MONITOR": {"show", "start"},
        "CAN_MANAGE": {"show", "start", "stop", "edit"},
    }


def test_a_warehouse_is_listed_for_those_who_may_see_or_use_it(workspace: InProcessWorkspace) -> None:
    warehouse_id, ana = running(workspace), workspace.create_user("ana@lab.example")

    def listed(query: str = "") -> list[str]:
        return [one["name"] for one in workspace.call("GET", PATH + query, user=ana)["warehouses"]]

    starter = "Serverless Starter Warehouse"
    assert listed() == [starter]
    grant(workspace, warehouse_id, ana, "CAN_VIEW")
    assert (listed(), listed("?skip_cannot_use=true")) == ([starter, "lab"], [starter])
    sources = workspace.call("GET", "/api/2.0/preview/sql/data_sources", user=ana)
    assert [source["name"] for source in sources] == [starter, "lab"]


def test_a_warehouse_is_created_by_those_who_may_create_clusters(workspace: InProcessWorkspace) -> None:
    ana = workspace.create_user("ana@lab.example")
    assert workspace.refusal("POST", PATH, SPEC, ana)[:2] == (403, "PERMISSION_DENIED")
    ana.entitlements.append("allow-cluster-create")
    assert get(workspace, create(workspace, ana), ana)["creator_name"] == "ana@lab.example"


def test_a_warehouse_in_the_settings_of_an_older_state_is_kept(workspace: InProcessWorkspace) -> None:
    older = dump(workspace.emulated.state)
    del older["warehouses"]
    one = {"id": "1a2b3c4d5e6f7a8b", "name": "Starter", "creator": ADMIN, "state": "STOPPED", "serverless": True}
    older["settings"]["warehouses"] = {"1a2b3c4d5e6f7a8b": one | {"cluster_size": "Small", "auto_stop_minutes": 10}}
    for read in (load(older), load_json(json.dumps(older).encode())):
        assert [warehouse.name for warehouse in read.warehouses.by_id.values()] == ["Starter"]
        assert read == load_json(dump_json(read))


def test_the_configuration_of_all_warehouses_is_set_by_administrators(workspace: InProcessWorkspace) -> None:
    path, ana = "/api/2.0/sql/config/warehouses", workspace.create_user("ana@lab.example")
    assert workspace.refusal("GET", path, user=ana)[0] == 403
    pairs = [{"key": "spark.sql.session.timeZone", "value": "UTC"}]
    workspace.call("PUT", path, {"security_policy": "DATA_ACCESS_CONTROL", "data_access_config": pairs})
    assert workspace.call("GET", path) == {
        "security_policy": "DATA_ACCESS_CONTROL",
        "data_access_config": pairs,
        "enable_serverless_compute": True,
    }


@given(st.lists(st.tuples(st.sampled_from(["start", "stop", "edit"]), st.integers(0, 900)), max_size=8))
def test_uptime_is_what_an_observer_of_the_state_sees(steps: list[tuple[str, int]]) -> None:
    workspace = InProcessWorkspace()
    warehouse_id = create(workspace)
    seen, is_up = 0, False

    def counts() -> bool:
        # An edit keeps the session, so the seconds of the restart that follows it count.
        state = workspace.emulated.state.warehouses.by_id[warehouse_id].state
        return state == "RUNNING" or (is_up and state == "STARTING")

    for verb, seconds in [*steps, ("stop", 5)]:
        for _ in range(seconds):
            seen += 1000 * is_up
            workspace.advance(1)
            is_up = counts()
        workspace.call("POST", f"{PATH}/{warehouse_id}/{verb}", {})
        is_up = counts()
    assert sessions(workspace, warehouse_id)[0] == seen
