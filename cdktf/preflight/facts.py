"""Facts about the live workspace: its identity, and what it offers that a cluster quota does not cover.

Read-only. `preflight.warnings`, which is pure, decides what follows from the facts.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from labkit.course_file import ALL_USERS
from labkit.extras import sdk
from labkit.extras.sdk import (
    ApiClient,
    Config,
    DatabricksError,
    LazyWorkspaceClient,
    NotFound,
    PermissionDenied,
    SdkConfig,
    Unauthenticated,
    get_object,
    list_all,
)
from labkit.text import first_line
from labkit.workspace.choice import WorkspaceChoice
from labkit.workspace.expected import WorkspaceIdentity, mismatch
from preflight.identity import GuardError, target_expectation

_CONNECT_SECONDS = 40
_PROBE_SECONDS = 3
_ANSWER_SECONDS = 5
_FACTS_SECONDS = 15
_REQUEST_SECONDS = 5
_READERS = 8

Fact = TypeVar("Fact")


class SdkClient(Protocol):
    """The part of the SDK's client that is used here."""

    @property
    def config(self) -> SdkConfig: ...
    @property
    def api_client(self) -> ApiClient: ...


class ExpectedWorkspace(Protocol):
    """The host and workspace id that a target in `lab.toml` expects."""

    @property
    def expected_host(self) -> str: ...
    @property
    def expected_workspace_id(self) -> str: ...


@dataclass(frozen=True)
class WorkspaceFacts:
    """The facts that were read. `unread` lists the kinds that could not be read and are therefore unknown."""

    account_groups: frozenset[str] = frozenset()
    everybody_entitlements: frozenset[str] = frozenset()
    open_warehouses: tuple[str, ...] = ()
    open_policies: tuple[str, ...] = ()
    open_pools: tuple[str, ...] = ()
    has_metastore: bool = False
    running: tuple[dict[str, Any], ...] = ()
    course_file: bytes | None = None
    unread: tuple[str, ...] = field(default=())


def light_client(choice: WorkspaceChoice) -> LazyWorkspaceClient:
    """Return a client that loads only the parts of the SDK that the guard needs. Raises as `configure` does."""
    return LazyWorkspaceClient(configure(choice))


def configure(choice: WorkspaceChoice) -> Config:
    """Return a client configuration that times out within seconds if the host does not respond.

    Raise `GuardError` if there are no credentials.
    """
    try:
        config = sdk.call_with_timeout(
            _CONNECT_SECONDS,
            lambda: sdk.configure(choice, http_seconds=_REQUEST_SECONDS, retry_seconds=_PROBE_SECONDS),
            host=choice.host,
        )
    except sdk.CredentialNotFound as error:
        raise GuardError(str(error)) from error
    except ConnectionError as error:
        raise _unreachable(choice.host, error) from error
    except TimeoutError as error:
        raise GuardError(
            f"The workspace at {choice.host} or its login does not respond; check the URL, the network and the login."
        ) from error
    except ValueError as error:
        raise GuardError(
            f"The credential of {choice.source} cannot be used ({first_line(error)}); set DATABRICKS_HOST and one "
            "kind of credentials, log in, or set a profile in lab.toml."
        ) from error
    config.retry_timeout_seconds = _ANSWER_SECONDS
    return config


def _unreachable(host: str, error: ConnectionError) -> GuardError:
    return GuardError(f"The workspace at {host} cannot be reached: {first_line(error)}; check the URL and the network.")


def identify(client: SdkClient) -> WorkspaceIdentity:
    """Return the workspace that responds and the caller's name in it. Raise `GuardError` if no workspace responds."""
    host = str(client.config.host)
    try:
        workspace_id, caller = sdk.call_with_timeout(
            _CONNECT_SECONDS, lambda: sdk.identify(client.api_client), host=host
        )
    except (Unauthenticated, PermissionDenied, ValueError) as error:
        raise GuardError(f"The workspace at {host} refused the credentials: {first_line(error)}.") from error
    except DatabricksError as error:
        raise GuardError(
            f"The workspace at {host} responded with {first_line(error)} to a request for the "
            "current user; check the URL."
        ) from error
    except ConnectionError as error:
        raise _unreachable(host, error) from error
    except (OSError, TimeoutError) as error:
        raise GuardError(
            f"The workspace at {host} does not respond; check the URL, the network and that the workspace is running."
        ) from error
    if not caller:
        raise GuardError(f"{host} is not a Databricks workspace; check the URL.")
    return WorkspaceIdentity(host=host, workspace_id=workspace_id, caller=caller)


def verify_workspace(client: SdkClient, target_name: str, target: ExpectedWorkspace) -> WorkspaceIdentity:
    """Return the workspace's identity if it is the one that the target expects. Raise `GuardError` if it is not."""
    identity = identify(client)
    expectation = target_expectation(target_name, target.expected_host, target.expected_workspace_id)
    if problem := mismatch(identity, expectation):
        raise GuardError(problem)
    return identity


