"""Cluster definitions: validation and defaults. All other fields are returned unchanged.

The provider compares sent fields with returned fields, so no field is added except the defaults below.
"""

import copy
from typing import Any

from emulator.api import custom_tags
from emulator.api.errors import denied, invalid
from emulator.models.clusters import SINGLE_USER_MODES
from emulator.models.pools import Pool
from emulator.models.scim import ServicePrincipal, User
from emulator.permissions.rights import has_permission
from emulator.policies import enforcement
from emulator.reference import node_types
from emulator.settings.legacy_dbfs import legacy_dbfs_is_disabled
from emulator.state.workspace import EmulatedWorkspace

NOT_ECHOED = ("cluster_id", "libraries", "idempotency_token", "apply_policy_default_values", "clone_from")
"""Fields of a request that are not part of the definition."""
SIZE_FIELDS = ("num_workers", "autoscale")
NODE_TYPE_FIELDS = ("node_type_id", "driver_node_type_id")
AZURE_ATTRIBUTES = {"first_on_demand": 1, "availability": "ON_DEMAND_AZURE", "spot_bid_max_price": -1.0}
FIELD_TYPES: dict[type, tuple[str, ...]] = {
    str: ("cluster_name", "spark_version", "node_type_id", "driver_node_type_id", "instance_pool_id", "policy_id")
    + ("driver_instance_pool_id", "data_security_mode", "single_user_name", "runtime_engine", "kind"),
    dict: ("spark_conf", "spark_env_vars", "custom_tags", "cluster_log_conf", "workload_type", "docker_image")
    + ("azure_attributes", "aws_attributes", "gcp_attributes", "autoscale", "clone_from"),
    list: ("init_scripts", "ssh_public_keys"),
}
IDLE_MINUTES = range(10, 10_001)


def complete(
    workspace: EmulatedWorkspace,
    caller: User | ServicePrincipal,
    sent: dict[str, Any],
    owner: str | None = None,
    kind: str = "all-purpose",
) -> dict[str, Any]:
    """Return the full definition of a cluster: the values sent, values from its policy and pool, and the defaults.

    `owner` is the user name of the cluster's creator, if not the caller: by default a dedicated cluster is for the
    creator. `kind` is the `cluster_type` in policies: `all-purpose` or `job`.
    Raises 400 INVALID_PARAMETER_VALUE for an invalid definition, and 403 for a policy or pool the caller may not use.
    """
    _check_types(sent)
    wanted = enforcement.apply_policy(workspace, caller, copy.deepcopy(sent), kind)
    definition = {name: value for name, value in wanted.items() if name not in NOT_ECHOED and value is not None}
    _check_runtime(workspace, definition)
    _check_size(definition)
    _check_nodes(workspace, caller, definition)
    _check_other_fields(definition)
    return _with_defaults(definition, owner or caller.name)


def _check_types(sent: dict[str, Any]) -> None:
    kinds: dict[type, str] = {str: "text", dict: "an object", list: "a list"}
    for shape, names in FIELD_TYPES.items():
        for name in names:
            if sent.get(name) is not None and not isinstance(sent[name], shape):
                raise invalid(f"{name} must be {kinds[shape]}, not {sent[name]!r}")
    clients = (sent.get("workload_type") or {}).get("clients")
    if clients is not None and not isinstance(clients, dict):
        raise invalid(f"workload_type.clients must be an object, not {clients!r}")


def _check_runtime(workspace: EmulatedWorkspace, definition: dict[str, Any]) -> None:
    version = definition.get("spark_version")
    if not version:
        raise invalid("Missing required field: spark_version")
    if not isinstance(version, str) or not node_types.is_known_runtime(version):
        raise invalid(f"Invalid spark version {version}.")
    if not legacy_dbfs_is_disabled(workspace):
        return
    number = node_types.runtime_number(version)
    if number and number < node_types.FIRST_RUNTIME_WITHOUT_LEGACY:
        raise invalid(f"Spark version {version} is not available: legacy features are disabled in this workspace.")
    if definition.get("data_security_mode") == "NONE":
        raise invalid("Clusters with no isolation are not available: legacy features are disabled in this workspace.")


def _check_size(definition: dict[str, Any]) -> None:
    workers, autoscale = definition.get("num_workers"), definition.get("autoscale")
    if definition.get("is_single_node") and workers is None and autoscale is None:
        return
    if (workers is None) == (autoscale is None):
        raise invalid("Exactly 1 of num_workers or autoscale must be specified.")
    check_size(workers, autoscale)


def check_size(workers: Any, autoscale: Any) -> None:
    """Check the number of workers. Raises 400 INVALID_PARAMETER_VALUE if it is invalid."""
    if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or workers < 0):
        raise invalid(f"num_workers must be a non-negative integer, not {workers!r}.")
    if autoscale is None:
        return
    if not isinstance(autoscale, dict):
        raise invalid("autoscale must hold min_workers and max_workers.")
    minimum, maximum = autoscale.get("min_workers", 0), autoscale.get("max_workers", 0)
    if not isinstance(minimum, int) or not isinstance(maximum, int) or minimum < 0 or maximum < minimum or maximum == 0:
        raise invalid(f"autoscale: max_workers ({maximum}) must be positive and not below min_workers ({minimum}).")


