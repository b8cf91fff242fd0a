"""HTTP handlers of jobs: create, get, list, update, reset and delete. Those of runs are in `run_routes`."""

import copy
from typing import Any

from emulator.api.errors import denied, invalid
from emulator.api.routing import Request, Routes
from emulator.jobs import documents, execution, settings
from emulator.jobs.access import api_paths, find_job, has_level
from emulator.jobs.paging import page
from emulator.models.jobs import Job
from emulator.models.permissions import TYPES
from emulator.permissions import changes
from emulator.policies import enforcement

routes = Routes()


@routes.post(*api_paths("create"))
def create(request: Request) -> dict[str, int]:
    """Create a job; its creator is its owner."""
    state = request.workspace.state
    completed = settings.completed(request.body, _cluster_completion(request))
    run_as = _run_as(request, completed, request.caller.name)
    grants = _grants(request)
    job = Job(
        job_id=state.ids.number("job-resource", str(completed["name"])),
        creator=request.caller.name,
        run_as=run_as,
        settings=completed,
        created_at=request.now,
    )
    state.jobs.by_id[str(job.job_id)] = job
    state.acls.grant(job.acl_name, request.caller.id, "IS_OWNER")
    for principal_id, levels in grants.items():
        for level in levels:
            state.acls.grant(job.acl_name, principal_id, level)
    execution.schedule_next_run(request.workspace, job, request.now)
    return {"job_id": job.job_id}


@routes.get(*api_paths("get"))
def get(request: Request) -> dict[str, Any]:
    return documents.job_document(find_job(request, request.required_argument("job_id"), "CAN_VIEW"))


@routes.get(*api_paths("list"))
def list_jobs(request: Request) -> dict[str, Any]:
    """List the jobs that the caller may view, newest first."""
    name = (request.argument("name") or "").casefold()
    found = [
        job
        for job in reversed(request.workspace.state.jobs.by_id.values())
        if (not name or job.name.casefold() == name) and has_level(request, job, "CAN_VIEW")
    ]
    describe = documents.job_document if request.flag("expand_tasks") else documents.job_summary
    return page(request, "jobs", found, describe)


@routes.post(*api_paths("update"))
def update(request: Request) -> dict[str, Any]:
    """Change the fields in `new_settings`, and remove those in `fields_to_remove`."""
    job = find_job(request, request.required("job_id"), "CAN_MANAGE")
    removed = request.body.get("fields_to_remove") or []
    changed = request.body.get("new_settings") or {}
    if not isinstance(removed, list) or not isinstance(changed, dict):
        raise invalid("new_settings must be an object, and fields_to_remove a list.")
    _change(request, job, settings.merged(job.settings, changed, list(map(str, removed))))
    return {}


@routes.post(*api_paths("reset"))
def reset(request: Request) -> dict[str, Any]:
    """Replace all settings; `run_as` is kept if the new settings do not contain it."""
    job = find_job(request, request.required("job_id"), "CAN_MANAGE")
    new = request.required("new_settings")
    if not isinstance(new, dict):
        raise invalid("new_settings must be an object.")
    kept = {"run_as": job.settings["run_as"]} if job.settings.get("run_as") else {}
    _change(request, job, kept | new)
    return {}


@routes.post(*api_paths("delete"))
def delete(request: Request) -> dict[str, Any]:
    """Delete the job and cancel its runs; runs that have ended are kept."""
    job = find_job(request, request.required("job_id"), "CAN_MANAGE")
    state = request.workspace.state
    del state.jobs.by_id[str(job.job_id)]
    state.acls.remove_object(job.acl_name)
    for run in state.jobs.open_runs(job.job_id):
        execution.cancel_run(request.workspace, run, request.now)
    return {}


def _change(request: Request, job: Job, new: dict[str, Any]) -> None:
    completed = settings.completed(new, _cluster_completion(request))
    job.run_as = _run_as(request, completed, job.run_as)
    job.settings = completed
    # A continuous job carries on with its new settings; if they pause it, its current run ends.
    for run in request.workspace.state.jobs.open_runs(job.job_id):
        if run.trigger == "CONTINUOUS":
            execution.cancel_run(request.workspace, run, request.now)
    execution.schedule_next_run(request.workspace, job, request.now)


def _run_as(request: Request, completed: dict[str, Any], current: str) -> str:
    """Return the name of the principal as which the job runs.

    Raises 403 for a principal other than the caller, unless the caller is an administrator.
    """
    given = completed.get("run_as")
    if not isinstance(given, dict):
        return current
    directory = request.workspace.state.directory
    name = given.get("user_name") or given.get("service_principal_name")
    found = directory.find_user(str(name)) or directory.find_service_principal(str(name))
    if found is None:
        raise invalid(f"Principal {name} of run_as does not exist.")
    if found.id != request.caller.id and found.name != current and not directory.is_admin(request.caller.id):
        raise denied(f"{request.caller.name} is not allowed to set run_as to {found.name}.")
    return found.name


def _grants(request: Request) -> changes.Grants:
    entries = request.body.get("access_control_list") or []
    return changes.requested_grants(request.workspace.state.directory, TYPES["jobs"], entries)


def _cluster_completion(request: Request) -> settings.Complete:
    """Return a function that adds the policy's values to a `new_cluster` and removes the option that asked for them."""

    def complete(sent: dict[str, Any]) -> dict[str, Any]:
        definition = enforcement.apply_policy(request.workspace, request.caller, copy.deepcopy(sent), "job")
        return {name: value for name, value in definition.items() if name != "apply_policy_default_values"}

    return complete
