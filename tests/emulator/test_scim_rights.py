"""The caller's own record, and which data users without admin rights may read and change."""

from __future__ import annotations

import pytest
from databricks.sdk.errors import PermissionDenied

from emulator_process import EmulatorProcess
from scim_calls import ANA, BOB, SCIM, UUID, create, filter_query, group_named, list_names, ok, patch, refused

pytestmark = pytest.mark.process


@pytest.fixture
def ana(emulator: EmulatorProcess) -> str:
    """A token of a user without admin rights."""
    return str(emulator.control("POST", "users", {"user_name": ANA})["token"])


def test_me_is_the_caller(emulator: EmulatorProcess, ana: str) -> None:
    me = ok(emulator, "GET", f"{SCIM}/Me?excludedAttributes=entitlements", token=ana)
    assert (me["userName"], "entitlements" in me) == (ANA, False)
    assert [group["display"] for group in me["groups"]] == ["users"]


def test_a_service_principal_sees_itself_as_a_user(emulator: EmulatorProcess) -> None:
    create(emulator, "ServicePrincipals", applicationId=UUID, displayName="bot")
    token = ok(emulator, "POST", "/api/2.0/token-management/on-behalf-of/tokens", {"application_id": UUID})
    me = emulator.client(token["token_value"]).current_user.me()
    assert (me.user_name, me.display_name, me.active) == (UUID, "bot", True)


def test_users_without_admin_rights_cannot_change_anything(emulator: EmulatorProcess, ana: str) -> None:
    me = ok(emulator, "GET", f"{SCIM}/Me", token=ana)["id"]
    before = emulator.control("GET", "state")["directory"]
    detail = "Only administrators can perform this operation."
    for method, path, body in (
        ("POST", "Users", {"userName": BOB}),
        ("POST", "Groups", {"displayName": "lab-1"}),
        ("POST", "ServicePrincipals", {"displayName": "bot"}),
        ("PUT", f"Users/{me}", {"displayName": "Queen"}),
        ("PATCH", f"Users/{me}", patch({"op": "replace", "path": "displayName", "value": "Queen"})),
        ("DELETE", f"Users/{me}", None),
        ("DELETE", f"Groups/{group_named(emulator, 'admins')['id']}", None),
    ):
        assert refused(emulator, method, f"{SCIM}/{path}", body, ana) == (403, None, detail)
    assert emulator.control("GET", "state")["directory"] == before


def test_users_without_admin_rights_see_few_attributes_of_others(emulator: EmulatorProcess, ana: str) -> None:
    bob = create(emulator, "Users", userName=BOB, externalId="e", entitlements=[{"value": "allow-cluster-create"}])
    seen = ok(emulator, "GET", f"{SCIM}/Users/{bob}", token=ana)
    assert set(seen) == {"schemas", "id", "userName", "displayName", "active"}
    for query in ("attributes=userName,externalId", "attributes=entitlements"):
        assert refused(emulator, "GET", f"{SCIM}/Users?{query}", token=ana)[0] == 403
    hidden = filter_query('entitlements eq "allow-cluster-create"')
    assert refused(emulator, "GET", f"{SCIM}/Users?{hidden}", token=ana)[:2] == (400, "invalidFilter")
    assert list_names(emulator, hidden) == [BOB]
    query = filter_query('displayName eq "users"')
    groups = ok(emulator, "GET", f"{SCIM}/Groups?{query}", token=ana)["Resources"]
    assert [set(group) for group in groups] == [{"schemas", "id", "displayName", "members", "meta"}]


def test_the_sdk_recognises_permission_denied(emulator: EmulatorProcess, ana: str) -> None:
    with pytest.raises(PermissionDenied, match="Only administrators"):
        emulator.client(ana).groups.create(display_name="mine")
