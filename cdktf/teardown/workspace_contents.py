"""What the workspace holds at the end of a term, beside the lab's own. Reads only, by the whole SDK."""

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError
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
from teardown.steps import Inventory, Managed, Remains, Running

_PATIENCE_SECONDS = 60
_READERS = 8
_UP = ListClustersFilterBy(cluster_states=[State.PENDING, State.RUNNING, State.RESIZING, State.RESTARTING])


Found = TypeVar("Found")


def inventory_of(
    client: WorkspaceClient, managed: Iterable[Managed], *, course: str, term: str, groups: Collection[str]
) -> Inventory:
    """What runs, what of the lab is there, and what besides its own, by kind and name.

    `groups` are the display names that the lab's groups have by its roster.
    """
    patient = client.config.copy()  # type: ignore[no-untyped-call]
    patient.retry_timeout_seconds = _PATIENCE_SECONDS
    looking = _Looking(WorkspaceClient(config=patient), frozenset(one.id for one in managed))
    with ThreadPoolExecutor(_READERS) as readers:
        running = readers.submit(looking.running, course, term)
        lists = {kind: readers.submit(looking.names, kind, names) for kind, names in looking.kinds().items()}
        remains = readers.submit(_remains, looking, course=course, term=term, groups=groups)
    try:
        up: tuple[Running, ...] | None = running.result()
    except (DatabricksError, OSError, TimeoutError):
        up = None
    others = {kind: found.result() for kind, found in lists.items()}
    return Inventory(up, others, tuple(sorted(looking.unread)), remains.result())


def remains_of(client: WorkspaceClient, *, course: str, term: str, groups: Collection[str]) -> Remains:
    """What of the lab the workspace has; arguments as of `inventory_of`."""
    return _remains(_Looking(client, frozenset()), course=course, term=term, groups=groups)


def _remains(looking: "_Looking", *, course: str, term: str, groups: Collection[str]) -> Remains:
    """A group with the name of one of the lab's is another's if a cluster with another course's tags names it."""
    path = path_of(course, term)
    unread: list[str] = []
    content = looking.read("the course file", lambda: looking.file(path), unread)
    clusters = looking.read("the clusters", looking.clusters, unread) or []
    listed = looking.read("the groups", looking.every_group, unread) or []
    own = [cluster for cluster in clusters if _course_of(cluster) == (course, term)]
    named = {*groups, *_groups_in(content or b"", path), *filter(None, map(_group_of, own))}
    named -= {_group_of(cluster) for cluster in clusters if _course_of(cluster) not in ((course, term), (None, None))}
    found = [Managed("file", path, path)] if content is not None else []
    found += [Managed("group", name, id) for id, name in listed if name in named - BUILT_IN_GROUPS]
    found += [Managed("cluster", cluster.cluster_name or "", cluster.cluster_id or "") for cluster in own]
    return Remains(tuple(found), tuple(unread))


def _groups_in(content: bytes, path: str) -> Iterable[str]:
    """The groups that a course file lists; none if it cannot be understood."""
    try:
        return [group.name for group in parse_course_file(content.decode("utf-8", "replace"), path).groups]
    except CourseFileError:
        return []


def _course_of(cluster: ClusterDetails) -> tuple[str | None, str | None]:
    tags = cluster.custom_tags or {}
    return tags.get(COURSE_TAG), tags.get(TERM_TAG)


def _group_of(cluster: ClusterDetails) -> str | None:
    return (cluster.custom_tags or {}).get(GROUP_TAG)


class _Looking:
    """The names of what is not the lab's, a kind at a time."""

    def __init__(self, client: WorkspaceClient, own: frozenset[str]) -> None:
        self._client = client
        self._own = own
        self.unread: list[str] = []
        """The kinds that could not be looked at."""

    def read(self, kind: str, read: Callable[[], Found], unread: list[str] | None = None) -> Found | None:
        """What is read; None, and the kind in `unread`, where the workspace does not give it."""
        try:
            return read()
        except (DatabricksError, OSError, TimeoutError):
            (self.unread if unread is None else unread).append(kind)
            return None

    def names(self, kind: str, read: Callable[[], Iterable[str]]) -> tuple[str, ...]:
        """Names, sorted; none where the workspace does not give them."""
        return self.read(kind, lambda: tuple(sorted(read()))) or ()

    def file(self, path: str) -> bytes | None:
        """The content of a file; None if it does not exist."""
        try:
            with self._client.workspace.download(path) as file:
                return file.read()
        except NotFound:
            return None

    def clusters(self) -> list[ClusterDetails]:
        return list(self._client.clusters.list())

    def every_group(self) -> list[tuple[str, str]]:
        """Ids and display names."""
        return [(g.id or "", g.display_name or "") for g in self._client.groups.list(attributes="id,displayName")]

    def kinds(self) -> dict[str, Callable[[], Iterable[str]]]:
        return {
            "people": self.people,
            "service principals": lambda: (p.display_name or "" for p in self._client.service_principals.list()),
            "groups": self.groups,
            "clusters": lambda: self._not_own((c.cluster_id, c.cluster_name) for c in self._client.clusters.list()),
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

    def running(self, course: str, term: str) -> tuple[Running, ...]:
        return tuple(
            Running(
                cluster.cluster_id or "",
                cluster.cluster_name or "",
                cluster.cluster_id in self._own or _course_of(cluster) == (course, term),
            )
            for cluster in self._client.clusters.list(filter_by=_UP)
        )

    def people(self) -> Iterable[str]:
        return self._not_own((user.id, user.user_name) for user in self._client.users.list(attributes="id,userName"))

    def groups(self) -> Iterable[str]:
        listed = self._client.groups.list(attributes="id,displayName")
        return self._not_own((g.id, g.display_name) for g in listed if g.display_name not in BUILT_IN_GROUPS)

    def policies(self) -> Iterable[str]:
        listed = self._client.cluster_policies.list()
        # Those that every workspace has cannot be removed.
        return self._not_own((policy.policy_id, policy.name) for policy in listed if not policy.is_default)

    def warehouses(self) -> Iterable[str]:
        for warehouse in self._client.warehouses.list():
            runs = warehouse.state in (WarehouseState.RUNNING, WarehouseState.STARTING)
            yield f"{warehouse.name} (it runs)" if runs else warehouse.name or ""

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
            if str(found.object_id) not in self._own and found.path not in self._own:
                yield found.path or ""

    def _not_own(self, pairs: Iterable[tuple[str | None, str | None]]) -> Iterable[str]:
        return (name or id or "" for id, name in pairs if id not in self._own)
