"""Jobs, their runs, and the tasks of each run."""

from dataclasses import dataclass, field
from typing import Any, Literal

from emulator.base.clock import Millis

TASK_OVER = "jobs.task_over"
"""Kind of the scheduled task that clusters and warehouses add when a job's task has finished on them."""
RunState = Literal["PENDING", "RUNNING", "TERMINATED", "SKIPPED", "INTERNAL_ERROR"]
TaskState = Literal["BLOCKED", "PENDING", "RUNNING", "TERMINATED", "SKIPPED", "INTERNAL_ERROR"]


@dataclass(kw_only=True)
class Job:
    job_id: int
    creator: str
    """User name or application id."""
    run_as: str
    """User name or application id of the principal with whose permissions the job runs."""
    settings: dict[str, Any]
    """The settings in responses: the client's values and the platform's defaults."""
    created_at: Millis

    @property
    def acl_name(self) -> str:
        """The name of the object in access control lists."""
        return f"/jobs/{self.job_id}"

    @property
    def name(self) -> str:
        return str(self.settings.get("name") or "")

    @property
    def is_continuous(self) -> bool:
        """Whether a new run starts whenever a run has finished, because the job is continuous and not paused."""
        continuous = self.settings.get("continuous")
        return isinstance(continuous, dict) and continuous.get("pause_status") != "PAUSED"


@dataclass(kw_only=True)
class TaskRun:
    """One task of a run."""

    run_id: int
    definition: dict[str, Any]
    state: TaskState = "BLOCKED"
    result: str | None = None
    message: str = ""
    began_at: Millis | None = None
    ended_at: Millis | None = None
    cluster_id: str | None = None
    """The cluster on which the task runs, as a `JobRun` with the same run id."""
    query_id: str | None = None
    """The task's query on a warehouse or on serverless compute."""

    @property
    def key(self) -> str:
        return str(self.definition["task_key"])

    @property
    def is_over(self) -> bool:
        return self.state in ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")

    @property
    def is_successful(self) -> bool:
        return self.result == "SUCCESS"


@dataclass(kw_only=True)
class MultiTaskRun:
    """One run, of a job or submitted without a job, with its tasks."""

    run_id: int
    job_id: int | None
    """None means that it was submitted without a job."""
    name: str
    creator: str
    run_as: str
    settings: dict[str, Any]
    """The job's settings when the run started, or the submitted settings."""
    submitted_at: Millis
    trigger: Literal["ONE_TIME", "CONTINUOUS"] = "ONE_TIME"
    parameters: dict[str, Any] = field(default_factory=dict)
    """Parameters that the request set for this run, such as `notebook_params` and `job_parameters`."""
    tasks: list[TaskRun] = field(default_factory=list)
    job_clusters: dict[str, str] = field(default_factory=dict)
    """`job_cluster_key` → id of the cluster that was created for this run."""
    state: RunState = "PENDING"
    result: str | None = None
    message: str = ""
    ended_at: Millis | None = None

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None


@dataclass
class Jobs:
    by_id: dict[str, Job] = field(default_factory=dict)
    runs: dict[str, MultiTaskRun] = field(default_factory=dict)
    """Runs by id, in the order of submission."""
    run_of_task: dict[str, int] = field(default_factory=dict)
    """Id of a task's run → id of the run that it belongs to."""
    idempotency_tokens: dict[str, int] = field(default_factory=dict)
    """`job id:idempotency_token` → run id."""

    def open_runs(self, job_id: int) -> list[MultiTaskRun]:
        """Return the job's unfinished runs."""
        return [run for run in self.runs.values() if run.job_id == job_id and not run.is_over]
