"""The Python SDK with the emulator: all services that a lab needs return the SDK's types."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    OperationFailed,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.catalog import PermissionsChange, Privilege, VolumeType
from databricks.sdk.service.compute import (
    AutoScale,
    AzureAttributes,
    AzureAvailability,
    EventType,
    GetEventsOrder,
    Library,
    LibraryInstallStatus,
    ListClustersFilterBy,
    MavenLibrary,
    PythonPyPiLibrary,
    State,
    TerminationReasonCode,
)
from databricks.sdk.service.iam import AccessControlRequest, ComplexValue, Patch, PatchOp, PatchSchema, PermissionLevel
from databricks.sdk.service.workspace import AclPermission, ExportFormat, ImportFormat, Language, ObjectType

from emulator_process import EmulatorProcess

pytestmark = pytest.mark.process

VERSION = "15.4.x-scala2.12"
NODE_TYPE = "Standard_DS3_v2"


@pytest.fixture
def client(emulator: EmulatorProcess) -> WorkspaceClient:
    return emulator.client()


@pytest.fixture(scope="module")
def ticking() -> Iterator[EmulatorProcess]:
    """An emulator with transitions of one second, so that the SDK's waiters have to wait."""
    with EmulatorProcess(["--transition-seconds", "1"]) as process:
        yield process


def cluster(client: WorkspaceClient, name: str = "cluster_01") -> str:
    made: Any = client.clusters.create(cluster_name=name, spark_version=VERSION, node_type_id=NODE_TYPE, num_workers=1)
    return str(made.response.cluster_id)


# --- users and groups


def test_users_are_read_as_created(client: WorkspaceClient) -> None:
    made = client.users.create(user_name="Ana@lab.example", display_name="Ana", active=True)
    assert made.id is not None
    read = client.users.get(made.id)
    assert (read.user_name, read.display_name, read.active) == ("ana@lab.example", "Ana", True)
    assert [user.id for user in client.users.list(filter='userName eq "ana@lab.example"')] == [made.id]
    rename = Patch(op=PatchOp.REPLACE, path="displayName", value="Anat")
    client.users.patch(
        made.id, operations=[rename], schemas=[PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP]
    )
    assert client.users.get(made.id).display_name == "Anat"
    client.users.delete(made.id)
    with pytest.raises(NotFound):
        client.users.get(made.id)


def test_groups_are_read_with_members_and_entitlements(client: WorkspaceClient) -> None:
    people = [client.users.create(user_name=f"s{number}@lab.example").id for number in range(3)]
    made = client.groups.create(
        display_name="group_01",
        members=[ComplexValue(value=person) for person in people],
        entitlements=[ComplexValue(value="workspace-access")],
    )
    assert made.id is not None
    read = client.groups.get(made.id)
    assert [member.value for member in read.members or []] == people
    assert [given.value for given in read.entitlements or []] == ["workspace-access"]
    remove = Patch(op=PatchOp.REMOVE, path=f'members[value eq "{people[0]}"]')
    client.groups.patch(made.id, operations=[remove])
    assert [member.value for member in client.groups.get(made.id).members or []] == people[1:]
    assert {group.display_name for group in client.groups.list()} == {"admins", "users", "group_01"}


def test_a_service_principal_signs_in_with_its_secret(client: WorkspaceClient, emulator: EmulatorProcess) -> None:
    made = client.service_principals.create(display_name="enforcer")
    assert made.id and made.application_id
    secret = client.service_principal_secrets_proxy.create(made.id)
    robot = WorkspaceClient(
        config=Config(
            host=emulator.url, client_id=made.application_id, client_secret=secret.secret, auth_type="oauth-m2m"
        )
    )
    assert robot.current_user.me().user_name == made.application_id
    assert secret.id is not None
    client.service_principal_secrets_proxy.delete(made.id, secret.id)
    assert list(client.service_principal_secrets_proxy.list(made.id)) == []


# --- clusters and libraries


