"""Instance pools in the emulator: create, edit, use, permissions."""

from __future__ import annotations

from typing import Any

import pytest

from emulator_process import EmulatorProcess
from in_process_client import InProcessClient

POOLS = "/api/2.0/instance-pools"
POOL = {"instance_pool_name": "p", "node_type_id": "Standard_DS3_v2", "min_idle_instances": 1, "max_capacity": 9}


@pytest.fixture
def lab() -> InProcessClient:
    return InProcessClient(transition_seconds=0)


def create(lab: InProcessClient, **fields: Any) -> str:
    status, answer = lab.request("POST", f"{POOLS}/create", POOL | fields)
    assert status == 200, answer
    return str(answer["instance_pool_id"])


def get(lab: InProcessClient, pool: str, caller: Any = None) -> tuple[int, Any]:
    return lab.request("GET", f"{POOLS}/get?instance_pool_id={pool}", caller=caller)


def test_a_pool_has_the_sent_fields_and_the_platform_s_fields(lab: InProcessClient) -> None:
    pool = create(lab, custom_tags={"a": "b"}, idle_instance_autotermination_minutes=10)
    assert get(lab, pool)[1] == POOL | {
        "instance_pool_id": pool,
        "custom_tags": {"a": "b"},
        "idle_instance_autotermination_minutes": 10,
        "azure_attributes": {"availability": "ON_DEMAND_AZURE"},
        "enable_elastic_disk": True,
        "default_tags": {
            "Vendor": "Databricks",
            "DatabricksInstancePoolCreatorId": lab.workspace.administrator.id,
            "DatabricksInstancePoolId": pool,
        },
        "state": "ACTIVE",
        "status": {},
        "stats": {"used_count": 0, "idle_count": 1, "pending_used_count": 0, "pending_idle_count": 0},
    }


def test_an_edit_keeps_fixed_fields(lab: InProcessClient) -> None:
    pool = create(lab, azure_attributes={"availability": "SPOT_AZURE"}, custom_tags={"a": "b"})
    edited = {"instance_pool_id": pool, "instance_pool_name": "q", "node_type_id": "Standard_DS3_v2"}
    assert lab.request("POST", f"{POOLS}/edit", edited) == (200, {})
    found = get(lab, pool)[1]
    assert (found["instance_pool_name"], found["azure_attributes"]) == ("q", {"availability": "SPOT_AZURE"})
    assert "custom_tags" not in found and "min_idle_instances" not in found
    assert lab.request("POST", f"{POOLS}/edit", edited | {"node_type_id": "Standard_DS4_v2"})[0] == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"instance_pool_name": ""},
        {"node_type_id": "Standard_None"},
        {"node_type_id": None},
        {"min_idle_instances": 10},
        {"max_capacity": "9"},
        {"min_idle_instances": -1},
        {"idle_instance_autotermination_minutes": 10_001},
        {"custom_tags": {"a/b": "x"}},
    ],
)
def test_an_invalid_pool_is_rejected(lab: InProcessClient, fields: dict[str, Any]) -> None:
    status, answer = lab.request("POST", f"{POOLS}/create", POOL | fields)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert lab.request("GET", f"{POOLS}/list")[1] == {"instance_pools": []}


def test_pool_names_are_unique_and_a_deleted_pool_is_not_found(lab: InProcessClient) -> None:
    pool = create(lab)
    assert lab.request("POST", f"{POOLS}/create", POOL)[0] == 400
    assert lab.request("POST", f"{POOLS}/delete", {"instance_pool_id": pool}) == (200, {})
    for answer in (get(lab, pool), lab.request("POST", f"{POOLS}/delete", {"instance_pool_id": pool})):
        assert (answer[0], answer[1]["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert f"/instance-pools/{pool}" not in lab.workspace.state.acls.direct
    assert create(lab) != pool


def test_instances_of_clusters_are_counted(lab: InProcessClient) -> None:
    pool, drivers = create(lab), create(lab, instance_pool_name="drivers", min_idle_instances=0)
    spec = {"cluster_name": "c", "spark_version": "15.4.x-scala2.12", "instance_pool_id": pool, "num_workers": 2}
    made = lab.request("POST", "/api/2.1/clusters/create", spec | {"driver_instance_pool_id": drivers})
    assert made[0] == 200, made
    assert get(lab, pool)[1]["stats"]["used_count"] == 2
    assert get(lab, drivers)[1]["stats"] == {
        "used_count": 1,
        "idle_count": 0,
        "pending_used_count": 0,
        "pending_idle_count": 0,
    }
    lab.request("POST", "/api/2.1/clusters/delete", {"cluster_id": made[1]["cluster_id"]})
    assert get(lab, pool)[1]["stats"]["used_count"] == 0


def test_students_see_permitted_pools_and_cannot_create_pools(lab: InProcessClient) -> None:
    student, pool = lab.user("s@lab"), create(lab)
    path = f"/api/2.0/permissions/instance-pools/{pool}"
    assert lab.request("POST", f"{POOLS}/create", POOL | {"instance_pool_name": "q"}, caller=student)[0] == 403
    assert get(lab, pool, caller=student)[0] == 403
    assert lab.request("GET", f"{POOLS}/list", caller=student)[1] == {"instance_pools": []}
    acl = {"access_control_list": [{"user_name": "s@lab", "permission_level": "CAN_ATTACH_TO"}]}
    assert lab.request("PATCH", path, acl)[0] == 200
    assert get(lab, pool, caller=student)[0] == 200
    assert lab.request("POST", f"{POOLS}/delete", {"instance_pool_id": pool}, caller=student)[0] == 403
    acl["access_control_list"][0]["permission_level"] = "CAN_MANAGE"
    lab.request("PUT", path, acl)
    assert lab.request("POST", f"{POOLS}/delete", {"instance_pool_id": pool}, caller=student)[0] == 200


def test_the_entitlement_is_enough_to_create_a_pool(lab: InProcessClient) -> None:
    student = lab.user("s@lab")
    student.entitlements.append("allow-instance-pool-create")
    made = lab.request("POST", f"{POOLS}/create", POOL, caller=student)[1]["instance_pool_id"]
    assert lab.workspace.state.acls.direct[f"/instance-pools/{made}"] == {student.id: ["CAN_MANAGE"]}


def test_the_sdk_reads_pools(emulator: EmulatorProcess) -> None:
    from databricks.sdk.service.compute import InstancePoolState

    pools = emulator.client().instance_pools
    made = pools.create(instance_pool_name="p", node_type_id="Standard_DS3_v2").instance_pool_id
    assert made
    assert pools.get(made).state is InstancePoolState.ACTIVE
    assert [pool.instance_pool_name for pool in pools.list()] == ["p"]
    pools.edit(made, "q", "Standard_DS3_v2")
    assert pools.get(made).instance_pool_name == "q"
    pools.delete(made)
    assert list(pools.list()) == []
