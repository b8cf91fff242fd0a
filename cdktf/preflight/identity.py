"""The workspace that a target expects. Pure."""

from labkit.workspace.expected import WorkspaceExpectation

WARNINGS_SHOWN = "LAB_WARNINGS_SHOWN"
"""Set by a program that printed the guard's warnings before it started Terraform, which would print each twice."""


class GuardError(Exception):
    """The live workspace is not the expected one or cannot be identified; the message explains what to change."""


def target_expectation(target: str, host: str = "", workspace_id: str = "") -> WorkspaceExpectation:
    """Return what a target in `lab.toml` expects; an empty string matches anything."""
    return WorkspaceExpectation(
        host,
        workspace_id,
        subject=f"target {target} has ",
        host_name="expected_host",
        id_name="expected_workspace_id",
        advice=(f"Choose a different LAB_TARGET, profile or DATABRICKS_HOST, or correct targets.{target} in lab.toml."),
    )
