"""`system.billing.usage` and `list_prices`, read by statements: rows of real compute, delay, grants, corrections."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from emulator.api.errors import ApiError
from emulator.api.routing import Router
from emulator.base.content import BytesContent
from emulator.control.routes import router
from emulator.server.in_process import send_request
from emulator.state.state import dump_json, load_json
from emulator.unity_catalog.seed import adopt
from in_process_workspace import InProcessWorkspace

STATEMENTS = "/api/2.0/sql/statements"
WAREHOUSES = "/api/2.0/sql/warehouses"
PERMISSIONS = "/api/2.1/unity-catalog/permissions"
HOUR = 3600
ADMIN = "admin@lab.example"
DENIED = "[INSUFFICIENT_PERMISSIONS] Insufficient privileges:\nUser does not have {}. SQLSTATE: 42501"


class Lab:
    """A workspace with Unity Catalog, at the beginning of an hour, and a warehouse for statements."""

    def __init__(self) -> None:
        self.workspace = InProcessWorkspace(unity_catalog="auto", transition_seconds=0)
        self.starter = str(self.workspace.call("GET", WAREHOUSES)["warehouses"][0]["id"])

    def answer(self, statement: str, user: Any = None) -> dict[str, Any]:
        self.workspace.call("POST", f"{WAREHOUSES}/{self.starter}/start")
        body = {"warehouse_id": self.starter, "statement": statement}
        answer: dict[str, Any] = self.workspace.call("POST", STATEMENTS, body, user)
        # The warehouse of the statements is not part of what they are about.
        self.workspace.call("POST", f"{WAREHOUSES}/{self.starter}/stop")
        return answer

    def rows(self, statement: str, user: Any = None) -> list[list[str | None]]:
        answer = self.answer(statement, user)
        assert answer["status"] == {"state": "SUCCEEDED"}, answer["status"]
        found: list[list[str | None]] = answer["result"]["data_array"]
        return found

    def error(self, statement: str, user: Any = None) -> str:
        return str(self.answer(statement, user)["status"]["error"]["message"])

    def dbus(self, **filters: str) -> Decimal:
        condition = " AND ".join([f"{name} = '{value}'" for name, value in filters.items()] or ["true"])
        rows = self.rows(f"SELECT usage_quantity FROM system.billing.usage WHERE {condition}")
        return sum((Decimal(str(row[0])) for row in rows), Decimal(0))

    def running_cluster(self, **fields: Any) -> str:
        """Create a cluster that runs at once and does not stop by itself."""
        cluster_id = self.workspace.create(autotermination_minutes=0, **fields)
        self.workspace.advance(0)
        return cluster_id

    def run_cluster(self, seconds: float = HOUR, **fields: Any) -> str:
        """Run a cluster for this long, then let 13 hours pass."""
        cluster_id = self.running_cluster(**fields)
        self.workspace.advance(seconds)
        self.workspace.post("delete", cluster_id)
        self.workspace.advance(13 * HOUR)
        return cluster_id


@pytest.fixture
def lab() -> Lab:
    return Lab()


def control(lab: Lab, method: str, path: str, body: Any = None) -> Any:
    """Return the response of a control endpoint."""
    routes: Router = router(None)  # type: ignore[arg-type]
    content = BytesContent(json.dumps(body or {}).encode())
    return send_request(lab.workspace.emulated, routes, method, f"/_emulator/{path}", content).body


def test_a_cluster_has_hourly_rows_with_all_columns(lab: Lab) -> None:
    lab.workspace.advance(HOUR / 2)
    cluster_id = lab.run_cluster(custom_tags={"team": "group_01"}, num_workers=3)
    answer = lab.answer("SELECT * FROM system.billing.usage")
    names = [column["name"] for column in answer["manifest"]["schema"]["columns"]]
    first, second = (dict(zip(names, row, strict=True)) for row in answer["result"]["data_array"])
    structs = {name: json.loads(str(first.pop(name))) for name in ("usage_metadata", "identity_metadata")}
    features, tags = json.loads(str(first.pop("product_features"))), json.loads(str(first.pop("custom_tags")))
    assert first == {
        "account_id": second["account_id"],
        "workspace_id": lab.workspace.emulated.state.workspace_id,
        "record_id": first["record_id"],
        "sku_name": "PREMIUM_ALL_PURPOSE_COMPUTE",
        "cloud": "AZURE",
        "usage_start_time": "2026-10-18T07:30:00.000Z",
        "usage_end_time": "2026-10-18T08:00:00.000Z",
        "usage_date": "2026-10-18",
        "usage_unit": "DBU",
        "usage_quantity": "1.500000000000000000",
        "record_type": "ORIGINAL",
        "ingestion_date": "2026-10-18",
        "billing_origin_product": "ALL_PURPOSE",
        "usage_type": "COMPUTE_TIME",
    }
    known = {name: value for name, value in structs["usage_metadata"].items() if value is not None}
    assert known == {"cluster_id": cluster_id, "node_type": "Standard_DS3_v2"}
    assert structs["identity_metadata"] == {"run_as": None, "created_by": None, "owned_by": None}
    assert {name: value for name, value in features.items() if value is not None} == {
        "is_serverless": False,
        "is_photon": False,
    }
    assert tags == {"team": "group_01"}
    assert (second["usage_start_time"], second["usage_end_time"], second["usage_quantity"]) == (
        "2026-10-18T08:00:00.000Z",
        "2026-10-18T08:30:00.000Z",
        "1.500000000000000000",
    )


def test_an_hour_is_in_the_table_twelve_hours_after_its_end(lab: Lab) -> None:
    cluster_id = lab.running_cluster()
    lab.workspace.advance(13 * HOUR - 1)
    assert lab.rows("SELECT count(*) FROM system.billing.usage") == [["0"]]
    lab.workspace.advance(1)
    query = "SELECT usage_metadata.cluster_id, usage_quantity FROM system.billing.usage"
    assert lab.rows(query) == [[cluster_id, "1.500000000000000000"]]
    lab.workspace.advance(HOUR)
    assert lab.rows("SELECT count(*) FROM system.billing.usage") == [["2"]]


def test_nodes_count_from_the_moment_they_are_there(lab: Lab) -> None:
    cluster_id = lab.running_cluster(num_workers=1)
    lab.workspace.advance(HOUR / 2)
    lab.workspace.post("resize", cluster_id, num_workers=5)
    lab.workspace.advance(HOUR / 2)
    lab.workspace.post("delete", cluster_id)
    lab.workspace.advance(13 * HOUR)
    assert lab.dbus() == Decimal("0.75") * (2 + 6) / 2


def test_node_types_have_rows_of_their_own(lab: Lab) -> None:
    lab.run_cluster(driver_node_type_id="Standard_D8ds_v5", num_workers=2)
    query = "SELECT usage_metadata.node_type, usage_quantity FROM system.billing.usage ORDER BY 1"
    assert lab.rows(query) == [
        ["Standard_D8ds_v5", "2.000000000000000000"],
        ["Standard_DS3_v2", "1.500000000000000000"],
    ]


def test_photon_doubles_the_dbus_and_has_its_own_sku(lab: Lab) -> None:
    lab.run_cluster(runtime_engine="PHOTON", num_workers=1)
    query = "SELECT sku_name, product_features.is_photon, usage_quantity FROM system.billing.usage"
    assert lab.rows(query) == [["PREMIUM_ALL_PURPOSE_COMPUTE_(PHOTON)", "true", "3.000000000000000000"]]


def test_new_tags_apply_from_the_restart_on(lab: Lab) -> None:
    cluster_id = lab.running_cluster(custom_tags={"team": "a"})
    lab.workspace.advance(HOUR / 2)
    definition = {name: value for name, value in lab.workspace.get(cluster_id)["spec"].items()}
    lab.workspace.post("edit", cluster_id, **(definition | {"custom_tags": {"team": "b"}}))
    lab.workspace.advance(HOUR / 2)
    lab.workspace.post("delete", cluster_id)
    lab.workspace.advance(13 * HOUR)
    query = "SELECT custom_tags['team'], usage_quantity FROM system.billing.usage ORDER BY 1"
    assert lab.rows(query) == [["a", "0.750000000000000000"], ["b", "0.750000000000000000"]]


def test_a_deleted_cluster_keeps_its_rows(lab: Lab) -> None:
    cluster_id = lab.run_cluster()
    before = lab.rows("SELECT * FROM system.billing.usage")
    lab.workspace.post("permanent-delete", cluster_id)
    assert lab.rows("SELECT * FROM system.billing.usage") == before != []


def test_a_warehouse_is_charged_while_it_runs(lab: Lab) -> None:
    body = {"name": "sql", "cluster_size": "Small", "auto_stop_mins": 0, "min_num_clusters": 2, "max_num_clusters": 2}
    tags = {"custom_tags": [{"key": "team", "value": "staff"}]}
    id = lab.workspace.call("POST", WAREHOUSES, body | {"warehouse_type": "PRO", "tags": tags})["id"]
    lab.workspace.advance(HOUR / 4)
    lab.workspace.call("POST", f"{WAREHOUSES}/{id}/stop")
    lab.workspace.advance(13 * HOUR)
    query = (
        "SELECT sku_name, billing_origin_product, usage_metadata.warehouse_id, identity_metadata.owned_by, "
        "product_features.sql_tier, product_features.is_serverless, custom_tags.team, usage_quantity "
        "FROM system.billing.usage"
    )
    sku = "PREMIUM_SQL_PRO_COMPUTE_EU_WEST"
    assert lab.rows(query) == [[sku, "SQL", id, ADMIN, "PRO", "false", "staff", "6.000000000000000000"]]


def test_serverless_queries_are_charged_to_their_user(lab: Lab) -> None:
    _, token = lab_user(lab, "dana@lab.example")
    for seconds in (900, 1800):
        control(lab, "POST", "work", {"serverless": True, "seconds": seconds, "token": token})
        lab.workspace.advance(seconds)
    lab.workspace.advance(13 * HOUR)
    query = (
        "SELECT sku_name, billing_origin_product, identity_metadata.run_as, product_features.is_serverless, "
        "usage_quantity FROM system.billing.usage"
    )
    sku = "PREMIUM_ALL_PURPOSE_SERVERLESS_COMPUTE_EU_WEST"
    assert lab.rows(query) == [[sku, "INTERACTIVE", "dana@lab.example", "true", "1.500000000000000000"]]


def test_clusters_of_jobs_name_job_and_run(lab: Lab) -> None:
    cluster = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    task = {"task_key": "t", "new_cluster": cluster, "notebook_task": {"notebook_path": "/Shared/n"}}
    lab.workspace.emulated.options.transition_seconds = HOUR / 2
    job_id = lab.workspace.call("POST", "/api/2.2/jobs/create", {"name": "nightly", "tasks": [task]})["job_id"]
    run_id = lab.workspace.call("POST", "/api/2.2/jobs/run-now", {"job_id": job_id})["run_id"]
    lab.workspace.advance(15 * HOUR)
    lab.workspace.emulated.options.transition_seconds = 0
    query = (
        "SELECT sku_name, billing_origin_product, usage_metadata.job_id, usage_metadata.job_run_id, "
        "identity_metadata.run_as, product_features.jobs_tier, usage_quantity FROM system.billing.usage"
    )
    assert lab.rows(query) == [
        [
            "PREMIUM_JOBS_COMPUTE",
            "JOBS",
            str(job_id),
            str(run_id),
            ADMIN,
            "CLASSIC",
            "0.750000000000000000",
        ]
    ]


def test_serverless_jobs_name_the_job_and_its_run(lab: Lab) -> None:
    task = {"task_key": "t", "notebook_task": {"notebook_path": "/Shared/n"}}
    lab.workspace.emulated.options.transition_seconds = HOUR / 4
    job_id = lab.workspace.call("POST", "/api/2.2/jobs/create", {"name": "nightly", "tasks": [task]})["job_id"]
    run_id = lab.workspace.call("POST", "/api/2.2/jobs/run-now", {"job_id": job_id})["run_id"]
    lab.workspace.advance(14 * HOUR)
    lab.workspace.emulated.options.transition_seconds = 0
    query = (
        "SELECT sku_name, billing_origin_product, usage_metadata.job_id, usage_metadata.job_run_id, "
        "usage_metadata.job_name, identity_metadata.run_as, usage_quantity FROM system.billing.usage"
    )
    sku = "PREMIUM_JOBS_SERVERLESS_COMPUTE_EU_WEST"
    assert lab.rows(query) == [[sku, "JOBS", str(job_id), str(run_id), "nightly", ADMIN, "0.500000000000000000"]]


def test_prices_join_the_usage(lab: Lab) -> None:
    lab.run_cluster()
    query = (
        "SELECT sum(u.usage_quantity * p.pricing.effective_list.default) AS cost FROM system.billing.usage u "
        "LEFT JOIN system.billing.list_prices p ON u.sku_name = p.sku_name AND u.cloud = p.cloud "
        "AND u.usage_unit = p.usage_unit AND u.usage_end_time >= p.price_start_time "
        "AND (p.price_end_time IS NULL OR u.usage_end_time < p.price_end_time) AND p.currency_code = 'USD'"
    )
    assert [float(str(row[0])) for row in lab.rows(query)] == [0.825]
    first = "SELECT sku_name, currency_code, pricing FROM system.billing.list_prices ORDER BY 1 LIMIT 1"
    pricing = {"default": 0.55, "promotional": {"default": None}, "effective_list": {"default": 0.55}}
    assert lab.rows(first) == [["PREMIUM_ALL_PURPOSE_COMPUTE", "USD", json.dumps(pricing)]]


# --- privileges


def lab_user(lab: Lab, name: str) -> tuple[Any, str]:
    user = lab.workspace.create_user(name)
    answer = control(lab, "POST", "users", {"user_name": name})
    return user, str(answer["token"])


def test_reading_needs_privileges_on_the_schema_or_the_table(lab: Lab) -> None:
    dana, _ = lab_user(lab, "dana@lab.example")
    count = "SELECT count(*) FROM system.billing."
    assert lab.error(f"{count}usage", dana) == DENIED.format("USE SCHEMA on Schema 'system.billing'")

    def grant(type: str, name: str, *privileges: str) -> None:
        changes = [{"principal": dana.name, "add": list(privileges)}]
        lab.workspace.call("PATCH", f"{PERMISSIONS}/{type}/{name}", {"changes": changes})

    grant("schema", "system.billing", "USE_SCHEMA")
    assert lab.error(f"{count}usage", dana) == DENIED.format("SELECT on Table 'system.billing.usage'")
    grant("table", "system.billing.usage", "SELECT")
    assert lab.rows(f"{count}usage", dana) == [["0"]]
    assert lab.error(f"{count}list_prices", dana) == DENIED.format("SELECT on Table 'system.billing.list_prices'")
    lab.rows("GRANT SELECT ON SCHEMA system.billing TO `dana@lab.example`")
    assert lab.rows(f"{count}list_prices", dana) == [["9"]]


def test_catalogs_are_granted_by_statements(lab: Lab) -> None:
    catalog = lab.workspace.emulated.state.unity_catalog.default_catalog
    lab.workspace.create_user("dana@lab.example")
    show = f"SHOW GRANTS `dana@lab.example` ON CATALOG {catalog}"
    lab.rows(f"GRANT USE CATALOG, SELECT ON CATALOG {catalog} TO `dana@lab.example`")
    granted = [["dana@lab.example", name, "CATALOG", catalog] for name in ("SELECT", "USE CATALOG")]
    assert lab.rows(show) == granted
    lab.rows(f"REVOKE SELECT ON CATALOG {catalog} FROM `dana@lab.example`")
    assert lab.rows(show) == granted[1:]


def test_another_workspace_administrator_has_no_privileges(lab: Lab) -> None:
    control(lab, "POST", "users", {"user_name": "second@lab.example", "admin": True})
    second = lab.workspace.emulated.state.directory.find_user("second@lab.example")
    assert lab.error("SELECT * FROM system.billing.usage", second) == DENIED.format(
        "USE SCHEMA on Schema 'system.billing'"
    )


def test_the_admin_of_an_assigned_metastore_reads_and_grants() -> None:
    lab = Lab.__new__(Lab)
    lab.workspace = InProcessWorkspace(transition_seconds=0)
    lab.starter = str(lab.workspace.call("GET", WAREHOUSES)["warehouses"][0]["id"])
    assert "UC_NOT_ENABLED" in lab.error("SELECT * FROM system.billing.usage")
    lab.workspace.emulated.state.settings.metastore_id = "11111111-1111-4111-8111-111111111111"
    adopt(lab.workspace.emulated)
    assert lab.rows("SELECT count(*) FROM system.billing.usage") == [["0"]]
    assert ["dana@lab.example"] not in lab.rows("SHOW GRANTS ON SCHEMA system.billing")


def test_system_tables_cannot_be_changed(lab: Lab) -> None:
    managed = "Table 'system.billing.usage' is managed by Databricks"
    assert lab.error("DROP TABLE system.billing.usage") == managed
    path = "/api/2.1/unity-catalog/tables/system.billing.usage"
    assert lab.workspace.refusal("DELETE", path) == (403, "PERMISSION_DENIED", managed)
    assert "User does not have MODIFY" in lab.error("DELETE FROM system.billing.usage")
    columns = [column["name"] for column in lab.workspace.call("GET", path)["columns"]]
    described = lab.rows("DESCRIBE TABLE system.billing.usage")
    assert columns == [row[0] for row in described] and len(columns) == 18


# --- corrections and truth


def test_corrections_are_retractions_and_restatements(lab: Lab) -> None:
    cluster_id = lab.run_cluster(2 * HOUR)
    other = lab.run_cluster()
    corrected = {"cluster_id": cluster_id, "to": "2026-10-18T08:00:00Z", "factor": 0.5}
    assert control(lab, "POST", "usage", corrected) == {"retracted": 1, "restated": 1}
    query = (
        "SELECT record_type, usage_start_time, usage_quantity, ingestion_date FROM system.billing.usage "
        f"WHERE usage_metadata.cluster_id = '{cluster_id}' ORDER BY ingestion_date, usage_start_time, usage_quantity"
    )
    seven, eight = "2026-10-18T07:00:00.000Z", "2026-10-18T08:00:00.000Z"
    assert lab.rows(query) == [
        ["ORIGINAL", seven, "1.500000000000000000", "2026-10-18"],
        ["ORIGINAL", eight, "1.500000000000000000", "2026-10-18"],
        ["RETRACTION", seven, "-1.500000000000000000", "2026-10-19"],
        ["RESTATEMENT", seven, "0.750000000000000000", "2026-10-19"],
    ]
    assert control(lab, "POST", "usage", {"cluster_id": cluster_id, "factor": 0}) == {"retracted": 2, "restated": 0}
    assert lab.dbus() == sum(Decimal(one["dbus"]) for one in records(lab, cluster_id=other)) == Decimal("1.5")


def records(lab: Lab, **arguments: str) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in arguments.items())
    found: list[dict[str, Any]] = control(lab, "GET", f"usage?{query}")["records"]
    return found


def test_the_truth_has_no_delay(lab: Lab) -> None:
    cluster_id = lab.running_cluster(custom_tags={"team": "a"})
    lab.workspace.advance(HOUR / 2)
    (record,) = records(lab, cluster_id=cluster_id)
    assert record == {
        "record_id": record["record_id"],
        "record_type": "ORIGINAL",
        "sku_name": "PREMIUM_ALL_PURPOSE_COMPUTE",
        "cluster_id": cluster_id,
        "node_type": "Standard_DS3_v2",
        "custom_tags": {"team": "a"},
        "start": "2026-10-18T07:00:00.000Z",
        "end": "2026-10-18T07:30:00.000Z",
        "dbus": "0.750000000000000000",
        "ingested": "2026-10-18T20:00:00.000Z",
    }
    assert records(lab, warehouse_id=lab.starter) == records(lab, serverless="true") == []
    assert control(lab, "POST", "usage", {"cluster_id": cluster_id, "factor": 0}) == {"retracted": 0, "restated": 0}


def test_a_correction_needs_a_factor_and_one_compute(lab: Lab) -> None:
    allowed = (
        '. Allowed: `{"cluster_id" or "warehouse_id" or "serverless": true, "factor": 0.5, "from"?: ISO, "to"?: ISO}`; '
        "0 retracts"
    )
    for body, message in (
        ({"cluster_id": "a"}, "factor: Field required"),
        ({"cluster_id": "a", "serverless": True, "factor": 1}, "give one of cluster_id, warehouse_id and serverless"),
        ({"factor": -1}, "factor: Input should be greater than or equal to 0"),
    ):
        with pytest.raises(ApiError) as caught:
            control(lab, "POST", "usage", body)
        assert (caught.value.status, caught.value.message) == (400, message + allowed)


def test_rows_survive_a_restart(lab: Lab) -> None:
    cluster_id = lab.run_cluster()
    control(lab, "POST", "usage", {"cluster_id": cluster_id, "factor": 2})
    before = lab.rows("SELECT * FROM system.billing.usage")
    lab.workspace.emulated.state = load_json(dump_json(lab.workspace.emulated.state))
    assert lab.rows("SELECT * FROM system.billing.usage") == before
    assert len(before) == 3


def test_an_older_state_is_charged_by_the_current_definition(lab: Lab) -> None:
    lab.run_cluster(num_workers=2)
    older = json.loads(dump_json(lab.workspace.emulated.state))
    del older["billing"]
    older["unity_catalog"]["securables"] = {
        key: one for key, one in older["unity_catalog"]["securables"].items() if not key.startswith("table/")
    }
    lab.workspace.emulated.state = load_json(json.dumps(older).encode())
    adopt(lab.workspace.emulated)
    assert lab.dbus(sku_name="PREMIUM_ALL_PURPOSE_COMPUTE") == Decimal("2.25")
