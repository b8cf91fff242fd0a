"""The guard at the head of every plan, deploy and destroy: is this the workspace that is meant?"""

from collections.abc import Mapping

from preflight.guard_query import WARNINGS
from stack.expressions import templates
from stack.framework import Construct, DataExternal, TerraformStack
from stack.programs import ScriptCommand

ADDRESS = "data.external.workspace"


class WorkspaceGuard(Construct):
    """`data.external.workspace`, which everything else waits for, and a `check` for each thing to be warned of.

    A data script that fails stops destroy too, which a precondition does not. Warnings are checks, never outputs:
    an output that changes would make the next plan one that changes something.
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
        """The name of who deploys, as it stands inside an expression."""
        return f"{ADDRESS}.result.caller"
