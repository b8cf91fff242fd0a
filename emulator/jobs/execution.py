"""Runs with several tasks: when each task begins, on which compute, and how the run ends.

No code of a task is executed: a task uses its compute for one transition and then succeeds.
"""

import copy
from typing import Any

from emulator.api.errors import ApiError, invalid
from emulator.base.clock import Millis
from emulator.base.scheduler import task_handler
from emulator.clusters import commands, definition, lifecycle
from emulator.jobs.settings import dependencies, tasks_of
from emulator.models.clusters import Cluster, JobRun
from emulator.models.jobs import TASK_OVER, Job, MultiTaskRun, TaskRun
from emulator.models.scim import ServicePrincipal, User
from emulator.permissions.cluster_access import find_cluster
from emulator.state.workspace import EmulatedWorkspace
from emulator.warehouses import queries
from emulator.warehouses.lifecycle import ensure_started

NEXT_RUN = "jobs.next_run"
ENDLESS = 10 * 365 * 24 * 60 * 60 * 1000
"""Duration in milliseconds of a task of a continuous job, unless it is cancelled."""
QUERY_TASKS = ("notebook_task", "spark_python_task", "python_wheel_task", "sql_task", "dbt_task")
"""Tasks that are in the query history when they run on a SQL warehouse or on serverless compute."""


def start_run(
    workspace: EmulatedWorkspace,
    job: Job | None,
    settings: dict[str, Any],
    creator: str,
    run_as: str,
    at: Millis,
    *,
    parameters: dict[str, Any] | None = None,
    is_continuous: bool = False,
) -> MultiTaskRun:
    """Start a run, whose first tasks begin now. It is skipped if `max_concurrent_runs` of the job has been reached."""
    jobs, ids = workspace.state.jobs, workspace.state.ids
    key = str(job.job_id if job else creator)
    run = MultiTaskRun(
        run_id=ids.number("run", key),
        job_id=job.job_id if job else None,
        name=str((settings.get("name") if job else settings.get("run_name")) or "Untitled"),
        creator=creator,
        run_as=run_as,
        settings=copy.deepcopy(settings),
        submitted_at=at,
        parameters=parameters or {},
        trigger="CONTINUOUS" if is_continuous else "ONE_TIME",
    )
    open_runs = jobs.open_runs(job.job_id) if job else []
    jobs.runs[str(run.run_id)] = run
    limit = int(settings.get("max_concurrent_runs", 1)) if job else 1
    if len(open_runs) >= limit:
        _close(workspace, run, "SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", at)
        run.message = f"Skipping this run because the limit of {limit} maximum concurrent runs has been reached."
        return run
    for task in tasks_of(settings):
        one = TaskRun(run_id=ids.number("task-run", key), definition=copy.deepcopy(task))
        run.tasks.append(one)
        jobs.run_of_task[str(one.run_id)] = run.run_id
    run.state = "RUNNING"
    _advance(workspace, run, at)
    return run


def cancel_run(workspace: EmulatedWorkspace, run: MultiTaskRun, at: Millis) -> None:
    """Cancel the run and all its tasks; do nothing if the run has ended."""
    if run.is_over:
        return
    for task in run.tasks:
        if not task.is_over:
            _cancel_task(workspace, task, at)
            task.state, task.result, task.message, task.ended_at = "TERMINATED", "CANCELED", "Run cancelled.", at
    run.message = "Run cancelled."
    _close(workspace, run, "TERMINATED", "CANCELED", at)


def refresh(workspace: EmulatedWorkspace, run: MultiTaskRun) -> None:
    """Copy the state of each task from its cluster or its query."""
    for task in run.tasks:
        if not task.is_over:
            _copy_state(workspace, task)


@task_handler(TASK_OVER)
def task_over(workspace: EmulatedWorkspace, at: Millis, *, task_run_id: int) -> None:
    """End a task; begin the tasks that depend on it, or end the run."""
    jobs = workspace.state.jobs
    run = jobs.runs.get(str(jobs.run_of_task.get(str(task_run_id))))
    if run is None or run.is_over:
        return
    task = next(one for one in run.tasks if one.run_id == task_run_id)
    if not task.is_over:
        _copy_state(workspace, task)
    if not task.is_over:
        task.state, task.result, task.ended_at = "TERMINATED", "SUCCESS", at
    _advance(workspace, run, at)


@task_handler(NEXT_RUN)
def next_run(workspace: EmulatedWorkspace, at: Millis, *, job_id: int) -> None:
    """Start the next run of a continuous job, unless the job is paused, deleted or running."""
    job = workspace.state.jobs.by_id.get(str(job_id))
    if job and job.is_continuous and not workspace.state.jobs.open_runs(job_id):
        start_run(workspace, job, job.settings, job.creator, job.run_as, at, is_continuous=True)


