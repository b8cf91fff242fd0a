"""The guard for every plan, deployment and destroy: verifies that the workspace is the expected one."""

from collections.abc import Mapping

from preflight.guard_query import WARNINGS
from stack.expressions import templates
from stack.framework import Construct, DataExternal, TerraformStack
from stack.programs import ScriptCommand

ADDRESS = "data.external.workspace"


class WorkspaceGuard(Construct):
    """`data.external.workspace`, on which everything else depends, and a `check` for each warning.

    A failing external program also stops `destroy`, whereas a precondition does not. Warnings are checks, not outputs:
    a changed output would make the next plan non-empty.
    """

    def __init__(self, scope: Construct, id: str, *, program: ScriptCommand, query: Mapping[str, str]) -> None:
        super().__init__(scope, id)
        self.data = DataExternal(
            self, "facts", program=program.command, working_dir=program.folder, query=templates(query)
        )
        self.data.override_logical_id("workspace")
        checks = {
            name: {
                "assert": [
                    {
                        "condition": f'${{{ADDRESS}.result.{name} == ""}}',
                        "error_message": f"${{{ADDRESS}.result.{name}}}",
                    }
                ]
            }
            for name in WARNINGS
        }
        TerraformStack.of(self).add_override("check", checks)

    @property
    def caller(self) -> str:
        """Return the reference to the deploying user's name, for use inside an expression."""
        return f"{ADDRESS}.result.caller"
