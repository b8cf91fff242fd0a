"""The Personal Compute policy, which lets everybody make a cluster, overridden so that nobody can."""

import json
from collections.abc import Sequence

from stack.framework import ClusterPolicy, Construct, ITerraformDependable

FAMILY = "personal-vm"
NAME = "Personal Compute"

# No workspace has a node type of this name, so no cluster can be made under the policy.
CLOSED = {"node_type_id": {"type": "fixed", "value": "closed-by-the-lab", "hidden": True}}


class PersonalCompute(Construct):
    """`databricks_cluster_policy.personal_compute`. Destroying it gives the policy its own definition back."""

    def __init__(self, scope: Construct, id: str, *, depends_on: Sequence[ITerraformDependable]) -> None:
        super().__init__(scope, id)
        policy = ClusterPolicy(
            self,
            "policy",
            # Both name and family must be those of the built-in policy: then it is edited, else a second one is made.
            name=NAME,
            policy_family_id=FAMILY,
            policy_family_definition_overrides=json.dumps(CLOSED),
            depends_on=depends_on,
        )
        policy.override_logical_id("personal_compute")
