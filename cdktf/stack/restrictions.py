"""Which groups the enforcer keeps off their clusters just now, so that a deploy leaves it so."""

from collections.abc import Mapping, Sequence

from stack.expressions import literal, templates
from stack.framework import Construct, DataExternal, ITerraformDependable
from stack.programs import PackageCommand

ADDRESS = "data.external.restricted"


class Restrictions(Construct):
    """`data.external.restricted`: the reached limit, by display name.

    Asked for anew in every plan, so a restriction is neither drift nor undone, while a level that somebody else
    lowered is put right.
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
        """An expression: what the group may do with its cluster."""
        return f'${{contains(keys({ADDRESS}.result), "{literal(group_name)}") ? "CAN_ATTACH_TO" : "CAN_RESTART"}}'
