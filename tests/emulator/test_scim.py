"""Users, groups and service principals over HTTP, with the real SDK, or with raw requests if the provider is strict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from databricks.sdk.service.iam import ComplexValue, Patch, PatchOp, PatchSchema

from emulator_process import EmulatorProcess
from scim_calls import (
    ADMIN,
    ANA,
    BOB,
    SCIM,
    UUID,
    create,
    filter_query,
    group_named,
    list_names,
    members,
    ok,
    patch,
    refused,
)

pytestmark = pytest.mark.process

Start = Callable[..., EmulatorProcess]


@pytest.fixture
def ana(emulator: EmulatorProcess) -> str:
    """A token of a user without admin rights."""
    return str(emulator.control("POST", "users", {"user_name": ANA})["token"])


def test_a_user_is_returned_as_the_provider_reads_it(emulator: EmulatorProcess) -> None:
    sent = {"schemas": ["x"], "userName": "Ana@Lab.example", "active": True, "entitlements": [{}], "externalId": "e"}
    status, created = emulator.request("POST", f"{SCIM}/Users", sent)
    users = group_named(emulator, "users")
    assert status == 201
    assert created == {
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:workspace:2.0:User",
        ],
        "id": created["id"],
        "userName": ANA,
        "displayName": ANA,
        "active": True,
        "externalId": "e",
        "emails": [{"type": "work", "value": ANA, "primary": True}],
        "groups": [{"display": "users", "type": "direct", "value": users["id"], "$ref": f"Groups/{users['id']}"}],
        "roles": [],
        "entitlements": [],
    }
    query = "attributes=userName,displayName,active,externalId,entitlements"
    read = ok(emulator, "GET", f"{SCIM}/Users/{created['id']}?{query}")
    assert read == {name: created[name] for name in ("id", *query.removeprefix("attributes=").split(","))}


def test_a_group_is_returned_as_the_provider_reads_it(emulator: EmulatorProcess) -> None:
    ana, bot = create(emulator, "Users", userName=ANA), create(emulator, "ServicePrincipals", displayName="bot")
    inner = create(emulator, "Groups", displayName="inner")
    values = [{"value": ana}, {"value": inner}, {"value": bot}]
    created = ok(emulator, "POST", f"{SCIM}/Groups", {"displayName": "lab-1", "externalId": "e-1", "members": values})
    assert created == {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": created["id"],
        "displayName": "lab-1",
        "externalId": "e-1",
        "members": [
            {"display": ANA, "value": ana, "$ref": f"Users/{ana}"},
            {"display": "inner", "value": inner, "$ref": f"Groups/{inner}"},
            {"display": "bot", "value": bot, "$ref": f"ServicePrincipals/{bot}"},
        ],
        "groups": [],
        "roles": [],
        "entitlements": [],
        "meta": {"resourceType": "WorkspaceGroup"},
    }
    assert ok(emulator, "GET", f"{SCIM}/Groups/{inner}")["groups"] == [
        {"display": "lab-1", "type": "direct", "value": created["id"], "$ref": f"Groups/{created['id']}"}
    ]


def test_a_service_principal_gets_an_application_id(emulator: EmulatorProcess) -> None:
    bot = create(emulator, "ServicePrincipals", displayName="bot")
    application_id = ok(emulator, "GET", f"{SCIM}/ServicePrincipals/{bot}?attributes=userName")["applicationId"]
    ok(emulator, "PUT", f"{SCIM}/ServicePrincipals/{bot}", {"displayName": "robot", "active": True})
    read = ok(emulator, "GET", f"{SCIM}/ServicePrincipals/{bot}")
    assert (read["applicationId"], read["displayName"], len(application_id)) == (application_id, "robot", 36)


@pytest.mark.parametrize(
    ("kind", "body", "detail"),
    [
        ("Users", {"userName": ANA.upper()}, f"User with username {ANA} already exists."),
        ("Groups", {"displayName": "Lab-1"}, "Group with name Lab-1 already exists."),
        ("Groups", {"displayName": "admins"}, "Group with name admins already exists."),
        (
            "ServicePrincipals",
            {"applicationId": UUID},
            f"Service principal with application ID {UUID} already exists.",
        ),
    ],
)
def test_name_conflicts_have_the_message_that_the_provider_checks(
    emulator: EmulatorProcess, kind: str, body: dict[str, str], detail: str
) -> None:
    create(emulator, "Users", userName=ANA)
    create(emulator, "Groups", displayName="lab-1")
    create(emulator, "ServicePrincipals", applicationId=UUID)
    assert refused(emulator, "POST", f"{SCIM}/{kind}", body) == (409, None, detail)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Users", {}),
        ("Users", {"userName": "ana"}),
        ("Users", {"userName": ["ana@x"]}),
        ("Users", {"userName": "a@x", "entitlements": [{"value": "sleep"}]}),
        ("Users", {"userName": "a@x", "active": "maybe"}),
        ("Users", {"userName": "a@x", "groups": [{"value": "7"}]}),
        ("Groups", {}),
        ("Groups", {"displayName": "g", "members": [{"value": "7"}]}),
        ("Groups", {"displayName": "g", "members": 7.5}),
        ("ServicePrincipals", {}),
        ("ServicePrincipals", {"applicationId": "7"}),
    ],
)
def test_an_invalid_principal_is_rejected_and_leaves_nothing(
    emulator: EmulatorProcess, kind: str, body: dict[str, Any]
) -> None:
    before = emulator.control("GET", "state")["directory"]
    assert refused(emulator, "POST", f"{SCIM}/{kind}", body)[:2] == (400, "invalidValue")
    assert emulator.control("GET", "state")["directory"] == before


def test_a_missing_resource_is_a_scim_404_with_its_kind(emulator: EmulatorProcess) -> None:
    ana = create(emulator, "Users", userName=ANA)
    for method, kind, id, noun in (
        ("GET", "Users", "7", "User"),
        ("PATCH", "Groups", ana, "Group"),
        ("DELETE", "ServicePrincipals", ana, "ServicePrincipal"),
    ):
        body = patch({"op": "add", "path": "members", "value": []}) if method == "PATCH" else None
        answer = refused(emulator, method, f"{SCIM}/{kind}/{id}", body)
        assert answer == (404, None, f"{noun} with id {id} not found.")


def test_the_sdk_reads_back_what_it_wrote(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    ana = client.users.create(user_name=ANA, display_name="Ana", entitlements=[ComplexValue(value="workspace-access")])
    group = client.groups.create(display_name="lab-1", members=[ComplexValue(value=ana.id)])
    assert group.id and ana.id
    addition = Patch(op=PatchOp.ADD, path="roles", value=[{"value": "arn:aws:iam::999999999999:role/foo"}])
    schemas = [PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP]
    client.groups.patch(group.id, operations=[addition], schemas=schemas)
    client.users.update(ana.id, user_name=ANA, display_name="Anna", active=False)
    read, found = client.groups.get(group.id), client.users.get(ana.id)
    assert read.members and read.roles and read.meta and read.meta.resource_type == "WorkspaceGroup"
    assert [member.ref for member in read.members] == [f"Users/{ana.id}"]
    assert [role.value for role in read.roles] == ["arn:aws:iam::999999999999:role/foo"]
    assert (found.display_name, found.active, found.entitlements) == ("Anna", False, [])
    client.groups.delete(group.id)
    client.users.delete(ana.id)
    assert [user.user_name for user in client.users.list()] == [ADMIN]


def test_a_put_of_a_group_replaces_its_members_and_keeps_its_roles(emulator: EmulatorProcess) -> None:
    ana, bob = create(emulator, "Users", userName=ANA), create(emulator, "Users", userName=BOB)
    group = create(emulator, "Groups", displayName="lab-1", members=[{"value": ana}], roles=[{"value": "r"}])
    path = f"{SCIM}/Groups/{group}"
    ok(emulator, "PUT", path, {"displayName": "lab-2", "members": [{"value": bob}], "entitlements": [{}]})
    renamed = ok(emulator, "GET", path)
    assert (renamed["displayName"], renamed["roles"], members(emulator, group)) == ("lab-2", [{"value": "r"}], [bob])
    ok(emulator, "PUT", path, {"displayName": "lab-2"})
    assert members(emulator, group) == []


def test_a_put_of_a_user_does_not_touch_memberships(emulator: EmulatorProcess) -> None:
    ana = create(emulator, "Users", userName=ANA, roles=[{"value": "r"}], externalId="e")
    group = create(emulator, "Groups", displayName="lab-1", members=[{"value": ana}])
    ok(emulator, "PUT", f"{SCIM}/Users/{ana}", {"userName": BOB, "displayName": "A", "active": True, "groups": []})
    read = ok(emulator, "GET", f"{SCIM}/Users/{ana}")
    assert members(emulator, group) == [ana]
    assert (read["userName"], read["displayName"], read["roles"]) == (ANA, "A", [{"value": "r"}])
    assert "externalId" not in read


@pytest.mark.parametrize("kind", ["Users", "Groups", "ServicePrincipals"])
def test_entitlements_are_changed_as_the_provider_sends_them(emulator: EmulatorProcess, kind: str) -> None:
    body = {"userName": ANA} if kind == "Users" else {"displayName": "x"}
    path = f"{SCIM}/{kind}/{create(emulator, kind, **body)}"
    seen = []
    values: list[list[dict[str, str]]] = [[{"value": "allow-cluster-create"}, {"value": "workspace-access"}], [{}]]
    for value in values:
        ok(emulator, "PATCH", path, patch({"op": "replace", "path": "entitlements", "value": value}))
        seen.append(ok(emulator, "GET", f"{path}?attributes=entitlements")["entitlements"])
    assert seen == [[{"value": "allow-cluster-create"}, {"value": "workspace-access"}], []]
    removal = patch({"op": "remove", "path": "entitlements", "value": [{"value": "workspace-access"}]})
    text = "No such attribute with the name : entitlements in the current resource"
    assert refused(emulator, "PATCH", path, removal) == (400, "invalidPath", text)


def test_a_group_cannot_be_its_own_member(emulator: EmulatorProcess) -> None:
    outer, inner = create(emulator, "Groups", displayName="outer"), create(emulator, "Groups", displayName="inner")
    ok(
        emulator,
        "PATCH",
        f"{SCIM}/Groups/{outer}",
        patch({"op": "add", "path": "members", "value": [{"value": inner}]}),
    )
    for group, member in ((outer, outer), (inner, outer)):
        body = patch({"op": "add", "path": "members", "value": [{"value": member}]})
        assert refused(emulator, "PATCH", f"{SCIM}/Groups/{group}", body)[:2] == (400, "invalidValue")


def test_built_in_groups_cannot_be_changed(emulator: EmulatorProcess) -> None:
    admins, users = group_named(emulator, "admins"), group_named(emulator, "users")
    everybody = [member["value"] for member in users["members"]]
    for method, group, body in (
        ("DELETE", admins, None),
        ("DELETE", users, None),
        ("PUT", admins, {"displayName": "bosses", "members": admins["members"]}),
        ("PATCH", users, patch({"op": "remove", "path": f'members[value eq "{everybody[0]}"]'})),
    ):
        assert refused(emulator, method, f"{SCIM}/Groups/{group['id']}", body)[0] == 403
    assert refused(emulator, "PATCH", f"{SCIM}/Groups/{admins['id']}", patch({"op": "remove", "path": "members"})) == (
        400,
        "invalidValue",
        "The group admins needs at least one member.",
    )
    replaced = patch({"op": "replace", "path": "entitlements", "value": [{"value": "workspace-access"}]})
    ok(emulator, "PATCH", f"{SCIM}/Groups/{users['id']}", replaced)
    assert group_named(emulator, "users")["entitlements"] == [{"value": "workspace-access"}]


def test_an_account_level_group_can_be_used_but_not_changed(emulator: EmulatorProcess) -> None:
    ana = create(emulator, "Users", userName=ANA)
    emulator.control("POST", "drift", {"kind": "account_group", "target": "students", "value": []})
    group = group_named(emulator, "students")
    assert group["meta"] == {"resourceType": "Group"}
    addition = patch({"op": "add", "path": "members", "value": [{"value": ana}]})
    path = f"{SCIM}/Groups/{group['id']}"
    for method, body in (("DELETE", None), ("PATCH", addition), ("PUT", {"displayName": "s"})):
        assert refused(emulator, method, path, body)[0] == 403
    detail = "Group with name students already exists."
    assert refused(emulator, "POST", f"{SCIM}/Groups", {"displayName": "students"}) == (409, None, detail)
    entitled = patch({"op": "replace", "path": "entitlements", "value": [{"value": "workspace-access"}]})
    assert ok(emulator, "PATCH", path, entitled)["entitlements"] == [{"value": "workspace-access"}]
    parent = create(emulator, "Groups", displayName="all", members=[{"value": group["id"]}])
    assert members(emulator, parent) == [group["id"]]


def test_a_deleted_user_loses_memberships_grants_tokens_and_secrets(emulator: EmulatorProcess) -> None:
    person = emulator.control("POST", "users", {"user_name": ANA})
    before = emulator.control("GET", "state")["acls"]
    group = create(emulator, "Groups", displayName="lab-1", members=[{"value": person["id"]}])
    client = emulator.client()
    client.secrets.create_scope("lab")
    ok(emulator, "POST", "/api/2.0/secrets/acls/put", {"scope": "lab", "principal": ANA, "permission": "READ"})
    ok(emulator, "DELETE", f"{SCIM}/Users/{person['id']}")
    state = emulator.control("GET", "state")
    assert members(emulator, group) == []
    assert emulator.request("GET", f"{SCIM}/Me", token=person["token"])[0] == 403
    assert [acl.principal for acl in client.secrets.list_acls("lab")] == [ADMIN]
    others = {
        id: {who: what for who, what in acl.items() if who != person["id"]} for id, acl in before["direct"].items()
    }
    assert state["acls"]["direct"] == {id: acl for id, acl in others.items() if acl}


def test_a_deleted_group_leaves_its_parents(emulator: EmulatorProcess) -> None:
    inner = create(emulator, "Groups", displayName="inner")
    outer = create(emulator, "Groups", displayName="outer", members=[{"value": inner}])
    ok(emulator, "DELETE", f"{SCIM}/Groups/{inner}")
    assert members(emulator, outer) == []


def test_users_cannot_delete_themselves(emulator: EmulatorProcess) -> None:
    me = ok(emulator, "GET", f"{SCIM}/Me")["id"]
    assert refused(emulator, "DELETE", f"{SCIM}/Users/{me}") == (403, None, "You cannot delete yourself.")


def test_a_deactivated_user_cannot_authenticate(emulator: EmulatorProcess, ana: str) -> None:
    path = f"{SCIM}/Users/{ok(emulator, 'GET', f'{SCIM}/Me', token=ana)['id']}"
    seen = []
    for value in ("false", "true"):
        ok(emulator, "PATCH", path, patch({"op": "replace", "path": "active", "value": [{"value": value}]}))
        seen.append(emulator.request("GET", f"{SCIM}/Me", token=ana)[0])
    assert seen == [403, 200]


def test_a_recreated_user_gets_a_new_id(emulator: EmulatorProcess) -> None:
    first = create(emulator, "Users", userName=ANA)
    ok(emulator, "DELETE", f"{SCIM}/Users/{first}")
    assert create(emulator, "Users", userName=ANA) != first


def test_a_recreated_user_keeps_the_id_with_account_identities(start_emulator: Start) -> None:
    emulator = start_emulator("--keep-user-ids")
    ids = []
    for name in (ANA, BOB, ANA):
        ids.append(create(emulator, "Users", userName=name))
        ok(emulator, "DELETE", f"{SCIM}/Users/{ids[-1]}")
    assert (ids[0] == ids[2], ids[0] != ids[1]) == (True, True)


def test_new_users_are_missing_from_lists_with_slow_scim(start_emulator: Start) -> None:
    emulator = start_emulator("--faults", "slow-scim")
    ana = create(emulator, "Users", userName=ANA)
    query = filter_query(f'userName eq "{ANA}"')
    assert (list_names(emulator, query), list_names(emulator, "")) == ([], [ADMIN])
    assert ok(emulator, "GET", f"{SCIM}/Users/{ana}")["userName"] == ANA
    assert refused(emulator, "POST", f"{SCIM}/Users", {"userName": ANA})[0] == 409
    emulator.control("POST", "clock", {"advance_seconds": 60})
    assert (list_names(emulator, query), list_names(emulator, "")) == ([ANA], [ADMIN, ANA])


def test_a_home_folder_is_kept_after_its_user_is_deleted(emulator: EmulatorProcess) -> None:
    ana = create(emulator, "Users", userName=ANA)
    home = f"/api/2.0/workspace/get-status?path=/Users/{ANA}"
    first = ok(emulator, "GET", home)
    ok(emulator, "DELETE", f"{SCIM}/Users/{ana}")
    assert ok(emulator, "GET", home) == first
    again = create(emulator, "Users", userName=ANA)
    ok(emulator, "PUT", f"/api/2.0/workspace/user/{again}/homefolder", {"user": {"user_id": again, "username": ANA}})
    assert ok(emulator, "GET", home)["object_id"] == first["object_id"]
    assert refused(emulator, "PUT", "/api/2.0/workspace/user/7/homefolder", {})[0] == 404
