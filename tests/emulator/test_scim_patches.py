"""SCIM PATCH operations on plain data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.api.errors import ScimError
from emulator.scim.patches import patched

GROUP = {"displayName": "group_01", "externalId": None, "members": ["1", "2"], "entitlements": [], "roles": ["r"]}
USER = {
    "displayName": "Ana",
    "externalId": "x",
    "active": True,
    "name.givenName": None,
    "name.familyName": "L",
    "entitlements": ["workspace-access"],
    "groups": ["12"],
}


def after(resource: dict[str, Any], *operations: dict[str, Any]) -> dict[str, Any]:
    """Return the changed attributes."""
    changed = patched(resource, {"Operations": list(operations)})
    return {name: value for name, value in changed.items() if value != resource[name]}


def refusal(resource: dict[str, Any], *operations: Any) -> tuple[int, str | None, str]:
    with pytest.raises(ScimError) as refused:
        patched(resource, {"Operations": list(operations)})
    return refused.value.status, refused.value.scim_type, refused.value.message


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ({"op": "add", "path": "members", "value": [{"value": "3"}]}, ["1", "2", "3"]),
        ({"op": "Add", "path": "members", "value": [{"value": "3"}, {"value": "4"}]}, ["1", "2", "3", "4"]),
        ({"op": "add", "path": "members", "value": {"value": "3"}}, ["1", "2", "3"]),
        ({"op": "add", "value": {"members": [{"value": "3"}]}}, ["1", "2", "3"]),
        ({"op": "REPLACE", "path": "members", "value": [{"value": "3"}]}, ["3"]),
        ({"op": "replace", "value": {"members": []}}, []),
        ({"op": "replace", "path": "members", "value": [{}]}, []),
        ({"op": "remove", "path": 'members[value eq "1"]'}, ["2"]),
        ({"op": "remove", "path": "members[value eq '1' or value eq '2']"}, []),
        ({"op": "remove", "path": "members", "value": [{"value": "2"}]}, ["1"]),
        ({"op": "remove", "path": "members"}, []),
        ({"op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members"}, []),
        ({"op": "replace", "path": 'members[value eq "1"]', "value": [{"value": "9"}]}, ["2", "9"]),
    ],
)
def test_members_are_changed_by_every_form_of_patch(operation: dict[str, Any], members: list[str]) -> None:
    assert after(GROUP, operation) == {"members": members}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "members", "value": [{"value": "1"}]},
        {"op": "remove", "path": 'members[value eq "7"]'},
        {"op": "remove", "path": "members", "value": [{"value": "7"}]},
        {"op": "add", "path": "entitlements", "value": [{}]},
        {"op": "replace", "path": "entitlements", "value": [{}]},
        {"op": "replace", "path": "id", "value": "8"},
        {"op": "replace", "path": "meta.resourceType", "value": "Group"},
    ],
)
def test_an_operation_without_effect_changes_nothing(operation: dict[str, Any]) -> None:
    assert after(GROUP, operation) == {}


@pytest.mark.parametrize("value", ["false", False, "False", [{"value": "false"}], {"value": "false"}, ["FALSE"]])
def test_users_are_deactivated_by_every_form_of_patch(value: Any) -> None:
    assert after(USER, {"op": "replace", "path": "active", "value": value}) == {"active": False}


def test_an_operation_without_a_path_merges_its_object() -> None:
    merged = {"op": "replace", "value": {"displayName": "Anna", "name": {"givenName": "Anna"}, "userName": "b@x"}}
    assert after(USER, merged) == {"displayName": "Anna", "name.givenName": "Anna"}


def test_operations_build_on_earlier_operations() -> None:
    first = {"op": "replace", "path": "entitlements", "value": [{"value": "allow-cluster-create"}]}
    second = {"op": "remove", "path": 'entitlements[value eq "allow-cluster-create"]'}
    assert after(USER, first, second) == {"entitlements": []}


def test_a_string_attribute_is_removed() -> None:
    assert after(USER, {"op": "remove", "path": "externalId"}) == {"externalId": None}


@pytest.mark.parametrize("path", ["entitlements", 'entitlements[value eq "workspace-access"]'])
def test_removing_missing_entitlements_is_an_invalid_path(path: str) -> None:
    text = "No such attribute with the name : entitlements in the current resource"
    assert refusal(GROUP, {"op": "remove", "path": path}) == (400, "invalidPath", text)


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "move", "path": "members"}, "invalidSyntax"),
        ({"path": "members"}, "invalidSyntax"),
        ("add", "invalidSyntax"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "value": "x"}, "invalidValue"),
        ({"op": "add", "path": "members", "value": None}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [[1]]}, "invalidValue"),
        ({"op": "replace", "path": "displayName", "value": {"a": 1}}, "invalidValue"),
        ({"op": "replace", "path": "shoeSize", "value": "44"}, "invalidPath"),
        ({"op": "replace", "path": "members[", "value": []}, "invalidPath"),
        ({"op": "remove", "path": "members[value gt 3]"}, "invalidFilter"),
        ({"op": "replace", "path": 'members[value eq "7"]', "value": []}, "noTarget"),
    ],
)
def test_an_invalid_operation_is_rejected(operation: Any, scim_type: str) -> None:
    assert refusal(GROUP, operation)[:2] == (400, scim_type)


def test_an_empty_patch_is_rejected() -> None:
    assert refusal(GROUP)[:2] == (400, "invalidSyntax")


def test_a_rejected_patch_changes_nothing() -> None:
    resource = {**GROUP, "members": ["1"]}
    refusal(resource, {"op": "add", "path": "members", "value": [{"value": "2"}]}, {"op": "remove"})
    assert resource["members"] == ["1"]


IDS = st.integers(0, 6).map(str)
OPERATIONS = st.tuples(st.sampled_from(["add", "remove", "remove-where", "replace"]), st.lists(IDS, max_size=3))


@given(st.lists(OPERATIONS, min_size=1, max_size=20))
def test_any_sequence_of_operations_has_the_same_effect_as_on_a_set(
    sequence: list[tuple[str, list[str]]],
) -> None:
    model: set[str] = set()
    operations = []
    for kind, ids in sequence:
        values = [{"value": id} for id in ids]
        if kind == "add":
            model |= set(ids)
            operations.append({"op": "add", "path": "members", "value": values})
        elif kind == "replace":
            model = set(ids)
            operations.append({"op": "replace", "path": "members", "value": values})
        elif kind == "remove":
            model -= set(ids)
            operations.append({"op": "remove", "path": "members", "value": values})
        else:
            model -= set(ids)
            operations += [{"op": "remove", "path": f'members[value eq "{id}"]'} for id in ids]
    if not operations:
        return
    members = patched({"members": []}, {"Operations": operations})["members"]
    assert set(members) == model and len(members) == len(model)
