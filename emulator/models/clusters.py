"""Clusters as they are remembered: definition, state, who uses them; and the disturbances asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from emulator.base.clock import Millis

ClusterState = Literal["PENDING", "RUNNING", "RESTARTING", "RESIZING", "TERMINATING", "TERMINATED", "ERROR", "UNKNOWN"]
USABLE_STATES: tuple[ClusterState, ...] = ("RUNNING", "RESIZING")
"""States in which a cluster can be used."""
STOPPED_STATES: tuple[ClusterState, ...] = ("TERMINATED", "ERROR")
"""States from which a cluster can be started."""
PIN_LIMIT = 100
SINGLE_USER_MODES = ("SINGLE_USER", "DATA_SECURITY_MODE_DEDICATED")


@dataclass(kw_only=True)
class Cluster:
    cluster_id: str
    definition: dict[str, Any]
    """What answers echo: the client's own values, with those that a policy, a pool or the platform filled in."""
    submitted: dict[str, Any]
    """The definition as it was last sent: `spec` of the answers."""
    creator_id: str
    """Decides nothing: rights are grants. It is kept for `max_clusters_per_user` of policies."""
    creator_user_name: str
    created_at: Millis
    source: str = "API"
    state: ClusterState = "PENDING"
    state_message: str = ""
    started_by: str | None = None
    """User name of who started it last, by whatever means."""
    last_restarted_time: Millis | None = None
    """When it was last started or restarted."""
    last_state_loss_time: Millis = 0
    terminated_time: Millis | None = None
    termination_reason: dict[str, Any] | None = None
    pinned: bool = False
    unpinned_at: Millis | None = None
    workers: int = 0
    """Workers there are; 0 while it is stopped."""
    target_workers: int = 0
    """Workers there are going to be once a start or a resize is through."""
    spark_context_id: int = 0
    busy_until: Millis = 0
    """When the last known activity ends or ended."""
    awaited_work: Millis = 0
    """Milliseconds of work that somebody waits to begin with as soon as it runs."""

    @property
    def name(self) -> str:
        return str(self.definition.get("cluster_name") or "")

    @property
    def autotermination_minutes(self) -> int:
        """0: never."""
        return int(self.definition.get("autotermination_minutes") or 0)

    @property
    def autoscale(self) -> dict[str, int] | None:
        return self.definition.get("autoscale")

    @property
    def min_workers(self) -> int:
        """How many workers it starts with."""
        size = self.autoscale
        return int(size.get("min_workers", 1) if size else self.definition.get("num_workers") or 0)

    @property
    def max_workers(self) -> int:
        size = self.autoscale
        return int(size.get("max_workers", self.min_workers)) if size else self.min_workers

    @property
    def dedicated_to(self) -> str | None:
        """Name of the only user, or of the group, that may run anything on it; None: whoever may attach."""
        if self.definition.get("data_security_mode") not in SINGLE_USER_MODES:
            return None
        return self.definition.get("single_user_name")

    def allows(self, client: Literal["jobs", "notebooks"]) -> bool:
        """What `workload_type` lets run on it; everything unless it says no."""
        clients = (self.definition.get("workload_type") or {}).get("clients") or {}
        return clients.get(client) is not False


@dataclass
class ClusterEvent:
    timestamp: Millis
    type: str
    details: dict[str, Any]
    visible_from: Millis = 0
    """The list leaves it out before this instant (an event that arrives late)."""


@dataclass
class ClusterRestart:
    at: Millis
    user: str | None


@dataclass
class UptimeSession:
    """One stretch from RUNNING to TERMINATING. A restart does not end it."""

    start: Millis
    end: Millis | None
    """None: it lasts."""
    started_by: str | None
    restarts: list[ClusterRestart] = field(default_factory=list)


