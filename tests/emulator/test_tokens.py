"""Personal access tokens, and the secrets of service principals that are exchanged for access tokens."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound, PermissionDenied

from emulator_process import EmulatorProcess

pytestmark = pytest.mark.process

ADMIN, ANA = "admin@lab.example", "ana@lab.example"
SCIM = "/api/2.0/preview/scim/v2"
DAY = 86400


@pytest.fixture
def ana(emulator: EmulatorProcess) -> WorkspaceClient:
    return emulator.client(emulator.control("POST", "users", {"user_name": ANA})["token"])


@pytest.fixture
def bot(emulator: EmulatorProcess) -> tuple[str, str]:
    """The id and application id of a service principal."""
    made = emulator.client().service_principals.create(display_name="bot")
    assert made.id and made.application_id
    return made.id, made.application_id


def granted(emulator: EmulatorProcess, client_id: str, client_secret: str, **form: str) -> tuple[int, Any]:
    basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    body = urlencode({"grant_type": "client_credentials", "scope": "all-apis", **form}).encode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    return emulator.request("POST", "/oidc/v1/token", body, headers=headers)


def secret_of(emulator: EmulatorProcess, principal_id: str, **body: Any) -> dict[str, Any]:
    path = f"/api/2.0/accounts/servicePrincipals/{principal_id}/credentials/secrets"
    status, answer = emulator.request("POST", path, body)
    assert status == 200, answer
    return dict(answer)


def test_a_token_works_for_its_owner_until_it_is_deleted(emulator: EmulatorProcess, ana: WorkspaceClient) -> None:
    made = ana.tokens.create(comment="notebook", lifetime_seconds=DAY)
    assert made.token_info and made.token_info.token_id and made.token_value
    assert made.token_value.startswith("dapi")
    assert emulator.client(made.token_value).current_user.me().user_name == ANA
    listed = {info.comment: info for info in ana.tokens.list()}
    assert listed["notebook"] == made.token_info
    info = made.token_info
    assert info.expiry_time and info.creation_time and info.expiry_time - info.creation_time == DAY * 1000
    ana.tokens.delete(made.token_info.token_id)
    assert emulator.request("GET", f"{SCIM}/Me", token=made.token_value) == (
        403,
        {"error_code": 403, "message": "Invalid access token.", "details": []},
    )


def test_a_token_without_a_lifetime_never_expires(ana: WorkspaceClient) -> None:
    made = ana.tokens.create(comment="for good")
    assert made.token_info and made.token_info.expiry_time == -1


def test_a_token_expires_after_its_lifetime(emulator: EmulatorProcess, ana: WorkspaceClient) -> None:
    made = ana.tokens.create(lifetime_seconds=60, comment="short")
    emulator.control("POST", "clock", {"advance_seconds": 61})
    assert emulator.request("GET", f"{SCIM}/Me", token=made.token_value)[0] == 403
    assert "short" not in [info.comment for info in ana.tokens.list()]


def test_a_token_value_is_returned_only_once(emulator: EmulatorProcess, ana: WorkspaceClient) -> None:
    made = ana.tokens.create(comment="secret")
    assert made.token_value
    responses = [emulator.control("GET", "state"), emulator.request("GET", "/api/2.0/token-management/tokens")[1]]
    assert made.token_value not in str(responses)


def test_a_token_of_another_user_cannot_be_deleted(emulator: EmulatorProcess, ana: WorkspaceClient) -> None:
    made = emulator.client().tokens.create(comment="the administrator's")
    assert made.token_info and made.token_info.token_id
    with pytest.raises(NotFound, match=f"Token with id {made.token_info.token_id} does not exist."):
        ana.tokens.delete(made.token_info.token_id)


@pytest.mark.parametrize("lifetime", ["600", 1.5, -7, True])
def test_a_lifetime_is_a_number_of_seconds(emulator: EmulatorProcess, lifetime: Any) -> None:
    status, answer = emulator.request("POST", "/api/2.0/token/create", {"lifetime_seconds": lifetime})
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert answer["message"] == f"lifetime_seconds must be a number of seconds, not {lifetime!r}."


def test_a_workspace_can_limit_the_lifetime_of_tokens(emulator: EmulatorProcess, ana: WorkspaceClient) -> None:
    emulator.client().workspace_conf.set_status({"maxTokenLifetimeDays": "90"})
    for lifetime in (None, 91 * DAY):
        with pytest.raises(InvalidParameterValue, match="at most 7776000: tokens live 90 days here"):
            ana.tokens.create(lifetime_seconds=lifetime)
    assert ana.tokens.create(lifetime_seconds=90 * DAY).token_value


def test_personal_access_tokens_can_be_disabled(emulator: EmulatorProcess, ana: WorkspaceClient) -> None:
    emulator.client().workspace_conf.set_status({"enableTokensConfig": "false"})
    with pytest.raises(BadRequest, match="Personal access tokens are disabled in this workspace."):
        ana.tokens.create()


def test_creating_a_token_requires_permission_to_use_tokens(emulator: EmulatorProcess, ana: WorkspaceClient) -> None:
    path = "/api/2.0/permissions/authorization/tokens"
    nobody = {"access_control_list": [{"group_name": "admins", "permission_level": "CAN_MANAGE"}]}
    assert emulator.request("PUT", path, nobody)[0] == 200
    with pytest.raises(PermissionDenied, match=f"{ANA} does not have permission to use tokens."):
        ana.tokens.create()
    everybody = {"access_control_list": [{"group_name": "users", "permission_level": "CAN_USE"}]}
    assert emulator.request("PATCH", path, everybody)[0] == 200
    assert ana.tokens.create().token_value


def test_administrators_can_list_and_revoke_all_users_tokens(emulator: EmulatorProcess, ana: WorkspaceClient) -> None:
    client = emulator.client()
    made = ana.tokens.create(comment="notebook", lifetime_seconds=DAY)
    assert made.token_info and made.token_info.token_id
    listed = [info for info in client.token_management.list(created_by_username=ANA) if info.comment == "notebook"]
    me = ana.current_user.me().id
    assert me and [(info.created_by_id, info.owner_id, info.created_by_username) for info in listed] == [
        (int(me), int(me), ANA)
    ]
    by_id = client.token_management.list(created_by_id=int(me))
    assert {info.comment for info in by_id} == {"notebook", "given by the emulator"}
    assert client.token_management.get(made.token_info.token_id).token_info == listed[0]
    client.token_management.delete(made.token_info.token_id)
    with pytest.raises(NotFound):
        client.token_management.get(made.token_info.token_id)
    assert emulator.request("GET", f"{SCIM}/Me", token=made.token_value)[0] == 403


def test_token_management_is_for_administrators(ana: WorkspaceClient, bot: tuple[str, str]) -> None:
    for refused in (
        lambda: list(ana.token_management.list()),
        lambda: ana.token_management.delete("x"),
        lambda: ana.token_management.create_obo_token(bot[1]),
        lambda: ana.service_principal_secrets_proxy.create(bot[0]),
    ):
        with pytest.raises(PermissionDenied, match="Only administrators can perform this operation."):
            refused()


def test_a_token_on_behalf_of_a_service_principal_belongs_to_it(
    emulator: EmulatorProcess, bot: tuple[str, str]
) -> None:
    client = emulator.client()
    made = client.token_management.create_obo_token(bot[1], lifetime_seconds=3600, comment="obo")
    assert made.token_info and made.token_value
    me = client.current_user.me()
    assert me.id and (made.token_info.owner_id, made.token_info.created_by_id) == (int(bot[0]), int(me.id))
    assert emulator.client(made.token_value).current_user.me().user_name == bot[1]
    with pytest.raises(NotFound, match="Service principal with application ID 7 does not exist."):
        client.token_management.create_obo_token("7")


def test_the_sdk_authenticates_with_a_secret(emulator: EmulatorProcess, bot: tuple[str, str]) -> None:
    made = emulator.client().service_principal_secrets_proxy.create(bot[0], lifetime="2592000s")
    assert made.secret and made.status == "ACTIVE"
    client = WorkspaceClient(host=emulator.url, client_id=bot[1], client_secret=made.secret, auth_type="oauth-m2m")
    assert client.current_user.me().user_name == bot[1]
    # Access tokens are not listed.
    assert list(client.tokens.list()) == []


def test_secrets_are_listed_without_value_and_invalid_once_deleted(
    emulator: EmulatorProcess, bot: tuple[str, str]
) -> None:
    proxy = emulator.client().service_principal_secrets_proxy
    first, second = secret_of(emulator, bot[0]), secret_of(emulator, bot[0], lifetime="60s")
    listed = list(proxy.list(bot[0], page_size=1))
    assert [info.id for info in listed] == [first["id"], second["id"]]
    assert first["secret"] not in str(emulator.control("GET", "state"))
    assert (granted(emulator, bot[1], first["secret"])[0], granted(emulator, bot[1], second["secret"])[0]) == (200, 200)
    emulator.control("POST", "clock", {"advance_seconds": 61})
    assert [info.id for info in proxy.list(bot[0])] == [first["id"]]
    assert granted(emulator, bot[1], second["secret"])[0] == 401
    proxy.delete(bot[0], first["id"])
    refusal = {"error": "invalid_client", "error_description": "Client authentication failed"}
    assert granted(emulator, bot[1], first["secret"]) == (401, refusal)
    with pytest.raises(NotFound):
        proxy.delete(bot[0], first["id"])


def test_an_access_token_stays_valid_when_the_emulator_s_clock_moves(
    emulator: EmulatorProcess, bot: tuple[str, str]
) -> None:
    """Clients renew access tokens by the machine's clock, not by the emulator's clock."""
    status, answer = granted(emulator, bot[1], secret_of(emulator, bot[0])["secret"])
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3600)
    emulator.control("POST", "clock", {"advance_seconds": DAY})
    assert emulator.request("GET", f"{SCIM}/Me", token=answer["access_token"])[0] == 200


def test_a_rejected_grant_has_an_oauth_error(emulator: EmulatorProcess, bot: tuple[str, str]) -> None:
    secret = secret_of(emulator, bot[0])["secret"]
    unsupported = granted(emulator, bot[1], secret, grant_type="password")
    assert (unsupported[0], unsupported[1]["error"]) == (400, "unsupported_grant_type")
    for client_id, client_secret in ((bot[1], "dose0"), ("7", secret), ("", "")):
        status, answer = granted(emulator, client_id, client_secret)
        assert (status, answer["error"]) == (401, "invalid_client")
    operation = {"op": "replace", "path": "active", "value": [{"value": "false"}]}
    emulator.request("PATCH", f"{SCIM}/ServicePrincipals/{bot[0]}", {"Operations": [operation]})
    assert granted(emulator, bot[1], secret)[0] == 401


def test_a_secret_may_be_in_the_form_body(emulator: EmulatorProcess, bot: tuple[str, str]) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": bot[1],
        "client_secret": secret_of(emulator, bot[0])["secret"],
    }
    headers = {"Authorization": "", "Content-Type": "application/x-www-form-urlencoded"}
    assert emulator.request("POST", "/oidc/v1/token", urlencode(form).encode(), headers=headers)[0] == 200


def test_a_service_principal_has_at_most_five_secrets(emulator: EmulatorProcess, bot: tuple[str, str]) -> None:
    for _ in range(5):
        secret_of(emulator, bot[0])
    path = f"/api/2.0/accounts/servicePrincipals/{bot[0]}/credentials/secrets"
    status, answer = emulator.request("POST", path, {})
    assert (status, answer["error_code"]) == (400, "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize("lifetime", ["1h", "0s", "63072001s", 60])
def test_the_lifetime_of_a_secret_is_at_most_two_years(
    emulator: EmulatorProcess, bot: tuple[str, str], lifetime: Any
) -> None:
    path = f"/api/2.0/accounts/servicePrincipals/{bot[0]}/credentials/secrets"
    status, answer = emulator.request("POST", path, {"lifetime": lifetime})
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_the_token_endpoint_is_discovered_without_a_token(emulator: EmulatorProcess) -> None:
    for name in ("oauth-authorization-server", "openid-configuration"):
        status, answer = emulator.request("GET", f"/oidc/.well-known/{name}", headers={"Authorization": ""})
        assert (status, answer["token_endpoint"]) == (200, f"{emulator.url}/oidc/v1/token")
