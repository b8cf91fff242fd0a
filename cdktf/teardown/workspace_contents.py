"""Reads what the workspace contains at the end of a term: the lab's objects and all others. Uses the whole SDK."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import databricks.sdk as sdk
from databricks.sdk.service.compute import ClusterDetails, ListClustersFilterBy, State
from databricks.sdk.service.sql import State as WarehouseState

from labkit.course_file import (
    BUILT_IN_GROUPS,
    COURSE_TAG,
    GROUP_TAG,
    TERM_TAG,
    CourseFileError,
    parse_course_file,
    path_of,
)
from labkit.extras.sdk import DatabricksError, NotFound, whole_client
from teardown.steps import LabRemains, ManagedObject, RunningCluster, WorkspaceContents

_RETRY_SECONDS = 60
_READERS = 8
_RUNNING_FILTER = ListClustersFilterBy(cluster_states=[State.PENDING, State.RUNNING, State.RESIZING, State.RESTARTING])


Value = TypeVar("Value")


def read_workspace_contents(
    client: sdk.WorkspaceClient, managed: Iterable[ManagedObject], *, course: str, term: str, groups: Collection[str]
) -> WorkspaceContents:
    """Read the running clusters, the objects that remain from the lab, and the names of all other objects by kind.

    `groups` are the display names of the groups in the lab's roster.
    """
    config = client.config.copy()  # type: ignore[no-untyped-call]
    config.retry_timeout_seconds = _RETRY_SECONDS
    reader = _ContentsReader(whole_client(config), frozenset(one.id for one in managed))
    with ThreadPoolExecutor(_READERS) as readers:
        running = readers.submit(reader.running, course, term)
        lists = {
            kind: readers.submit(reader.read_names, kind, read_names)
            for kind, read_names in reader.name_readers().items()
        }
        remains = readers.submit(_lab_remains, reader, course=course, term=term, groups=groups)
    try:
        running_clusters: tuple[RunningCluster, ...] | None = running.result()
    except (DatabricksError, OSError, TimeoutError):
        running_clusters = None
    others = {kind: found.result() for kind, found in lists.items()}
    return WorkspaceContents(running_clusters, others, tuple(sorted(reader.unread)), remains.result())


def find_lab_remains(client: sdk.WorkspaceClient, *, course: str, term: str, groups: Collection[str]) -> LabRemains:
    """Find the lab's objects in the workspace; arguments as in `read_workspace_contents`."""
    return _lab_remains(_ContentsReader(client, frozenset()), course=course, term=term, groups=groups)


def _lab_remains(reader: _ContentsReader, *, course: str, term: str, groups: Collection[str]) -> LabRemains:
    """Find the lab's objects. A group belongs to a different course if a cluster with that course's tags has the
    group's tag. The lab has created none of the account's groups.
    """
    path = path_of(course, term)
    unread: list[str] = []
    content = reader.read("the course file", lambda: reader.file(path), unread)
    clusters = reader.read("the clusters", reader.clusters, unread) or []
    listed = reader.read("the groups", reader.own_groups, unread) or []
    own_clusters = [cluster for cluster in clusters if _course_of(cluster) == (course, term)]
    group_names = {*groups, *_groups_in(content or b"", path), *filter(None, map(_group_of, own_clusters))}
    group_names -= {
        _group_of(cluster) for cluster in clusters if _course_of(cluster) not in ((course, term), (None, None))
    }
    found = [ManagedObject("file", path, path)] if content is not None else []
    found += [ManagedObject("group", name, id) for id, name in listed if name in group_names - BUILT_IN_GROUPS]
    found += [
        ManagedObject("cluster", cluster.cluster_name or "", cluster.cluster_id or "") for cluster in own_clusters
    ]
    return LabRemains(tuple(found), tuple(unread))


def _groups_in(content: bytes, path: str) -> Iterable[str]:
    """Return the groups in a course file that the lab has created; none if the file is invalid."""
    try:
        groups = parse_course_file(content.decode("utf-8", "replace"), path).groups
        return [group.name for group in groups if not group.principal]
    except CourseFileError:
        return []


def _course_of(cluster: ClusterDetails) -> tuple[str | None, str | None]:
    tags = cluster.custom_tags or {}
    return tags.get(COURSE_TAG), tags.get(TERM_TAG)


def _group_of(cluster: ClusterDetails) -> str | None:
    return (cluster.custom_tags or {}).get(GROUP_TAG)