def test_a_cluster_is_read_as_it_was_requested(client: WorkspaceClient) -> None:
    attributes = AzureAttributes(
        first_on_demand=1, availability=AzureAvailability.ON_DEMAND_AZURE, spot_bid_max_price=-1
    )
    made: Any = client.clusters.create(
        cluster_name="cluster_01",
        spark_version=VERSION,
        node_type_id=NODE_TYPE,
        autoscale=AutoScale(min_workers=1, max_workers=3),
        autotermination_minutes=20,
        custom_tags={"origin": "terraform"},
        azure_attributes=attributes,
    ).response
    read = client.clusters.get(str(made.cluster_id))
    assert (read.state, read.autotermination_minutes, read.custom_tags) == (State.RUNNING, 20, {"origin": "terraform"})
    assert (read.autoscale, read.azure_attributes) == (AutoScale(min_workers=1, max_workers=3), attributes)
    assert read.creator_user_name == "admin@lab.example"


def test_cluster_waiters_finish(ticking: EmulatorProcess) -> None:
    ticking.control("POST", "reset")
    client = ticking.client()
    running = client.clusters.create_and_wait(
        cluster_name="cluster_01", spark_version=VERSION, node_type_id=NODE_TYPE, num_workers=1
    )
    assert running.state == State.RUNNING
    cluster_id = str(running.cluster_id)
    stopped = client.clusters.delete_and_wait(cluster_id)
    assert stopped.state == State.TERMINATED
    assert stopped.termination_reason and stopped.termination_reason.code == TerminationReasonCode.USER_REQUEST
    assert client.clusters.start_and_wait(cluster_id).state == State.RUNNING
    client.clusters.ensure_cluster_is_running(cluster_id)


def test_a_failed_launch_has_a_reason_with_the_cluster_s_name(ticking: EmulatorProcess) -> None:
    ticking.control("POST", "reset")
    ticking.control("POST", "faults", {"rules": [{"kind": "launch_failure", "match": "cluster_01"}]})
    client = ticking.client()
    with pytest.raises(OperationFailed, match="cluster_01"):
        client.clusters.create_and_wait(
            cluster_name="cluster_01", spark_version=VERSION, node_type_id=NODE_TYPE, num_workers=1
        )
    (failed,) = client.clusters.list()
    assert failed.termination_reason
    assert failed.termination_reason.code == TerminationReasonCode.CLOUD_PROVIDER_LAUNCH_FAILURE
    assert client.clusters.start_and_wait(str(failed.cluster_id)).state == State.RUNNING


def test_clusters_are_listed_pinned_and_removed(client: WorkspaceClient) -> None:
    ids = [cluster(client, f"cluster_{number:02}") for number in range(1, 4)]
    client.clusters.pin(ids[1])
    assert {entry.cluster_id for entry in client.clusters.list(page_size=2)} == set(ids)
    pinned = client.clusters.list(filter_by=ListClustersFilterBy(is_pinned=True))
    assert [entry.cluster_id for entry in pinned] == [ids[1]]
    with pytest.raises(BadRequest, match="unpin the cluster first"):
        client.clusters.permanent_delete(ids[1])
    client.clusters.permanent_delete(ids[0])
    with pytest.raises(ResourceDoesNotExist):
        client.clusters.get(ids[0])


def test_cluster_events_record_state_changes(client: WorkspaceClient) -> None:
    made = cluster(client)
    client.clusters.delete(made)
    client.clusters.start(made)
    listed = list(client.clusters.events(made, order=GetEventsOrder.ASC))
    wanted = (EventType.CREATING, EventType.STARTING, EventType.RUNNING, EventType.TERMINATING)
    assert [event.type for event in listed if event.type in wanted] == [
        EventType.CREATING,
        EventType.RUNNING,
        EventType.TERMINATING,
        EventType.STARTING,
        EventType.RUNNING,
    ]
    assert [event.timestamp for event in listed] == sorted(event.timestamp or 0 for event in listed)
    reason = next(event.details.reason for event in listed if event.type == EventType.TERMINATING and event.details)
    assert reason and reason.parameters == {"username": "admin@lab.example"}


def test_runtimes_node_types_and_zones_can_be_selected(client: WorkspaceClient) -> None:
    assert client.clusters.select_spark_version(long_term_support=True).endswith("-scala2.12")
    assert client.clusters.select_node_type(local_disk=True, min_cores=4).startswith("Standard_")
    assert client.clusters.list_zones().zones


