"""Checks that an object exists whose permissions are requested."""

from emulator.api.errors import missing
from emulator.models.permissions import ObjectType
from emulator.state.workspace import EmulatedWorkspace

_NAMES = {
    "clusters": "Cluster {id} does not exist",
    "cluster-policies": "Cluster policy {id} does not exist",
    "instance-pools": "Instance pool {id} does not exist",
    "jobs": "Job {id} does not exist.",
}


def require_object(workspace: EmulatedWorkspace, object_type: ObjectType, number: str) -> None:
    """Raise 404 RESOURCE_DOES_NOT_EXIST, with the message for the object's type, if the object does not exist."""
    if not object_type.is_singleton and not _exists(workspace, object_type, number):
        text = _NAMES.get(object_type.url, f"{object_type.name.capitalize()} {{id}} does not exist.")
        raise missing(text.format(id=number))


def _exists(workspace: EmulatedWorkspace, object_type: ObjectType, number: str) -> bool:
    state = workspace.state
    match object_type.url:
        case "clusters":
            return number in state.clusters.by_id
        case "cluster-policies":
            return number in state.policies.policies
        case "instance-pools":
            return number in state.pools.pools
        case "sql/warehouses" | "warehouses":
            return number in state.warehouses.by_id
        case "jobs":
            return number in state.jobs.by_id
        case "sql/queries" | "sql/alerts":
            return number in state.saved_queries.by_id
        case "directories" | "notebooks" | "files" | "repos":
            return state.objects.find_by_acl_name(object_type.object_id(number)) is not None
    return False
