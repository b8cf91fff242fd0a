"""Overrides the Personal Compute policy, which lets everybody create a cluster, so that nobody can create one."""

import json
from collections.abc import Sequence

from stack.framework import ClusterPolicy, Construct, ITerraformDependable

FAMILY = "personal-vm"
NAME = "Personal Compute"

# No workspace has a node type with this name, so no cluster can be created with the policy.
CLOSED = {"node_type_id": {"type": "fixed", "value": "closed-by-the-lab", "hidden": True}}


class PersonalCompute(Construct):
    """`databricks_cluster_policy.personal_compute`. Destroying it restores the policy's built-in definition."""

    def __init__(self, scope: Construct, id: str, *, depends_on: Sequence[ITerraformDependable]) -> None:
        super().__init__(scope, id)
        policy = ClusterPolicy(
            self,
            "policy",
            # With the built-in policy's name and family, that policy is edited; otherwise a second one is created.
            name=NAME,
            policy_family_id=FAMILY,
            policy_family_definition_overrides=json.dumps(CLOSED),
            depends_on=depends_on,
        )
        policy.override_logical_id("personal_compute")