def test_libraries_are_installed_at_once_and_removed_at_a_restart(client: WorkspaceClient) -> None:
    made = cluster(client)
    libraries = [
        Library(pypi=PythonPyPiLibrary(package="nltk==3.9.1")),
        Library(maven=MavenLibrary(coordinates="com.databricks:spark-xml_2.12:0.18.0")),
    ]
    client.libraries.install(made, libraries)
    listed = list(client.libraries.cluster_status(made))
    assert [(entry.library, entry.status) for entry in listed] == [
        (library, LibraryInstallStatus.INSTALLED) for library in libraries
    ]
    client.libraries.uninstall(made, libraries[:1])
    client.clusters.restart(made)
    assert [entry.library for entry in client.libraries.cluster_status(made)] == libraries[1:]
    with pytest.raises(InvalidParameterValue):
        list(client.libraries.cluster_status("0101-000000-abcd1234"))


@pytest.mark.parametrize(
    ("kind", "status"),
    [("library_failed", LibraryInstallStatus.FAILED), ("library_stuck", LibraryInstallStatus.PENDING)],
)
def test_a_failing_or_stuck_library_does_not_affect_others(
    emulator: EmulatorProcess, client: WorkspaceClient, kind: str, status: LibraryInstallStatus
) -> None:
    emulator.control("POST", "faults", {"rules": [{"kind": kind, "match": "nltk*"}]})
    made = cluster(client)
    names = ("nltk==3.9.1", "pandas==2.2.2")
    client.libraries.install(made, [Library(pypi=PythonPyPiLibrary(package=name)) for name in names])
    listed = {entry.library.pypi.package: entry for entry in client.libraries.cluster_status(made)}  # type: ignore[union-attr]
    assert listed["nltk==3.9.1"].status == status
    assert bool(listed["nltk==3.9.1"].messages) is (status == LibraryInstallStatus.FAILED)
    assert listed["pandas==2.2.2"].status == LibraryInstallStatus.INSTALLED


# --- permissions, policies


def test_permissions_are_set_merged_and_read(client: WorkspaceClient) -> None:
    made = cluster(client)
    client.groups.create(display_name="group_01")
    client.users.create(user_name="assistant@lab.example")
    restart = AccessControlRequest(group_name="group_01", permission_level=PermissionLevel.CAN_RESTART)
    manage = AccessControlRequest(user_name="assistant@lab.example", permission_level=PermissionLevel.CAN_MANAGE)
    client.permissions.set("clusters", made, access_control_list=[restart])
    client.permissions.update("clusters", made, access_control_list=[manage])
    read = client.permissions.get("clusters", made)
    direct = {
        entry.group_name or entry.user_name: given.permission_level
        for entry in read.access_control_list or []
        for given in entry.all_permissions or []
        if not given.inherited
    }
    assert direct == {
        "group_01": PermissionLevel.CAN_RESTART,
        "assistant@lab.example": PermissionLevel.CAN_MANAGE,
    }
    levels = client.permissions.get_permission_levels("clusters", made).permission_levels or []
    assert [level.permission_level for level in levels] == [
        PermissionLevel.CAN_ATTACH_TO,
        PermissionLevel.CAN_RESTART,
        PermissionLevel.CAN_MANAGE,
    ]
    with pytest.raises((NotFound, BadRequest)):
        nobody = AccessControlRequest(group_name="nobody", permission_level=PermissionLevel.CAN_RESTART)
        client.permissions.set("clusters", made, access_control_list=[nobody])


def test_a_policy_rejects_a_forbidden_value(client: WorkspaceClient) -> None:
    definition = '{"node_type_id": {"type": "fixed", "value": "Standard_DS3_v2"}}'
    made = client.cluster_policies.create(name="lab", definition=definition)
    assert made.policy_id is not None
    read = client.cluster_policies.get(made.policy_id)
    assert (read.name, read.definition) == ("lab", definition)
    with pytest.raises(InvalidParameterValue, match="node_type_id"):
        client.clusters.create(
            cluster_name="a",
            spark_version=VERSION,
            node_type_id="Standard_DS4_v2",
            num_workers=1,
            policy_id=made.policy_id,
        )
    client.cluster_policies.delete(made.policy_id)
    assert "lab" not in {policy.name for policy in client.cluster_policies.list()}
    assert "Personal Compute" in {policy.name for policy in client.cluster_policies.list()}


