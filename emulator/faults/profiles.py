"""The named fault profiles. A profile is data: rules, rate limits, service faults and service options."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.faults.faulty_responses import MALFORMED_SHAPES
from emulator.faults.rules import FaultRule, RateLimit
from emulator.models.clusters import EventFault, LaunchFailure
from emulator.models.libraries import LibraryFailure
from emulator.models.mail import MANAGED_DOMAIN, OWN_DOMAIN, RecipientFault
from emulator.state.state import WorkspaceState

ServiceFault = LaunchFailure | EventFault | LibraryFailure | RecipientFault
"""A fault in a service, stored in this service's state."""


@dataclass(frozen=True, kw_only=True)
class FaultProfile:
    description: str
    """Shown in the help and in docs/emulator.md."""
    rules: tuple[FaultRule, ...] = ()
    limits: tuple[RateLimit, ...] = ()
    service_faults: tuple[ServiceFault, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `options.Options` whose values change while the profile is active."""


EVENTS = "POST /api/2.?/clusters/events"
SCIM = "/api/2.0/preview/scim/v2/*"
SCIM_WRITES = tuple(f"{method} {SCIM}" for method in ("POST", "PUT", "PATCH", "DELETE"))

AZURE_LIMITS = (
    RateLimit(match=(f"GET {SCIM}",), requests=255, seconds=60),
    RateLimit(match=SCIM_WRITES, requests=20),
    RateLimit(match=("/api/2.0/dbfs/*",), requests=30),
    RateLimit(match=("GET /api/2.0/workspace/export",), requests=60),
    RateLimit(match=("POST /api/2.0/workspace/import", "POST /api/2.0/workspace-files/import-file/*"), requests=30),
    RateLimit(match=("GET /api/2.0/workspace/list",), requests=100),
    RateLimit(match=("GET /api/2.0/permissions/*",), requests=100),
    RateLimit(match=("PUT /api/2.0/permissions/*", "PATCH /api/2.0/permissions/*"), requests=30),
    RateLimit(match=("/api/2.?/clusters/*",), requests=100),
)
"""The request limits of an Azure workspace; limits for workspace/list, clusters and SCIM writes are assumed."""

FAILED_LAUNCH_EVENTS = (
    "ADD_NODES_FAILED",
    "METASTORE_DOWN",
    "AUTOSCALING_FAILED",
    "UC_VOLUME_MISCONFIGURED",
    "DRIVER_UNAVAILABLE",
)

PROFILES: Mapping[str, FaultProfile] = {
    "azure": FaultProfile(
        description="request limits of an Azure workspace (429 without Retry-After), email limits of a custom domain",
        limits=AZURE_LIMITS,
        options={"mail_limits": OWN_DOMAIN},
    ),
    "mail-own-domain": FaultProfile(
        description="email from a custom domain: per minute 30 messages and 60 status requests, per hour 100 and 200",
        options={"mail_limits": OWN_DOMAIN},
    ),
    "mail-managed-domain": FaultProfile(
        description="email from an Azure-managed domain: per minute 5 messages and 10 status requests, "
        "per hour 10 and 20",
        options={"mail_limits": MANAGED_DOMAIN},
    ),
    "mail-recipients": FaultProfile(
        description="email to addresses that begin with `refused` is rejected, email to `suppressed…` is not delivered",
        service_faults=(
            RecipientFault(address="refused*", outcome="refused"),
            RecipientFault(address="suppressed*", outcome="suppressed"),
        ),
    ),
    "flaky": FaultProfile(
        description="one request in twenty fails with 429 or 503, and every request takes 50 ms longer",
        rules=(
            FaultRule(kind="latency", seconds=0.05),
            FaultRule(kind="429", rate=0.025),
            FaultRule(kind="503", rate=0.0256),
        ),
    ),
    "broken-connections": FaultProfile(
        description="one connection in fifty is cut, before or during the response",
        rules=(FaultRule(kind="reset", rate=0.01), FaultRule(kind="truncate", rate=0.01)),
    ),
    "no-dbfs": FaultProfile(description="a new account without DBFS or legacy features", options={"dbfs": False}),
    "slow-scim": FaultProfile(
        description="new users, groups and service principals are missing from lists for 20 seconds",
        options={"scim_delay_seconds": 20.0},
    ),
    "no-members": FaultProfile(
        description="lists of groups omit the members",
        rules=(FaultRule(match="GET /api/2.0/preview/scim/v2/Groups", kind="malformed", shape="no members"),),
    ),
    "error-with-200": FaultProfile(
        description="every export from the Workspace fails with status 200 and an error body",
        rules=(FaultRule(match="GET /api/2.0/workspace/export", kind="200"),),
    ),
    "odd-entries": FaultProfile(
        description="every home in the Workspace lists entries that no request can address (the name has a slash or a "
        "lone surrogate, or is empty), an entry of an unknown type, and a folder that does not exist",
        options={"odd_entries": True},
    ),
    "launch-failure": FaultProfile(description="the next cluster launch fails", service_faults=(LaunchFailure(),)),
    "launch-trouble": FaultProfile(
        description="every cluster launch fails after 15 minutes, with error events before the failure",
        service_faults=(LaunchFailure(count=None, troubles=list(FAILED_LAUNCH_EVENTS), seconds=900),),
    ),
    "library-failure": FaultProfile(
        description="the next library installation fails", service_faults=(LibraryFailure(library="*"),)
    ),
    "stuck-library": FaultProfile(
        description="the next library installation never finishes",
        service_faults=(LibraryFailure(library="*", outcome="stuck"),),
    ),
    "event-tokens": FaultProfile(
        description="event pages have only next_page_token: no next_page, no total_count",
        rules=(FaultRule(kind="only_tokens", match=EVENTS),),
    ),
    "endless-events": FaultProfile(
        description="pages of events never end: every page has a next page",
        rules=(FaultRule(kind="endless", match=EVENTS),),
    ),
    "listed-but-unknown": FaultProfile(
        description="clusters are listed, but requests for their events fail: the cluster does not exist",
        rules=(FaultRule(kind="unknown_cluster", match=EVENTS),),
    ),
    "odd-answers": FaultProfile(
        description="one response in ten has an unexpected format",
        rules=tuple(
            FaultRule(kind="malformed", shape=shape, match="/api/*", rate=0.1 / len(MALFORMED_SHAPES))
            for shape in MALFORMED_SHAPES
        ),
    ),
    "clock-ahead": FaultProfile(
        description="the clock behind LAB_CLOCK is four hours ahead of the workspace's",
        rules=(FaultRule(kind="clock", seconds=14_400),),
    ),
    "clock-behind": FaultProfile(
        description="the clock behind LAB_CLOCK is four hours behind the workspace's",
        rules=(FaultRule(kind="clock", seconds=-14_400),),
    ),
    "event-gaps": FaultProfile(
        description="one TERMINATING event in three is missing; half of the others are followed by NODES_LOST or "
        "EXPANDED_DISK; all events are listed 30 seconds late",
        service_faults=(
            EventFault(mode="dropped", rate=1 / 3),
            EventFault(mode="late", rate=0.5),
            EventFault(mode="delayed", seconds=30),
        ),
    ),
}


def inject(state: WorkspaceState, service_faults: Iterable[ServiceFault]) -> None:
    """Replace the active service faults; with none, all services work normally."""
    # Faults are copied: when a profile is activated again, each of its faults counts from zero.
    given = copy.deepcopy(list(service_faults))
    state.clusters.set_launch_failures([one for one in given if isinstance(one, LaunchFailure)])
    state.clusters.set_event_faults([one for one in given if isinstance(one, EventFault)])
    state.libraries.set_failures([one for one in given if isinstance(one, LibraryFailure)])
    state.mail.set_recipient_faults([one for one in given if isinstance(one, RecipientFault)])


def service_faults(state: WorkspaceState) -> list[ServiceFault]:
    """Return the active service faults."""
    return [
        *state.clusters.launch_failures,
        *state.clusters.event_faults,
        *state.libraries.failures,
        *state.mail.recipient_faults,
    ]
