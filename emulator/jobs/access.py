"""Finds a job for a caller, or raises the error that the platform returns."""

from emulator.api.errors import denied, invalid
from emulator.api.routing import Request
from emulator.models.jobs import Job
from emulator.permissions.rights import has_permission

WORDS = {
    "CAN_VIEW": "View or Admin or Manage Run or Owner",
    "CAN_MANAGE_RUN": "Admin or Manage Run or Owner",
    "CAN_MANAGE": "Admin or Owner",
}


def api_paths(name: str) -> tuple[str, str, str]:
    """Return the path of a method in each version of the API."""
    return f"/api/2.2/jobs/{name}", f"/api/2.1/jobs/{name}", f"/api/2.0/jobs/{name}"


def has_level(request: Request, job: Job, level: str) -> bool:
    """Return whether the caller has `level` or a higher permission on the job."""
    return has_permission(request.workspace, request.caller.id, "jobs", job.acl_name, level)


def find_job(request: Request, job_id: object, level: str) -> Job:
    """Return the job, if the caller has `level` or a higher permission on it.

    Raises 400 INVALID_PARAMETER_VALUE for an unknown job, with the text by which clients recognize that it does not
    exist; 403 if the caller lacks the permission.
    """
    job = request.workspace.state.jobs.by_id.get(str(job_id))
    if job is None:
        raise invalid(f"Job {job_id} does not exist.")
    require_level(request, job, level)
    return job


def require_level(request: Request, job: Job, level: str) -> None:
    """Raise 403 PERMISSION_DENIED unless the caller has `level` or a higher permission on the job."""
    if not has_level(request, job, level):
        raise denied(f"User {request.caller.name} does not have {WORDS[level]} permissions on job {job.job_id}")
