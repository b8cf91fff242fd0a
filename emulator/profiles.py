"""The named profiles of faults. A profile is data: rules, limits and switches of the services."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.faults import Limit, Rule


@dataclass(frozen=True, kw_only=True)
class Profile:
    says: str
    """What it is, for people."""
    rules: tuple[Rule, ...] = ()
    limits: tuple[Limit, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `options.Options` that are otherwise as long as it is in force."""


SCIM = "/api/2.0/preview/scim/v2/*"
SCIM_WRITES = tuple(f"{method} {SCIM}" for method in ("POST", "PUT", "PATCH", "DELETE"))

AZURE_LIMITS = (
    Limit(match=(f"GET {SCIM}",), requests=255, seconds=60),
    Limit(match=SCIM_WRITES, requests=20),
    Limit(match=("/api/2.0/dbfs/*",), requests=30),
    Limit(match=("GET /api/2.0/workspace/export",), requests=60),
    Limit(match=("POST /api/2.0/workspace/import", "POST /api/2.0/workspace-files/import-file/*"), requests=30),
    Limit(match=("GET /api/2.0/workspace/list",), requests=100),
    Limit(match=("GET /api/2.0/permissions/*",), requests=100),
    Limit(match=("PUT /api/2.0/permissions/*", "PATCH /api/2.0/permissions/*"), requests=30),
    Limit(match=("/api/2.?/clusters/*",), requests=100),
)
"""The request limits of an Azure workspace; those of workspace/list, clusters and SCIM writes are assumed."""

PROFILES: Mapping[str, Profile] = {
    "azure": Profile(says="the request limits of an Azure workspace, refused without Retry-After", limits=AZURE_LIMITS),
    "flaky": Profile(
        says="every twentieth request is refused with 429 or 503, each takes 50 ms more",
        rules=(
            Rule(kind="latency", seconds=0.05),
            Rule(kind="429", rate=0.025),
            Rule(kind="503", rate=0.0256),
        ),
    ),
    "broken-connections": Profile(
        says="one request in fifty is cut, before or in the middle of its answer",
        rules=(Rule(kind="reset", rate=0.01), Rule(kind="truncate", rate=0.01)),
    ),
    "no-dbfs": Profile(says="a new account: no DBFS, no legacy features", options={"dbfs": False}),
    "slow-scim": Profile(
        says="new users, groups and service principals are missing from lists for 20 seconds",
        options={"scim_delay_seconds": 20.0},
    ),
}
