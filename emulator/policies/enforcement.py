"""Enforces policies when clusters are created or edited."""

import json
from typing import Any

from emulator.api.errors import denied, invalid
from emulator.models.policies import Policy
from emulator.models.scim import ServicePrincipal, User
from emulator.permissions.rights import has_permission
from emulator.policies.evaluation import evaluate
from emulator.reference.node_types import resolve_version
from emulator.state.workspace import EmulatedWorkspace

VERSION = "spark_version"
_ACTIVE = ("PENDING", "RUNNING", "RESTARTING", "RESIZING")


def apply_policy(
    workspace: EmulatedWorkspace, caller: User | ServicePrincipal, spec: dict[str, Any], kind: str = "all-purpose"
) -> dict[str, Any]:
    """Return the cluster's definition after its policy is applied; `spec` is what the client sent.

    A spec with a `cluster_id` edits this cluster, which may keep its policy, or have none as before, whoever edits it.
    Raises 403 if the caller may not use the policy, or may not create clusters without one; 400 with all violations
    joined by `; `, or if the caller has the maximum number of active clusters with the policy.
    """
    edited = workspace.state.clusters.by_id.get(str(spec.get("cluster_id")))
    policy_id = str(spec.get("policy_id") or "") or None
    kept = edited is not None and (edited.definition.get("policy_id") or None) == policy_id
    if policy_id is None:
        if not kept and not workspace.state.directory.has_entitlement(caller.id, "allow-cluster-create"):
            raise denied("You are not authorized to create clusters. Please contact your administrator.")
        return spec
    policy = workspace.state.policies.policies.get(policy_id)
    if policy is None:
        raise invalid(f"Can't find a cluster policy with id: {policy_id}.")
    if not kept and not has_permission(workspace, caller.id, "cluster-policies", policy.acl_name, "CAN_USE"):
        raise denied(
            f"You are not authorized to use the cluster policy {policy_id}. Please contact your administrator."
        )
    if edited is None:
        _check_number(workspace, caller, policy)
    use_defaults = spec.get("apply_policy_default_values") is True
    definition = json.loads(policy.definition)
    if VERSION in definition:
        definition[VERSION] = _with_versions(definition[VERSION])
    if VERSION in spec:
        spec = spec | {VERSION: resolve_version(spec[VERSION])}
    result, problems = evaluate(definition, spec, use_defaults, kind)
    if problems:
        raise invalid("; ".join(problems))
    return result


def _with_versions(rule: dict[str, Any]) -> dict[str, Any]:
    """Return the rule with current versions instead of `auto:latest-lts` and similar values."""
    found = {name: resolve_version(rule[name]) for name in ("value", "defaultValue") if name in rule}
    return rule | found | ({"values": [resolve_version(value) for value in rule["values"]]} if "values" in rule else {})


def _check_number(workspace: EmulatedWorkspace, caller: User | ServicePrincipal, policy: Policy) -> None:
    """Raise 400 if an additional cluster would exceed the policy's limit per user."""
    if not policy.max_clusters_per_user:
        return
    active = sum(
        cluster.creator_id == caller.id
        and cluster.definition.get("policy_id") == policy.policy_id
        and cluster.state in _ACTIVE
        for cluster in workspace.state.clusters.by_id.values()
    )
    if active >= policy.max_clusters_per_user:
        raise invalid(
            f"{caller.name} has reached the maximum of {policy.max_clusters_per_user} active clusters "
            f"per user of the cluster policy {policy.name}."
        )
