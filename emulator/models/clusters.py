"""Cluster data: definition, state, events, contexts, job runs, and the active cluster faults."""

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
    """The definition in responses: the client's values, completed from policy, pool and the platform's defaults."""
    submitted: dict[str, Any]
    """The definition as last sent; `spec` in responses."""
    creator_id: str
    """Used only for `max_clusters_per_user` in policies; permissions depend only on grants."""
    creator_user_name: str
    created_at: Millis
    source: str = "API"
    state: ClusterState = "PENDING"
    state_message: str = ""
    started_by: str | None = None
    """User name of the last starter."""
    last_restarted_time: Millis | None = None
    """Time at which the cluster last became RUNNING after a start, or was restarted."""
    launched_at: Millis = 0
    """Time at which the last start was requested."""
    machines_since: Millis = 0
    """Time at which the machines were acquired; a restart keeps them."""
    last_state_loss_time: Millis = 0
    terminated_time: Millis | None = None
    termination_reason: dict[str, Any] | None = None
    pinned: bool = False
    pinned_by: str | None = None
    """Id of the user who pinned it."""
    unpinned_at: Millis | None = None
    workers: int = 0
    """Current number of workers; 0 while stopped."""
    target_workers: int = 0
    """Number of workers after the current start or resize."""
    spark_context_id: int = 0
    busy_until: Millis = 0
    """Time at which the last known activity ends or ended."""
    awaited_work: Millis = 0
    """Milliseconds of pending work, which starts as soon as the cluster runs."""

    @property
    def name(self) -> str:
        return str(self.definition.get("cluster_name") or "")

    @property
    def autotermination_minutes(self) -> int:
        """Idle minutes before termination; 0 means never."""
        return int(self.definition.get("autotermination_minutes") or 0)

    @property
    def autoscale(self) -> dict[str, int] | None:
        return self.definition.get("autoscale")

    @property
    def min_workers(self) -> int:
        """Number of workers after a start."""
        size = self.autoscale
        return int(size.get("min_workers", 1) if size else self.definition.get("num_workers") or 0)

    @property
    def max_workers(self) -> int:
        size = self.autoscale
        return int(size.get("max_workers", self.min_workers)) if size else self.min_workers

    @property
    def dedicated_to(self) -> str | None:
        """Name of the only user or group that may use the cluster; None means all users who may attach."""
        if self.definition.get("data_security_mode") not in SINGLE_USER_MODES:
            return None
        return self.definition.get("single_user_name")

    def allows(self, client: Literal["jobs", "notebooks"]) -> bool:
        """Return whether `workload_type` allows this kind of client; True by default."""
        clients = (self.definition.get("workload_type") or {}).get("clients") or {}
        return clients.get(client) is not False


@dataclass
class ClusterEvent:
    timestamp: Millis
    type: str
    details: dict[str, Any]
    visible_from: Millis = 0
    """Until this instant the list omits the event."""


@dataclass
class ClusterRestart:
    at: Millis
    user: str | None


@dataclass
class UptimeSession:
    """A period from RUNNING to TERMINATING. A restart does not end it."""

    start: Millis
    end: Millis | None
    """None while the session is open."""
    started_by: str | None
    restarts: list[ClusterRestart] = field(default_factory=list)


@dataclass
class EventFault:
    """A fault: for some clusters, the event list deviates from the actual events.

    - `dropped`: events of these types are never listed (default: TERMINATING);
    - `delayed`: events are listed `seconds` later, with their true timestamp (default: all types);
    - `late`: `seconds` after TERMINATING, a further event follows (default: NODES_LOST or EXPANDED_DISK).
    """

    mode: Literal["dropped", "delayed", "late"]
    cluster: str = "*"
    """Cluster name or id, with wildcards."""
    types: list[str] = field(default_factory=list)
    rate: float = 1.0
    seconds: float = 60.0
    count: int | None = None
    """Maximum number of affected events; None means no limit."""
    met: int = 0


@dataclass
class LaunchFailure:
    """A fault: the next launches of some clusters fail."""

    cluster: str = "*"
    """Cluster name or id, with wildcards."""
    count: int | None = 1
    """Number of failing launches; None means all."""
    code: str = "CLOUD_PROVIDER_LAUNCH_FAILURE"
    """The termination code of the failed launches."""
    ends_in: Literal["TERMINATED", "ERROR"] = "TERMINATED"
    troubles: list[str] = field(default_factory=list)
    """Types of error events before the failure, evenly spread over the launch."""
    seconds: float | None = None
    """Duration of the launch in seconds; None means one transition."""
    met: int = 0


SQL_COMMAND = "statements.run_command"
"""Kind of the scheduled task that executes a SQL command if the workspace has Unity Catalog."""


@dataclass
class ExecutionContext:
    """An execution context, in which a user's commands run on a cluster."""

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
    results: dict[str, Any] | None = None
    """The results as in the API; None means no output."""


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
    """Whether the cluster was created for this run and is terminated after it."""
    is_task: bool = False
    """Whether the run is one task of a run with several, so that the jobs API is informed when it ends."""
    lasts: Millis | None = None
    """Duration after the start in seconds. None means one transition."""


@dataclass
class Clusters:
    by_id: dict[str, Cluster] = field(default_factory=dict)
    events: dict[str, list[ClusterEvent]] = field(default_factory=dict)
    """Events by cluster id, in the order of recording."""
    sessions: dict[str, list[UptimeSession]] = field(default_factory=dict)
    """Actual uptime by cluster id, kept after a cluster is deleted."""
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
        """Replace the active event faults."""
        self.event_faults = list(faults)

    def set_launch_failures(self, failures: Sequence[LaunchFailure]) -> None:
        """Replace the active launch failures."""
        self.launch_failures = list(failures)

    def next_launch_failure(self, cluster: Cluster) -> LaunchFailure | None:
        """Return the failure for this launch, if any, and count it."""
        for failure in self.launch_failures:
            if matches(failure.cluster, cluster) and (failure.count is None or failure.met < failure.count):
                failure.met += 1
                return failure
        return None


def matches(pattern: str, cluster: Cluster) -> bool:
    """Return whether a pattern with wildcards matches this cluster's name or id."""
    return fnmatchcase(cluster.name, pattern) or fnmatchcase(cluster.cluster_id, pattern)
