"""Jobs and runs as the API returns them. Times are in milliseconds; 0 means that the time is not known yet."""

from typing import Any

from emulator.base.clock import Millis
from emulator.jobs.settings import COMPUTE_FIELDS, tasks_of
from emulator.models.clusters import JobRun
from emulator.models.jobs import Job, MultiTaskRun, TaskRun

HEAVY_FIELDS = ("tasks", "job_clusters", "environments", "parameters")
"""Fields that a list omits unless `expand_tasks` is set."""
TASK_FIELDS = (
    "depends_on",
    "run_if",
    "notebook_task",
    "spark_python_task",
    "python_wheel_task",
    "sql_task",
    "libraries",
)
V2_STATES = {"BLOCKED": "BLOCKED", "PENDING": "PENDING", "RUNNING": "RUNNING"}


def job_document(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "run_as_user_name": job.run_as,
        "run_as_owner": job.run_as == job.creator,
        "created_time": job.created_at,
        "settings": job.settings,
    }


def job_summary(job: Job) -> dict[str, Any]:
    """Return the job as it is in a list."""
    settings = {name: value for name, value in job.settings.items() if name not in HEAVY_FIELDS}
    return job_document(job) | {"settings": settings}


def run_document(run: MultiTaskRun, url: str, workspace_id: str) -> dict[str, Any]:
    began = [task.began_at for task in run.tasks if task.began_at is not None]
    end = run.ended_at or 0
    start = run.submitted_at
    page = f"{url}/?o={workspace_id}#job/" + (f"{run.job_id}/run/{run.run_id}" if run.job_id else f"run/{run.run_id}")
    document: dict[str, Any] = {
        "run_id": run.run_id,
        "number_in_job": run.run_id,
        "original_attempt_run_id": run.run_id,
        "run_name": run.name,
        "run_type": "JOB_RUN" if run.job_id else "SUBMIT_RUN",
        "run_page_url": page,
        "creator_user_name": run.creator,
        "run_as_user_name": run.run_as,
        **_states(run.state, run.result, run.message),
        "start_time": start,
        "end_time": end,
        "run_duration": end - start if end else 0,
        "setup_duration": 0,
        "execution_duration": end - min(began) if end and began else 0,
        "cleanup_duration": 0,
        "trigger": run.trigger,
        "format": "MULTI_TASK",
        "tasks": [task_document(task) for task in run.tasks],
        "job_clusters": run.settings.get("job_clusters") or [],
    }
    if run.job_id:
        document["job_id"] = run.job_id
    parameters = _job_parameters(run)
    if parameters:
        document["job_parameters"] = parameters
    overriding = {name: value for name, value in run.parameters.items() if name != "job_parameters"}
    if overriding:
        document["overriding_parameters"] = overriding
    return document


def run_summary(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a run as it is in a list."""
    return {name: value for name, value in document.items() if name not in HEAVY_FIELDS}


def task_document(task: TaskRun) -> dict[str, Any]:
    """Return one task of a run as the API returns it."""
    began, end = task.began_at or 0, task.ended_at or 0
    document = {
        "run_id": task.run_id,
        "task_key": task.key,
        **{name: task.definition[name] for name in (*TASK_FIELDS, *COMPUTE_FIELDS) if name in task.definition},
        **_states(task.state, task.result, task.message),
        **_times(began, began, end),
        "attempt_number": 0,
    }
    if task.cluster_id:
        document["cluster_instance"] = {"cluster_id": task.cluster_id}
    return document


def submitted_run_document(run: JobRun) -> dict[str, Any]:
    """Return a run that was submitted with all its tasks on one cluster."""
    common = {
        "run_id": run.run_id,
        **_states(run.state, run.result, run.message),
        **_times(run.submitted_at, run.began_at or 0, run.ended_at or 0),
        "cluster_instance": {"cluster_id": run.cluster_id},
    }
    tasks = tasks_of(run.submitted) or [{"task_key": "main", "existing_cluster_id": run.cluster_id}]
    return common | {
        "run_name": run.run_name,
        "run_type": "SUBMIT_RUN",
        "creator_user_name": run.user,
        "run_as_user_name": run.user,
        "tasks": [common | task for task in tasks],
    }


def _states(state: str, result: str | None, message: str) -> dict[str, Any]:
    """Return the state in the older format, `state`, and in the newer one, `status`."""
    older: dict[str, Any] = {"life_cycle_state": state, "state_message": message}
    newer: dict[str, Any] = {"state": V2_STATES.get(state, "TERMINATED")}
    if result is not None:
        older["result_state"] = result
        codes = {"SUCCESS": ("SUCCESS", "SUCCESS"), "CANCELED": ("USER_CANCELED", "SUCCESS")}
        code, kind = codes.get(result, ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"))
        newer["termination_details"] = {"code": code, "type": kind, "message": message}
    return {"state": older, "status": newer}


def _times(start: Millis, began: Millis, end: Millis) -> dict[str, Millis]:
    return {
        "start_time": start,
        "end_time": end,
        "setup_duration": (began or end or start) - start,
        "execution_duration": end - began if began and end else 0,
        "cleanup_duration": 0,
    }


def _job_parameters(run: MultiTaskRun) -> list[dict[str, Any]]:
    given = run.parameters.get("job_parameters") or {}
    defaults = {one["name"]: one.get("default", "") for one in run.settings.get("parameters") or []}
    return [
        {"name": name, "default": defaults.get(name, ""), "value": given.get(name, defaults.get(name, ""))}
        for name in sorted({*defaults, *given})
    ]
