"""The emulator's permissions API."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.warehouses.seed import add_open_warehouse
from emulator_process import EmulatorProcess
from example_counts import exactly_examples
from in_process_client import InProcessClient

PERMISSIONS = "/api/2.0/permissions"


def grant(level: str, **who: str) -> dict[str, str]:
    return {**who, "permission_level": level}


def direct(answer: dict[str, Any]) -> dict[str, list[str]]:
    """Return the direct grants on the object."""
    found = {}
    for entry in answer["access_control_list"]:
        name = entry.get("user_name") or entry.get("group_name") or entry.get("service_principal_name")
        levels = [each["permission_level"] for each in entry["all_permissions"] if not each["inherited"]]
        if levels:
            found[name] = levels
    return found


def make_policy(lab: InProcessClient) -> str:
    body = {"name": "p", "definition": "{}"}
    answer: dict[str, str] = lab.request("POST", "/api/2.0/policies/clusters/create", body)[1]
    return answer["policy_id"]


def make_folder(lab: InProcessClient, path: str, caller: Any = None) -> str:
    """Create a folder; return its name in the permissions API."""
    assert lab.request("POST", "/api/2.0/workspace/mkdirs", {"path": path}, caller=caller)[0] == 200
    return f"directories/{lab.request('GET', f'/api/2.0/workspace/get-status?path={path}')[1]['object_id']}"


def test_permissions_merge_direct_and_inherited_levels(lab: InProcessClient) -> None:
    student = lab.user("s@lab")
    course, inner = make_folder(lab, "/course"), make_folder(lab, "/course/inner")
    lab.request("PUT", f"{PERMISSIONS}/{course}", {"access_control_list": [grant("CAN_READ", user_name="s@lab")]})
    both = [grant("CAN_RUN", user_name="S@lab"), grant("CAN_USE", group_name="users")]
    assert lab.request("PUT", f"{PERMISSIONS}/{inner}", {"access_control_list": both})[0] == 400
    status, answer = lab.request("PUT", f"{PERMISSIONS}/{inner}", {"access_control_list": both[:1]})
    assert (status, answer) == (
        200,
        {
            "object_id": f"/{inner}",
            "object_type": "directory",
            "access_control_list": [
                {
                    "user_name": "s@lab",
                    "display_name": student.display_name,
                    "all_permissions": [
                        {"permission_level": "CAN_RUN", "inherited": False},
                        {"permission_level": "CAN_READ", "inherited": True, "inherited_from_object": [f"/{course}"]},
                    ],
                },
                {
                    "group_name": "admins",
                    "all_permissions": [
                        {
                            "permission_level": "CAN_MANAGE",
                            "inherited": True,
                            "inherited_from_object": ["/directories/"],
                        }
                    ],
                },
            ],
        },
    )


def test_the_same_principal_twice_becomes_one_entry_with_both_levels(lab: InProcessClient) -> None:
    policy = make_folder(lab, "/x")
    both = [grant("CAN_MANAGE", user_name="admin@lab.example"), grant("CAN_READ", user_name="admin@lab.example")]
    answer = lab.request("PUT", f"{PERMISSIONS}/{policy}", {"access_control_list": both})[1]
    assert direct(answer) == {"admin@lab.example": ["CAN_MANAGE", "CAN_READ"]}


def test_a_user_name_may_be_a_service_principal_s_application_id(lab: InProcessClient) -> None:
    made = lab.request("POST", "/api/2.0/preview/scim/v2/ServicePrincipals", {"displayName": "enforcer"})[1]
    body = {"access_control_list": [grant("CAN_READ", user_name=made["applicationId"])]}
    answer = lab.request("PATCH", f"{PERMISSIONS}/{make_folder(lab, '/x')}", body)[1]
    assert {"service_principal_name": made["applicationId"], "display_name": "enforcer"}.items() <= next(
        entry for entry in answer["access_control_list"] if "service_principal_name" in entry
    ).items()


def test_an_empty_body_removes_all_direct_grants(lab: InProcessClient) -> None:
    policy = f"cluster-policies/{make_policy(lab)}"
    lab.request("PUT", f"{PERMISSIONS}/{policy}", {"access_control_list": [grant("CAN_USE", group_name="users")]})
    status, answer = lab.request("PUT", f"{PERMISSIONS}/{policy}", {})
    assert (status, direct(answer), answer["object_type"]) == (200, {}, "cluster-policy")


@pytest.mark.parametrize(
    ("entry", "status", "code", "text"),
    [
        (grant("CAN_READ", group_name="gone"), 404, "RESOURCE_DOES_NOT_EXIST", "Principal: GroupName(gone)"),
        (grant("CAN_READ", user_name="gone@x"), 404, "RESOURCE_DOES_NOT_EXIST", "Principal: UserName(gone@x)"),
        (
            grant("CAN_READ", user_name="11111111-2222-3333-4444-555555555555"),
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "Principal: ServicePrincipalName(11111111",
        ),
        (grant("CAN_RESTART", group_name="users"), 400, "INVALID_PARAMETER_VALUE", "Permission level CAN_RESTART"),
        ({"group_name": "users"}, 400, "INVALID_PARAMETER_VALUE", "Permission level None"),
        ({"permission_level": "CAN_READ"}, 400, "INVALID_PARAMETER_VALUE", "Exactly one of"),
        ("users", 400, "INVALID_PARAMETER_VALUE", "access_control_list must be"),
    ],
)
def test_an_invalid_entry_changes_nothing(lab: InProcessClient, entry: Any, status: int, code: str, text: str) -> None:
    folder = make_folder(lab, "/x")
    before = lab.request("GET", f"{PERMISSIONS}/{folder}")
    good = grant("CAN_EDIT", group_name="users")
    for method in ("PUT", "PATCH"):
        answer = lab.request(method, f"{PERMISSIONS}/{folder}", {"access_control_list": [good, entry]})
        assert (answer[0], answer[1]["error_code"]) == (status, code)
        assert answer[1]["message"].startswith(text)
    assert lab.request("GET", f"{PERMISSIONS}/{folder}") == before


@pytest.mark.parametrize("place", ["directories/0", "authorization/tokens"])
def test_administrators_cannot_be_locked_out(lab: InProcessClient, place: str) -> None:
    message = "Cannot change permissions for group 'admins' to None."
    refused = {"error_code": "INVALID_PARAMETER_VALUE", "message": message, "details": []}
    assert lab.request("PUT", f"{PERMISSIONS}/{place}", {}) == (400, refused)
    kept = {"access_control_list": [grant("CAN_MANAGE", group_name="admins")]}
    assert lab.request("PUT", f"{PERMISSIONS}/{place}", kept)[1]["access_control_list"] == [
        {"group_name": "admins", "all_permissions": [{"permission_level": "CAN_MANAGE", "inherited": False}]}
    ]


@pytest.mark.parametrize(
    ("place", "object_type", "levels"),
    [
        ("authorization/tokens", "tokens", ["CAN_USE", "CAN_MANAGE"]),
        ("authorization/passwords", "passwords", ["CAN_USE"]),
        ("directories/0", "directory", ["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"]),
    ],
)
def test_permission_levels_of_a_type_are_listed(
    lab: InProcessClient, place: str, object_type: str, levels: list[str]
) -> None:
    assert lab.request("GET", f"{PERMISSIONS}/{place}")[1]["object_type"] == object_type
    answer = lab.request("GET", f"{PERMISSIONS}/{place}/permissionLevels")[1]
    assert [each["permission_level"] for each in answer["permission_levels"]] == levels


@pytest.mark.parametrize("kind", ["clusters", "cluster-policies", "instance-pools", "jobs", "sql/warehouses", "files"])
def test_permissions_of_a_missing_object_are_not_found(lab: InProcessClient, kind: str) -> None:
    for method in ("GET", "PUT", "PATCH"):
        status, answer = lab.request(method, f"{PERMISSIONS}/{kind}/12", {})
        assert (status, answer["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_an_object_has_only_one_type(lab: InProcessClient) -> None:
    number = make_folder(lab, "/x").rpartition("/")[2]
    assert lab.request("GET", f"{PERMISSIONS}/notebooks/{number}")[0] == 404


def test_changing_permissions_needs_can_manage_and_reading_any_level(lab: InProcessClient) -> None:
    student = lab.user("s@lab")
    group = lab.group("group_01", student)
    folder = make_folder(lab, "/x")
    acl = {"access_control_list": [grant("CAN_EDIT", group_name=group.display_name)]}
    assert lab.request("GET", f"{PERMISSIONS}/{folder}", caller=student)[0] == 403
    lab.request("PUT", f"{PERMISSIONS}/{folder}", acl)
    assert lab.request("GET", f"{PERMISSIONS}/{folder}", caller=student)[0] == 200
    status, answer = lab.request("PATCH", f"{PERMISSIONS}/{folder}", acl, caller=student)
    assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED")
    acl["access_control_list"][0]["permission_level"] = "CAN_MANAGE"
    lab.request("PUT", f"{PERMISSIONS}/{folder}", acl)
    assert lab.request("PUT", f"{PERMISSIONS}/{folder}", {}, caller=student)[0] == 200
    assert lab.request("GET", f"{PERMISSIONS}/{folder}", caller=student)[0] == 403


def test_only_administrators_grant_policies(lab: InProcessClient) -> None:
    policy, student = f"cluster-policies/{make_policy(lab)}", lab.user("s@lab")
    acl = {"access_control_list": [grant("CAN_USE", user_name="s@lab")]}
    lab.request("PUT", f"{PERMISSIONS}/{policy}", acl)
    assert lab.request("PUT", f"{PERMISSIONS}/{policy}", acl, caller=student)[0] == 403


def test_a_warehouse_has_one_owner_with_both_spellings_of_its_type(lab: InProcessClient) -> None:
    lab.user("s@lab")
    lab.group("group_01")
    warehouse = add_open_warehouse(lab.workspace, "Starter", "Small").id
    path, other = f"{PERMISSIONS}/sql/warehouses/{warehouse}", f"{PERMISSIONS}/warehouses/{warehouse}"
    mine = grant("IS_OWNER", user_name="admin@lab.example")
    both = {"access_control_list": [mine, grant("CAN_MANAGE", user_name="admin@lab.example")]}
    answer = lab.request("PUT", path, both)[1]
    assert (answer["object_id"], answer["object_type"]) == (f"/sql/warehouses/{warehouse}", "warehouses")
    assert lab.request("GET", other) == (200, answer)
    two = {"access_control_list": [mine, grant("IS_OWNER", user_name="s@lab")]}
    assert lab.request("PUT", path, two)[1]["message"] == "The SQL warehouse must have exactly one owner."
    assert lab.request("PUT", path, {})[0] == 400
    group = {"access_control_list": [grant("IS_OWNER", group_name="group_01")]}
    assert lab.request("PUT", path, group)[1]["message"] == "Groups can not be owners."
    lab.request("PATCH", path, {"access_control_list": [grant("IS_OWNER", user_name="s@lab")]})
    assert direct(lab.request("GET", path)[1]) == {"admin@lab.example": ["CAN_MANAGE"], "s@lab": ["IS_OWNER"]}


ENTRIES = st.lists(
    st.tuples(st.sampled_from(["a@lab", "b@lab", "group_01"]), st.sampled_from(["CAN_READ", "CAN_RUN", "CAN_MANAGE"])),
    max_size=4,
)


@exactly_examples(60)
@given(st.lists(st.tuples(st.sampled_from(["PUT", "PATCH"]), ENTRIES), max_size=6))
def test_any_sequence_of_grants_has_the_same_effect_as_on_a_dict(changes: list[tuple[str, Any]]) -> None:
    lab = InProcessClient()
    lab.group("group_01", lab.user("a@lab"), lab.user("b@lab"))
    folder = make_folder(lab, "/x")
    model: dict[str, list[str]] = direct(lab.request("GET", f"{PERMISSIONS}/{folder}")[1])
    for method, entries in changes:
        wanted: dict[str, list[str]] = {}
        for name, level in entries:
            wanted.setdefault(name, [])
            if level not in wanted[name]:
                wanted[name].append(level)
        model = wanted if method == "PUT" else {**model, **wanted}
        acl = [grant(level, **{"user_name" if "@" in name else "group_name": name}) for name, level in entries]
        answer = lab.request(method, f"{PERMISSIONS}/{folder}", {"access_control_list": acl})
        assert direct(answer[1]) == model
    assert direct(lab.request("GET", f"{PERMISSIONS}/{folder}")[1]) == model


def test_the_sdk_reads_and_sets_permissions(emulator: EmulatorProcess) -> None:
    from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel

    client = emulator.client()
    client.groups.create(display_name="group_01")
    cluster = client.clusters.create(
        cluster_name="cluster_01",
        spark_version="15.4.x-scala2.12",
        node_type_id="Standard_DS3_v2",
        num_workers=1,
        autotermination_minutes=20,
    ).cluster_id
    assert cluster
    grants = [AccessControlRequest(group_name="group_01", permission_level=PermissionLevel.CAN_RESTART)]
    client.permissions.update("clusters", cluster, access_control_list=grants)
    answer = client.clusters.get_permissions(cluster).as_dict()
    assert (answer["object_id"], answer["object_type"]) == (f"/clusters/{cluster}", "cluster")
    assert direct({"access_control_list": answer["access_control_list"]}) == {
        "admin@lab.example": ["CAN_MANAGE"],
        "group_01": ["CAN_RESTART"],
    }
    levels = client.clusters.get_permission_levels(cluster).permission_levels or []
    assert [level.permission_level and level.permission_level.value for level in levels] == [
        "CAN_ATTACH_TO",
        "CAN_RESTART",
        "CAN_MANAGE",
    ]


@pytest.mark.parametrize("kind", ["notebooks", "directories", "files", "experiments", "dashboards"])
@pytest.mark.parametrize("number", ["x", "%C2%B2", "%D9%A3", "9" * 40])
def test_permissions_on_something_that_is_no_id_are_not_found(lab: InProcessClient, kind: str, number: str) -> None:
    status, error = lab.request("GET", f"/api/2.0/permissions/{kind}/{number}")
    assert (status, error["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