# --- files


def test_notebooks_and_files_are_read_back(client: WorkspaceClient) -> None:
    folder = "/Users/admin@lab.example/lab"
    client.workspace.mkdirs(folder)
    source = "# Databricks notebook source\nprint(1)\n"
    client.workspace.upload(f"{folder}/first.py", io.BytesIO(source.encode()), format=ImportFormat.AUTO)
    client.workspace.upload(f"{folder}/data.bin", bytes(range(256)), format=ImportFormat.RAW)
    listed = {entry.path: entry.object_type for entry in client.workspace.list(folder)}
    assert listed == {f"{folder}/first": ObjectType.NOTEBOOK, f"{folder}/data.bin": ObjectType.FILE}
    assert client.workspace.get_status(f"{folder}/first").language == Language.PYTHON
    exported = client.workspace.export(f"{folder}/first", format=ExportFormat.SOURCE)
    assert base64.b64decode(str(exported.content)).decode().strip() == source.strip()
    assert client.workspace.download(f"{folder}/data.bin").read() == bytes(range(256))
    with pytest.raises(ResourceAlreadyExists):
        client.workspace.upload(f"{folder}/data.bin", b"x", format=ImportFormat.RAW)
    with pytest.raises(BadRequest, match="is not empty"):
        client.workspace.delete(folder)
    client.workspace.delete(folder, recursive=True)
    with pytest.raises(NotFound):
        client.workspace.get_status(folder)


def test_dbfs_files_can_exceed_a_block(client: WorkspaceClient) -> None:
    content = bytes(range(256)) * 10_000
    client.dbfs.mkdirs("/lab")
    with client.dbfs.open("/lab/data.bin", write=True, overwrite=True) as stream:
        stream.write(content)
    assert [(entry.path, entry.file_size) for entry in client.dbfs.list("/lab")] == [("/lab/data.bin", len(content))]
    with client.dbfs.open("/lab/data.bin", read=True) as stream:
        read = b"".join(iter(lambda: stream.read(2**20), b""))
    assert read == content
    client.dbfs.move_("/lab/data.bin", "/lab/moved.bin")
    assert client.dbfs.exists("/lab/moved.bin") and not client.dbfs.exists("/lab/data.bin")
    client.dbfs.delete("/lab", recursive=True)
    with pytest.raises(NotFound):
        client.dbfs.get_status("/lab")


def test_a_new_account_has_no_dbfs(emulator: EmulatorProcess, client: WorkspaceClient) -> None:
    emulator.control("POST", "faults", {"profile": "no-dbfs"})
    with pytest.raises(PermissionDenied):
        client.dbfs.put("/lab.txt", contents=base64.b64encode(b"x").decode())
    assert client.settings.disable_legacy_dbfs.get().disable_legacy_dbfs.value is True
    emulator.control("POST", "faults", {})
    client.dbfs.put("/lab.txt", contents=base64.b64encode(b"x").decode())


# --- tokens, secrets


def test_a_token_works_until_it_is_revoked(client: WorkspaceClient, emulator: EmulatorProcess) -> None:
    made = client.tokens.create(comment="for the lab", lifetime_seconds=3600)
    assert made.token_info and made.token_info.token_id
    bearer = emulator.client(made.token_value)
    assert bearer.current_user.me().user_name == "admin@lab.example"
    assert made.token_info.token_id in {token.token_id for token in client.tokens.list()}
    client.tokens.delete(made.token_info.token_id)
    with pytest.raises(PermissionDenied):
        bearer.current_user.me()


def test_a_token_expires_by_the_emulator_s_clock(client: WorkspaceClient, emulator: EmulatorProcess) -> None:
    bearer = emulator.client(client.tokens.create(lifetime_seconds=3600).token_value)
    bearer.current_user.me()
    emulator.control("POST", "clock", {"advance_seconds": 3601})
    with pytest.raises(PermissionDenied):
        bearer.current_user.me()


