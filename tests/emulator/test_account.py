"""Groups of the account at the workspace's address, and the assignment of principals to the workspace."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.state.state import dump_json, load_json
from in_process_client import InProcessClient

SCIM = "/api/2.0/account/scim/v2"
LOCAL = "/api/2.0/preview/scim/v2"
ASSIGNMENTS = "/api/2.0/preview/permissionassignments"
ANA = "ana@lab.example"


def create(lab: InProcessClient, name: str, *members: str) -> str:
    """Create a group of the account; return its id."""
    body = {"displayName": name, "members": [{"value": member} for member in members]}
    status, made = lab.request("POST", f"{SCIM}/Groups", body)
    assert status == 201, made
    return str(made["id"])


def assign(lab: InProcessClient, id: str, *permissions: str) -> tuple[int, Any]:
    return lab.request("PUT", f"{ASSIGNMENTS}/principals/{id}", {"permissions": permissions})


def names(lab: InProcessClient, base: str) -> list[str]:
    return [group["displayName"] for group in lab.request("GET", f"{base}/Groups")[1]["Resources"]]


def refused(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1].get("detail") or answer[1]["message"]


def test_a_group_of_the_account_has_members_and_no_entitlements(lab: InProcessClient) -> None:
    ana = lab.user(ANA)
    body = {"displayName": "team_01", "members": [{"value": ana.id}], "entitlements": [{"value": "workspace-access"}]}
    status, made = lab.request("POST", f"{SCIM}/Groups", body)
    expected = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": made["id"],
        "displayName": "team_01",
        "members": [{"display": ANA, "value": ana.id, "$ref": f"Users/{ana.id}"}],
        "meta": {"resourceType": "Group"},
        "groups": [],
    }
    assert (status, made) == (201, expected)
    assert lab.request("GET", f"{SCIM}/Groups/{made['id']}") == (200, expected)
    found = lab.request("GET", f"{SCIM}/Groups?filter=displayName+eq+%22TEAM_01%22&count=1")[1]
    assert (found["Resources"], found["totalResults"]) == ([expected], 1)
    assert lab.request("GET", f"{SCIM}/Users/{ana.id}")[1]["groups"] == [
        {"display": "team_01", "type": "direct", "value": made["id"], "$ref": f"Groups/{made['id']}"}
    ]


def test_the_account_and_the_workspace_list_their_own_groups(lab: InProcessClient) -> None:
    lab.group("local")
    assigned, unassigned = create(lab, "assigned"), create(lab, "unassigned")
    assign(lab, assigned, "USER")
    assert (names(lab, SCIM), names(lab, LOCAL)) == (
        ["assigned", "unassigned"],
        ["admins", "users", "local", "assigned"],
    )
    assert lab.request("GET", "/api/2.0/groups/list")[1]["group_names"] == names(lab, LOCAL)
    assert refused(lab.request("GET", f"{LOCAL}/Groups/{unassigned}"))[0] == 404
    local = lab.workspace.state.directory.find_group("local")
    assert local and refused(lab.request("GET", f"{SCIM}/Groups/{local.id}"))[0] == 404


def test_names_are_unique_in_the_account(lab: InProcessClient) -> None:
    lab.group("team_01")
    made, other = create(lab, "team_01"), create(lab, "team_02")
    taken = (409, "Group with name team_01 already exists.")
    assert refused(lab.request("POST", f"{SCIM}/Groups", {"displayName": "Team_01"}))[0] == 409
    renaming = {"Operations": [{"op": "replace", "path": "displayName", "value": "team_01"}]}
    assert refused(lab.request("PATCH", f"{SCIM}/Groups/{other}", renaming)) == taken
    assert refused(assign(lab, made, "USER")) == (400, "Group with name team_01 already exists in the workspace.")
    assert assign(lab, other, "USER")[0] == 200
    assert refused(lab.request("POST", f"{LOCAL}/Groups", {"displayName": "team_02"}))[0] == 409


def test_members_are_patched_in_the_account_and_not_in_the_workspace(lab: InProcessClient) -> None:
    ana, team = lab.user(ANA), create(lab, "team_01")
    assign(lab, team, "USER")
    adding = {"Operations": [{"op": "add", "path": "members", "value": [{"value": ana.id}]}]}
    belongs = "Group team_01 belongs to the account: its members are changed there."
    assert refused(lab.request("PATCH", f"{LOCAL}/Groups/{team}", adding)) == (403, belongs)
    status, shown = lab.request("PATCH", f"{SCIM}/Groups/{team}", adding)
    assert (status, [member["value"] for member in shown["members"]]) == (200, [ana.id])
    removing = {"Operations": [{"op": "remove", "path": f'members[value eq "{ana.id}"]'}]}
    assert lab.request("PATCH", f"{SCIM}/Groups/{team}", removing)[1]["members"] == []
    entitling = {"Operations": [{"op": "replace", "path": "entitlements", "value": [{"value": "workspace-access"}]}]}
    assert refused(lab.request("PATCH", f"{SCIM}/Groups/{team}", entitling))[0] == 400
    assert lab.request("PATCH", f"{LOCAL}/Groups/{team}", entitling)[1]["entitlements"] == [
        {"value": "workspace-access"}
    ]


def test_a_group_of_the_account_has_no_members_from_workspaces(lab: InProcessClient) -> None:
    local, inner = lab.group("local"), create(lab, "inner")
    create(lab, "outer", inner)
    for member in (local.id, "1"):
        answer = lab.request("POST", f"{SCIM}/Groups", {"displayName": "x", "members": [{"value": member}]})
        assert refused(answer) == (400, f"Member with id {member} does not exist.")
    joining = {"Operations": [{"op": "add", "path": "members", "value": [{"value": inner}]}]}
    answer = lab.request("PATCH", f"{LOCAL}/Groups/{local.id}", joining)
    assert refused(answer) == (400, f"Member with id {inner} does not exist.")


def test_an_assigned_group_has_permissions_until_it_is_removed(lab: InProcessClient) -> None:
    ana = lab.user(ANA)
    team = create(lab, "team_01", ana.id)
    grant = {"access_control_list": [{"group_name": "team_01", "permission_level": "CAN_MANAGE"}]}
    folder = lab.request("GET", "/api/2.0/workspace/get-status?path=/Users/admin@lab.example")[1]["object_id"]
    path = f"/api/2.0/permissions/directories/{folder}"
    unknown = (404, "Principal: GroupName(team_01) does not exist")
    assert refused(lab.request("PATCH", path, grant)) == unknown
    assert assign(lab, team, "USER") == (
        200,
        {
            "permissions": ["USER"],
            "principal": {"principal_id": int(team), "display_name": "team_01", "group_name": "team_01"},
        },
    )
    assert lab.request("PATCH", path, grant)[0] == 200
    listing = "/api/2.0/workspace/list?path=/Users/admin@lab.example"
    assert lab.request("GET", listing, caller=ana)[0] == 200
    assert lab.request("DELETE", f"{ASSIGNMENTS}/principals/{team}") == (200, {})
    assert lab.request("GET", listing, caller=ana)[0] == 403
    assert refused(lab.request("PATCH", path, grant)) == unknown
    assert names(lab, SCIM) == ["team_01"]


def test_the_permission_admin_is_a_membership_in_admins(lab: InProcessClient) -> None:
    ana = lab.user(ANA)
    team = create(lab, "staff", ana.id)
    seen = []
    for permissions in (("USER",), ("ADMIN",), ("USER", "ADMIN"), ("USER",), ()):
        assert assign(lab, team, *permissions)[0] == 200
        seen.append(lab.workspace.state.directory.is_admin(ana.id))
    assert seen == [False, True, True, False, False]
    assert "staff" not in names(lab, LOCAL)
    admin = lab.workspace.administrator.id
    assert refused(assign(lab, admin, "USER")) == (400, "The workspace needs at least one administrator.")


def test_principals_are_assigned_by_name_each_with_its_result(lab: InProcessClient) -> None:
    ana, team = lab.user(ANA), create(lab, "team_01")
    wanted = [
        {"group_name": "team_01", "permissions": ["USER"]},
        {"user_name": ANA, "permissions": ["USER"]},
        {"user_name": "bob@lab.example", "permissions": ["USER"]},
        {"user_name": ANA, "permissions": ["ADMIN"]},
    ]
    status, answer = lab.request("POST", ASSIGNMENTS, {"permission_assignments": wanted})
    user = {"principal_id": int(ana.id), "display_name": ANA, "user_name": ANA}
    group = {"principal_id": int(team), "display_name": "team_01", "group_name": "team_01"}
    assert (status, answer["permission_assignments"]) == (
        200,
        [
            {"permissions": ["USER"], "principal": group},
            {"permissions": ["USER"], "principal": user},
            {
                "permissions": ["USER"],
                "principal": {"user_name": "bob@lab.example"},
                "error": "Principal bob@lab.example does not exist in the account.",
            },
            {
                "permissions": ["ADMIN"],
                "principal": {"user_name": ANA},
                "error": "By name, principals can only be assigned with the permission USER.",
            },
        ],
    )
    admin = lab.workspace.administrator
    first = {"principal_id": int(admin.id), "display_name": "Administrator", "user_name": admin.user_name}
    assert lab.request("GET", ASSIGNMENTS)[1]["permission_assignments"] == [
        {"permissions": ["ADMIN"], "principal": first},
        {"permissions": ["USER"], "principal": user},
        {"permissions": ["USER"], "principal": group},
    ]


def test_a_user_without_assignment_is_removed_from_the_workspace(lab: InProcessClient) -> None:
    ana = lab.user(ANA)
    assert lab.request("DELETE", f"{ASSIGNMENTS}/principals/{ana.id}") == (200, {})
    assert refused(lab.request("GET", f"{LOCAL}/Users/{ana.id}"))[0] == 404
    assert refused(assign(lab, ana.id, "USER")) == (
        404,
        f"Principal with id {ana.id} does not exist in the account.",
    )


def test_a_deleted_group_of_the_account_is_nowhere(lab: InProcessClient) -> None:
    team, outer = create(lab, "team_01"), create(lab, "outer")
    assign(lab, team, "USER")
    belongs = (403, "Group team_01 belongs to the account and cannot be deleted here.")
    assert refused(lab.request("DELETE", f"{LOCAL}/Groups/{team}")) == belongs
    assert lab.request("DELETE", f"{SCIM}/Groups/{team}") == (204, None)
    assert (names(lab, SCIM), names(lab, LOCAL)) == (["outer"], ["admins", "users"])
    assert refused(lab.request("DELETE", f"{SCIM}/Groups/{team}")) == (404, f"Group with id {team} not found.")
    assert lab.request("GET", f"{SCIM}/Groups/{outer}")[0] == 200


def test_the_account_is_for_administrators_of_the_workspace(lab: InProcessClient) -> None:
    ana, team = lab.user(ANA), create(lab, "team_01")
    for method, path in (
        ("GET", f"{SCIM}/Groups"),
        ("GET", f"{SCIM}/Users"),
        ("GET", f"{SCIM}/ServicePrincipals"),
        ("POST", f"{SCIM}/Groups"),
        ("PATCH", f"{SCIM}/Groups/{team}"),
        ("DELETE", f"{SCIM}/Groups/{team}"),
        ("GET", ASSIGNMENTS),
        ("POST", ASSIGNMENTS),
        ("PUT", f"{ASSIGNMENTS}/principals/{team}"),
        ("DELETE", f"{ASSIGNMENTS}/principals/{team}"),
    ):
        answer = lab.request(method, path, {}, caller=ana)
        assert refused(answer) == (403, "Only administrators can perform this operation."), path


def test_users_and_service_principals_are_those_of_the_workspace(lab: InProcessClient) -> None:
    ana = lab.user(ANA)
    made = lab.request("POST", f"{LOCAL}/ServicePrincipals", {"displayName": "bot"})[1]
    users = lab.request("GET", f"{SCIM}/Users?filter=userName+eq+%22{ANA}%22")[1]["Resources"]
    principals = lab.request("GET", f"{SCIM}/ServicePrincipals")[1]["Resources"]
    assert [(user["id"], "entitlements" in user) for user in users] == [(ana.id, False)]
    assert [(principal["id"], principal["applicationId"]) for principal in principals] == [
        (made["id"], made["applicationId"])
    ]


def test_late_groups_are_not_listed_at_once() -> None:
    lab = InProcessClient(scim_delay_seconds=20)
    team = create(lab, "team_01")
    assert (names(lab, SCIM), lab.request("GET", f"{SCIM}/Groups/{team}")[0]) == ([], 200)
    lab.workspace.clock.advance(20)
    assert names(lab, SCIM) == ["team_01"]


def test_unity_catalog_knows_groups_that_are_not_assigned() -> None:
    lab = InProcessClient(unity_catalog="auto")
    ana = lab.user(ANA)
    lab.group("local", ana)
    create(lab, "team_01", ana.id)
    path = "/api/2.1/unity-catalog/permissions/catalog/lab_workspace"
    answers = []
    for name in ("team_01", "local"):
        changes = {"changes": [{"principal": name, "add": ["BROWSE"]}]}
        answers.append(lab.request("PATCH", path, changes))
    assert [status for status, _ in answers] == [200, 404]
    assert answers[1][1]["error_code"] == "PRINCIPAL_DOES_NOT_EXIST"


def test_the_account_survives_a_restart(lab: InProcessClient) -> None:
    team, account = create(lab, "team_01"), lab.workspace.account_id
    metadata = lab.request("GET", "/.well-known/databricks-config")[1]
    lab.workspace.state = load_json(dump_json(lab.workspace.state))
    assert (names(lab, SCIM), names(lab, LOCAL)) == (["team_01"], ["admins", "users"])
    assert (metadata["account_id"], lab.workspace.account_id) == (account, account)
    assert assign(lab, team, "USER")[0] == 200


@pytest.mark.parametrize("body", [{"permission_assignments": "x"}, {"permission_assignments": ["x"]}])
def test_an_invalid_assignment_is_reported(lab: InProcessClient, body: dict[str, Any]) -> None:
    answer = lab.request("POST", ASSIGNMENTS, body)
    assert refused(answer) == (400, "permission_assignments must be a list of objects")
