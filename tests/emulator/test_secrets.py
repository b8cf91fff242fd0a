"""Secret scopes, secrets and their permissions."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.workspace import AclItem, AclPermission

from emulator_process import EmulatorProcess

pytestmark = pytest.mark.process

ADMIN, ANA, BOB = "admin@lab.example", "ana@lab.example", "bob@lab.example"
READ, WRITE, MANAGE = AclPermission.READ, AclPermission.WRITE, AclPermission.MANAGE


@pytest.fixture
def ana(emulator: EmulatorProcess) -> WorkspaceClient:
    return emulator.client(emulator.control("POST", "users", {"user_name": ANA})["token"])


@pytest.fixture
def client(emulator: EmulatorProcess) -> WorkspaceClient:
    """The administrator's client for a workspace with an empty scope `lab`."""
    client = emulator.client()
    client.secrets.create_scope("lab")
    return client


def refused(emulator: EmulatorProcess, name: str, body: dict[str, Any]) -> tuple[int, str, str]:
    status, answer = emulator.request("POST", f"/api/2.0/secrets/{name}", body)
    return status, answer["error_code"], answer["message"]


def test_a_secret_is_read_back_overwritten_and_deleted(client: WorkspaceClient) -> None:
    client.secrets.put_secret("lab", "password", string_value="grün")
    client.secrets.put_secret("lab", "key", bytes_value=base64.b64encode(b"\x00\xff").decode())
    value = client.secrets.get_secret("lab", "password").value
    assert value and base64.b64decode(value).decode() == "grün"
    assert client.secrets.get_secret("lab", "key").value == base64.b64encode(b"\x00\xff").decode()
    client.secrets.put_secret("lab", "password", string_value="blau")
    assert client.dbutils.secrets.get("lab", "password") == "blau"
    client.secrets.delete_secret("lab", "key")
    listed = list(client.secrets.list_secrets("lab"))
    assert [secret.key for secret in listed] == ["password"] and listed[0].last_updated_timestamp


def test_secret_values_are_not_listed(emulator: EmulatorProcess, client: WorkspaceClient) -> None:
    client.secrets.put_secret("lab", "password", string_value="grün")
    assert set(emulator.request("GET", "/api/2.0/secrets/list?scope=lab")[1]["secrets"][0]) == {
        "key",
        "last_updated_timestamp",
    }


def test_the_creator_manages_a_scope(emulator: EmulatorProcess, client: WorkspaceClient) -> None:
    assert emulator.request("GET", "/api/2.0/secrets/scopes/list") == (
        200,
        {"scopes": [{"name": "lab", "backend_type": "DATABRICKS"}]},
    )
    assert list(client.secrets.list_acls("lab")) == [AclItem(principal=ADMIN, permission=MANAGE)]


def test_the_group_users_can_be_the_first_manager_of_a_scope(client: WorkspaceClient) -> None:
    client.secrets.create_scope("open", initial_manage_principal="users")
    assert list(client.secrets.list_acls("open")) == [AclItem(principal="users", permission=MANAGE)]
    client.secrets.put_acl("open", "users", READ)
    assert list(client.secrets.list_acls("open")) == [AclItem(principal="users", permission=READ)]
    with pytest.raises(InvalidParameterValue, match="initial_manage_principal can only be users"):
        client.secrets.create_scope("mine", initial_manage_principal=ADMIN)


def test_a_scope_is_deleted_with_its_secrets(client: WorkspaceClient) -> None:
    client.secrets.put_secret("lab", "password", string_value="x")
    client.secrets.delete_scope("lab")
    with pytest.raises(ResourceDoesNotExist, match="Scope lab does not exist!"):
        client.secrets.list_secrets("lab")
    client.secrets.create_scope("lab")
    assert list(client.secrets.list_secrets("lab")) == []


def test_each_level_includes_the_lower_ones(client: WorkspaceClient, ana: WorkspaceClient) -> None:
    client.secrets.put_secret("lab", "password", string_value="x")
    attempts = {
        READ: lambda: ana.secrets.get_secret("lab", "password"),
        WRITE: lambda: ana.secrets.put_secret("lab", "password", string_value="y"),
        MANAGE: lambda: ana.secrets.put_acl("lab", ADMIN, READ),
    }
    allowed: dict[AclPermission | None, list[AclPermission]] = {}
    for held in (None, READ, WRITE, MANAGE):
        if held:
            client.secrets.put_acl("lab", ANA, held)
        allowed[held] = []
        for needed, attempt in attempts.items():
            try:
                attempt()
                allowed[held].append(needed)
            except PermissionDenied as refusal:
                assert f"User {ANA} does not have {needed.value} permission on scope lab" in str(refusal)
    assert allowed == {None: [], READ: [READ], WRITE: [READ, WRITE], MANAGE: [READ, WRITE, MANAGE]}


def test_a_scope_is_visible_to_readers_also_through_groups(client: WorkspaceClient, ana: WorkspaceClient) -> None:
    me = ana.current_user.me().id
    assert me and [scope.name for scope in ana.secrets.list_scopes()] == []
    inner = client.groups.create(display_name="inner")
    outer = client.groups.create(display_name="outer")
    for group, member in ((inner, me), (outer, inner.id)):
        body = {"Operations": [{"op": "add", "path": "members", "value": [{"value": member}]}]}
        client.api_client.do("PATCH", f"/api/2.0/preview/scim/v2/Groups/{group.id}", body=body)
    client.secrets.put_acl("lab", "outer", READ)
    assert [scope.name for scope in ana.secrets.list_scopes()] == ["lab"]
    client.secrets.delete_acl("lab", "outer")
    assert [scope.name for scope in ana.secrets.list_scopes()] == []