class _ContentsReader:
    """Reads the names of objects that do not belong to the lab, one kind at a time."""

    def __init__(self, client: sdk.WorkspaceClient, own_clusters: frozenset[str]) -> None:
        self._client = client
        self._own_ids = own_clusters
        self.unread: list[str] = []
        """The kinds that could not be read."""

    def read(self, kind: str, read: Callable[[], Value], unread: list[str] | None = None) -> Value | None:
        """Return the result of `read`. If the workspace refuses the request, return None and extend `unread`."""
        try:
            return read()
        except (DatabricksError, OSError, TimeoutError):
            (self.unread if unread is None else unread).append(kind)
            return None

    def read_names(self, kind: str, read: Callable[[], Iterable[str]]) -> tuple[str, ...]:
        """Return sorted names; none if the workspace refuses the request."""
        return self.read(kind, lambda: tuple(sorted(read()))) or ()

    def file(self, path: str) -> bytes | None:
        """Return a workspace file's content; None if the file does not exist."""
        try:
            with self._client.workspace.download(path) as file:
                return file.read()
        except NotFound:
            return None

    def clusters(self) -> list[ClusterDetails]:
        return list(self._client.clusters.list())

    def own_groups(self) -> list[tuple[str, str]]:
        """Return the ids and display names of all groups that the workspace itself has."""
        return [
            (group.id or "", group.display_name or "")
            for group in self._client.groups.list(attributes="id,displayName,meta")
            if not (group.meta and group.meta.resource_type == "Group")
        ]

    def name_readers(self) -> dict[str, Callable[[], Iterable[str]]]:
        return {
            "people": self.people,
            "service principals": lambda: (p.display_name or "" for p in self._client.service_principals.list()),
            "groups": self.groups,
            "clusters": lambda: self._names_of_others(
                (c.cluster_id, c.cluster_name) for c in self._client.clusters.list()
            ),
            "jobs": lambda: (job.settings.name or "" for job in self._client.jobs.list() if job.settings),
            "SQL warehouses": self.warehouses,
            "policies": self.policies,
            "instance pools": lambda: (p.instance_pool_name or "" for p in self._client.instance_pools.list()),
            "tokens": self.tokens,
            "secret scopes": lambda: (scope.name or "" for scope in self._client.secrets.list_scopes()),
            "git folders": lambda: (repo.path or "" for repo in self._client.repos.list()),
            "homes": lambda: self._folders("/Users"),
            "workspace folders": lambda: self._folders("/"),
            "DBFS folders": lambda: (file.path or "" for file in self._client.dbfs.list("/")),
            "catalogs": self.catalogs,
        }

    def running(self, course: str, term: str) -> tuple[RunningCluster, ...]:
        return tuple(
            RunningCluster(
                cluster.cluster_id or "",
                cluster.cluster_name or "",
                cluster.cluster_id in self._own_ids or _course_of(cluster) == (course, term),
            )
            for cluster in self._client.clusters.list(filter_by=_RUNNING_FILTER)
        )

    def people(self) -> Iterable[str]:
        return self._names_of_others(
            (user.id, user.user_name) for user in self._client.users.list(attributes="id,userName")
        )

    def groups(self) -> Iterable[str]:
        listed = self._client.groups.list(attributes="id,displayName")
        return self._names_of_others((g.id, g.display_name) for g in listed if g.display_name not in BUILT_IN_GROUPS)

    def policies(self) -> Iterable[str]:
        listed = self._client.cluster_policies.list()
        # Default policies, which every workspace has, cannot be removed.
        return self._names_of_others((policy.policy_id, policy.name) for policy in listed if not policy.is_default)

    def warehouses(self) -> Iterable[str]:
        for warehouse in self._client.warehouses.list():
            is_running = warehouse.state in (WarehouseState.RUNNING, WarehouseState.STARTING)
            yield f"{warehouse.name} (it runs)" if is_running else warehouse.name or ""

    def tokens(self) -> Iterable[str]:
        for token in self._client.token_management.list():
            yield f"{token.comment or token.token_id} of {token.created_by_username or token.owner_id}"

    def catalogs(self) -> Iterable[str]:
        try:
            self._client.metastores.current()
        except NotFound:
            return []
        return [catalog.name or "" for catalog in self._client.catalogs.list()]

    def _folders(self, path: str) -> Iterable[str]:
        for found in self._client.workspace.list(path):
            if str(found.object_id) not in self._own_ids and found.path not in self._own_ids:
                yield found.path or ""

    def _names_of_others(self, pairs: Iterable[tuple[str | None, str | None]]) -> Iterable[str]:
        return (name or id or "" for id, name in pairs if id not in self._own_ids)
