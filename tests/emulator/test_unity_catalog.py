"""Catalogs, schemas, volumes, tables and the rest as records: made, shown, changed, listed, dropped, refused."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.models.scim import User
from emulator.state.options import Options
from emulator.state.state import dump_json, load_json
from emulator.state.workspace import EmulatedWorkspace
from emulator.unity_catalog.seed import adopt, assign
from in_process_client import InProcessClient
from in_process_workspace import InProcessWorkspace

BASE = "/api/2.1/unity-catalog"
OWN = "lab_workspace"
"""The catalog that the workspace comes with."""
ROOT = "abfss://lab@store.dfs.core.windows.net"
METASTORE = "5a0c6d3e-1f5b-4c0a-9d0e-3f2b1a4c5d6e"
FILES = "/api/2.0/fs/files"


@pytest.fixture
def uc() -> InProcessClient:
    """A workspace with a catalog of its own."""
    return InProcessClient(unity_catalog="auto")


def ok(lab: InProcessClient, method: str, path: str, body: Any = None, caller: Any = None) -> Any:
    status, answer = lab.request(method, f"{BASE}/{path}", body, caller=caller)
    assert status == 200, answer
    return answer


def refusal(lab: InProcessClient, method: str, path: str, body: Any = None, caller: Any = None) -> tuple[int, str, str]:
    status, answer = lab.request(method, path if path.startswith("/") else f"{BASE}/{path}", body, caller=caller)
    return status, answer["error_code"], answer["message"]


def names(answer: dict[str, Any], kind: str) -> list[str]:
    return [one["full_name"] for one in answer[kind]]


def schema(lab: InProcessClient, name: str, **fields: Any) -> Any:
    return ok(lab, "POST", "schemas", {"catalog_name": OWN, "name": name} | fields)


def volume(lab: InProcessClient, full_name: str, caller: Any = None) -> Any:
    catalog, schema_name, name = full_name.split(".")
    body = {"catalog_name": catalog, "schema_name": schema_name, "name": name, "volume_type": "MANAGED"}
    return ok(lab, "POST", "volumes", body, caller)


def table(lab: InProcessClient, full_name: str) -> Any:
    catalog, schema_name, name = full_name.split(".")
    column = {"name": "id", "type_name": "INT", "type_text": "int", "position": 0}
    body = {"catalog_name": catalog, "schema_name": schema_name, "name": name, "table_type": "MANAGED"}
    return ok(lab, "POST", "tables", body | {"data_source_format": "DELTA", "columns": [column]})


def function(lab: InProcessClient, full_name: str) -> Any:
    catalog, schema_name, name = full_name.split(".")
    info = {"catalog_name": catalog, "schema_name": schema_name, "name": name, "data_type": "INT"}
    return ok(lab, "POST", "functions", {"function_info": info | {"routine_definition": "1"}})


def grant(lab: InProcessClient, securable: str, principal: str, *privileges: str) -> None:
    ok(lab, "PATCH", f"permissions/{securable}", {"changes": [{"principal": principal, "add": list(privileges)}]})


# --- the workspace


def test_a_workspace_without_a_metastore_says_so() -> None:
    lab = InProcessClient()
    expected = (404, "METASTORE_DOES_NOT_EXIST", "No metastore assigned for the current workspace.")
    for path in ("current-metastore-assignment", "metastore_summary", "catalogs", f"schemas?catalog_name={OWN}"):
        assert refusal(lab, "GET", path) == expected


def test_a_new_workspace_comes_with_a_catalog_of_its_own(uc: InProcessClient) -> None:
    assignment = ok(uc, "GET", "current-metastore-assignment")
    summary = ok(uc, "GET", "metastore_summary")
    assert assignment == {
        "metastore_id": summary["metastore_id"],
        "workspace_id": int(uc.workspace.state.workspace_id),
        "default_catalog_name": OWN,
    }
    assert ("storage_root" in summary, summary["owner"]) == (False, "System user")
    assert names(ok(uc, "GET", "catalogs"), "catalogs") == [OWN, "system"]
    assert names(ok(uc, "GET", f"schemas?catalog_name={OWN}"), "schemas") == [
        f"{OWN}.default",
        f"{OWN}.information_schema",
    ]


def test_everybody_may_create_in_the_default_schema_alone(uc: InProcessClient) -> None:
    dana = uc.user("dana@lab.example")
    schema(uc, "raw")
    assert volume(uc, f"{OWN}.default.mine", dana)["owner"] == "dana@lab.example"
    body = {"catalog_name": OWN, "schema_name": "raw", "name": "mine", "volume_type": "MANAGED"}
    expected = (403, "PERMISSION_DENIED", f"User does not have USE SCHEMA on Schema '{OWN}.raw'.")
    assert refusal(uc, "POST", "volumes", body, dana) == expected
    expected = (403, "PERMISSION_DENIED", f"User does not have CREATE SCHEMA on Catalog '{OWN}'.")
    assert refusal(uc, "POST", "schemas", {"catalog_name": OWN, "name": "x"}, dana) == expected
    expected = (
        403,
        "PERMISSION_DENIED",
        "User does not have CREATE CATALOG on Metastore 'metastore_azure_westeurope'.",
    )
    assert refusal(uc, "POST", "catalogs", {"name": "x"}, dana) == expected


def test_a_metastore_without_storage_makes_no_catalog_without_a_place(uc: InProcessClient) -> None:
    status, code, message = refusal(uc, "POST", "catalogs", {"name": "lab"})
    assert (status, code) == (400, "INVALID_STATE")
    assert message.startswith("Metastore storage root URL does not exist.")
    made = ok(uc, "POST", "catalogs", {"name": "lab", "storage_root": ROOT})
    assert made["storage_location"].startswith(f"{ROOT}/__unitystorage/catalogs/")


def test_unity_catalog_survives_a_restart_and_a_reset_begins_anew(uc: InProcessClient) -> None:
    before = ok(uc, "GET", "catalogs")
    again = EmulatedWorkspace(Options(seed="7"), load_json(dump_json(uc.workspace.state)))
    uc.workspace = again
    assert (ok(uc, "GET", "catalogs"), again.options.unity_catalog) == (before, "auto")


def test_volumes_of_before_stay_open_when_a_metastore_comes() -> None:
    lab = InProcessClient()
    dana = lab.user("dana@lab.example")
    file = f"{FILES}/Volumes/old/lab/files/f"
    assert lab.request("PUT", file, b"1", caller=dana)[0] == 204
    lab.workspace.state.settings.metastore_id = METASTORE
    adopt(lab.workspace)
    assert names(ok(lab, "GET", "catalogs"), "catalogs") == ["main", "old", "system"]
    assert lab.request("GET", file, caller=dana) == (200, b"1")
    assert lab.request("PUT", file, b"2", caller=dana)[0] == 204


# --- catalogs


def test_a_catalog_is_shown_as_it_was_made(uc: InProcessClient) -> None:
    made = ok(uc, "POST", "catalogs", {"name": "Lab", "comment": "c", "storage_root": ROOT, "properties": {"a": "b"}})
    stamps = {name: made.pop(name) for name in ("created_at", "updated_at", "id", "storage_location")}
    assert made == {
        "name": "lab",
        "full_name": "lab",
        "comment": "c",
        "owner": "admin@lab.example",
        "created_by": "admin@lab.example",
        "updated_by": "admin@lab.example",
        "metastore_id": uc.workspace.state.settings.metastore_id,
        "securable_type": "CATALOG",
        "securable_kind": "CATALOG_STANDARD",
        "catalog_type": "MANAGED_CATALOG",
        "storage_root": ROOT,
        "properties": {"a": "b"},
        "isolation_mode": "OPEN",
        "enable_predictive_optimization": "INHERIT",
        "effective_predictive_optimization_flag": {
            "value": "ENABLE",
            "inherited_from_type": "METASTORE",
            "inherited_from_name": "metastore_azure_westeurope",
        },
        "browse_only": False,
    }
    assert ok(uc, "GET", "catalogs/LAB") == made | stamps
    assert names(ok(uc, "GET", "schemas?catalog_name=lab"), "schemas") == ["lab.default", "lab.information_schema"]


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a/b", "x" * 256, "a\u0007"])
def test_a_name_that_cannot_be_one_is_quoted(uc: InProcessClient, name: str) -> None:
    expected = (
        f'Invalid input: RPC CreateCatalog Field managedcatalog.CatalogInfo.name: name "{name}" is not a valid name. '
        "Valid names cannot contain spaces, periods, forward slashes, or control characters."
    )
    assert refusal(uc, "POST", "catalogs", {"name": name}) == (400, "INVALID_PARAMETER_VALUE", expected)


def test_a_name_is_taken_in_any_case(uc: InProcessClient) -> None:
    schema(uc, "raw")
    expected = (400, "SCHEMA_ALREADY_EXISTS", f"Schema '{OWN}.raw' already exists")
    assert refusal(uc, "POST", "schemas", {"catalog_name": OWN.upper(), "name": "RAW"}) == expected


def test_a_catalog_is_deleted_when_it_is_empty_or_by_force(uc: InProcessClient) -> None:
    for name in ("one", "two"):
        ok(uc, "POST", "catalogs", {"name": name, "storage_root": ROOT})
    expected = (400, "INVALID_STATE", "Catalog 'one' is not empty. The catalog has 1 schema(s)")
    assert refusal(uc, "DELETE", "catalogs/one") == expected
    ok(uc, "DELETE", "schemas/one.default")
    ok(uc, "DELETE", "catalogs/one")
    ok(uc, "DELETE", "catalogs/two?force=true")
    assert names(ok(uc, "GET", "catalogs"), "catalogs") == [OWN, "system"]
    assert refusal(uc, "GET", "schemas/two.default") == (404, "CATALOG_DOES_NOT_EXIST", "Catalog 'two' does not exist.")


def test_an_isolated_catalog_is_reached_with_a_binding(uc: InProcessClient) -> None:
    here = int(uc.workspace.state.workspace_id)
    ok(uc, "POST", "catalogs", {"name": "lab", "storage_root": ROOT})
    assert ok(uc, "PATCH", "catalogs/lab", {"isolation_mode": "ISOLATED"})["isolation_mode"] == "ISOLATED"
    expected = (403, "PERMISSION_DENIED", "Catalog 'lab' is not accessible in current workspace")
    assert refusal(uc, "GET", "catalogs/lab") == expected
    assert "lab" not in names(ok(uc, "GET", "catalogs"), "catalogs")
    body = {"add": [{"workspace_id": here, "binding_type": "BINDING_TYPE_READ_ONLY"}, {"workspace_id": 42}]}
    assert ok(uc, "PATCH", "bindings/catalog/lab", body) == {
        "bindings": [
            {"workspace_id": here, "binding_type": "BINDING_TYPE_READ_ONLY"},
            {"workspace_id": 42, "binding_type": "BINDING_TYPE_READ_WRITE"},
        ]
    }
    expected = (403, "PERMISSION_DENIED", "Catalog 'lab' can only be read in the current workspace")
    assert refusal(uc, "POST", "schemas", {"catalog_name": "lab", "name": "x"}) == expected
    older = ok(uc, "PATCH", "workspace-bindings/catalogs/lab", {"unassign_workspaces": [42]})
    assert older == ok(uc, "GET", "workspace-bindings/catalogs/lab") == {"workspaces": [here]}


def test_default_properties_are_given_where_the_account_has_them() -> None:
    lab = InProcessWorkspace()
    assign(lab.emulated, METASTORE, ROOT, default_properties=True)
    made = lab.call("POST", f"{BASE}/catalogs", {"name": "lab"})
    given = lab.call("POST", f"{BASE}/schemas", {"catalog_name": "lab", "name": "a", "properties": {"k": "v"}})
    assert (len(made["properties"]), given["properties"]) == (7, {"k": "v"})


# --- schemas and what lies in them


def test_a_schema_that_is_not_empty_tells_what_it_holds(uc: InProcessClient) -> None:
    schema(uc, "raw")
    volume(uc, f"{OWN}.raw.files")
    table(uc, f"{OWN}.raw.t1")
    table(uc, f"{OWN}.raw.t2")
    function(uc, f"{OWN}.raw.f")
    ok(uc, "POST", "models", {"catalog_name": OWN, "schema_name": "raw", "name": "m"})
    message = f"Schema '{OWN}.raw' is not empty. The schema has 2 tables(s), 2 functions(s), 1 volumes(s)"
    assert refusal(uc, "DELETE", f"schemas/{OWN}.raw") == (400, "INVALID_STATE", message)
    ok(uc, "DELETE", f"schemas/{OWN}.raw?force=true")
    expected = (404, "SCHEMA_DOES_NOT_EXIST", f"Schema '{OWN}.raw' does not exist.")
    assert refusal(uc, "GET", f"volumes/{OWN}.raw.files") == expected


def test_a_renamed_schema_takes_everything_along(uc: InProcessClient) -> None:
    schema(uc, "raw")
    volume(uc, f"{OWN}.raw.files")
    uc.request("PUT", f"{FILES}/Volumes/{OWN}/raw/files/f", b"1")
    grant(uc, f"volume/{OWN}.raw.files", "account users", "READ_VOLUME")
    assert ok(uc, "PATCH", f"schemas/{OWN}.raw", {"new_name": "Cooked"})["full_name"] == f"{OWN}.cooked"
    assert uc.request("GET", f"{FILES}/Volumes/{OWN}/cooked/files/f") == (200, b"1")
    kept = ok(uc, "GET", f"permissions/volume/{OWN}.cooked.files")["privilege_assignments"]
    assert kept == [{"principal": "account users", "privileges": ["READ_VOLUME"]}]
    assert refusal(uc, "GET", f"schemas/{OWN}.raw")[0] == 404


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("MANAGED", {"storage_location": ROOT}, "CreateVolume storage_location can not be provided."),
        ("EXTERNAL", {}, "CreateVolume Missing required field: storage_location"),
        ("OTHER", {}, "volume_type must be MANAGED or EXTERNAL, not OTHER"),
    ],
)
def test_a_volume_has_the_place_that_its_type_says(
    uc: InProcessClient, kind: str, fields: dict[str, str], message: str
) -> None:
    body = {"catalog_name": OWN, "schema_name": "default", "name": "v", "volume_type": kind} | fields
    assert refusal(uc, "POST", "volumes", body) == (400, "INVALID_PARAMETER_VALUE", message)


def test_an_external_volume_lies_in_a_location(uc: InProcessClient) -> None:
    body = {"catalog_name": OWN, "schema_name": "default", "name": "v", "volume_type": "EXTERNAL"}
    body |= {"storage_location": f"{ROOT}/a/"}
    assert refusal(uc, "POST", "volumes", body)[:2] == (404, "EXTERNAL_LOCATION_DOES_NOT_EXIST")
    identity = {"access_connector_id": "/subscriptions/x"}
    ok(uc, "POST", "storage-credentials", {"name": "cred", "azure_managed_identity": identity})
    ok(uc, "POST", "external-locations", {"name": "loc", "url": ROOT, "credential_name": "cred"})
    assert ok(uc, "POST", "volumes", body)["storage_location"] == f"{ROOT}/a"
    for path in ("storage-credentials/cred", "external-locations/loc"):
        assert refusal(uc, "DELETE", path)[:2] == (400, "INVALID_STATE")
        ok(uc, "DELETE", f"{path}?force=true")


def test_tables_are_listed_in_pages_and_by_patterns(uc: InProcessClient) -> None:
    schema(uc, "raw")
    for name in ("t1", "t2", "u1"):
        table(uc, f"{OWN}.raw.{name}")
    first = ok(uc, "GET", f"tables?catalog_name={OWN}&schema_name=raw&max_results=2")
    second = ok(uc, "GET", f"tables?catalog_name={OWN}&schema_name=raw&page_token={first['next_page_token']}")
    assert (names(first, "tables"), names(second, "tables")) == ([f"{OWN}.raw.t1", f"{OWN}.raw.t2"], [f"{OWN}.raw.u1"])
    assert ok(uc, "GET", f"table-summaries?catalog_name={OWN}&table_name_pattern=t%25") == {
        "tables": [{"full_name": f"{OWN}.raw.{name}", "table_type": "MANAGED"} for name in ("t1", "t2")]
    }
    assert ok(uc, "GET", f"tables/{OWN}.raw.t1/exists") == {"table_exists": True}
    ok(uc, "DELETE", f"tables/{OWN}.raw.t1")
    assert ok(uc, "GET", f"tables/{OWN}.raw.t1/exists") == {"table_exists": False}


def test_functions_and_models_are_apart(uc: InProcessClient) -> None:
    function(uc, f"{OWN}.default.f")
    ok(uc, "POST", "models", {"catalog_name": OWN, "schema_name": "default", "name": "m"})
    place = f"catalog_name={OWN}&schema_name=default"
    assert names(ok(uc, "GET", f"functions?{place}"), "functions") == [f"{OWN}.default.f"]
    assert names(ok(uc, "GET", f"models?{place}"), "registered_models") == [f"{OWN}.default.m"]
    assert refusal(uc, "GET", f"functions/{OWN}.default.m")[0] == 404
    assert ok(uc, "GET", f"models/{OWN}.default.m/versions") == {"model_versions": []}
    ok(uc, "DELETE", f"functions/{OWN}.default.f")
    ok(uc, "DELETE", f"models/{OWN}.default.m")


def test_lists_show_what_the_caller_has_to_do_with(uc: InProcessClient) -> None:
    dana = uc.user("dana@lab.example")
    for name in ("mine", "theirs"):
        schema(uc, name)
        volume(uc, f"{OWN}.{name}.files")
        table(uc, f"{OWN}.{name}.t")
    grant(uc, f"schema/{OWN}.mine", "dana@lab.example", "USE_SCHEMA", "READ_VOLUME")
    seen = names(ok(uc, "GET", f"schemas?catalog_name={OWN}", caller=dana), "schemas")
    assert seen == [f"{OWN}.default", f"{OWN}.mine"]
    place = f"catalog_name={OWN}&schema_name=mine"
    assert names(ok(uc, "GET", f"volumes?{place}", caller=dana), "volumes") == [f"{OWN}.mine.files"]
    assert ok(uc, "GET", f"tables?{place}", caller=dana) == {"tables": []}
    expected = (403, "PERMISSION_DENIED", f"User does not have BROWSE on Schema '{OWN}.theirs'.")
    assert refusal(uc, "GET", f"schemas/{OWN}.theirs", caller=dana) == expected


# --- owners


def test_an_owner_hands_over_and_has_no_rights_any_more(uc: InProcessClient) -> None:
    dana, noa = uc.user("dana@lab.example"), uc.user("noa@lab.example")
    volume(uc, f"{OWN}.default.files", dana)
    given = ok(uc, "PATCH", f"volumes/{OWN}.default.files", {"owner": "noa@lab.example"}, dana)
    assert given["owner"] == "noa@lab.example"
    expected = (403, "PERMISSION_DENIED", f"User does not have MANAGE on Volume '{OWN}.default.files'.")
    assert refusal(uc, "PATCH", f"volumes/{OWN}.default.files", {"comment": "x"}, dana) == expected
    ok(uc, "DELETE", f"volumes/{OWN}.default.files", caller=noa)


def test_an_owner_has_to_be_a_principal_of_the_account(uc: InProcessClient) -> None:
    uc.group("local")
    expected = (404, "PRINCIPAL_DOES_NOT_EXIST", "Could not find principal with name local.")
    assert refusal(uc, "PATCH", f"schemas/{OWN}.default", {"owner": "local"}) == expected


# --- files of volumes


def test_files_obey_the_grants_on_their_volume(uc: InProcessClient) -> None:
    dana = uc.user("dana@lab.example")
    schema(uc, "raw")
    volume(uc, f"{OWN}.raw.files")
    file, folder = f"{FILES}/Volumes/{OWN}/raw/files/f", f"/api/2.0/fs/directories/Volumes/{OWN}/raw/files/d"

    def tried() -> dict[str, int]:
        return {
            "read": uc.request("GET", file, caller=dana)[0],
            "list": uc.request("GET", folder.removesuffix("/d"), caller=dana)[0],
            "write": uc.request("PUT", file, b"2", caller=dana)[0],
            "mkdir": uc.request("PUT", folder, caller=dana)[0],
            "delete": uc.request("DELETE", folder, caller=dana)[0],
        }

    assert uc.request("PUT", file, b"1")[0] == 204
    assert set(tried().values()) == {403}
    grant(uc, f"schema/{OWN}.raw", "dana@lab.example", "USE_SCHEMA", "READ_VOLUME")
    assert tried() == {"read": 200, "list": 200, "write": 403, "mkdir": 403, "delete": 403}
    grant(uc, f"volume/{OWN}.raw.files", "dana@lab.example", "WRITE_VOLUME")
    assert tried() == {"read": 200, "list": 200, "write": 204, "mkdir": 204, "delete": 204}
    expected = (403, "PERMISSION_DENIED", f"User does not have USE SCHEMA on Schema '{OWN}.raw'.")
    assert refusal(uc, "GET", file, caller=uc.user("noa@lab.example")) == expected


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("nothing/default/v", "CATALOG_DOES_NOT_EXIST", "Catalog 'nothing' does not exist."),
        (f"{OWN}/nothing/v", "SCHEMA_DOES_NOT_EXIST", f"Schema '{OWN}.nothing' does not exist."),
        (f"{OWN}/default/v", "VOLUME_DOES_NOT_EXIST", f"Volume '{OWN}.default.v' does not exist."),
    ],
)
def test_files_need_a_volume_that_is_there(uc: InProcessClient, path: str, code: str, message: str) -> None:
    assert refusal(uc, "PUT", f"{FILES}/Volumes/{path}/f", b"1") == (404, code, message)


def test_the_names_of_a_volume_are_read_in_any_case(uc: InProcessClient) -> None:
    volume(uc, f"{OWN}.default.files")
    uc.request("PUT", f"{FILES}/Volumes/{OWN.upper()}/Default/FILES/Name", b"1")
    assert uc.request("GET", f"{FILES}/Volumes/{OWN}/default/files/Name") == (200, b"1")
    assert uc.request("GET", f"{FILES}/Volumes/{OWN}/default/files/name")[0] == 404


def test_a_dropped_volume_takes_its_files_along(uc: InProcessClient) -> None:
    for _ in range(2):
        volume(uc, f"{OWN}.default.files")
        listed = uc.request("GET", f"/api/2.0/fs/directories/Volumes/{OWN}/default/files")
        assert listed == (200, {"contents": []})
        uc.request("PUT", f"{FILES}/Volumes/{OWN}/default/files/f", b"1")
        ok(uc, "DELETE", f"volumes/{OWN}.default.files")


# --- what lies outside, and the metastore


def test_credentials_keep_their_secrets(uc: InProcessClient) -> None:
    principal = {"directory_id": "d", "application_id": "a", "client_secret": "hidden"}
    made = ok(uc, "POST", "storage-credentials", {"name": "cred", "azure_service_principal": principal})
    assert made["azure_service_principal"] == {"directory_id": "d", "application_id": "a"}
    options = {"host": "db.example", "port": "3306", "user": "u", "password": "hidden"}
    made = ok(uc, "POST", "connections", {"name": "con", "connection_type": "MYSQL", "options": options})
    assert (made["options"], made["url"]) == ({"host": "db.example", "port": "3306"}, "jdbc://db.example:3306/")
    assert b"hidden" not in dump_json(uc.workspace.state)


def test_locations_do_not_overlap(uc: InProcessClient) -> None:
    ok(uc, "POST", "storage-credentials", {"name": "c", "azure_managed_identity": {"access_connector_id": "/x"}})
    ok(uc, "POST", "external-locations", {"name": "a", "url": f"{ROOT}/a/", "credential_name": "c"})
    for url in (f"{ROOT}/a", f"{ROOT}/a/b", ROOT):
        body = {"name": "b", "url": url, "credential_name": "c"}
        assert refusal(uc, "POST", "external-locations", body)[:2] == (400, "LOCATION_OVERLAP")
    ok(uc, "POST", "external-locations", {"name": "b", "url": f"{ROOT}/ab", "credential_name": "c"})


def test_system_schemas_are_switched_by_a_metastore_admin() -> None:
    lab = InProcessClient()
    assign(lab.workspace, METASTORE)
    path = f"metastores/{METASTORE}/systemschemas"
    ok(lab, "PUT", f"{path}/access")
    states = {one["schema"]: one["state"] for one in ok(lab, "GET", path)["schemas"]}
    assert (states["access"], states["billing"], states["query"]) == (
        "ENABLE_COMPLETED",
        "ENABLE_COMPLETED",
        "AVAILABLE",
    )
    expected = (400, "INVALID_STATE", "billing system schema can only be enabled by Databricks")
    assert refusal(lab, "PUT", f"{path}/billing") == expected
    assert ok(lab, "GET", "schemas/system.access")["owner"] == "System user"
    ok(lab, "DELETE", f"{path}/access")
    assert refusal(lab, "GET", "schemas/system.access")[0] == 404
    dana: User = lab.user("dana@lab.example")
    assert refusal(lab, "PUT", f"{path}/query", caller=dana)[0] == 403


def test_an_allowlist_is_set_as_a_whole(uc: InProcessClient) -> None:
    matchers = [{"artifact": f"/Volumes/{OWN}/default/jars", "match_type": "PREFIX_MATCH"}]
    ok(uc, "PUT", "artifact-allowlists/LIBRARY_JAR", {"artifact_matchers": matchers})
    assert ok(uc, "GET", "artifact-allowlists/LIBRARY_JAR")["artifact_matchers"] == matchers
    assert "artifact_matchers" not in ok(uc, "GET", "artifact-allowlists/INIT_SCRIPT")
