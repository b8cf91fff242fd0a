"""The named profiles of faults. A profile is data: rules, limits, disturbances and switches of the services."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.faults.answers import SHAPES
from emulator.faults.rules import Limit, Rule
from emulator.models.clusters import EventFault, LaunchFailure
from emulator.models.libraries import LibraryFailure
from emulator.models.mail import MANAGED_DOMAIN, OWN_DOMAIN, RecipientFault
from emulator.state.state import State

Disturbance = LaunchFailure | EventFault | LibraryFailure | RecipientFault
"""A fault of a service, which lies in the state of that service."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    says: str
    """What it is, for people."""
    rules: tuple[Rule, ...] = ()
    limits: tuple[Limit, ...] = ()
    disturbances: tuple[Disturbance, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `options.Options` that are otherwise as long as it is in force."""


EVENTS = "POST /api/2.?/clusters/events"
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

TROUBLES = ("ADD_NODES_FAILED", "METASTORE_DOWN", "AUTOSCALING_FAILED", "UC_VOLUME_MISCONFIGURED", "DRIVER_UNAVAILABLE")

PROFILES: Mapping[str, Profile] = {
    "azure": Profile(
        says="the request limits of an Azure workspace, refused without Retry-After, and of mail from one's own domain",
        limits=AZURE_LIMITS,
        options={"mail_limits": OWN_DOMAIN},
    ),
    "mail-own-domain": Profile(
        says="mail: 30 letters a minute and 100 an hour, 60 and 200 questions about them",
        options={"mail_limits": OWN_DOMAIN},
    ),
    "mail-managed-domain": Profile(
        says="mail from a domain that Azure lends: 5 letters a minute and 10 an hour, 10 and 20 questions about them",
        options={"mail_limits": MANAGED_DOMAIN},
    ),
    "mail-recipients": Profile(
        says="mail: letters to addresses that begin with `refused` are refused, those to `suppressed…` do not arrive",
        disturbances=(
            RecipientFault(address="refused*", outcome="refused"),
            RecipientFault(address="suppressed*", outcome="suppressed"),
        ),
    ),
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
    "no-members": Profile(
        says="lists of groups come without the members of any group",
        rules=(Rule(match="GET /api/2.0/preview/scim/v2/Groups", kind="malformed", shape="no members"),),
    ),
    "error-with-200": Profile(
        says="every export from the Workspace is refused with the status 200 and a document of an error",
        rules=(Rule(match="GET /api/2.0/workspace/export", kind="200"),),
    ),
    "odd-entries": Profile(
        says="every home in the Workspace lists entries that no request can name (with a slash, half a character, no "
        "name), one of a new type, and a folder that does not exist when it is listed",
        options={"odd_entries": True},
    ),
    "launch-failure": Profile(says="the next launch of a cluster fails", disturbances=(LaunchFailure(),)),
    "launch-trouble": Profile(
        says="every launch of a cluster fails after a quarter of an hour; events of trouble come before the failure",
        disturbances=(LaunchFailure(count=None, troubles=list(TROUBLES), seconds=900),),
    ),
    "library-failure": Profile(
        says="the next library to be installed fails", disturbances=(LibraryFailure(library="*"),)
    ),
    "stuck-library": Profile(
        says="the next library to be installed is never done",
        disturbances=(LibraryFailure(library="*", outcome="stuck"),),
    ),
    "event-tokens": Profile(
        says="pages of events are told by next_page_token alone: no next_page, no total_count",
        rules=(Rule(kind="only_tokens", match=EVENTS),),
    ),
    "endless-events": Profile(
        says="after each page of events comes another one, without an end",
        rules=(Rule(kind="endless", match=EVENTS),),
    ),
    "listed-but-unknown": Profile(
        says="clusters are listed, and their events are refused: the cluster does not exist",
        rules=(Rule(kind="unknown_cluster", match=EVENTS),),
    ),
    "odd-answers": Profile(
        says="one answer in ten has a shape that no client expects",
        rules=tuple(Rule(kind="malformed", shape=shape, match="/api/*", rate=0.1 / len(SHAPES)) for shape in SHAPES),
    ),
    "clock-ahead": Profile(
        says="the clock that LAB_CLOCK asks is four hours ahead of the workspace's",
        rules=(Rule(kind="clock", seconds=14_400),),
    ),
    "clock-behind": Profile(
        says="the clock that LAB_CLOCK asks is four hours behind the workspace's",
        rules=(Rule(kind="clock", seconds=-14_400),),
    ),
    "event-gaps": Profile(
        says="every third TERMINATING is missing from the event lists; NODES_LOST or EXPANDED_DISK come after others; "
        "all events are listed half a minute late",
        disturbances=(
            EventFault(mode="dropped", rate=1 / 3),
            EventFault(mode="late", rate=0.5),
            EventFault(mode="delayed", seconds=30),
        ),
    ),
}


def disturb(state: State, disturbances: Iterable[Disturbance]) -> None:
    """Put these in the place of those in force; none means that every service does what it should."""
    # A profile can be put in force again, and each of its faults counts anew.
    given = copy.deepcopy(list(disturbances))
    state.clusters.fail_launches([one for one in given if isinstance(one, LaunchFailure)])
    state.clusters.disturb_events([one for one in given if isinstance(one, EventFault)])
    state.libraries.fail([one for one in given if isinstance(one, LibraryFailure)])
    state.mail.disturb_recipients([one for one in given if isinstance(one, RecipientFault)])


def disturbances(state: State) -> list[Disturbance]:
    """Those in force."""
    return [
        *state.clusters.launch_failures,
        *state.clusters.event_faults,
        *state.libraries.failures,
        *state.mail.recipient_faults,
    ]