def test_secrets_are_only_readable_with_permission(client: WorkspaceClient, emulator: EmulatorProcess) -> None:
    client.secrets.create_scope("lab")
    client.secrets.put_secret("lab", "key", string_value="value")
    assert base64.b64decode(str(client.secrets.get_secret("lab", "key").value)) == b"value"
    assert [secret.key for secret in client.secrets.list_secrets("lab")] == ["key"]
    token = emulator.control("POST", "users", {"user_name": "ana@lab.example"})["token"]
    student = emulator.client(token)
    with pytest.raises(PermissionDenied):
        student.secrets.get_secret("lab", "key")
    client.secrets.put_acl("lab", "ana@lab.example", AclPermission.READ)
    assert student.secrets.get_secret("lab", "key").key == "key"


# --- retries, delays


def test_a_retried_write_is_applied_once(emulator: EmulatorProcess, client: WorkspaceClient) -> None:
    rule = {"match": "POST */Groups", "kind": "429", "count": 2, "retry_after": 0}
    emulator.control("POST", "faults", {"rules": [rule]})
    client.groups.create(display_name="group_01")
    assert [group.display_name for group in client.groups.list(filter='displayName eq "group_01"')] == ["group_01"]
    posts = [line["status"] for line in emulator.request_log() if line["method"] == "POST"]
    assert posts == [429, 429, 201]


def test_the_sdk_works_with_a_flaky_workspace(start_emulator: Callable[..., EmulatorProcess]) -> None:
    emulator = start_emulator("--seed", 5, "--faults", "flaky", "--transition-seconds", 0)
    client = emulator.client()
    began = time.monotonic()
    people = [client.users.create(user_name=f"s{number}@lab.example").id for number in range(20)]
    assert {client.users.get(str(person)).user_name for person in people} == {f"s{n}@lab.example" for n in range(20)}
    assert time.monotonic() - began > 40 * 0.05
    statuses = {line["status"] for line in emulator.request_log()}
    assert statuses & {429, 503}


def test_new_users_are_missing_from_lists_for_a_while(emulator: EmulatorProcess, client: WorkspaceClient) -> None:
    emulator.control("POST", "faults", {"profile": "slow-scim"})
    made = client.users.create(user_name="ana@lab.example")

    def listed() -> bool:
        return any(user.id == made.id for user in client.users.list(filter='userName eq "ana@lab.example"'))

    assert (client.users.get(str(made.id)).user_name, listed()) == ("ana@lab.example", False)
    emulator.control("POST", "clock", {"advance_seconds": 21})
    assert listed()


def test_uptime_is_correct_although_events_are_missing(emulator: EmulatorProcess, client: WorkspaceClient) -> None:
    emulator.control("POST", "faults", {"rules": [{"kind": "events_dropped", "types": ["TERMINATING"]}]})
    made = cluster(client)
    client.clusters.delete(made)
    client.clusters.start(made)
    listed = [event.type for event in client.clusters.events(made)]
    assert (EventType.TERMINATING in listed, listed.count(EventType.RUNNING)) == (False, 2)
    assert len(emulator.control("GET", f"uptime?cluster_id={made}")["sessions"]) == 2


# --- Unity Catalog


def test_volumes_and_their_grants_are_returned_as_created() -> None:
    with EmulatorProcess(["--unity-catalog", "auto"]) as process:
        client = process.client()
        catalog = client.metastores.current().default_catalog_name
        assert catalog is not None
        schema = client.schemas.create("Raw", catalog, comment="raw data")
        volume = client.volumes.create(catalog, "raw", "files", VolumeType.MANAGED)
        assert (schema.full_name, volume.full_name) == (f"{catalog}.raw", f"{catalog}.raw.files")
        change = PermissionsChange(principal="account users", add=[Privilege.USE_SCHEMA, Privilege.READ_VOLUME])
        client.grants.update("schema", f"{catalog}.raw", changes=[change])
        effective = client.grants.get_effective("volume", f"{catalog}.raw.files").privilege_assignments or []
        assert [(one.principal, [held.privilege for held in one.privileges or []]) for one in effective] == [
            ("account users", [Privilege.READ_VOLUME])
        ]
        assert [one.name for one in client.volumes.list(catalog, "raw")] == ["files"]
        with pytest.raises(BadRequest, match="is not empty"):
            client.schemas.delete(f"{catalog}.raw")
        client.schemas.delete(f"{catalog}.raw", force=True)
        with pytest.raises(NotFound, match=f"Schema '{catalog}.raw' does not exist"):
            client.schemas.get(f"{catalog}.raw")
