"""Finding a job or a run for a caller, with the platform's refusals."""

from emulator.api.errors import denied, invalid
from emulator.api.routing import Request
from emulator.models.jobs import Job
from emulator.permissions.rights import has_permission

WORDS = {
    "CAN_VIEW": "View or Admin or Manage Run or Owner",
    "CAN_MANAGE_RUN": "Admin or Manage Run or Owner",
    "CAN_MANAGE": "Admin or Owner",
}


def versions(name: str) -> tuple[str, str, str]:
    """The path of a call in each version of the API."""
    return f"/api/2.2/jobs/{name}", f"/api/2.1/jobs/{name}", f"/api/2.0/jobs/{name}"


def has_level(request: Request, job: Job, level: str) -> bool:
    """Whether the caller has `level` or more on the job."""
    return has_permission(request.workspace, request.caller.id, "jobs", job.acl_name, level)


def permitted(request: Request, job_id: object, level: str) -> Job:
    """The job, if the caller has `level` or more on it.

    Raises 400 INVALID_PARAMETER_VALUE for an unknown job, in the words by which clients tell that it is gone; 403
    without the right.
    """
    job = request.workspace.state.jobs.by_id.get(str(job_id))
    if job is None:
        raise invalid(f"Job {job_id} does not exist.")
    require_level(request, job, level)
    return job


def require_level(request: Request, job: Job, level: str) -> None:
    """Raises 403 PERMISSION_DENIED unless the caller has `level` or more on the job."""
    if not has_level(request, job, level):
        raise denied(f"User {request.caller.name} does not have {WORDS[level]} permissions on job {job.job_id}")
