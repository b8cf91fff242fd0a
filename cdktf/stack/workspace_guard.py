"""The guard at the head of every plan, deploy and destroy: is this the workspace that is meant?"""

import json
from collections.abc import Mapping

from stack.expressions import templates
from stack.framework import Construct, DataExternal, TerraformStack
from stack.programs import Program

ADDRESS = "data.external.workspace"

# Each becomes a warning where the result of this name is not empty.
WARNINGS = ("unguarded", "open_to_everybody", "would_restart", "course_file_edited")


class WorkspaceGuard(Construct):
    """`data.external.workspace`, which everything else waits for, and a `check` for each thing to be warned of.

    A data script that fails stops destroy too, which a precondition does not. Warnings are checks, never outputs:
    an output that changes would make the next plan one that changes something.
    """

    def __init__(self, scope: Construct, id: str, *, program: Program, query: Mapping[str, str]) -> None:
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


def as_query(values: Mapping[str, object]) -> dict[str, str]:
    """Values as the protocol of data scripts takes them: texts stay, the rest is JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True) for key, value in values.items()
    }
