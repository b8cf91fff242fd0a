"""HTTP handlers of one-time job runs, on an existing or a new cluster: `jobs/runs/submit`, `get` and `cancel`."""

import copy
from typing import Any

from emulator.api.errors import ApiError, denied, invalid
from emulator.api.routing import Request, Routes
from emulator.clusters import commands, definition, lifecycle
from emulator.models.clusters import Cluster, JobRun
from emulator.permissions.cluster_access import find_cluster

routes = Routes()


def all_versions(name: str) -> tuple[str, str, str]:
    return f"/api/2.1/jobs/runs/{name}", f"/api/2.2/jobs/runs/{name}", f"/api/2.0/jobs/runs/{name}"


@routes.post(*all_versions("submit"))
def submit(request: Request) -> dict[str, int]:
    """Submit a run. It has the permissions of its submitter, who must be allowed to start or to create the cluster."""
    tasks = _tasks(request.body)
    own = len(tasks) == 1 and tasks[0].get("new_cluster") is not None
    cluster = _new_cluster(request, tasks[0]["new_cluster"]) if own else _existing_cluster(request, tasks)
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


def _tasks(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tasks of the newer form, or the single task of the older form, with its fields at the top level."""
    tasks = body.get("tasks") or [body]
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise invalid("tasks must be a list of objects.")
    return tasks


def _new_cluster(request: Request, wanted: Any) -> Cluster:
    """Create a cluster for this run. Raises 403 if the caller may not create one, 400 for an invalid definition."""
    if not isinstance(wanted, dict):
        raise invalid("new_cluster must be an object.")
    sent = copy.deepcopy(wanted) | {"autotermination_minutes": 0}
    completed = definition.complete(request.workspace, request.caller, sent, kind="job")
    completed["cluster_name"] = f"job-{request.workspace.state.ids.number('job', request.caller.name)}-run-1"
    return lifecycle.create(request.workspace, request.caller, completed, sent, request.now, source="JOB")


def _existing_cluster(request: Request, tasks: list[dict[str, Any]]) -> Cluster:
    """Return the cluster of all tasks, and start it if it is stopped. Raises 403 if the caller may not start it."""
    named = {str(task["existing_cluster_id"]) for task in tasks if task.get("existing_cluster_id")}
    if len(named) != 1 or not all(task.get("existing_cluster_id") for task in tasks):
        if any("new_cluster" in task for task in tasks) or len(named) > 1:
            raise ApiError(501, "NOT_IMPLEMENTED", "The emulator runs all tasks of a run on one cluster only.")
        raise invalid("One of job_cluster_key, new_cluster, or existing_cluster_id must be specified.")
    cluster = find_cluster(request.workspace, named.pop(), request.now)
    if not cluster.allows("jobs"):
        raise invalid(f"Cluster {cluster.cluster_id} does not allow jobs workloads (workload_type).")
    lifecycle.ensure_started(request.workspace, cluster, request.caller, request.now)
    return cluster


@routes.get(*all_versions("get"))
def get(request: Request) -> dict[str, Any]:
    return run_document(_run(request, request.required_argument("run_id")))


@routes.post(*all_versions("cancel"))
def cancel(request: Request) -> dict[str, Any]:
    commands.cancel_run(request.workspace, _run(request, str(request.required("run_id"))), request.now)
    return {}


def _run(request: Request, run_id: str) -> JobRun:
    run = request.workspace.state.clusters.runs.get(run_id)
    if run is None:
        raise invalid(f"Run {run_id} does not exist.")
    if run.user != request.caller.name and not request.workspace.state.directory.is_admin(request.caller.id):
        raise denied(f"{request.caller.name} does not have View permissions on run {run_id}.")
    return run


def run_document(run: JobRun) -> dict[str, Any]:
    """Return the run in the format of the API; times in milliseconds, 0 if not reached yet."""
    state: dict[str, Any] = {"life_cycle_state": run.state, "state_message": run.message}
    if run.result is not None:
        state["result_state"] = run.result
    began, ended = run.began_at or 0, run.ended_at or 0
    common = {
        "run_id": run.run_id,
        "state": state,
        "start_time": run.submitted_at,
        "end_time": ended,
        "setup_duration": (began or ended or run.submitted_at) - run.submitted_at,
        "execution_duration": ended - began if began and ended else 0,
        "cleanup_duration": 0,
        "cluster_instance": {"cluster_id": run.cluster_id},
    }
    tasks = run.submitted.get("tasks") or [{"task_key": "main", "existing_cluster_id": run.cluster_id}]
    return common | {
        "run_name": run.run_name,
        "run_type": "SUBMIT_RUN",
        "creator_user_name": run.user,
        "run_as_user_name": run.user,
        "tasks": [common | task for task in tasks],
    }
