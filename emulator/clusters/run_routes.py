"""HTTP of one-time job runs on clusters that exist: `jobs/runs/submit`, `get` and `cancel`."""

from typing import Any

from emulator.clusters import commands, lifecycle
from emulator.clusters.access import find
from emulator.clusters.models import Run
from emulator.errors import ApiError, denied, invalid
from emulator.routing import Call, Routes

routes = Routes()


def versions(name: str) -> tuple[str, str, str]:
    return f"/api/2.1/jobs/runs/{name}", f"/api/2.2/jobs/runs/{name}", f"/api/2.0/jobs/runs/{name}"


@routes.post(*versions("submit"))
def submit(call: Call) -> dict[str, int]:
    """A run is as its submitter: that right decides whether it may start the cluster."""
    cluster = find(call.workspace, _existing_cluster(call.body), call.now)
    if not cluster.allows("jobs"):
        raise invalid(f"Cluster {cluster.cluster_id} does not allow jobs workloads (workload_type).")
    lifecycle.wake(call.workspace, cluster, call.caller, call.now)
    run = Run(
        run_id=call.workspace.state.ids.number("run", cluster.cluster_id),
        run_name=str(call.body.get("run_name") or "Untitled"),
        cluster_id=cluster.cluster_id,
        user=call.caller.name,
        submitted=call.body,
        submitted_at=call.now,
    )
    commands.submit(call.workspace, cluster, run, call.now)
    return {"run_id": run.run_id}


def _existing_cluster(body: dict[str, Any]) -> str:
    """Of the one task, in the older form (task fields at the top) or the newer (`tasks`)."""
    tasks = body.get("tasks") or [body]
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise invalid("tasks must be a list of objects.")
    named = {str(task["existing_cluster_id"]) for task in tasks if task.get("existing_cluster_id")}
    if len(named) == 1 and all(task.get("existing_cluster_id") for task in tasks):
        return named.pop()
    if any("new_cluster" in task for task in tasks) or len(named) > 1:
        text = "The emulator runs jobs on one existing cluster only (existing_cluster_id)."
        raise ApiError(501, "NOT_IMPLEMENTED", text)
    raise invalid("One of job_cluster_key, new_cluster, or existing_cluster_id must be specified.")


@routes.get(*versions("get"))
def get(call: Call) -> dict[str, Any]:
    return shown(_run(call, call.required_argument("run_id")))


@routes.post(*versions("cancel"))
def cancel(call: Call) -> dict[str, Any]:
    commands.cancel_run(call.workspace, _run(call, str(call.required("run_id"))), call.now)
    return {}


def _run(call: Call, run_id: str) -> Run:
    run = call.workspace.state.clusters.runs.get(run_id)
    if run is None:
        raise invalid(f"Run {run_id} does not exist.")
    if run.user != call.caller.name and not call.workspace.state.directory.is_admin(call.caller.id):
        raise denied(f"{call.caller.name} does not have View permissions on run {run_id}.")
    return run


def shown(run: Run) -> dict[str, Any]:
    """The run as the API tells it; times in milliseconds, 0 for what has not come yet."""
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
