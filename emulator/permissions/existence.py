"""Checks that an object exists whose permissions are requested."""

from emulator.api.errors import missing
from emulator.models.mlflow import REGISTRY_ACL
from emulator.models.permissions import ObjectType
from emulator.state.workspace import EmulatedWorkspace

_NAMES = {
    "clusters": "Cluster {id} does not exist",
    "cluster-policies": "Cluster policy {id} does not exist",
    "instance-pools": "Instance pool {id} does not exist",
    "jobs": "Job {id} does not exist.",
}


def existing_object(workspace: EmulatedWorkspace, object_type: ObjectType, number: str) -> str:
    """Return the name of the object in access control lists, for its id in the path of the request.

    Raises 404 RESOURCE_DOES_NOT_EXIST, with the message for the object's type, if the object does not exist.
    """
    if object_type.url == "dashboards":
        # The path has the resource id, and the response the object's id, as on the platform.
        dashboard = workspace.state.objects.find_dashboard(number)
        found = dashboard is not None
        name = dashboard.acl_name if dashboard else ""
    else:
        found = object_type.is_singleton or _exists(workspace, object_type, number)
        name = object_type.object_id(number)
    if not found:
        text = _NAMES.get(object_type.url, f"{object_type.name.capitalize()} {{id}} does not exist.")
        raise missing(text.format(id=number))
    return name


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
        case "registered-models":
            return object_type.object_id(number) == REGISTRY_ACL or state.mlflow.find_model(number) is not None
        case "sql/queries" | "sql/alerts":
            saved = state.saved_queries.by_id.get(number)
            return saved is not None and saved.acl_name == object_type.object_id(number)
        case "directories" | "notebooks" | "files" | "repos" | "experiments":
            return state.objects.find_by_acl_name(object_type.object_id(number)) is not None
    return False
