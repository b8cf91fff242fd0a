"""A program that changes a workspace rejects any workspace but the expected one."""

from __future__ import annotations

import pytest

from labkit.workspace.expected import (
    EXPECTED_HOST,
    EXPECTED_ID,
    WorkspaceExpectation,
    WorkspaceIdentity,
    expected_from_environment,
    expected_from_option,
    mismatch,
)

LIVE = WorkspaceIdentity("https://adb-1.7.azuredatabricks.net", "123", "me@lab.example")


def test_without_settings_any_workspace_is_accepted() -> None:
    assert not expected_from_environment({}).is_set
    assert mismatch(LIVE, expected_from_environment({})) == ""


def test_the_environment_specifies_the_workspace_by_id_and_host() -> None:
    expected = expected_from_environment({EXPECTED_ID: "123", EXPECTED_HOST: "ADB-1.7.azuredatabricks.net/"})
    assert (expected.is_set, mismatch(LIVE, expected)) == (True, "")


def test_the_message_identifies_both_workspaces() -> None:
    assert mismatch(LIVE, expected_from_environment({EXPECTED_ID: "42"})) == (
        "Wrong workspace: LAB_EXPECTED_WORKSPACE_ID is 42, but this is workspace 123 at "
        "https://adb-1.7.azuredatabricks.net (as me@lab.example). Nothing was changed. Choose a different profile or "
        "DATABRICKS_HOST, or correct LAB_EXPECTED_WORKSPACE_ID and LAB_EXPECTED_HOST."
    )
    assert "--into-workspace is 42, but this is workspace 123" in mismatch(
        LIVE, expected_from_option("42", "--into-workspace")
    )


def test_a_workspace_without_an_id_is_not_the_expected_one() -> None:
    assert "workspace with unknown id" in mismatch(
        WorkspaceIdentity(LIVE.host, "", "me"), WorkspaceExpectation(workspace_id="1")
    )


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({EXPECTED_ID: "12x"}, EXPECTED_ID),
        ({EXPECTED_ID: "١٢"}, EXPECTED_ID),
        ({EXPECTED_HOST: "https://hidden@x"}, EXPECTED_HOST),
        ({EXPECTED_HOST: "a b"}, EXPECTED_HOST),
    ],
)
def test_the_error_for_a_malformed_expectation_contains_its_name(environ: dict[str, str], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}") as raised:
        expected_from_environment(environ)
    assert "hidden" not in str(raised.value)


def test_an_option_accepts_digits_only() -> None:
    with pytest.raises(ValueError, match="--into-workspace must be a workspace id"):
        expected_from_option("adb-1", "--into-workspace")
