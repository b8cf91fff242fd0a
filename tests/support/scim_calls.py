"""Short SCIM calls for tests, with raw requests and responses."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from emulator_process import EmulatorProcess

SCIM = "/api/2.0/preview/scim/v2"
ADMIN = "admin@lab.example"
ANA, BOB = "ana@lab.example", "bob@lab.example"
UUID = "6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"


def ok(emulator: EmulatorProcess, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
    status, response = emulator.request(method, path, body, token=token)
    assert status in (200, 201, 204), f"{method} {path}: {status} {response}"
    return response


def refused(emulator: EmulatorProcess, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
    """Return status, scimType and detail of a request that must fail."""
    status, response = emulator.request(method, path, body, token=token)
    assert status >= 400, response
    return status, response.get("scimType"), response["detail"]


def create(emulator: EmulatorProcess, kind: str, **body: Any) -> str:
    return str(ok(emulator, "POST", f"{SCIM}/{kind}", body)["id"])


def members(emulator: EmulatorProcess, group_id: str) -> list[str]:
    listed = ok(emulator, "GET", f"{SCIM}/Groups/{group_id}?attributes=members")["members"]
    return [member["value"] for member in listed]


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


def filter_query(filter: str) -> str:
    """Return the query parameter for a filter."""
    return f"filter={quote(filter)}"


def group_named(emulator: EmulatorProcess, name: str) -> dict[str, Any]:
    query = filter_query(f'displayName eq "{name}"')
    found = ok(emulator, "GET", f"{SCIM}/Groups?{query}")["Resources"]
    assert len(found) == 1
    return dict(found[0])


def list_names(emulator: EmulatorProcess, query: str, kind: str = "Users", attribute: str = "userName") -> list[str]:
    return [entry[attribute] for entry in ok(emulator, "GET", f"{SCIM}/{kind}?{query}")["Resources"]]