def schedule_next_run(workspace: EmulatedWorkspace, job: Job, at: Millis) -> None:
    """Schedule the next run of a continuous job, one transition from now."""
    if job.is_continuous:
        workspace.state.scheduler.cancel(NEXT_RUN, job_id=job.job_id)
        workspace.state.scheduler.schedule(at + workspace.transition(), NEXT_RUN, job_id=job.job_id)


def _advance(workspace: EmulatedWorkspace, run: MultiTaskRun, at: Millis) -> None:
    """Begin every task whose dependencies have ended; end the run if all tasks have ended."""
    by_key = {task.key: task for task in run.tasks}
    changed = True
    while changed:
        changed = False
        for task in run.tasks:
            others = [by_key[key] for key in dependencies(task.definition)]
            if task.state == "BLOCKED" and all(other.is_over for other in others):
                changed = True
                if _should_run(str(task.definition.get("run_if") or "ALL_SUCCESS"), others):
                    _begin(workspace, run, task, at)
                else:
                    task.state, task.result, task.ended_at = "SKIPPED", "UPSTREAM_FAILED", at
                    task.message = "An upstream task failed."
    if all(task.is_over for task in run.tasks):
        _finish(workspace, run, at)


def _should_run(run_if: str, others: list[TaskRun]) -> bool:
    successes = [other.is_successful for other in others]
    match run_if:
        case "ALL_DONE":
            return True
        case "AT_LEAST_ONE_SUCCESS":
            return not others or any(successes)
        case "NONE_FAILED":
            return not any(other.result in ("FAILED", "CANCELED", "UPSTREAM_FAILED") for other in others)
        case "ALL_FAILED":
            return not others or not any(successes)
        case "AT_LEAST_ONE_FAILED":
            return not all(successes)
    return all(successes)


def _finish(workspace: EmulatedWorkspace, run: MultiTaskRun, at: Millis) -> None:
    failed = [task for task in run.tasks if task.result in ("FAILED", "CANCELED")]
    if failed:
        run.message = f"Task {failed[0].key} failed with message: {failed[0].message}."
        state: Any = "INTERNAL_ERROR" if failed[0].state == "INTERNAL_ERROR" else "TERMINATED"
        _close(workspace, run, state, "FAILED", at)
    else:
        _close(workspace, run, "TERMINATED", "SUCCESS", at)


def _close(workspace: EmulatedWorkspace, run: MultiTaskRun, state: Any, result: str, at: Millis) -> None:
    run.state, run.result, run.ended_at = state, result, at
    for cluster_id in run.job_clusters.values():
        workspace.state.scheduler.schedule(at, commands.RELEASE, cluster_id=cluster_id)
    job = workspace.state.jobs.by_id.get(str(run.job_id))
    if job:
        schedule_next_run(workspace, job, at)


def _begin(workspace: EmulatedWorkspace, run: MultiTaskRun, task: TaskRun, at: Millis) -> None:
    """Begin the task on its compute, with the permissions of the principal as which the run runs."""
    task.began_at, task.state = at, "PENDING"
    try:
        user = _principal(workspace, run.run_as)
        cluster = _cluster_of(workspace, run, task.definition, user, at)
        if cluster is None:
            _begin_without_cluster(workspace, run, task, user, at)
        else:
            _begin_on(workspace, run, task, cluster, user, at)
    except ApiError as error:
        task.state, task.result, task.message, task.ended_at = "INTERNAL_ERROR", "FAILED", error.message, at


def _principal(workspace: EmulatedWorkspace, name: str) -> User | ServicePrincipal:
    directory = workspace.state.directory
    found = directory.find_user(name) or directory.find_service_principal(name)
    if found is None:
        raise invalid(f"The run-as principal {name} does not exist.")
    return found


def _cluster_of(
    workspace: EmulatedWorkspace, run: MultiTaskRun, task: dict[str, Any], user: User | ServicePrincipal, at: Millis
) -> Cluster | None:
    """Return the cluster of the task, a new one if the task defines one; None if the task needs no cluster."""
    if task.get("existing_cluster_id"):
        cluster = find_cluster(workspace, str(task["existing_cluster_id"]), at)
        if not cluster.allows("jobs"):
            raise invalid(f"Cluster {cluster.cluster_id} does not allow jobs workloads (workload_type).")
        lifecycle.ensure_started(workspace, cluster, user, at)
        return cluster
    key = task.get("job_cluster_key")
    if key and key in run.job_clusters:
        return find_cluster(workspace, run.job_clusters[key], at)
    wanted = task.get("new_cluster")
    if key:
        known = run.settings.get("job_clusters") or []
        wanted = next((one.get("new_cluster") for one in known if one.get("job_cluster_key") == key), None)
    if wanted is None:
        return None
    name = f"job-{run.job_id or 0}-run-{run.run_id}-{key or task['task_key']}"
    cluster = new_cluster(workspace, user, wanted, at, name)
    if key:
        run.job_clusters[key] = cluster.cluster_id
    return cluster