@dataclass
class EventFault:
    """How the event list differs from what happened, for some clusters.

    - `dropped`: events of these types are never listed (by default TERMINATING);
    - `delayed`: they are listed only after so many seconds, with their true timestamp (by default all types);
    - `late`: after a TERMINATING comes one more of these (by default NODES_LOST or EXPANDED_DISK), so much later.
    """

    mode: Literal["dropped", "delayed", "late"]
    cluster: str = "*"
    """Name or id, with wildcards."""
    types: list[str] = field(default_factory=list)
    rate: float = 1.0
    seconds: float = 60.0
    count: int | None = None
    """So many events at the most; None: no end."""
    met: int = 0


@dataclass
class LaunchFailure:
    """The next launches of some clusters fail."""

    cluster: str = "*"
    """Name or id, with wildcards."""
    count: int | None = 1
    """So many; None: all."""
    code: str = "CLOUD_PROVIDER_LAUNCH_FAILURE"
    """The termination code they end with."""
    ends_in: Literal["TERMINATED", "ERROR"] = "TERMINATED"
    troubles: list[str] = field(default_factory=list)
    """Types of events that are listed before the end, evenly spread over the launch."""
    seconds: float | None = None
    """How long the launch lasts; None: as long as any change of state."""
    met: int = 0


@dataclass
class ExecutionContext:
    """An execution context: where somebody's commands run on a cluster."""

    context_id: str
    cluster_id: str
    language: str
    user: str
    status: Literal["Pending", "Running", "Error"] = "Pending"


@dataclass
class Command:
    command_id: str
    context_id: str
    cluster_id: str
    text: str
    status: Literal["Queued", "Running", "Cancelling", "Finished", "Cancelled", "Error"] = "Queued"


@dataclass
class JobRun:
    """One run of a job."""

    run_id: int
    run_name: str
    cluster_id: str
    user: str
    submitted: dict[str, Any]
    submitted_at: Millis
    state: Literal["PENDING", "RUNNING", "TERMINATED", "INTERNAL_ERROR"] = "PENDING"
    result: Literal["SUCCESS", "FAILED", "CANCELED"] | None = None
    message: str = ""
    began_at: Millis | None = None
    ended_at: Millis | None = None
    own_cluster: bool = False
    """Its cluster was made for it, and goes with it."""


@dataclass
class Clusters:
    by_id: dict[str, Cluster] = field(default_factory=dict)
    events: dict[str, list[ClusterEvent]] = field(default_factory=dict)
    """By cluster id, in the order in which they were recorded."""
    sessions: dict[str, list[UptimeSession]] = field(default_factory=dict)
    """The truth of uptime. It outlives the clusters."""
    creation_tokens: dict[str, str] = field(default_factory=dict)
    """`idempotency_token` → cluster id."""
    event_faults: list[EventFault] = field(default_factory=list)
    launch_failures: list[LaunchFailure] = field(default_factory=list)
    contexts: dict[str, ExecutionContext] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    runs: dict[str, JobRun] = field(default_factory=dict)

    @property
    def pinned(self) -> int:
        return sum(cluster.pinned for cluster in self.by_id.values())

    def set_event_faults(self, faults: Sequence[EventFault]) -> None:
        """Put these in the place of those in force; none means that the list tells the truth from now on."""
        self.event_faults = list(faults)

    def set_launch_failures(self, failures: Sequence[LaunchFailure]) -> None:
        """Put these in the place of those in force; none means that every launch succeeds."""
        self.launch_failures = list(failures)

    def next_launch_failure(self, cluster: Cluster) -> LaunchFailure | None:
        """The failure that this launch meets, if any; it is counted as met."""
        for failure in self.launch_failures:
            if matches(failure.cluster, cluster) and (failure.count is None or failure.met < failure.count):
                failure.met += 1
                return failure
        return None


def matches(pattern: str, cluster: Cluster) -> bool:
    """Whether a pattern with wildcards means this cluster, by name or by id."""
    return fnmatchcase(cluster.name, pattern) or fnmatchcase(cluster.cluster_id, pattern)
