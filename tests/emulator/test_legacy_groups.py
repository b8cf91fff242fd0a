"""The legacy groups API."""

from __future__ import annotations

import pytest

from emulator_process import EmulatorProcess
from scim_calls import ADMIN, ANA, create, ok

pytestmark = pytest.mark.process


def test_the_legacy_groups_api_identifies_members_by_name(emulator: EmulatorProcess) -> None:
    create(emulator, "Users", userName=ANA)
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
def test_the_legacy_groups_api_has_legacy_errors(
    emulator: EmulatorProcess, path: str, body: dict[str, str], status: int, code: str
) -> None:
    answered, answer = emulator.request("POST", f"/api/2.0/groups/{path}", body)
    assert (answered, answer["error_code"]) == (status, code)
