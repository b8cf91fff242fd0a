"""Raw HTTP calls that tests of the emulator use often."""

from __future__ import annotations

from typing import Any

from emulator_process import EmulatorProcess

CLUSTERS = "/api/2.1/clusters"
SCIM = "/api/2.0/preview/scim/v2"
SPEC = {"cluster_name": "cluster_01", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}


def ok(emulator: EmulatorProcess, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
    status, response = emulator.request(method, path, body, token=token)
    assert status in (200, 201, 204), f"{method} {path}: {status} {response}"
    return response


def control_refusal(emulator: EmulatorProcess, path: str, body: Any) -> str:
    status, response = emulator.request("POST", f"/_emulator/{path}", body)
    assert (status, response["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    return str(response["message"])


def create_cluster(emulator: EmulatorProcess, **more: Any) -> str:
    return str(ok(emulator, "POST", f"{CLUSTERS}/create", {**SPEC, "num_workers": 1, **more})["cluster_id"])


def cluster_details(emulator: EmulatorProcess, cluster_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ok(emulator, "GET", f"{CLUSTERS}/get?cluster_id={cluster_id}")
    return found


def grants(emulator: EmulatorProcess, cluster_id: str) -> dict[str, str]:
    """Map each principal to the level granted directly on a cluster."""
    response = ok(emulator, "GET", f"/api/2.0/permissions/clusters/{cluster_id}")
    return {
        entry.get("group_name") or entry.get("user_name"): given["permission_level"]
        for entry in response["access_control_list"]
        for given in entry["all_permissions"]
        if not given["inherited"]
    }
