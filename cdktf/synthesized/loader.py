"""Creates the resources in a synthesized stack through the SDK, and stops the clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import databricks.sdk as sdk
from databricks.sdk.service.compute import Library
from databricks.sdk.service.iam import AccessControlRequest, Patch, PatchOp, PatchSchema
from databricks.sdk.service.workspace import ImportFormat

from stopping.new_clusters import await_termination
from synthesized.resources import Instance, Resources

_WORKERS = 16
_ENTITLEMENTS = {
    "workspace_access": "workspace-access",
    "databricks_sql_access": "databricks-sql-access",
    "allow_cluster_create": "allow-cluster-create",
    "allow_instance_pool_create": "allow-instance-pool-create",
}
# The keys in a cluster's block that are not part of the API request.
_TERRAFORM_ONLY = ("//", "depends_on", "library", "is_pinned", "lifecycle")

Item = TypeVar("Item")
Made = TypeVar("Made")


class LoadError(Exception):
    """An account that should exist is missing in the workspace; the message contains its name."""


@dataclass(frozen=True)
class LoadedCounts:
    """The number of created objects per kind."""

    users: int
    groups: int
    memberships: int
    clusters: int
    permissions: int
    files: int


class Loader:
    """Creates the resources in one stack, referenced ones first."""

    def __init__(self, client: sdk.WorkspaceClient, stack: Mapping[str, Any]) -> None:
        self._client = client
        self._resources = Resources(stack)

    def load(self) -> LoadedCounts:
        """Create everything and stop the clusters. Raise `DatabricksError` for the first refused request."""
        self._map(self._resources.instances("data", "databricks_user"), self._find_user)
        users = self._map(self._resources.instances("resource", "databricks_user"), self._make_user)
        groups = self._map(self._resources.instances("resource", "databricks_group"), self._make_group)
        self._map(self._resources.instances("resource", "databricks_entitlements"), self._set_entitlements)
        memberships = self._add_members(self._resources.instances("resource", "databricks_group_member"))
        clusters = self._map(self._resources.instances("resource", "databricks_cluster"), self._make_cluster)
        permissions = self._map(
            [p for p in self._resources.instances("resource", "databricks_permissions") if "cluster_id" in p.arguments],
            self._set_permissions,
        )
        self._map(
            self._resources.instances("resource", "databricks_directory"),
            lambda folder: self._client.workspace.mkdirs(folder.arguments["path"]),
        )
        files = self._map(self._resources.instances("resource", "databricks_workspace_file"), self._write_file)
        self._map(clusters, self._client.clusters.delete)
        await_termination(self._client.api_client, clusters)
        return LoadedCounts(len(users), len(groups), memberships, len(clusters), len(permissions), len(files))

    def _map(self, items: Iterable[Item], make: Callable[[Item], Made]) -> list[Made]:
        with ThreadPoolExecutor(_WORKERS) as executor:
            return list(executor.map(make, items))

    def _find_user(self, user: Instance) -> None:
        name = user.arguments["user_name"]
        found = next(iter(self._client.users.list(filter=f'userName eq "{name}"', attributes="id")), None)
        if found is None or found.id is None:
            raise LoadError(f"The workspace has no account {name}, which the roster marks as existing there.")
        self._resources.set_attributes(user, id=found.id)

    def _make_user(self, user: Instance) -> None:
        made = self._client.users.create(user_name=user.arguments["user_name"])
        self._resources.set_attributes(user, id=str(made.id))

    def _make_group(self, group: Instance) -> None:
        name = group.arguments["display_name"]
        made = self._client.groups.create(display_name=name)
        self._resources.set_attributes(group, id=str(made.id), display_name=name)

    def _set_entitlements(self, entitlements: Instance) -> None:
        given = [{"value": name} for key, name in _ENTITLEMENTS.items() if entitlements.arguments.get(key)]
        if given:
            self._patch(entitlements.arguments["group_id"], Patch(PatchOp.REPLACE, "entitlements", given))

    def _add_members(self, memberships: Iterable[Instance]) -> int:
        members: dict[str, list[str]] = {}
        for membership in memberships:
            members.setdefault(membership.arguments["group_id"], []).append(membership.arguments["member_id"])
        self._map(
            members.items(),
            lambda item: self._patch(item[0], Patch(PatchOp.ADD, "members", [{"value": member} for member in item[1]])),
        )
        return sum(map(len, members.values()))

    def _patch(self, group_id: str, operation: Patch) -> None:
        schemas = [PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP]
        self._client.groups.patch(group_id, operations=[operation], schemas=schemas)

    def _make_cluster(self, cluster: Instance) -> str:
        arguments = cluster.arguments
        body = {key: value for key, value in arguments.items() if key not in _TERRAFORM_ONLY}
        answer = self._client.api_client.do("POST", "/api/2.1/clusters/create", body=body)
        cluster_id = str(answer["cluster_id"]) if isinstance(answer, dict) else ""
        self._resources.set_attributes(cluster, id=cluster_id)
        if arguments.get("is_pinned"):
            self._client.clusters.pin(cluster_id)
        if libraries := arguments.get("library"):
            self._client.libraries.install(cluster_id, [Library.from_dict(library) for library in libraries])
        return cluster_id

    def _set_permissions(self, permissions: Instance) -> None:
        entries = [AccessControlRequest.from_dict(entry) for entry in permissions.arguments["access_control"]]
        self._client.permissions.set("clusters", permissions.arguments["cluster_id"], access_control_list=entries)

    def _write_file(self, file: Instance) -> None:
        arguments = file.arguments
        self._client.workspace.import_(arguments["path"], content=arguments["content_base64"], format=ImportFormat.RAW)


def load(client: sdk.WorkspaceClient, stack: Mapping[str, Any]) -> LoadedCounts:
    """Create the resources in a synthesized stack, except folder permissions, and stop its clusters at the end.

    Raise `LoadError` if an account that should exist is missing, `DatabricksError` for a refused request.
    """
    return Loader(client, stack).load()
