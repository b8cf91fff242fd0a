"""What the workspace holds at the end of a term, beside the lab's own. Reads only, by the whole SDK."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.compute import ListClustersFilterBy, State
from databricks.sdk.service.sql import State as WarehouseState

from labkit.course_file import BUILT_IN_GROUPS, COURSE_TAG, TERM_TAG
from teardown.steps import Inventory, Managed, Running

_PATIENCE_SECONDS = 60
_READERS = 8
_UP = ListClustersFilterBy(cluster_states=[State.PENDING, State.RUNNING, State.RESIZING, State.RESTARTING])


def inventory_of(client: WorkspaceClient, managed: Iterable[Managed], *, course: str, term: str) -> Inventory:
    """What runs, and what is in the workspace besides the lab's own, by kind and name."""
    patient = client.config.copy()  # type: ignore[no-untyped-call]
    patient.retry_timeout_seconds = _PATIENCE_SECONDS
    own = frozenset(one.id for one in managed)
    looking = _Looking(WorkspaceClient(config=patient), own)
    unread: list[str] = []

    def read(kind: str, names: Callable[[], Iterable[str]]) -> tuple[str, ...]:
        try:
            return tuple(sorted(names()))
        except (DatabricksError, OSError, TimeoutError):
            unread.append(kind)
            return ()

    with ThreadPoolExecutor(_READERS) as readers:
        running = readers.submit(looking.running, course, term)
        lists = {kind: readers.submit(read, kind, names) for kind, names in looking.kinds().items()}
    try:
        up: tuple[Running, ...] | None = running.result()
    except (DatabricksError, OSError, TimeoutError):
        up = None
    return Inventory(up, {kind: found.result() for kind, found in lists.items()}, tuple(sorted(unread)))


class _Looking:
    """The names of what is not the lab's, a kind at a time."""

    def __init__(self, client: WorkspaceClient, own: frozenset[str]) -> None:
        self._client = client
        self._own = own

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
                cluster.cluster_id in self._own
                or ((cluster.custom_tags or {}).get(COURSE_TAG), (cluster.custom_tags or {}).get(TERM_TAG))
                == (course, term),
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