def test_administrators_manage_scopes_that_users_create(client: WorkspaceClient, ana: WorkspaceClient) -> None:
    ana.secrets.create_scope("anas")
    ana.secrets.put_secret("anas", "k", string_value="v")
    client.secrets.put_acl("anas", ADMIN, READ)
    assert {acl.principal: acl.permission for acl in ana.secrets.list_acls("anas")} == {ANA: MANAGE, ADMIN: READ}
    client.secrets.delete_scope("anas")


def test_acls_are_read_one_by_one_as_by_the_provider(client: WorkspaceClient) -> None:
    bot = client.service_principals.create(display_name="bot").application_id
    assert bot
    client.groups.create(display_name="readers")
    for principal in (bot, "readers"):
        client.secrets.put_acl("lab", principal, READ)
        assert client.secrets.get_acl("lab", principal) == AclItem(principal=principal, permission=READ)
        client.secrets.delete_acl("lab", principal)
        with pytest.raises(NotFound, match=f"Failed to get secret acl for principal {principal} for scope lab."):
            client.secrets.get_acl("lab", principal)
    with pytest.raises(NotFound, match="Principal nobody does not exist."):
        client.secrets.put_acl("lab", "nobody", READ)


def test_a_scope_name_is_unique(client: WorkspaceClient) -> None:
    with pytest.raises(ResourceAlreadyExists, match="Scope lab already exists!"):
        client.secrets.create_scope("lab")


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("scopes/create", {}, 400, "INVALID_PARAMETER_VALUE"),
        ("scopes/create", {"scope": "a b"}, 400, "INVALID_PARAMETER_VALUE"),
        ("scopes/create", {"scope": "a" * 129}, 400, "INVALID_PARAMETER_VALUE"),
        ("scopes/create", {"scope": "v", "scope_backend_type": "AZURE_KEYVAULT"}, 400, "INVALID_PARAMETER_VALUE"),
        ("scopes/delete", {"scope": "nothing"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("put", {"scope": "nothing", "key": "k", "string_value": "v"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("put", {"scope": "lab", "key": "k"}, 400, "MALFORMED_REQUEST"),
        ("put", {"scope": "lab", "key": "k", "string_value": "v", "bytes_value": ""}, 400, "MALFORMED_REQUEST"),
        ("put", {"scope": "lab", "key": "k", "bytes_value": "%"}, 400, "INVALID_PARAMETER_VALUE"),
        ("put", {"scope": "lab", "key": "k", "string_value": 7}, 400, "INVALID_PARAMETER_VALUE"),
        ("put", {"scope": "lab", "key": "k/l", "string_value": "v"}, 400, "INVALID_PARAMETER_VALUE"),
        ("put", {"scope": "lab", "key": "k", "string_value": "v" * 131073}, 400, "INVALID_PARAMETER_VALUE"),
        ("delete", {"scope": "lab", "key": "nothing"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("acls/put", {"scope": "lab", "principal": "users", "permission": "OWN"}, 400, "INVALID_PARAMETER_VALUE"),
        ("acls/delete", {"scope": "lab", "principal": "users"}, 404, "RESOURCE_DOES_NOT_EXIST"),
    ],
)
def test_an_invalid_request_is_rejected(
    emulator: EmulatorProcess, client: WorkspaceClient, name: str, body: dict[str, Any], status: int, code: str
) -> None:
    assert refused(emulator, name, body)[:2] == (status, code)


def test_a_secret_of_the_maximum_size_is_accepted(client: WorkspaceClient) -> None:
    client.secrets.put_secret("lab", "large", string_value="v" * 131072)
    value = client.secrets.get_secret("lab", "large").value
    assert value and len(base64.b64decode(value)) == 131072


def test_a_scope_can_contain_a_thousand_secrets(emulator: EmulatorProcess, client: WorkspaceClient) -> None:
    for number in range(1000):
        assert (
            emulator.request("POST", "/api/2.0/secrets/put", {"scope": "lab", "key": f"k{number}", "string_value": ""})[
                0
            ]
            == 200
        )
    full = refused(emulator, "put", {"scope": "lab", "key": "one-more", "string_value": ""})
    assert full == (400, "RESOURCE_LIMIT_EXCEEDED", "Scope lab has 1000 secrets already.")
    client.secrets.put_secret("lab", "k7", string_value="again")


def test_secrets_survive_a_restart(start_emulator: Any, tmp_path: Any) -> None:
    file = tmp_path / "state.json"
    first = start_emulator("--state", file)
    client = first.client()
    client.secrets.create_scope("lab")
    client.secrets.put_secret("lab", "key", bytes_value=base64.b64encode(b"\x00\xff").decode())
    first.stop()
    second = start_emulator("--state", file)
    assert second.client().secrets.get_secret("lab", "key").value == base64.b64encode(b"\x00\xff").decode()
