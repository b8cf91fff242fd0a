"""HTTP handlers for instance pools: `/api/2.0/instance-pools/*`."""

from typing import Any

from emulator.api import custom_tags
from emulator.api.errors import denied, invalid, missing
from emulator.api.routing import Request, Routes
from emulator.models.pools import Pool
from emulator.permissions.rights import has_permission, require_permission
from emulator.reference import node_types

routes = Routes()
FIXED = ("node_type_id", "azure_attributes", "enable_elastic_disk", "disk_spec", "preloaded_spark_versions")
"""Fields that an edit does not change."""
MAX_IDLE_MINUTES = 10_000


@routes.post("/api/2.0/instance-pools/create")
def create(request: Request) -> dict[str, Any]:
    state = request.workspace.state
    if not state.directory.has_entitlement(request.caller.id, "allow-instance-pool-create"):
        raise denied("You are not authorized to create instance pools. Please contact your administrator.")
    definition = _definition(request)
    node_type = request.required("node_type_id")
    if str(node_type) not in node_types.node_types():
        raise invalid(f"Node type {node_type} is not supported.")
    number = state.ids.hex("pool", definition["instance_pool_name"], 16)
    pool = Pool(
        pool_id=f"{int(number[:4], 16) % 10000:04}-{int(number[4:8], 16) % 1000000:06}-pool-{number[8:]}",
        created_at=request.now,
        creator_id=request.caller.id,
        creator_user_name=request.caller.name,
        definition=definition,
    )
    state.pools.pools[pool.pool_id] = pool
    state.acls.grant(pool.acl_name, request.caller.id, "CAN_MANAGE")
    return {"instance_pool_id": pool.pool_id}


@routes.get("/api/2.0/instance-pools/get")
def get(request: Request) -> dict[str, Any]:
    pool = _find(request, request.required_argument("instance_pool_id"), "CAN_ATTACH_TO", "Attach")
    return pool.describe(request.workspace.state.clusters)


@routes.get("/api/2.0/instance-pools/list")
def list_pools(request: Request) -> dict[str, Any]:
    """List the pools that the caller may attach clusters to."""
    state = request.workspace.state
    return {
        "instance_pools": [
            pool.describe(state.clusters)
            for pool in state.pools.pools.values()
            if has_permission(request.workspace, request.caller.id, "instance-pools", pool.acl_name, "CAN_ATTACH_TO")
        ]
    }


@routes.post("/api/2.0/instance-pools/edit")
def edit(request: Request) -> dict[str, Any]:
    pool = _find(request, request.required("instance_pool_id"), "CAN_MANAGE", "Manage")
    definition = _definition(request, pool)
    kept = {name: pool.definition[name] for name in FIXED if name in pool.definition}
    if definition.get("node_type_id", pool.node_type_id) != pool.node_type_id:
        raise invalid(f"The node type of the instance pool {pool.pool_id} cannot be changed.")
    pool.definition = definition | kept
    return {}


@routes.post("/api/2.0/instance-pools/delete")
def delete(request: Request) -> dict[str, Any]:
    pool = _find(request, request.required("instance_pool_id"), "CAN_MANAGE", "Manage")
    del request.workspace.state.pools.pools[pool.pool_id]
    request.workspace.state.acls.remove_object(pool.acl_name)
    return {}


def _find(request: Request, pool_id: Any, level: str, word: str) -> Pool:
    pool = request.workspace.state.pools.pools.get(str(pool_id))
    if pool is None:
        raise missing(f"Can't find an instance pool with ID: {pool_id}.")
    text = f"{request.caller.name} does not have {word} permissions on {pool_id}."
    require_permission(request, "instance-pools", pool.acl_name, level, text)
    return pool


def _definition(request: Request, pool: Pool | None = None) -> dict[str, Any]:
    """Return the definition in the body. Raises 400 if it is invalid."""
    body = {name: value for name, value in request.body.items() if value is not None and name != "instance_pool_id"}
    name = request.required("instance_pool_name")
    if not isinstance(name, str):
        raise invalid("instance_pool_name must be a string.")
    other = request.workspace.state.pools.find_by_name(name)
    if other is not None and other is not pool:
        raise invalid(f"An instance pool named {name} already exists.")
    for field in ("azure_attributes", "custom_tags", "disk_spec"):
        if not isinstance(body.get(field, {}), dict):
            raise invalid(f"{field} must be an object.")
    custom_tags.check(body.get("custom_tags"), "An instance pool")
    for field in ("min_idle_instances", "max_capacity", "idle_instance_autotermination_minutes"):
        value = body.get(field, 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise invalid(f"{field} must be a number that is not negative, not {value!r}.")
    most = body.get("max_capacity")
    if most and body.get("min_idle_instances", 0) > most:
        raise invalid("min_idle_instances cannot be more than max_capacity.")
    if body.get("idle_instance_autotermination_minutes", 0) > MAX_IDLE_MINUTES:
        raise invalid(f"idle_instance_autotermination_minutes can be at most {MAX_IDLE_MINUTES}.")
    return body