def collect_facts(
    client: SdkClient, *, clusters: Sequence[str], course_file: str, only_groups: bool = False
) -> WorkspaceFacts:
    """Read all facts in parallel, or only the groups' facts. `clusters` are the cluster names to look for."""
    config: SdkConfig = client.config.copy()  # type: ignore[no-untyped-call]
    config.retry_timeout_seconds = _FACTS_SECONDS
    reader = _FactReader(LazyWorkspaceClient(config))
    if only_groups:
        return WorkspaceFacts(account_groups=_account_group_names(reader.read("groups", reader.groups, [])))
    with ThreadPoolExecutor(_READERS) as readers:
        groups = readers.submit(reader.read, "groups", reader.groups, [])
        warehouses = readers.submit(reader.read, "SQL warehouses", reader.open_warehouses, ())
        policies = readers.submit(reader.read, "cluster policies", reader.open_policies, ())
        pools = readers.submit(reader.read, "instance pools", reader.open_pools, ())
        metastore = readers.submit(reader.read, "the metastore", reader.has_metastore, False)
        running = readers.submit(reader.read, "running clusters", lambda: reader.running(frozenset(clusters)), ())
        content = readers.submit(reader.read, "the course file", lambda: reader.file(course_file), None)
    found = groups.result()
    return WorkspaceFacts(
        account_groups=_account_group_names(found),
        everybody_entitlements=frozenset(
            entitlement["value"]
            for group in found
            if group["displayName"] == ALL_USERS
            for entitlement in group.get("entitlements", ())
        ),
        open_warehouses=warehouses.result(),
        open_policies=policies.result(),
        open_pools=pools.result(),
        has_metastore=metastore.result(),
        running=running.result(),
        course_file=content.result(),
        unread=tuple(sorted(reader.unread)),
    )


class _FactReader:
    """Reads one kind of fact at a time; `unread` lists the kinds that failed."""

    def __init__(self, client: LazyWorkspaceClient) -> None:
        self._client, self._api = client, client.api_client
        self.unread: list[str] = []

    def read(self, kind: str, read: Callable[[], Fact], default: Fact) -> Fact:
        try:
            return read()
        except (DatabricksError, OSError, TimeoutError):
            self.unread.append(kind)
            return default

    def groups(self) -> list[dict[str, Any]]:
        groups = sdk.list_scim(self._api, "Groups", "id,displayName,meta,entitlements")
        return [group for group in groups if group.get("displayName")]

    def open_warehouses(self) -> tuple[str, ...]:
        warehouses = list_all(self._api, "/api/2.0/sql/warehouses", "warehouses")
        return self._open("warehouses", [(w.get("id"), w.get("name")) for w in warehouses])

    def open_policies(self) -> tuple[str, ...]:
        policies = list_all(self._api, "/api/2.0/policies/clusters/list", "policies")
        return self._open("cluster-policies", [(policy.get("policy_id"), policy.get("name")) for policy in policies])

    def open_pools(self) -> tuple[str, ...]:
        pools = list_all(self._api, "/api/2.0/instance-pools/list", "instance_pools")
        return self._open("instance-pools", [(p.get("instance_pool_id"), p.get("instance_pool_name")) for p in pools])

    def _open(self, kind: str, objects: Sequence[tuple[str | None, str | None]]) -> tuple[str, ...]:
        """Return the names of the objects on which the group `users` has a permission."""

        def is_open(object_id: str) -> bool:
            entries = get_object(self._api, f"/api/2.0/permissions/{kind}/{object_id}").get("access_control_list", ())
            return any(entry.get("group_name") == ALL_USERS for entry in entries)

        return tuple(sorted(name or object_id for object_id, name in objects if object_id and is_open(object_id)))

    def has_metastore(self) -> bool:
        try:
            return bool(
                get_object(self._api, "/api/2.1/unity-catalog/current-metastore-assignment").get("metastore_id")
            )
        except NotFound:
            return False

    def running(self, names: frozenset[str]) -> tuple[dict[str, Any], ...]:
        states = {"cluster_states": ["RUNNING", "RESIZING"]}
        query = {"filter_by": states, "page_size": 100}
        clusters = list_all(self._client.api_client, "/api/2.1/clusters/list", "clusters", query)
        return tuple(cluster for cluster in clusters if cluster.get("cluster_name") in names)

    def file(self, path: str) -> bytes | None:
        try:
            with sdk.open_workspace_file(self._api, path) as file:
                return file.read()
        except NotFound:
            return None


def _account_group_names(groups: Sequence[dict[str, Any]]) -> frozenset[str]:
    """Return the names of the account-level groups."""
    of_account = [group for group in groups if str((group.get("meta") or {}).get("resourceType") or "") == "Group"]
    return frozenset(group["displayName"] for group in of_account)