def _check_nodes(workspace: EmulatedWorkspace, caller: User | ServicePrincipal, definition: dict[str, Any]) -> None:
    """Check that either node types or pools are given, and take the node types from the pools."""
    pool_id, driver_pool_id = definition.get("instance_pool_id"), definition.get("driver_instance_pool_id")
    named = [name for name in NODE_TYPE_FIELDS if definition.get(name)]
    if not pool_id:
        if driver_pool_id:
            raise invalid("driver_instance_pool_id can only be used together with instance_pool_id.")
        if "node_type_id" not in named:
            raise invalid("Missing required field: node_type_id or instance_pool_id")
        for name in named:
            if definition[name] not in node_types.node_types():
                known = ", ".join(node_types.node_types())
                raise invalid(f"Node type {definition[name]} is not supported. Supported node types: {known}")
        return
    if named:
        raise invalid(f"The field '{named[0]}' cannot be supplied when an instance pool ID is provided.")
    definition["driver_instance_pool_id"] = driver_pool_id or pool_id
    for name, used in zip(NODE_TYPE_FIELDS, (pool_id, definition["driver_instance_pool_id"]), strict=True):
        definition[name] = _usable_pool(workspace, caller, used).node_type_id


def _usable_pool(workspace: EmulatedWorkspace, caller: User | ServicePrincipal, pool_id: str) -> Pool:
    pool = workspace.state.pools.pools.get(pool_id)
    if pool is None:
        raise invalid(f"Can't find an instance pool with ID: {pool_id}.")
    if not has_permission(workspace, caller.id, "instance-pools", f"/instance-pools/{pool_id}", "CAN_ATTACH_TO"):
        raise denied(
            f"{caller.name} does not have Attach permissions on {pool_id}. "
            "Please contact the owner or an administrator for access."
        )
    return pool


def _check_other_fields(definition: dict[str, Any]) -> None:
    minutes = definition.get("autotermination_minutes")
    if minutes and minutes not in IDLE_MINUTES:
        raise invalid(
            f"autotermination_minutes must be 0 or between {IDLE_MINUTES.start} and {IDLE_MINUTES.stop - 1} "
            f"minutes, not {minutes!r}."
        )
    custom_tags.check(definition.get("custom_tags"), "A cluster")
    if len(definition.get("init_scripts") or ()) > 10 or len(definition.get("ssh_public_keys") or ()) > 10:
        raise invalid("A cluster can have at most 10 init scripts and 10 SSH public keys.")


def _with_defaults(definition: dict[str, Any], owner: str) -> dict[str, Any]:
    definition.setdefault("cluster_name", "")
    definition.setdefault("autotermination_minutes", 0)
    definition.setdefault("driver_node_type_id", definition["node_type_id"])
    definition.setdefault("enable_elastic_disk", True)
    definition.setdefault("enable_local_disk_encryption", False)
    if "azure_attributes" not in definition:
        definition["azure_attributes"] = dict(AZURE_ATTRIBUTES)
    if definition.get("data_security_mode") in SINGLE_USER_MODES:
        definition.setdefault("single_user_name", owner)
    return definition


def apply_update_mask(current: dict[str, Any], mask: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Return `current` with the fields in `mask` (`a,b.c`, or `*`) taken from `changes`.

    A field in the mask but not in `changes` is unset. Raises 400 INVALID_PARAMETER_VALUE for an empty mask.
    """
    paths = [path.strip() for path in mask.split(",") if path.strip()]
    if not paths:
        raise invalid("Missing required field: update_mask")
    if "*" in paths:
        return copy.deepcopy(changes)
    result = copy.deepcopy(current)
    for path in paths:
        _copy_path(result, copy.deepcopy(changes), path.split("."))
    # num_workers and autoscale replace each other, even if the mask contains only one of them.
    named = [name for name in SIZE_FIELDS if result.get(name) is not None and name in changes]
    if named:
        for name in SIZE_FIELDS:
            if name not in named:
                result.pop(name, None)
    return result


def _copy_path(target: dict[str, Any], source: dict[str, Any], path: list[str]) -> None:
    name, *rest = path
    if not rest:
        if name in source:
            target[name] = source[name]
        else:
            target.pop(name, None)
        return
    inner = target.get(name)
    target[name] = inner if isinstance(inner, dict) else {}
    below = source.get(name)
    _copy_path(target[name], below if isinstance(below, dict) else {}, rest)


def with_size(definition: dict[str, Any], workers: int | None, autoscale: dict[str, Any] | None) -> dict[str, Any]:
    """Return the definition with a different size."""
    rest = {name: value for name, value in definition.items() if name not in SIZE_FIELDS}
    return rest | ({"autoscale": autoscale} if autoscale is not None else {"num_workers": workers})


def attributes(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the `attributes` of events: the definition without the size."""
    return {name: value for name, value in definition.items() if name not in SIZE_FIELDS}


def size(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the `cluster_size` of events."""
    return {name: definition[name] for name in SIZE_FIELDS if definition.get(name) is not None}
