"""Users, groups and service principals over HTTP: by the real SDK, and raw where the provider looks closely."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from databricks.sdk.errors import PermissionDenied
from databricks.sdk.service.iam import ComplexValue, ListSortOrder, Patch, PatchOp, PatchSchema

from emulator_process import EmulatorProcess

SCIM = "/api/2.0/preview/scim/v2"
ADMIN = "admin@lab.example"
ANA, BOB = "ana@lab.example", "bob@lab.example"
UUID = "6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"

Start = Callable[..., EmulatorProcess]


@pytest.fixture
def ana(emulator: EmulatorProcess) -> str:
    """A token of somebody who is no administrator."""
    return str(emulator.control("POST", "users", {"user_name": ANA})["token"])


def ok(emulator: EmulatorProcess, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
    status, answer = emulator.request(method, path, body, token=token)
    assert status in (200, 201, 204), f"{method} {path}: {status} {answer}"
    return answer


def refused(emulator: EmulatorProcess, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
    """Status, scimType and detail."""
    status, answer = emulator.request(method, path, body, token=token)
    assert status >= 400, answer
    return status, answer.get("scimType"), answer["detail"]


def made(emulator: EmulatorProcess, kind: str, **body: Any) -> str:
    return str(ok(emulator, "POST", f"{SCIM}/{kind}", body)["id"])


def members(emulator: EmulatorProcess, group_id: str) -> list[str]:
    listed = ok(emulator, "GET", f"{SCIM}/Groups/{group_id}?attributes=members")["members"]
    return [member["value"] for member in listed]


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


def where(filter: str) -> str:
    """The query argument."""
    return f"filter={quote(filter)}"


def group_named(emulator: EmulatorProcess, name: str) -> dict[str, Any]:
    query = where(f'displayName eq "{name}"')
    found = ok(emulator, "GET", f"{SCIM}/Groups?{query}")["Resources"]
    assert len(found) == 1
    return dict(found[0])


def names(emulator: EmulatorProcess, query: str, kind: str = "Users", attribute: str = "userName") -> list[str]:
    return [entry[attribute] for entry in ok(emulator, "GET", f"{SCIM}/{kind}?{query}")["Resources"]]


def test_a_user_comes_back_as_the_provider_reads_it(emulator: EmulatorProcess) -> None:
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


def test_a_group_comes_back_as_the_provider_reads_it(emulator: EmulatorProcess) -> None:
    ana, bot = made(emulator, "Users", userName=ANA), made(emulator, "ServicePrincipals", displayName="bot")
    inner = made(emulator, "Groups", displayName="inner")
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


def test_a_service_principal_without_an_application_id_gets_one_and_keeps_it(emulator: EmulatorProcess) -> None:
    bot = made(emulator, "ServicePrincipals", displayName="bot")
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
def test_a_name_is_taken_in_the_words_by_which_the_provider_adopts(
    emulator: EmulatorProcess, kind: str, body: dict[str, str], detail: str
) -> None:
    made(emulator, "Users", userName=ANA)
    made(emulator, "Groups", displayName="lab-1")
    made(emulator, "ServicePrincipals", applicationId=UUID)
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
def test_what_cannot_be_made_is_refused_and_leaves_nothing(
    emulator: EmulatorProcess, kind: str, body: dict[str, Any]
) -> None:
    before = emulator.control("GET", "state")["directory"]
    assert refused(emulator, "POST", f"{SCIM}/{kind}", body)[:2] == (400, "invalidValue")
    assert emulator.control("GET", "state")["directory"] == before


def test_what_is_not_there_is_a_scim_404_of_its_kind(emulator: EmulatorProcess) -> None:
    ana = made(emulator, "Users", userName=ANA)
    for method, kind, id, noun in (
        ("GET", "Users", "7", "User"),
        ("PATCH", "Groups", ana, "Group"),
        ("DELETE", "ServicePrincipals", ana, "ServicePrincipal"),
    ):
        body = patch({"op": "add", "path": "members", "value": []}) if method == "PATCH" else None
        answer = refused(emulator, method, f"{SCIM}/{kind}/{id}", body)
        assert answer == (404, None, f"{noun} with id {id} not found.")


@pytest.fixture(scope="module")
def populated() -> Iterator[EmulatorProcess]:
    """Five users besides the administrator, whose order by name is not that of their making."""
    with EmulatorProcess(["--transition-seconds", "0"]) as process:
        ids = [
            made(process, "Users", userName=f"{name}@lab.example", displayName=display, name={"familyName": family})
            for name, display, family in (
                ("dan", "Dan", "Z"),
                ("ana", "ana", "Y"),
                ("eve", "Eve", "X"),
                ("bob", "Bob 'the' \"builder\"", "W"),
                ("cid", "Cid", "V"),
            )
        ]
        made(process, "Groups", displayName="lab-1", members=[{"value": id} for id in ids[:2]])
        yield process


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sortBy=userName", ["admin", "ana", "bob", "cid", "dan", "eve"]),
        ("sortBy=userName&sortOrder=descending&count=2", ["eve", "dan"]),
        ("sortBy=displayName&startIndex=5&count=9", ["dan", "eve"]),
        ("sortBy=name.familyName&startIndex=2&count=2", ["cid", "bob"]),
        ("startIndex=7", []),
        ("count=0", []),
        ("startIndex=-3&count=1", ["admin"]),
        (where('userName co "LAB" and not (displayName sw "A")'), ["dan", "eve", "bob", "cid"]),
        (where('displayName eq "Bob \'the\' \\"builder\\""'), ["bob"]),
        (where("userName eq 'nobody@lab.example'"), []),
        (where('name.familyName eq "x" or groups.display eq "lab-1"'), ["dan", "ana", "eve"]),
        (where("active eq false"), []),
    ],
)
def test_lists_are_filtered_sorted_and_paged(populated: EmulatorProcess, query: str, found: list[str]) -> None:
    assert [name.partition("@")[0] for name in names(populated, query)] == found


def test_a_page_tells_where_it_is(populated: EmulatorProcess) -> None:
    page = ok(populated, "GET", f"{SCIM}/Users?startIndex=5&count=4&attributes=userName")
    assert {name: value for name, value in page.items() if name != "Resources"} == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 6,
        "startIndex": 5,
        "itemsPerPage": 2,
    }
    assert [set(entry) for entry in page["Resources"]] == [{"id", "userName", "active"}] * 2


def test_the_sdk_pages_through_everybody(populated: EmulatorProcess) -> None:
    listed = populated.client().users.list(count=2, sort_by="userName", sort_order=ListSortOrder.DESCENDING)
    assert [user.user_name.partition("@")[0] for user in listed if user.user_name] == [
        *("eve", "dan", "cid", "bob", "ana", "admin")
    ]


def test_groups_are_found_by_their_members(populated: EmulatorProcess) -> None:
    query = where('displayName eq "ana"')
    ana = ok(populated, "GET", f"{SCIM}/Users?{query}")["Resources"][0]["id"]
    for attribute in ("members", "members.value"):
        query = where(f'{attribute} eq "{ana}"')
        assert names(populated, query, "Groups", "displayName") == ["users", "lab-1"]


@pytest.mark.parametrize(
    ("query", "scim_type"),
    [
        (where('shoeSize eq "44"'), "invalidFilter"),
        (where("userName"), "invalidFilter"),
        ("sortBy=shoeSize", "invalidPath"),
        ("count=many", "invalidValue"),
    ],
)
def test_a_list_that_cannot_be_understood_is_refused(populated: EmulatorProcess, query: str, scim_type: str) -> None:
    assert refused(populated, "GET", f"{SCIM}/Users?{query}")[:2] == (400, scim_type)


def test_attributes_can_be_left_out(populated: EmulatorProcess) -> None:
    query = where('displayName eq "lab-1"') + "&excludedAttributes=members,roles,schemas,meta"
    (entry,) = ok(populated, "GET", f"{SCIM}/Groups?{query}")["Resources"]
    assert entry == {"id": entry["id"], "displayName": "lab-1", "groups": [], "entitlements": []}


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
    ana, bob = made(emulator, "Users", userName=ANA), made(emulator, "Users", userName=BOB)
    group = made(emulator, "Groups", displayName="lab-1", members=[{"value": ana}], roles=[{"value": "r"}])
    path = f"{SCIM}/Groups/{group}"
    ok(emulator, "PUT", path, {"displayName": "lab-2", "members": [{"value": bob}], "entitlements": [{}]})
    renamed = ok(emulator, "GET", path)
    assert (renamed["displayName"], renamed["roles"], members(emulator, group)) == ("lab-2", [{"value": "r"}], [bob])
    ok(emulator, "PUT", path, {"displayName": "lab-2"})
    assert members(emulator, group) == []


def test_a_put_of_a_user_does_not_touch_memberships(emulator: EmulatorProcess) -> None:
    ana = made(emulator, "Users", userName=ANA, roles=[{"value": "r"}], externalId="e")
    group = made(emulator, "Groups", displayName="lab-1", members=[{"value": ana}])
    ok(emulator, "PUT", f"{SCIM}/Users/{ana}", {"userName": BOB, "displayName": "A", "active": True, "groups": []})
    read = ok(emulator, "GET", f"{SCIM}/Users/{ana}")
    assert members(emulator, group) == [ana]
    assert (read["userName"], read["displayName"], read["roles"]) == (ANA, "A", [{"value": "r"}])
    assert "externalId" not in read


@pytest.mark.parametrize("kind", ["Users", "Groups", "ServicePrincipals"])
def test_entitlements_come_and_go_as_the_provider_sends_them(emulator: EmulatorProcess, kind: str) -> None:
    body = {"userName": ANA} if kind == "Users" else {"displayName": "x"}
    path = f"{SCIM}/{kind}/{made(emulator, kind, **body)}"
    seen = []
    for value in ([{"value": "allow-cluster-create"}, {"value": "workspace-access"}], [{}]):
        ok(emulator, "PATCH", path, patch({"op": "replace", "path": "entitlements", "value": value}))
        seen.append(ok(emulator, "GET", f"{path}?attributes=entitlements")["entitlements"])
    assert seen == [[{"value": "allow-cluster-create"}, {"value": "workspace-access"}], []]
    removal = patch({"op": "remove", "path": "entitlements", "value": [{"value": "workspace-access"}]})
    text = "No such attribute with the name : entitlements in the current resource"
    assert refused(emulator, "PATCH", path, removal) == (400, "invalidPath", text)


def test_a_group_cannot_contain_itself(emulator: EmulatorProcess) -> None:
    outer, inner = made(emulator, "Groups", displayName="outer"), made(emulator, "Groups", displayName="inner")
    ok(
        emulator,
        "PATCH",
        f"{SCIM}/Groups/{outer}",
        patch({"op": "add", "path": "members", "value": [{"value": inner}]}),
    )
    for group, member in ((outer, outer), (inner, outer)):
        body = patch({"op": "add", "path": "members", "value": [{"value": member}]})
        assert refused(emulator, "PATCH", f"{SCIM}/Groups/{group}", body)[:2] == (400, "invalidValue")


def test_the_built_in_groups_stay_as_they_are(emulator: EmulatorProcess) -> None:
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


def test_an_account_level_group_can_be_used_and_not_changed(emulator: EmulatorProcess) -> None:
    ana = made(emulator, "Users", userName=ANA)
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
    parent = made(emulator, "Groups", displayName="all", members=[{"value": group["id"]}])
    assert members(emulator, parent) == [group["id"]]


def test_who_is_deleted_takes_memberships_grants_tokens_and_secrets_along(emulator: EmulatorProcess) -> None:
    person = emulator.control("POST", "users", {"user_name": ANA})
    before = emulator.control("GET", "state")["acls"]
    group = made(emulator, "Groups", displayName="lab-1", members=[{"value": person["id"]}])
    client = emulator.client()
    client.secrets.create_scope("lab")
    ok(emulator, "POST", "/api/2.0/secrets/acls/put", {"scope": "lab", "principal": ANA, "permission": "READ"})
    ok(emulator, "DELETE", f"{SCIM}/Users/{person['id']}")
    state = emulator.control("GET", "state")
    assert members(emulator, group) == []
    assert emulator.request("GET", f"{SCIM}/Me", token=person["token"])[0] == 403
    assert [acl.principal for acl in client.secrets.list_acls("lab")] == [ADMIN]
    assert person["id"] not in {holder for grants in state["acls"]["direct"].values() for holder in grants}
    assert set(state["acls"]["direct"]) == set(before["direct"])


def test_a_deleted_group_leaves_its_parents(emulator: EmulatorProcess) -> None:
    inner = made(emulator, "Groups", displayName="inner")
    outer = made(emulator, "Groups", displayName="outer", members=[{"value": inner}])
    ok(emulator, "DELETE", f"{SCIM}/Groups/{inner}")
    assert members(emulator, outer) == []


def test_nobody_deletes_himself(emulator: EmulatorProcess) -> None:
    me = ok(emulator, "GET", f"{SCIM}/Me")["id"]
    assert refused(emulator, "DELETE", f"{SCIM}/Users/{me}") == (403, None, "You cannot delete yourself.")


def test_a_deactivated_user_is_nobody_until_it_is_active_again(emulator: EmulatorProcess, ana: str) -> None:
    path = f"{SCIM}/Users/{ok(emulator, 'GET', f'{SCIM}/Me', token=ana)['id']}"
    seen = []
    for value in ("false", "true"):
        ok(emulator, "PATCH", path, patch({"op": "replace", "path": "active", "value": [{"value": value}]}))
        seen.append(emulator.request("GET", f"{SCIM}/Me", token=ana)[0])
    assert seen == [403, 200]


def test_a_user_who_comes_back_gets_another_id(emulator: EmulatorProcess) -> None:
    first = made(emulator, "Users", userName=ANA)
    ok(emulator, "DELETE", f"{SCIM}/Users/{first}")
    assert made(emulator, "Users", userName=ANA) != first


def test_with_account_identities_a_user_who_comes_back_has_the_id_of_before(start_emulator: Start) -> None:
    emulator = start_emulator("--keep-user-ids")
    ids = []
    for name in (ANA, BOB, ANA):
        ids.append(made(emulator, "Users", userName=name))
        ok(emulator, "DELETE", f"{SCIM}/Users/{ids[-1]}")
    assert (ids[0] == ids[2], ids[0] != ids[1]) == (True, True)


def test_with_slow_scim_a_new_user_is_missing_from_lists_for_a_while(start_emulator: Start) -> None:
    emulator = start_emulator("--faults", "slow-scim")
    ana = made(emulator, "Users", userName=ANA)
    query = where(f'userName eq "{ANA}"')
    assert (names(emulator, query), names(emulator, "")) == ([], [ADMIN])
    assert ok(emulator, "GET", f"{SCIM}/Users/{ana}")["userName"] == ANA
    assert refused(emulator, "POST", f"{SCIM}/Users", {"userName": ANA})[0] == 409
    emulator.control("POST", "clock", {"advance_seconds": 60})
    assert (names(emulator, query), names(emulator, "")) == ([ANA], [ADMIN, ANA])


def test_a_home_folder_outlives_its_user(emulator: EmulatorProcess) -> None:
    ana = made(emulator, "Users", userName=ANA)
    home = f"/api/2.0/workspace/get-status?path=/Users/{ANA}"
    first = ok(emulator, "GET", home)
    ok(emulator, "DELETE", f"{SCIM}/Users/{ana}")
    assert ok(emulator, "GET", home) == first
    again = made(emulator, "Users", userName=ANA)
    ok(emulator, "PUT", f"/api/2.0/workspace/user/{again}/homefolder", {"user": {"user_id": again, "username": ANA}})
    assert ok(emulator, "GET", home)["object_id"] == first["object_id"]
    assert refused(emulator, "PUT", "/api/2.0/workspace/user/7/homefolder", {})[0] == 404


def test_me_is_the_caller(emulator: EmulatorProcess, ana: str) -> None:
    me = ok(emulator, "GET", f"{SCIM}/Me?excludedAttributes=entitlements", token=ana)
    assert (me["userName"], "entitlements" in me) == (ANA, False)
    assert [group["display"] for group in me["groups"]] == ["users"]


def test_a_service_principal_sees_itself_as_a_user_named_by_its_application_id(emulator: EmulatorProcess) -> None:
    made(emulator, "ServicePrincipals", applicationId=UUID, displayName="bot")
    token = ok(emulator, "POST", "/api/2.0/token-management/on-behalf-of/tokens", {"application_id": UUID})
    me = emulator.client(token["token_value"]).current_user.me()
    assert (me.user_name, me.display_name, me.active) == (UUID, "bot", True)


def test_who_is_no_administrator_changes_nothing(emulator: EmulatorProcess, ana: str) -> None:
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


def test_who_is_no_administrator_reads_little_of_others(emulator: EmulatorProcess, ana: str) -> None:
    bob = made(emulator, "Users", userName=BOB, externalId="e", entitlements=[{"value": "allow-cluster-create"}])
    seen = ok(emulator, "GET", f"{SCIM}/Users/{bob}", token=ana)
    assert set(seen) == {"schemas", "id", "userName", "displayName", "active"}
    for query in ("attributes=userName,externalId", "attributes=entitlements"):
        assert refused(emulator, "GET", f"{SCIM}/Users?{query}", token=ana)[0] == 403
    hidden = where('entitlements eq "allow-cluster-create"')
    assert refused(emulator, "GET", f"{SCIM}/Users?{hidden}", token=ana)[:2] == (400, "invalidFilter")
    assert names(emulator, hidden) == [BOB]
    query = where('displayName eq "users"')
    groups = ok(emulator, "GET", f"{SCIM}/Groups?{query}", token=ana)["Resources"]
    assert [set(group) for group in groups] == [{"schemas", "id", "displayName", "members", "meta"}]


def test_the_sdk_recognises_the_refusal(emulator: EmulatorProcess, ana: str) -> None:
    with pytest.raises(PermissionDenied, match="Only administrators"):
        emulator.client(ana).groups.create(display_name="mine")


def test_the_older_api_of_groups_names_members_by_name(emulator: EmulatorProcess) -> None:
    made(emulator, "Users", userName=ANA)
    old = "/api/2.0/groups"
    for name in ("outer", "inner"):
        assert ok(emulator, "POST", f"{old}/create", {"group_name": name}) == {"group_name": name}
    ok(emulator, "POST", f"{old}/add-member", {"user_name": ANA, "parent_name": "inner"})
    ok(emulator, "POST", f"{old}/add-member", {"group_name": "inner", "parent_name": "outer"})
    assert ok(emulator, "GET", f"{old}/list") == {"group_names": ["admins", "users", "outer", "inner"]}
    assert ok(emulator, "GET", f"{old}/list-members?group_name=inner") == {"members": [{"user_name": ANA}]}
    assert ok(emulator, "GET", f"{old}/list-members?group_name=outer") == {"members": [{"group_name": "inner"}]}
    assert ok(emulator, "GET", f"{old}/list-parents?user_name={ANA}") == {"group_names": ["users", "inner"]}
    ok(emulator, "POST", f"{old}/remove-member", {"user_name": ANA, "parent_name": "inner"})
    assert ok(emulator, "GET", f"{old}/list-members?group_name=inner") == {"members": []}
    ok(emulator, "POST", f"{old}/delete", {"group_name": "inner"})
    assert ok(emulator, "GET", f"{old}/list-members?group_name=outer") == {"members": []}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("create", {"group_name": "admins"}, 400, "RESOURCE_ALREADY_EXISTS"),
        ("create", {}, 400, "INVALID_PARAMETER_VALUE"),
        ("delete", {"group_name": "nobody"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("delete", {"group_name": "users"}, 403, "PERMISSION_DENIED"),
        ("add-member", {"parent_name": "admins", "user_name": "nobody@x"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("add-member", {"parent_name": "admins"}, 400, "INVALID_PARAMETER_VALUE"),
        ("add-member", {"parent_name": "admins", "user_name": ADMIN}, 400, "RESOURCE_ALREADY_EXISTS"),
        ("add-member", {"parent_name": "admins", "group_name": "admins"}, 400, "INVALID_PARAMETER_VALUE"),
        ("remove-member", {"parent_name": "users", "user_name": ADMIN}, 403, "PERMISSION_DENIED"),
    ],
)
def test_the_older_api_of_groups_refuses_in_the_shape_of_its_time(
    emulator: EmulatorProcess, path: str, body: dict[str, str], status: int, code: str
) -> None:
    answered, answer = emulator.request("POST", f"/api/2.0/groups/{path}", body)
    assert (answered, answer["error_code"]) == (status, code)
