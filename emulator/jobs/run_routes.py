"""HTTP handlers of runs: run-now, submit, list, get, get-output, cancel, cancel-all, delete."""

from typing import Any

from emulator.api.errors import denied, invalid, invalid_state
from emulator.api.routing import Request, Routes
from emulator.clusters import commands, lifecycle
from emulator.jobs import documents, execution
from emulator.jobs.access import api_paths, find_job, has_level, require_level
from emulator.jobs.paging import page
from emulator.jobs.settings import COMPUTE_FIELDS, completed, tasks_of
from emulator.models.clusters import Cluster, JobRun
from emulator.models.jobs import MultiTaskRun, TaskRun
from emulator.permissions.cluster_access import find_cluster

PARAMETERS = (
    "job_parameters",
    "notebook_params",
    "python_params",
    "python_named_params",
    "jar_params",
    "spark_submit_params",
    "sql_params",
    "dbt_commands",
    "pipeline_params",
)
AnyRun = MultiTaskRun | JobRun

routes = Routes()


@routes.post(*api_paths("run-now"))
def run_now(request: Request) -> dict[str, int]:
    """Start a run, which has the permissions of the principal as which the job runs."""
    job = find_job(request, request.required("job_id"), "CAN_MANAGE_RUN")
    token = f"{job.job_id}:{request.body.get('idempotency_token')}"
    jobs = request.workspace.state.jobs
    if request.body.get("idempotency_token") and token in jobs.idempotency_tokens:
        run_id = jobs.idempotency_tokens[token]
        return {"run_id": run_id, "number_in_job": run_id}
    parameters = {name: request.body[name] for name in PARAMETERS if request.body.get(name)}
    run = execution.start_run(
        request.workspace, job, job.settings, request.caller.name, job.run_as, request.now, parameters=parameters
    )
    if request.body.get("idempotency_token"):
        jobs.idempotency_tokens[token] = run.run_id
    return {"run_id": run.run_id, "number_in_job": run.run_id}


@routes.post(*api_paths("runs/submit"))
def submit(request: Request) -> dict[str, int]:
    """Submit a run, which has the permissions of its submitter, also to start or create its cluster."""
    tasks = _tasks(request.body)
    existing = {str(task.get("existing_cluster_id") or "") for task in tasks}
    own = len(tasks) == 1 and tasks[0].get("new_cluster") is not None
    if not own and (len(existing) > 1 or "" in existing):
        return {"run_id": _submit_tasks(request).run_id}
    if own:
        cluster = execution.new_cluster(request.workspace, request.caller, tasks[0]["new_cluster"], request.now)
    else:
        cluster = _existing_cluster(request, existing.pop())
    run = JobRun(
        run_id=request.workspace.state.ids.number("run", cluster.cluster_id),
        run_name=str(request.body.get("run_name") or "Untitled"),
        cluster_id=cluster.cluster_id,
        user=request.caller.name,
        submitted=request.body,
        submitted_at=request.now,
        own_cluster=own,
    )
    commands.submit(request.workspace, cluster, run, request.now)
    return {"run_id": run.run_id}


@routes.get(*api_paths("runs/list"))
def list_runs(request: Request) -> dict[str, Any]:
    """List the runs that the caller may view, newest first."""
    job_id, kind = request.argument("job_id"), request.argument("run_type")
    begin, end = request.number("start_time_from", 0), request.number("start_time_to", 0)
    active, over = request.flag("active_only"), request.flag("completed_only")
    if active and over:
        raise invalid("Only one of active_only and completed_only can be true.")
    state = request.workspace.state
    submitted = [run for run in state.clusters.runs.values() if not run.is_task]
    runs: list[AnyRun] = [*submitted, *state.jobs.runs.values()]
    found = [
        run
        for run in sorted(runs, key=lambda run: run.submitted_at, reverse=True)
        if not job_id or (isinstance(run, MultiTaskRun) and str(run.job_id) == job_id)
        if not kind or kind == ("JOB_RUN" if isinstance(run, MultiTaskRun) and run.job_id else "SUBMIT_RUN")
        if run.submitted_at >= begin and (not end or run.submitted_at <= end)
        if not (active and run.ended_at is not None) and not (over and run.ended_at is None)
        if _may_view(request, run)
    ]
    whole = request.flag("expand_tasks")
    return page(request, "runs", found, lambda run: _described(request, run) if whole else _summary(request, run))


@routes.get(*api_paths("runs/get"))
def get(request: Request) -> dict[str, Any]:
    """Return a run, or one of its tasks if the id is that of a task."""
    run, task = _found(request, request.required_argument("run_id"))
    return _described(request, run) if task is None else _task_described(request, run, task)


@routes.get(*api_paths("runs/get-output"))
def get_output(request: Request) -> dict[str, Any]:
    """Return the errors of failed tasks; there is no other output, because no code is executed."""
    run, task = _found(request, request.required_argument("run_id"))
    if task is None:
        if isinstance(run, MultiTaskRun) and len(run.tasks) > 1:
            raise invalid(
                "Retrieving the output of runs with multiple tasks is not supported. Please retrieve the output of "
                "each individual task run instead."
            )
        task = run.tasks[0] if isinstance(run, MultiTaskRun) and run.tasks else None
    failed = task is not None and task.result == "FAILED"
    metadata = _described(request, run) if task is None else _task_described(request, run, task)
    output: dict[str, Any] = {"error": task.message} if task and failed else {"notebook_output": {}}
    return {"metadata": metadata, **output}


