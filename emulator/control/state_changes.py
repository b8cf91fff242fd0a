"""Changes made by the account or other services, which are impossible through the workspace's API."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from emulator.api.errors import invalid
from emulator.clusters import lifecycle
from emulator.clusters.definition import complete
from emulator.models.clusters import Cluster
from emulator.objects.paths import parse
from emulator.scim.changes import add_account_group
from emulator.state.workspace import EmulatedWorkspace
from emulator.unity_catalog import seed as unity_catalog
from emulator.warehouses.seed import add_open_warehouse

MAX_CLUSTERS = 20_000
JOB_CLUSTER = {
    "spark_version": "15.4.x-scala2.12",
    "node_type_id": "Standard_DS3_v2",
    "driver_node_type_id": "Standard_DS3_v2",
    "num_workers": 1,
}


def account_group(workspace: EmulatedWorkspace, target: str, value: Any) -> None:
    """Assign an account group named `target` to this workspace; `value` is the list of its users' names."""
    names = [] if value is None else value
    if not isinstance(names, list):
        raise invalid("value: a list of user names")
    members = []
    for name in names:
        user = workspace.state.directory.find_user(str(name))
        if user is None:
            raise invalid(f"value: unknown user {name!r}")
        members.append(user.id)
    add_account_group(workspace, target, members, workspace.clock.now())


def metastore(workspace: EmulatedWorkspace, target: str, value: Any) -> None:
    """Assign the metastore with the id `target`, a UUID, to this workspace; if `value` is false, unassign it.

    Optional properties of the metastore in `value`: `{"storage_root": "abfss://…", "default_properties": true}`.
    """
    settings = value if isinstance(value, dict) else {}
    if not (value in (None, True, False) or (settings and set(settings) <= {"storage_root", "default_properties"})):
        raise invalid("value: true, false to unassign it, or an object with storage_root and default_properties")
    try:
        assigned = str(UUID(target))
    except ValueError:
        raise invalid(f"target: the id of a metastore is a UUID, not {target!r}") from None
    if value is False:
        unity_catalog.unassign(workspace)
    else:
        root, properties = settings.get("storage_root", ""), settings.get("default_properties", False)
        if not isinstance(root, str) or not isinstance(properties, bool):
            raise invalid("value: storage_root is a text, default_properties is true or false")
        unity_catalog.assign(workspace, assigned, root, properties)


def warehouse(workspace: EmulatedWorkspace, target: str, value: Any) -> None:
    """Add a stopped SQL warehouse named `target` that all users may use, as in newer workspaces."""
    if value is not None:
        raise invalid("value: not allowed for a warehouse")
    add_open_warehouse(workspace, target, "2X-Small")


def workspace_object(workspace: EmulatedWorkspace, target: str, value: Any) -> None:
    """Add an object that cannot be imported, a LIBRARY or an MLFLOW_EXPERIMENT, at the path `target`."""
    if value not in ("LIBRARY", "MLFLOW_EXPERIMENT"):
        raise invalid("value: LIBRARY or MLFLOW_EXPERIMENT")
    path = parse(target)
    objects = workspace.state.objects
    folder = objects.find(path.parent.names)
    if folder is None or not folder.is_container or objects.find(path.names):
        raise invalid(f"target: must be a new object in an existing folder, not {path.text}")
    objects.add(workspace.state.ids, folder, path.name, value, workspace.clock.now())


def job_clusters(workspace: EmulatedWorkspace, target: str, value: Any) -> None:
    """Add `value` terminated job clusters, whose names are `target` and a number."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_CLUSTERS:
        raise invalid(f"value: must be a number from 1 to {MAX_CLUSTERS}")
    now, admin, clusters = workspace.clock.now(), workspace.administrator, workspace.state.clusters
    for number in range(1, value + 1):
        definition = {"cluster_name": f"{target}-{number}", **JOB_CLUSTER}
        id = f"job-{workspace.state.ids.hex('job-cluster', f'{target}-{number}', 16)}"
        clusters.by_id[id] = Cluster(
            cluster_id=id,
            definition=definition,
            submitted=definition,
            creator_id=admin.id,
            creator_user_name=admin.name,
            created_at=now,
            source="JOB",
            state="TERMINATED",
            terminated_time=now,
        )


def ui_cluster(workspace: EmulatedWorkspace, target: str, value: Any) -> None:
    """Create a cluster as the user named `target` would in the user interface; `value` is its definition.

    Policies are not checked, as for clusters that are older than a policy.
    """
    user = workspace.state.directory.find_user(target)
    if user is None:
        raise invalid(f"target: unknown user {target!r}")
    if not isinstance(value, dict):
        raise invalid("value: the definition of a cluster, as for clusters/create")
    is_single_node = value.get("num_workers") == 0
    sent = {"kind": "CLASSIC_PREVIEW", "use_ml_runtime": False, "is_single_node": is_single_node} | value
    definition = complete(workspace, workspace.administrator, sent, owner=user.name)
    lifecycle.create(workspace, user, definition, sent, workspace.clock.now(), source="UI")


KINDS: dict[str, Callable[[EmulatedWorkspace, str, Any], None]] = {
    kind.__name__: kind for kind in (account_group, job_clusters, metastore, ui_cluster, warehouse, workspace_object)
}
