"""Host metadata, workspace settings, and services without an emulation."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotFound, PermissionDenied, ResourceConflict
from databricks.sdk.service.settings import (
    BooleanMessage,
    DefaultNamespaceSetting,
    DisableLegacyDbfs,
    ListType,
    StringMessage,
)

from emulator_process import EmulatorProcess
from in_process_client import InProcessClient

pytestmark = pytest.mark.process

ADMIN, ANA = "admin@lab.example", "ana@lab.example"
METASTORE = "5a0c9b0e-0000-4000-8000-000000000001"

Start = Callable[..., EmulatorProcess]


@pytest.fixture
def ana(emulator: EmulatorProcess) -> WorkspaceClient:
    return emulator.client(emulator.control("POST", "users", {"user_name": ANA})["token"])


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def names(client: WorkspaceClient) -> list[tuple[str | None, int | None]]:
    return [(script.name, script.position) for script in client.global_init_scripts.list()]


def test_the_host_metadata_describe_an_azure_workspace(emulator: EmulatorProcess) -> None:
    answer = emulator.request("GET", "/.well-known/databricks-config", headers={"Authorization": ""})
    assert answer == (
        200,
        {
            "oidc_endpoint": f"{emulator.url}/oidc",
            "workspace_id": emulator.workspace_id,
            "account_id": answer[1]["account_id"],
            "cloud": "Azure",
            "host_type": "workspace",
            "token_federation_default_oidc_audiences": [],
        },
    )
    assert str(UUID(answer[1]["account_id"])) == answer[1]["account_id"]
    client = emulator.client()
    assert (client.config.is_azure, client.get_workspace_id()) == (True, int(emulator.workspace_id))


def test_telemetry_is_counted(emulator: EmulatorProcess) -> None:
    body = {"uploadTime": 1, "items": [], "protoLogs": ["{}", "{}"]}
    assert emulator.request("POST", "/telemetry-ext", body) == (200, {"errors": [], "numProtoSuccess": 2})


def test_the_values_of_workspace_conf_are_strings(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    client.workspace_conf.set_status({"enableIpAccessLists": "TRue", "maxTokenLifetimeDays": "90"})
    assert client.workspace_conf.get_status("enableIpAccessLists,maxTokenLifetimeDays,enableGp3") == {
        "enableIpAccessLists": "TRue",
        "maxTokenLifetimeDays": "90",
        "enableGp3": None,
    }


def test_workspace_conf_has_the_keys_that_the_provider_exports(lab: InProcessClient) -> None:
    # The keys that the Terraform provider's exporter requests, in one request.
    keys = (
        "enableIpAccessLists,enableTokensConfig,maxTokenLifetimeDays,maxUserInactiveDays,"
        "storeInteractiveNotebookResultsInCustomerAccount,enableDeprecatedClusterNamedInitScripts,"
        "enableDeprecatedGlobalInitScripts,enforceWorkspaceViewAcls,enforceUserIsolation,enableProjectTypeInWorkspace,"
        "enableWorkspaceFilesystem,enableProjectsAllowList,projectsAllowList,reposIpynbResultsExportPermissions,"
        "enable-X-Frame-Options,enable-X-Content-Type-Options,enable-X-XSS-Protection,enableResultsDownloading,"
        "enableUploadDataUis,enableExportNotebook,enableNotebookTableClipboard,enableWebTerminal,enableDbfsFileBrowser,"
        "enableDatabricksAutologgingAdminConf,mlflowRunArtifactDownloadEnabled,"
        "mlflowModelServingEndpointCreationEnabled,mlflowModelRegistryEmailNotificationsEnabled,"
        "rStudioUserDefaultHomeBase,enableVerboseAuditLogs,enableEnforceImdsV2,"
        "enableLibraryAndInitScriptOnSharedCluster,enablePipelinesDataSample,customerApprovedWSLoginExpirationTime,"
        "enableLegacyNotebookVisualizations,enableJobViewAcls,enforceClusterViewAcls"
    )
    answer = lab.request("GET", f"/api/2.0/workspace-conf?keys={keys}")
    assert answer == (200, dict.fromkeys(keys.split(",")))
    assert len(answer[1]) == 36


def test_unknown_conf_keys_are_reported_as_the_provider_expects(emulator: EmulatorProcess) -> None:
    text = 'Invalid keys: ["enableNothing", "enableMore"]'
    refusals = [
        emulator.request("GET", "/api/2.0/workspace-conf?keys=enableNothing,enableGp3,enableMore"),
        emulator.request(
            "PATCH", "/api/2.0/workspace-conf", {"enableNothing": "1", "enableGp3": "x", "enableMore": ""}
        ),
    ]
    assert [(status, answer["message"]) for status, answer in refusals] == [(400, text), (400, text)]


def test_invalid_conf_values_are_reported_and_nothing_is_set(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    with pytest.raises(InvalidParameterValue) as refusal:
        client.workspace_conf.set_status({"maxTokenLifetimeDays": "", "enableGp3": "", "enableIpAccessLists": "true"})
    expected = 'Some values are not allowed: {"enableGp3":"","maxTokenLifetimeDays":""}'
    assert str(refusal.value).startswith(expected)
    assert client.workspace_conf.get_status("enableIpAccessLists") == {"enableIpAccessLists": None}


def test_settings_are_for_administrators(ana: WorkspaceClient) -> None:
    for refused in (
        lambda: ana.workspace_conf.get_status("enableGp3"),
        lambda: ana.workspace_conf.set_status({"enableGp3": "true"}),
        lambda: list(ana.global_init_scripts.list()),
        lambda: list(ana.ip_access_lists.list()),
        lambda: ana.settings.disable_legacy_dbfs.update(True, DisableLegacyDbfs(BooleanMessage(True)), "*"),
    ):
        with pytest.raises(PermissionDenied, match="Only administrators can perform this operation."):
            refused()


def test_legacy_dbfs_is_disabled_and_enabled_again(emulator: EmulatorProcess) -> None:
    api = emulator.client().settings.disable_legacy_dbfs
    off = DisableLegacyDbfs(BooleanMessage(True))
    listing = ("GET", "/api/2.0/dbfs/list?path=/")
    seen = [(api.get().disable_legacy_dbfs.value, emulator.request(*listing)[0])]
    changed = api.update(True, off, "disable_legacy_dbfs.value")
    seen.append((api.get(etag=changed.etag).disable_legacy_dbfs.value, emulator.request(*listing)[0]))
    gone = api.delete(etag=changed.etag)
    seen.append((api.get(etag=gone.etag).disable_legacy_dbfs.value, emulator.request(*listing)[0]))
    assert seen == [(False, 200), (True, 403), (False, 200)]
    assert len({changed.etag, gone.etag, None}) == 3


def test_a_new_account_has_no_legacy_dbfs(start_emulator: Start) -> None:
    api = start_emulator("--faults", "no-dbfs").client().settings.disable_legacy_dbfs
    assert api.get().disable_legacy_dbfs.value is True


def test_a_stale_etag_is_rejected_with_the_current_one(emulator: EmulatorProcess) -> None:
    path = "/api/2.0/settings/types/disable_legacy_dbfs/names/default"
    body = {"allow_missing": True, "field_mask": "*", "setting": {"disable_legacy_dbfs": {"value": True}, "etag": "v0"}}
    status, answer = emulator.request("PATCH", path, body)
    etag = emulator.request("GET", path)[1]["etag"]
    assert (status, answer["error_code"]) == (409, "RESOURCE_CONFLICT")
    assert answer["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "RESOURCE_CONFLICT",
            "domain": "settings",
            "metadata": {"etag": etag},
        }
    ]


def test_a_setting_without_a_default_is_missing_until_it_is_created(emulator: EmulatorProcess) -> None:
    api = emulator.client().settings.default_namespace
    wanted = DefaultNamespaceSetting(StringMessage("main"))
    with pytest.raises(NotFound) as refusal:
        api.update(True, wanted, "namespace.value")
    (info,) = refusal.value.get_error_info()
    assert info.metadata
    wanted.etag = info.metadata["etag"]
    made = api.update(True, wanted, "namespace.value")
    assert (made.namespace.value, made.setting_name, api.get().etag) == ("main", "default", made.etag)
    with pytest.raises(ResourceConflict):
        emulator.client().settings.default_namespace.update(True, DefaultNamespaceSetting(StringMessage()), "*")
    assert made.etag
    api.delete(etag=made.etag)
    with pytest.raises(NotFound, match="Setting default_namespace_ws does not exist."):
        api.get()


@pytest.mark.parametrize(
    ("setting", "status"),
    [("off", 400), ({"disable_legacy_dbfs": {"value": "yes"}}, 400), ({"disable_legacy_dbfs": 1}, 400), ({}, 400)],
)
def test_a_malformed_setting_is_rejected(emulator: EmulatorProcess, setting: Any, status: int) -> None:
    path = "/api/2.0/settings/types/disable_legacy_dbfs/names/default"
    assert emulator.request("PATCH", path, {"setting": setting})[0] == status


def test_a_setting_that_is_not_emulated_is_not_missing(emulator: EmulatorProcess) -> None:
    assert emulator.request("GET", "/api/2.0/settings/types/llm_proxy_partner_powered/names/default")[0] == 501


def test_init_scripts_run_in_the_order_of_their_positions(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    ids = [client.global_init_scripts.create(name, encoded(name)).script_id for name in ("a", "b")]
    first = client.global_init_scripts.create("c", encoded("c"), position=0, enabled=True).script_id
    client.global_init_scripts.create("d", encoded("d"), position=99)
    assert names(client) == [("c", 0), ("a", 1), ("b", 2), ("d", 3)]
    assert first and ids[0] and ids[1]
    client.global_init_scripts.update(first, "cc", encoded("echo"), position=2)
    assert names(client) == [("a", 0), ("b", 1), ("cc", 2), ("d", 3)]
    details = client.global_init_scripts.get(first)
    assert (details.script, details.enabled, details.created_by) == (encoded("echo"), True, ADMIN)
    client.global_init_scripts.delete(ids[0])
    assert names(client) == [("b", 0), ("cc", 1), ("d", 2)]
    with pytest.raises(NotFound):
        client.global_init_scripts.get(ids[0])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"script": "ZWNobw=="}, "Missing required field: name"),
        ({"name": "b", "script": "%"}, "script must be base64-encoded."),
        ({"name": "a", "script": "ZWNobw=="}, "A global init script named a already exists."),
        (
            {"name": "b", "script": encoded("x" * 65537)},
            "The script has 65537 bytes; a global init script has at most 65536.",
        ),
        ({"name": "b", "script": "ZWNobw==", "position": -1}, "position must be a number from 0, not -1."),
    ],
)
def test_an_invalid_init_script_is_rejected(emulator: EmulatorProcess, body: dict[str, Any], message: str) -> None:
    emulator.client().global_init_scripts.create("a", encoded("a"))
    status, answer = emulator.request("POST", "/api/2.0/global-init-scripts", body)
    assert (status, answer["message"]) == (400, message)


def test_ip_access_lists_are_stored(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    made = client.ip_access_lists.create("office", ListType.ALLOW, ip_addresses=["10.0.0.0/16", "1.2.3.4"])
    assert made.ip_access_list and made.ip_access_list.list_id
    id = made.ip_access_list.list_id
    client.ip_access_lists.update(id, enabled=False)
    client.ip_access_lists.replace(id, "home", ListType.BLOCK, True, ip_addresses=["1.2.3.5"])
    kept = client.ip_access_lists.get(id).ip_access_list
    assert kept and (kept.label, kept.list_type, kept.ip_addresses, kept.address_count, kept.enabled) == (
        *("home", ListType.BLOCK, ["1.2.3.5"]),
        *(1, True),
    )
    client.ip_access_lists.delete(id)
    assert list(client.ip_access_lists.list()) == []
    with pytest.raises(InvalidParameterValue, match="'office' is not an IP address or CIDR range."):
        client.ip_access_lists.create("office", ListType.ALLOW, ip_addresses=["office"])


def test_services_without_an_emulation_have_empty_lists(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    assert [
        list(client.jobs.list()),
        list(client.jobs.list_runs()),
        list(client.instance_profiles.list()),
        list(client.repos.list()),
        list(client.pipelines.list_pipelines()),
        list(client.ip_access_lists.list()),
        list(client.global_init_scripts.list()),
    ] == [[]] * 7
    for version in ("2.0", "2.1", "2.2"):
        assert emulator.request("GET", f"/api/{version}/jobs/list?limit=25") == (200, {"jobs": [], "has_more": False})


def test_a_workspace_without_a_metastore_returns_404(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    for read in (client.metastores.current, client.metastores.summary):
        with pytest.raises(NotFound, match="No metastore assigned for the current workspace."):
            read()


def test_a_workspace_can_be_assigned_to_a_metastore(emulator: EmulatorProcess) -> None:
    emulator.control("POST", "drift", {"kind": "metastore", "target": METASTORE, "value": None})
    client = emulator.client()
    current = client.metastores.current()
    assert (current.metastore_id, current.workspace_id) == (METASTORE, int(emulator.workspace_id))
    assert client.metastores.summary().metastore_id == METASTORE


def test_a_warehouse_is_visible_to_users_of_sql(emulator: EmulatorProcess, ana: WorkspaceClient) -> None:
    name = "Serverless Starter Warehouse"
    (seen,) = ana.warehouses.list()
    assert seen.id and (seen.name, str(seen.state), seen.creator_name) == (name, "State.STOPPED", ADMIN)
    assert ana.warehouses.get(seen.id).name == name
    client = emulator.client()
    users = next(group for group in client.groups.list() if group.display_name == "users")
    body = {"Operations": [{"op": "replace", "path": "entitlements", "value": [{"value": "workspace-access"}]}]}
    client.api_client.do("PATCH", f"/api/2.0/preview/scim/v2/Groups/{users.id}", body=body)
    with pytest.raises(PermissionDenied, match="databricks-sql-access"):
        list(ana.warehouses.list())
    client.warehouses.delete(seen.id)
    assert list(client.warehouses.list()) == []
    with pytest.raises(NotFound):
        client.warehouses.get(seen.id)


def test_settings_survive_a_restart(start_emulator: Start, tmp_path: Any) -> None:
    file = tmp_path / "state.json"
    first = start_emulator("--state", file)
    client = first.client()
    client.workspace_conf.set_status({"enableGp3": "true"})
    client.global_init_scripts.create("a", encoded("a"))
    client.settings.disable_legacy_dbfs.update(True, DisableLegacyDbfs(BooleanMessage(True)), "*")
    before = json.dumps(first.control("GET", "state")["settings"])
    first.stop()
    second = start_emulator("--state", file)
    assert json.dumps(second.control("GET", "state")["settings"]) == before
    assert second.client().workspace_conf.get_status("enableGp3") == {"enableGp3": "true"}
