"""HTTP of `pools`: `/api/2.0/instance-pools/*`."""

from typing import Any

from emulator.api.errors import denied, invalid, missing
from emulator.api.routing import Call, Routes
from emulator.catalog import node_types
from emulator.models.pools import Pool
from emulator.permissions.rights import may, require

routes = Routes()
FIXED = ("node_type_id", "azure_attributes", "enable_elastic_disk", "disk_spec", "preloaded_spark_versions")
"""What an edit does not change: it keeps them where they are not sent."""
LONGEST_IDLE_MINUTES = 10_000


@routes.post("/api/2.0/instance-pools/create")
def create(call: Call) -> dict[str, Any]:
    state = call.workspace.state
    if not state.directory.has_entitlement(call.caller.id, "allow-instance-pool-create"):
        raise denied("You are not authorized to create instance pools. Please contact your administrator.")
    definition = _definition(call)
    node_type = call.required("node_type_id")
    if str(node_type) not in node_types.node_types():
        raise invalid(f"Node type {node_type} is not supported.")
    number = state.ids.hex("pool", definition["instance_pool_name"], 16)
    pool = Pool(
        pool_id=f"{int(number[:4], 16) % 10000:04}-{int(number[4:8], 16) % 1000000:06}-pool-{number[8:]}",
        created_at=call.now,
        creator_id=call.caller.id,
        creator_user_name=call.caller.name,
        definition=definition,
    )
    state.pools.pools[pool.pool_id] = pool
    state.acls.grant(pool.acl_name, call.caller.id, "CAN_MANAGE")
    return {"instance_pool_id": pool.pool_id}


@routes.get("/api/2.0/instance-pools/get")
def get(call: Call) -> dict[str, Any]:
    pool = _found(call, call.required_argument("instance_pool_id"), "CAN_ATTACH_TO", "Attach")
    return pool.describe(call.workspace.state.clusters)


@routes.get("/api/2.0/instance-pools/list")
def list_pools(call: Call) -> dict[str, Any]:
    """Those the caller may attach clusters to."""
    state = call.workspace.state
    return {
        "instance_pools": [
            pool.describe(state.clusters)
            for pool in state.pools.pools.values()
            if may(call.workspace, call.caller.id, "instance-pools", pool.acl_name, "CAN_ATTACH_TO")
        ]
    }


@routes.post("/api/2.0/instance-pools/edit")
def edit(call: Call) -> dict[str, Any]:
    pool = _found(call, call.required("instance_pool_id"), "CAN_MANAGE", "Manage")
    definition = _definition(call, pool)
    kept = {name: pool.definition[name] for name in FIXED if name in pool.definition}
    if definition.get("node_type_id", pool.node_type_id) != pool.node_type_id:
        raise invalid(f"The node type of the instance pool {pool.pool_id} cannot be changed.")
    pool.definition = definition | kept
    return {}


@routes.post("/api/2.0/instance-pools/delete")
def delete(call: Call) -> dict[str, Any]:
    pool = _found(call, call.required("instance_pool_id"), "CAN_MANAGE", "Manage")
    del call.workspace.state.pools.pools[pool.pool_id]
    call.workspace.state.acls.forget(pool.acl_name)
    return {}


def _found(call: Call, pool_id: Any, level: str, word: str) -> Pool:
    pool = call.workspace.state.pools.pools.get(str(pool_id))
    if pool is None:
        raise missing(f"Can't find an instance pool with ID: {pool_id}.")
    text = f"{call.caller.name} does not have {word} permissions on {pool_id}."
    require(call, "instance-pools", pool.acl_name, level, text)
    return pool


def _definition(call: Call, pool: Pool | None = None) -> dict[str, Any]:
    """What was sent, checked. Raises a 400."""
    body = {name: value for name, value in call.body.items() if value is not None and name != "instance_pool_id"}
    name = call.required("instance_pool_name")
    if not isinstance(name, str):
        raise invalid("instance_pool_name must be a string.")
    other = call.workspace.state.pools.named(name)
    if other is not None and other is not pool:
        raise invalid(f"An instance pool named {name} already exists.")
    for field in ("azure_attributes", "custom_tags", "disk_spec"):
        if not isinstance(body.get(field, {}), dict):
            raise invalid(f"{field} must be an object.")
    for field in ("min_idle_instances", "max_capacity", "idle_instance_autotermination_minutes"):
        value = body.get(field, 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise invalid(f"{field} must be a number that is not negative, not {value!r}.")
    most = body.get("max_capacity")
    if most and body.get("min_idle_instances", 0) > most:
        raise invalid("min_idle_instances cannot be more than max_capacity.")
    if body.get("idle_instance_autotermination_minutes", 0) > LONGEST_IDLE_MINUTES:
        raise invalid(f"idle_instance_autotermination_minutes can be at most {LONGEST_IDLE_MINUTES}.")
    return body