@routes.post(*api_paths("runs/cancel"))
def cancel(request: Request) -> dict[str, Any]:
    run, _ = _found(request, str(request.required("run_id")))
    _require_management(request, run)
    if isinstance(run, MultiTaskRun):
        execution.cancel_run(request.workspace, run, request.now)
    else:
        commands.cancel_run(request.workspace, run, request.now)
    return {}


@routes.post(*api_paths("runs/cancel-all"))
def cancel_all(request: Request) -> dict[str, Any]:
    """Cancel all runs of a job that have not ended."""
    job = find_job(request, request.required("job_id"), "CAN_MANAGE_RUN")
    for run in request.workspace.state.jobs.open_runs(job.job_id):
        execution.cancel_run(request.workspace, run, request.now)
    return {}


@routes.post(*api_paths("runs/delete"))
def delete(request: Request) -> dict[str, Any]:
    """Forget a run that is over."""
    run, _ = _found(request, str(request.required("run_id")))
    _require_management(request, run)
    if run.ended_at is None:
        raise invalid_state(f"Run {run.run_id} is still active. Please cancel it first.")
    state = request.workspace.state
    if isinstance(run, JobRun):
        del state.clusters.runs[str(run.run_id)]
        return {}
    del state.jobs.runs[str(run.run_id)]
    for task in run.tasks:
        state.jobs.run_of_task.pop(str(task.run_id), None)
        state.clusters.runs.pop(str(task.run_id), None)
    return {}


def _tasks(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tasks of the newer format, or the task of the older format, whose fields are at the top level."""
    tasks = body.get("tasks") or [body]
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise invalid("tasks must be a list of objects.")
    return tasks


def _submit_tasks(request: Request) -> MultiTaskRun:
    """Start a run on several clusters, on a SQL warehouse or on serverless compute."""
    settings = completed(request.body, dict)
    known = [name for task in tasks_of(settings) for name in task if name.endswith("_task")]
    if not known or not all(task.get("task_key") for task in tasks_of(settings)):
        raise invalid(f"One of {', '.join(COMPUTE_FIELDS[::-1])} must be specified.")
    user = request.caller.name
    return execution.start_run(request.workspace, None, settings, user, user, request.now)


def _existing_cluster(request: Request, cluster_id: str) -> Cluster:
    """Return the cluster that all tasks name; start it unless it runs. Raises 403 unless the caller may do that."""
    cluster = find_cluster(request.workspace, cluster_id, request.now)
    if not cluster.allows("jobs"):
        raise invalid(f"Cluster {cluster.cluster_id} does not allow jobs workloads (workload_type).")
    lifecycle.ensure_started(request.workspace, cluster, request.caller, request.now)
    return cluster


def _found(request: Request, run_id: str) -> tuple[AnyRun, TaskRun | None]:
    """Return the run, and its task if the id is that of a task.

    Raises 400 for an unknown run, 403 for a run that the caller may not view.
    """
    state = request.workspace.state
    parent = state.jobs.runs.get(str(state.jobs.run_of_task.get(run_id, run_id)))
    run: AnyRun | None = parent or state.clusters.runs.get(run_id)
    if run is None:
        raise invalid(f"Run {run_id} does not exist.")
    if not _may_view(request, run):
        raise denied(f"{request.caller.name} does not have View permissions on run {run_id}.")
    if parent is None:
        return run, None
    execution.refresh(request.workspace, parent)
    return parent, next((task for task in parent.tasks if str(task.run_id) == run_id), None)


def _may_view(request: Request, run: AnyRun) -> bool:
    job = _job_of(request, run)
    if job:
        return has_level(request, job, "CAN_VIEW")
    creator = run.creator if isinstance(run, MultiTaskRun) else run.user
    return creator == request.caller.name or request.workspace.state.directory.is_admin(request.caller.id)


def _require_management(request: Request, run: AnyRun) -> None:
    job = _job_of(request, run)
    if job:
        require_level(request, job, "CAN_MANAGE_RUN")


def _job_of(request: Request, run: AnyRun) -> Any:
    return request.workspace.state.jobs.by_id.get(str(run.job_id)) if isinstance(run, MultiTaskRun) else None


def _described(request: Request, run: AnyRun) -> dict[str, Any]:
    if isinstance(run, JobRun):
        return documents.submitted_run_document(run)
    workspace = request.workspace
    execution.refresh(workspace, run)
    return documents.run_document(run, workspace.options.url, workspace.state.workspace_id)


def _summary(request: Request, run: AnyRun) -> dict[str, Any]:
    return documents.run_summary(_described(request, run))


def _task_described(request: Request, run: AnyRun, task: TaskRun) -> dict[str, Any]:
    whole = documents.run_summary(_described(request, run))
    one = documents.task_document(task)
    names = ("cluster_instance", "state", "status", "start_time", "end_time", "execution_duration", "setup_duration")
    own = {name: one[name] for name in names if name in one}
    return whole | own | {"run_id": task.run_id, "run_name": task.key, "tasks": [one]}
