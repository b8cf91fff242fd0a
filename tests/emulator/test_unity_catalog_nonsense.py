"""Random bodies to Unity Catalog cause no internal errors, and leave lists that can be read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from emulator.state.state import dump_json, load_json
from example_counts import exactly_examples
from in_process_client import InProcessClient

BASE = "/api/2.1/unity-catalog"
OWN = "lab_workspace"
LIKELY: dict[str, Any] = {
    "name": "x",
    "new_name": "y",
    "catalog_name": OWN,
    "schema_name": "default",
    "owner": "account users",
    "comment": "c",
    "storage_root": "abfss://a@b",
    "storage_location": "abfss://a@b/c",
    "url": "abfss://a@b",
    "credential_name": "x",
    "connection_name": "x",
    "connection_type": "MYSQL",
    "volume_type": "MANAGED",
    "table_type": "MANAGED",
    "columns": [{"name": "id"}],
    "isolation_mode": "ISOLATED",
    "azure_managed_identity": {"access_connector_id": "/x"},
    "function_info": {"name": "f", "catalog_name": OWN, "schema_name": "default"},
    "changes": [{"principal": "account users", "add": ["SELECT"], "remove": ["MODIFY"]}],
    "add": [{"workspace_id": 42}],
    "artifact_matchers": [{"artifact": "/Volumes/x"}],
    "metastore_id": "5a0c6d3e-1f5b-4c0a-9d0e-3f2b1a4c5d6e",
    "assets_dir": "/Shared",
    "output_schema_name": f"{OWN}.default",
    "snapshot": {},
    "schedule": {"timezone_id": "UTC"},
}
OTHERS = (
    *("properties", "options", "remove", "assign_workspaces", "unassign_workspaces", "enable_predictive_optimization"),
    *("purpose", "aws_iam_role", "view_definition", "default_catalog_name", "read_only"),
)
FIELDS = (*LIKELY, *OTHERS)
PATHS = (
    *(f"POST {kind}" for kind in ("catalogs", "schemas", "volumes", "tables", "functions", "models", "connections")),
    *("POST storage-credentials", "POST credentials", "POST external-locations"),
    *("PATCH catalogs/x", f"PATCH schemas/{OWN}.x", f"PATCH volumes/{OWN}.default.x", f"PATCH tables/{OWN}.default.x"),
    *(f"PATCH functions/{OWN}.default.f", f"PATCH models/{OWN}.default.x", "PATCH connections/x"),
    *("PATCH storage-credentials/x", "PATCH credentials/x", "PATCH external-locations/x"),
    *(
        f"PATCH permissions/schema/{OWN}.default",
        "PATCH permissions/catalog/x",
        "PATCH permissions/external_location/x",
    ),
    *("PATCH bindings/catalog/x", "PATCH workspace-bindings/catalogs/x", "PATCH bindings/storage_credential/x"),
    *(f"POST tables/{OWN}.default.x/monitor", f"PUT tables/{OWN}.default.x/monitor"),
    *("PUT artifact-allowlists/LIBRARY_JAR", "PUT workspaces/42/metastore", "PATCH workspaces/42/metastore"),
)
LISTS = (
    *("catalogs", f"schemas?catalog_name={OWN}", f"volumes?catalog_name={OWN}&schema_name=default"),
    *(f"tables?catalog_name={OWN}&schema_name=default", f"table-summaries?catalog_name={OWN}"),
    *(f"functions?catalog_name={OWN}&schema_name=default", "models", "connections", "storage-credentials"),
    *("credentials", "external-locations", f"effective-permissions/schema/{OWN}.default"),
    *("artifact-allowlists/LIBRARY_JAR", "metastore_summary"),
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def seeded_lab() -> InProcessClient:
    """A workspace that has one of everything."""
    lab = InProcessClient(unity_catalog="auto")
    place = {"name": "x", "catalog_name": OWN, "schema_name": "default"}
    for kind, body in (
        ("catalogs", {"name": "x", "storage_root": "abfss://a@b"}),
        ("schemas", {"name": "x", "catalog_name": OWN}),
        ("volumes", place | {"volume_type": "MANAGED"}),
        ("tables", place | {"table_type": "MANAGED"}),
        ("functions", {"function_info": place | {"name": "f"}}),
        ("models", place),
        ("connections", {"name": "x", "connection_type": "MYSQL"}),
        ("storage-credentials", {"name": "x", "azure_managed_identity": LIKELY["azure_managed_identity"]}),
        ("credentials", {"name": "x", "azure_managed_identity": LIKELY["azure_managed_identity"]}),
        ("external-locations", {"name": "x", "url": "abfss://c@d", "credential_name": "x"}),
    ):
        status, answer = lab.request("POST", f"{BASE}/{kind}", body)
        assert status == 200, answer
    return lab


@exactly_examples(400, acceptance=4000)
@given(st.data())
def test_random_bodies_are_accepted_or_rejected_by_unity_catalog(data: st.DataObject) -> None:
    lab = seeded_lab()
    for path in data.draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=4)):
        method, _, place = path.partition(" ")
        names = data.draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=6, unique=True))
        body = {name: data.draw(JUNK | st.just(LIKELY.get(name))) for name in names}
        if method == "POST":
            body = {name: LIKELY[name] for name in ("name", "catalog_name", "schema_name")} | body
        status, answer = lab.request(method, f"{BASE}/{place}", body)
        assert status in (200, 400, 403, 404), answer
        json.dumps(answer)
    lab.workspace.state = load_json(dump_json(lab.workspace.state))
    for path in LISTS:
        status, answer = lab.request("GET", f"{BASE}/{path}")
        assert status in (200, 403), answer
