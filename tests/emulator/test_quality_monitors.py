"""Quality monitors of tables in the emulator, as records."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.state.state import dump_json, load_json
from in_process_client import InProcessClient

BASE = "/api/2.1/unity-catalog"
SCHEMA = "lab_workspace.default"
TABLE = f"{SCHEMA}.points"
MONITOR = f"{BASE}/tables/{TABLE}/monitor"
SETTINGS = {"assets_dir": "/Shared/monitors", "output_schema_name": SCHEMA, "snapshot": {}}


@pytest.fixture
def uc() -> InProcessClient:
    """A workspace with a table."""
    lab = InProcessClient(unity_catalog="auto", transition_seconds=0)
    add_table(lab)
    return lab


def add_table(lab: InProcessClient) -> None:
    catalog, schema, name = TABLE.split(".")
    body = {"catalog_name": catalog, "schema_name": schema, "name": name, "table_type": "MANAGED"}
    assert lab.request("POST", f"{BASE}/tables", body)[0] == 200


def test_a_monitor_has_the_sent_settings_and_the_names_of_its_tables(uc: InProcessClient) -> None:
    schedule = {"quartz_cron_expression": "0 0 12 * * ?", "timezone_id": "UTC"}
    status, monitor = uc.request("POST", MONITOR, SETTINGS | {"schedule": schedule})
    assert (status, monitor) == (
        200,
        SETTINGS
        | {
            "schedule": schedule | {"pause_status": "UNPAUSED"},
            "table_name": TABLE,
            "status": "MONITOR_STATUS_ACTIVE",
            "monitor_version": 1,
            "profile_metrics_table_name": f"{TABLE}_profile_metrics",
            "drift_metrics_table_name": f"{TABLE}_drift_metrics",
        },
    )
    uc.workspace.state = load_json(dump_json(uc.workspace.state))
    assert uc.request("GET", MONITOR) == (200, monitor)


def test_a_monitor_is_pending_for_one_transition() -> None:
    lab = InProcessClient(unity_catalog="auto", transition_seconds=10, speed=0)
    add_table(lab)
    assert lab.request("POST", MONITOR, SETTINGS)[1]["status"] == "MONITOR_STATUS_PENDING"
    lab.workspace.clock.advance(10)
    assert lab.request("GET", MONITOR)[1]["status"] == "MONITOR_STATUS_ACTIVE"


def test_an_update_replaces_the_settings_except_for_the_folder(uc: InProcessClient) -> None:
    monitor = uc.request("POST", MONITOR, SETTINGS | {"slicing_exprs": ["a"]})[1]
    change = {"output_schema_name": SCHEMA, "time_series": {"timestamp_col": "t", "granularities": ["1 day"]}}
    expected = {name: value for name, value in monitor.items() if name not in ("slicing_exprs", "snapshot")}
    expected |= {"time_series": change["time_series"], "monitor_version": 2}
    assert uc.request("PUT", MONITOR, change) == (200, expected)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"assets_dir": ""}, 400),
        ({"output_schema_name": ""}, 400),
        ({"output_schema_name": "lab_workspace.none"}, 404),
        ({"snapshot": None}, 400),
        ({"time_series": {}}, 400),
        ({"schedule": "daily"}, 400),
        ({"slicing_exprs": {}}, 400),
    ],
)
def test_an_invalid_monitor_is_rejected(uc: InProcessClient, body: dict[str, Any], status: int) -> None:
    assert uc.request("POST", MONITOR, SETTINGS | body)[0] == status
    assert uc.request("GET", MONITOR)[0] == 404


def test_a_table_has_one_monitor_which_is_deleted_with_it(uc: InProcessClient) -> None:
    assert uc.request("POST", MONITOR, SETTINGS)[0] == 200
    assert uc.request("POST", MONITOR, SETTINGS)[1]["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert uc.request("DELETE", MONITOR) == (200, {})
    assert [uc.request(method, MONITOR)[0] for method in ("GET", "DELETE")] == [404, 404]
    uc.request("POST", MONITOR, SETTINGS)
    uc.request("DELETE", f"{BASE}/tables/{TABLE}")
    assert uc.workspace.state.unity_catalog.monitors == {}
    assert uc.request("GET", MONITOR)[0] == 404


def test_readers_see_a_monitor_and_owners_change_it(uc: InProcessClient) -> None:
    student = uc.user("s@lab")
    assert uc.request("POST", MONITOR, SETTINGS)[0] == 200
    assert uc.request("GET", MONITOR, caller=student)[0] == 403
    change = {"changes": [{"principal": "s@lab", "add": ["USE_SCHEMA", "SELECT"]}]}
    assert uc.request("PATCH", f"{BASE}/permissions/schema/{SCHEMA}", change)[0] == 200
    assert uc.request("GET", MONITOR, caller=student)[0] == 200
    assert [uc.request(method, MONITOR, SETTINGS, caller=student)[0] for method in ("PUT", "DELETE")] == [403, 403]
