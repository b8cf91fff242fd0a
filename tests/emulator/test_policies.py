"""Cluster policies in the emulator: create, edit, list, and their effect on clusters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator_process import EmulatorProcess
from in_process_client import InProcessClient

POLICIES = "/api/2.0/policies/clusters"
CLUSTER = {"cluster_name": "c", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}


def create(lab: InProcessClient, **fields: Any) -> str:
    status, answer = lab.request("POST", f"{POLICIES}/create", fields)
    assert status == 200, answer
    return str(answer["policy_id"])


def get(lab: InProcessClient, policy_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = lab.request("GET", f"{POLICIES}/get?policy_id={policy_id}")[1]
    return answer


def names(lab: InProcessClient, query: str = "", caller: Any = None) -> list[str]:
    return [each["name"] for each in lab.request("GET", f"{POLICIES}/list{query}", caller=caller)[1]["policies"]]


def personal(lab: InProcessClient) -> dict[str, Any]:
    return next(
        each for each in lab.request("GET", f"{POLICIES}/list")[1]["policies"] if each["name"] == "Personal Compute"
    )


def test_a_definition_is_returned_byte_for_byte(lab: InProcessClient) -> None:
    odd = ' { "num_workers" :{"type":"fixed",  "value": 1}}\n'
    libraries = [{"pypi": {"package": "nltk"}}]
    policy = create(lab, name="lab", definition=odd, description="d", max_clusters_per_user=2, libraries=libraries)
    assert get(lab, policy) | {"created_at_timestamp": 0} == {
        "policy_id": policy,
        "name": "lab",
        "definition": odd,
        "creator_user_name": "admin@lab.example",
        "created_at_timestamp": 0,
        "is_default": False,
        "description": "d",
        "policy_family_id": "",
        "policy_family_definition_overrides": "",
        "libraries": libraries,
        "max_clusters_per_user": 2,
    }
    assert len(policy) == 16 and policy == policy.upper()


def test_an_edit_replaces_everything_except_creator_and_creation_time(lab: InProcessClient) -> None:
    policy = create(lab, name="lab", definition="{}", description="d", max_clusters_per_user=2)
    before = get(lab, policy)
    lab.request("POST", f"{POLICIES}/edit", {"policy_id": policy, "name": "new", "definition": "{ }"})
    assert get(lab, policy) == {
        **{key: value for key, value in before.items() if key != "max_clusters_per_user"},
        "name": "new",
        "definition": "{ }",
        "description": "",
    }


def test_a_family_is_merged_with_its_overrides(lab: InProcessClient) -> None:
    overrides = '{"node_type_id":{"type":"fixed","value":"Standard_DS3_v2"}}'
    policy = create(lab, name="mine", policy_family_id="personal-vm", policy_family_definition_overrides=overrides)
    answer, family = get(lab, policy), lab.request("GET", "/api/2.0/policy-families/personal-vm")[1]
    assert answer["policy_family_definition_overrides"] == overrides
    assert json.loads(answer["definition"]) == json.loads(family["definition"]) | json.loads(overrides)


def test_overrides_of_a_default_policy_are_set_and_removed(lab: InProcessClient) -> None:
    before = personal(lab)
    named = {"policy_id": before["policy_id"], "name": "Personal Compute", "policy_family_id": "personal-vm"}
    overrides = '{"node_type_id":{"type":"fixed","value":"none"}}'
    lab.request("POST", f"{POLICIES}/edit", named | {"policy_family_definition_overrides": overrides})
    assert json.loads(personal(lab)["definition"])["node_type_id"] == {"type": "fixed", "value": "none"}
    lab.request("POST", f"{POLICIES}/edit", named)
    assert personal(lab) == before
    status, answer = lab.request("POST", f"{POLICIES}/delete", {"policy_id": before["policy_id"]})
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert lab.request("POST", f"{POLICIES}/edit", named | {"name": "Other"})[0] == 400


def test_every_family_has_its_default_policy(lab: InProcessClient) -> None:
    families, query = [], "?max_results=2"
    while True:
        page = lab.request("GET", f"/api/2.0/policy-families{query}")[1]
        families += [(each["policy_family_id"], each["name"]) for each in page["policy_families"]]
        if not page.get("next_page_token"):
            break
        query = f"?max_results=2&page_token={page['next_page_token']}"
    listed = lab.request("GET", f"{POLICIES}/list")[1]["policies"]
    assert ("personal-vm", "Personal Compute") in families and len(families) == 5
    assert sorted((each["policy_family_id"], each["name"]) for each in listed if each["is_default"]) == sorted(families)


def test_policies_are_listed_in_the_requested_order(lab: InProcessClient) -> None:
    create(lab, name="zz", definition="{}")
    create(lab, name="aa", definition="{}")
    ascending = names(lab, "?sort_column=POLICY_NAME&sort_order=ASC")
    assert ascending == sorted(ascending) and {"aa", "zz"} <= set(ascending)
    assert names(lab, "?sort_column=POLICY_NAME&sort_order=DESC") == ascending[::-1]
    assert lab.request("GET", f"{POLICIES}/list?sort_column=SIZE")[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        {"definition": "{}"},
        {"name": "x"},
        {"name": "x", "definition": "{"},
        {"name": "x", "definition": '{"a":{"type":"odd"}}'},
        {"name": "x", "definition": "{}", "policy_family_id": "personal-vm"},
        {"name": "x", "policy_family_id": "none"},
        {"name": "x", "policy_family_definition_overrides": "{}"},
        {"name": "x", "policy_family_id": "personal-vm", "policy_family_definition_overrides": "["},
        {"name": "x", "definition": "{}", "max_clusters_per_user": "many"},
        {"name": "Personal Compute", "definition": "{}"},
    ],
)
def test_an_invalid_policy_is_rejected_and_changes_nothing(lab: InProcessClient, body: dict[str, Any]) -> None:
    before = lab.request("GET", f"{POLICIES}/list")
    policy = personal(lab)["policy_id"]
    status, answer = lab.request("POST", f"{POLICIES}/create", body)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    if body.get("name") == "x" and "policy_family_id" not in body and "definition" in body:
        assert lab.request("POST", f"{POLICIES}/edit", body | {"policy_id": policy})[0] == 400
    assert lab.request("GET", f"{POLICIES}/list") == before


def test_an_unknown_policy_is_not_found(lab: InProcessClient) -> None:
    assert lab.request("GET", f"{POLICIES}/get?policy_id=0")[1]["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert lab.request("POST", f"{POLICIES}/delete", {"policy_id": "0"})[0] == 404
    assert lab.request("GET", "/api/2.0/policy-families/none")[0] == 404


def test_students_see_usable_policies_and_cannot_create_policies(lab: InProcessClient) -> None:
    student = lab.user("s@lab")
    policy = create(lab, name="lab", definition="{}")
    assert names(lab, caller=student) == ["Personal Compute"]
    assert lab.request("GET", f"{POLICIES}/get?policy_id={policy}", caller=student)[0] == 403
    for action in ("create", "edit", "delete"):
        body = {"policy_id": policy, "name": "n", "definition": "{}"}
        assert lab.request("POST", f"{POLICIES}/{action}", body, caller=student)[0] == 403
    acl = {"access_control_list": [{"user_name": "s@lab", "permission_level": "CAN_USE"}]}
    lab.request("PUT", f"/api/2.0/permissions/cluster-policies/{policy}", acl)
    assert sorted(names(lab, caller=student)) == ["Personal Compute", "lab"]
    assert lab.request("POST", f"{POLICIES}/delete", {"policy_id": policy})[0] == 200
    assert f"/cluster-policies/{policy}" not in lab.workspace.state.acls.direct


def test_a_student_needs_a_policy_to_create_clusters_up_to_its_maximum(lab: InProcessClient) -> None:
    student = lab.user("s@lab")
    rules = {"num_workers": {"type": "fixed", "value": 1}, "custom_tags.by": {"type": "fixed", "value": "lab"}}
    policy = create(lab, name="lab", definition=json.dumps(rules), max_clusters_per_user=1)
    wanted = CLUSTER | {"policy_id": policy}

    def made(spec: dict[str, Any]) -> tuple[int, Any]:
        return lab.request("POST", "/api/2.1/clusters/create", spec, caller=student)

    assert made(CLUSTER | {"num_workers": 1})[0] == 403
    assert made(wanted)[0] == 403
    assert made(CLUSTER | {"policy_id": "gone"})[0] == 400
    acl = {"access_control_list": [{"group_name": "users", "permission_level": "CAN_USE"}]}
    lab.request("PUT", f"/api/2.0/permissions/cluster-policies/{policy}", acl)
    status, answer = made(wanted | {"num_workers": 9, "custom_tags": {"by": "me"}})
    assert (status, answer["message"]) == (
        400,
        'Validation failed for num_workers, the value must be 1 (is "9"); '
        'Validation failed for custom_tags.by, the value must be lab (is "me")',
    )
    status, answer = made(wanted)
    assert status == 200
    got = lab.request("GET", f"/api/2.1/clusters/get?cluster_id={answer['cluster_id']}", caller=student)[1]
    assert (got["num_workers"], got["custom_tags"]) == (1, {"by": "lab"})
    assert "maximum of 1 active clusters" in made(wanted)[1]["message"]


def test_the_sdk_reads_policies(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    made = client.cluster_policies.create(name="lab", definition="{}").policy_id
    assert made
    client.cluster_policies.edit(made, name="lab", definition='{"num_workers":{"type":"unlimited"}}')
    assert client.cluster_policies.get(made).definition == '{"num_workers":{"type":"unlimited"}}'
    assert "lab" in [policy.name for policy in client.cluster_policies.list()]
    assert len(list(client.policy_families.list())) == 5
    client.cluster_policies.delete(made)


@pytest.mark.parametrize(
    ("automatic", "current"),
    [
        ("auto:latest", "17.3.x-scala2.13"),
        ("auto:latest-ml", "17.3.x-cpu-ml-scala2.13"),
        ("auto:latest-lts", "17.3.x-scala2.13"),
        ("auto:latest-lts-ml", "17.3.x-cpu-ml-scala2.13"),
        ("auto:prev-major", "16.4.x-scala2.12"),
        ("auto:prev-lts", "16.4.x-scala2.12"),
        ("auto:prev-lts-ml", "16.4.x-cpu-ml-scala2.12"),
    ],
)
def test_an_automatic_version_in_a_policy_is_the_current_one(
    lab: InProcessClient, automatic: str, current: str
) -> None:
    rules: dict[str, dict[str, Any]] = {
        "fixed": {"type": "fixed", "value": automatic},
        "listed": {"type": "allowlist", "values": ["15.4.x-scala2.12", automatic]},
        "default": {"type": "unlimited", "defaultValue": automatic},
    }
    for name, rule in rules.items():
        policy = create(lab, name=name, definition=json.dumps({"spark_version": rule}))
        for sent in ({}, {"spark_version": automatic}, {"spark_version": current}):
            if name == "listed" and not sent:
                continue
            body = {"cluster_name": "c", "num_workers": 1, "node_type_id": "Standard_DS3_v2", "policy_id": policy}
            body |= {"apply_policy_default_values": True, **sent}
            status, made = lab.request("POST", "/api/2.1/clusters/create", body)
            assert status == 200, made
            cluster = lab.request("GET", f"/api/2.1/clusters/get?cluster_id={made['cluster_id']}")[1]
            assert cluster["spark_version"] == current


def test_an_automatic_version_needs_a_policy(lab: InProcessClient) -> None:
    status, answer = lab.request("POST", "/api/2.1/clusters/create", CLUSTER | {"spark_version": "auto:latest-lts"})
    assert (status, answer["message"]) == (400, "Invalid spark version auto:latest-lts.")
