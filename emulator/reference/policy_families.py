"""Policy families: predefined definitions, which policies can override. Pure."""

import json
from dataclasses import dataclass
from typing import Any

NODE_TYPES = ["Standard_DS3_v2", "Standard_DS4_v2", "Standard_DS5_v2", "Standard_D4ds_v5", "Standard_D8ds_v5"]


@dataclass(frozen=True)
class PolicyFamily:
    policy_family_id: str
    name: str
    description: str
    rules: dict[str, dict[str, Any]]

    @property
    def definition(self) -> str:
        return json.dumps(self.rules)

    def describe(self) -> dict[str, Any]:
        return {
            "policy_family_id": self.policy_family_id,
            "name": self.name,
            "description": self.description,
            "definition": self.definition,
        }


def _fixed(value: object, hidden: bool = False) -> dict[str, Any]:
    return {"type": "fixed", "value": value} | ({"hidden": True} if hidden else {})


_ALL_PURPOSE = {
    "cluster_type": _fixed("all-purpose"),
    "instance_pool_id": {"type": "forbidden", "hidden": True},
    "driver_instance_pool_id": {"type": "forbidden", "hidden": True},
    "azure_attributes.availability": _fixed("ON_DEMAND_AZURE", hidden=True),
    "node_type_id": {"type": "allowlist", "values": NODE_TYPES, "defaultValue": NODE_TYPES[0]},
}
_WORKERS = {
    "autoscale.min_workers": {"type": "range", "minValue": 1, "maxValue": 1, "defaultValue": 1, "isOptional": True},
    "autoscale.max_workers": {"type": "range", "maxValue": 10, "defaultValue": 5, "isOptional": True},
    "num_workers": {"type": "range", "maxValue": 10, "isOptional": True},
}


def _autotermination(minutes: int) -> dict[str, dict[str, Any]]:
    return {"autotermination_minutes": {"type": "unlimited", "defaultValue": minutes, "isOptional": True}}


def _runtime(version: str) -> dict[str, dict[str, Any]]:
    return {"spark_version": {"type": "unlimited", "defaultValue": version}}


_ALL = (
    PolicyFamily(
        "personal-vm",
        "Personal Compute",
        "Use with small-to-medium data or libraries like pandas and scikit-learn. Spark runs in local mode.",
        {
            **_ALL_PURPOSE,
            **_runtime("auto:latest-ml"),
            **_autotermination(4320),
            "runtime_engine": _fixed("STANDARD", hidden=True),
            "num_workers": _fixed(0, hidden=True),
            "data_security_mode": _fixed("SINGLE_USER"),
            "spark_conf.spark.databricks.cluster.profile": _fixed("singleNode", hidden=True),
            "spark_conf.spark.master": _fixed("local[*, 4]", hidden=True),
            "custom_tags.ResourceClass": _fixed("SingleNode", hidden=True),
        },
    ),
    PolicyFamily(
        "power-user",
        "Power User Compute",
        "Use with larger data or to run complex Spark jobs alone.",
        {
            **_ALL_PURPOSE,
            **_runtime("auto:latest-lts-ml"),
            **_autotermination(4320),
            **_WORKERS,
            "data_security_mode": _fixed("SINGLE_USER"),
        },
    ),
    PolicyFamily(
        "shared-compute",
        "Shared Compute",
        "Use for compute that several people share.",
        {
            **_ALL_PURPOSE,
            **_runtime("auto:latest-lts"),
            **_autotermination(120),
            **_WORKERS,
            "data_security_mode": _fixed("USER_ISOLATION"),
        },
    ),
    PolicyFamily(
        "shared-compute-legacy",
        "Legacy Shared Compute",
        "Use for compute that several people share, without isolation between them.",
        {
            **_ALL_PURPOSE,
            **_runtime("auto:latest-lts-ml"),
            **_autotermination(120),
            **_WORKERS,
            "data_security_mode": _fixed("NONE", hidden=True),
        },
    ),
    PolicyFamily(
        "job-cluster",
        "Job Compute",
        "Use for all jobs: the compute lives as long as the run.",
        {
            "cluster_type": _fixed("job"),
            "spark_version": {"type": "unlimited", "defaultValue": "auto:latest-lts"},
            "node_type_id": {"type": "unlimited", "defaultValue": NODE_TYPES[0], "isOptional": True},
            "num_workers": {"type": "unlimited", "defaultValue": 4, "isOptional": True},
        },
    ),
)
FAMILIES = {family.policy_family_id: family for family in _ALL}
"""Families by id."""
USABLE_BY_ALL_USERS = ("personal-vm",)
"""Ids of families with a default policy that the group `users` may use."""


def merged(definition: str, overrides: str) -> str:
    """Return a family's rules, with rules in `overrides` replacing them; both are JSON, `overrides` may be empty."""
    if not overrides.strip():
        return definition
    rules: dict[str, Any] = {**json.loads(definition), **json.loads(overrides)}
    return json.dumps(rules)
