"""Reads which groups the enforcer currently restricts, so that a deployment keeps the restrictions."""

from collections.abc import Mapping, Sequence

from stack.expressions import literal, templates
from stack.framework import Construct, DataExternal, ITerraformDependable
from stack.programs import PackageCommand

ADDRESS = "data.external.restricted"


class Restrictions(Construct):
    """`data.external.restricted`: maps the display name of each restricted group to the limit that it reached.

    Every plan reads it again, so a restriction is neither reported as drift nor undone, while a permission that
    somebody else lowered is restored.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        program: PackageCommand,
        query: Mapping[str, str],
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id)
        data = DataExternal(
            self,
            "limits",
            program=program.command,
            working_dir=program.folder,
            query=templates(query),
            depends_on=depends_on,
        )
        data.override_logical_id("restricted")

    def level(self, group_name: str) -> str:
        """Return an expression for the group's permission level on its cluster."""
        return f'${{contains(keys({ADDRESS}.result), "{literal(group_name)}") ? "CAN_ATTACH_TO" : "CAN_RESTART"}}'
