"""Cluster policies and policy families."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from emulator.base.clock import Millis
from emulator.reference.policy_families import FAMILIES, merged


@dataclass(kw_only=True)
class Policy:
    """A policy. Strings are stored exactly as sent; Terraform compares them byte for byte."""

    policy_id: str
    name: str
    creator_user_name: str
    created_at: Millis
    own_definition: str = ""
    """Empty if a family defines the policy."""
    family_id: str = ""
    overrides: str = ""
    """Changes to the family's rules, as JSON."""
    description: str = ""
    max_clusters_per_user: int | None = None
    libraries: list[dict[str, Any]] = field(default_factory=list)
    is_default: bool = False

    @property
    def acl_name(self) -> str:
        return f"/cluster-policies/{self.policy_id}"

    @property
    def definition(self) -> str:
        """The effective rules, as JSON."""
        return merged(FAMILIES[self.family_id].definition, self.overrides) if self.family_id else self.own_definition

    def describe(self) -> dict[str, Any]:
        """Return the policy as in get and list responses."""
        answer: dict[str, Any] = {
            "policy_id": self.policy_id,
            "name": self.name,
            "definition": self.definition,
            "creator_user_name": self.creator_user_name,
            "created_at_timestamp": self.created_at,
            "is_default": self.is_default,
            "description": self.description,
            "policy_family_id": self.family_id,
            "policy_family_definition_overrides": self.overrides,
            "libraries": self.libraries,
        }
        if self.max_clusters_per_user:
            answer["max_clusters_per_user"] = self.max_clusters_per_user
        return answer


@dataclass
class Policies:
    policies: dict[str, Policy] = field(default_factory=dict)
    """By id."""

    def with_name(self, name: str) -> Iterator[Policy]:
        return (policy for policy in self.policies.values() if policy.name == name)