def new_cluster(
    workspace: EmulatedWorkspace, user: User | ServicePrincipal, wanted: Any, at: Millis, name: str = ""
) -> Cluster:
    """Create a cluster for one run, with a generated name unless `name` is set.

    Raises 403 unless the user may create clusters, 400 for an invalid definition.
    """
    if not isinstance(wanted, dict):
        raise invalid("new_cluster must be an object.")
    sent = copy.deepcopy(wanted) | {"autotermination_minutes": 0}
    completed = definition.complete(workspace, user, sent, kind="job")
    completed["cluster_name"] = name or f"job-{workspace.state.ids.number('job', user.name)}-run-1"
    return lifecycle.create(workspace, user, completed, sent, at, source="JOB")


def _begin_on(
    workspace: EmulatedWorkspace,
    run: MultiTaskRun,
    task: TaskRun,
    cluster: Cluster,
    user: User | ServicePrincipal,
    at: Millis,
) -> None:
    task.cluster_id = cluster.cluster_id
    part = JobRun(
        run_id=task.run_id,
        run_name=run.name,
        cluster_id=cluster.cluster_id,
        user=user.name,
        submitted=task.definition,
        submitted_at=at,
        own_cluster=bool(task.definition.get("new_cluster")),
        is_task=True,
        lasts=_duration(workspace, run),
    )
    commands.submit(workspace, cluster, part, at)


def _begin_without_cluster(
    workspace: EmulatedWorkspace, run: MultiTaskRun, task: TaskRun, user: User | ServicePrincipal, at: Millis
) -> None:
    """Begin the task on the SQL warehouse that it names, or on serverless compute."""
    kind = next((name for name in QUERY_TASKS if task.definition.get(name)), None)
    if kind is None:
        workspace.state.scheduler.schedule(at + workspace.transition(), TASK_OVER, task_run_id=task.run_id)
        task.state = "RUNNING"
        return
    body = task.definition[kind]
    warehouse = None
    if body.get("warehouse_id"):
        warehouse = workspace.state.warehouses.by_id.get(str(body["warehouse_id"]))
        if warehouse is None:
            raise invalid(f"SQL warehouse {body['warehouse_id']} does not exist.")
        ensure_started(workspace, warehouse, user, at)
    query = queries.submit(
        workspace,
        warehouse,
        user,
        f"-- {kind} {body.get('notebook_path') or body.get('python_file') or task.key}",
        _duration(workspace, run),
        at,
        client="Databricks Jobs",
        task_run_id=task.run_id,
    )
    task.query_id = query.id


def _duration(workspace: EmulatedWorkspace, run: MultiTaskRun) -> Millis:
    return ENDLESS if run.trigger == "CONTINUOUS" else workspace.transition()


def _cancel_task(workspace: EmulatedWorkspace, task: TaskRun, at: Millis) -> None:
    state = workspace.state
    state.scheduler.cancel(TASK_OVER, task_run_id=task.run_id)
    part = state.clusters.runs.get(str(task.run_id))
    if part:
        commands.cancel_run(workspace, part, at)
    query = state.warehouses.queries.get(task.query_id or "")
    if query:
        queries.cancel(workspace, query, at)
    # The cancelled cluster run or query scheduled TASK_OVER again, but the task has already ended.
    state.scheduler.cancel(TASK_OVER, task_run_id=task.run_id)


def _copy_state(workspace: EmulatedWorkspace, task: TaskRun) -> None:
    state = workspace.state
    part = state.clusters.runs.get(str(task.run_id))
    query = state.warehouses.queries.get(task.query_id or "")
    if part:
        task.state, task.result, task.message, task.ended_at = part.state, part.result, part.message, part.ended_at
    elif query:
        states: dict[str, Any] = {"QUEUED": "PENDING", "RUNNING": "RUNNING"}
        task.state = states.get(query.status, "TERMINATED")
        task.result = {"FINISHED": "SUCCESS", "FAILED": "FAILED", "CANCELED": "CANCELED"}.get(query.status)
        task.message, task.ended_at = query.error or "", query.ended_at
