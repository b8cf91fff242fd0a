"""The groups of students and their members."""

from collections.abc import Callable, Sequence

from roster.model import Group
from stack.expressions import label, template
from stack.framework import Construct, add_blocks
from stack.workspace_guard import ADDRESS as GUARD


class StudentGroups(Construct):
    """`databricks_group.group_07` and `databricks_group_member.group_07_dana_at_campus-example`.

    A group of a directory is looked up as `data.databricks_group.group_07`, and its members are not changed.

    `account_id` returns an expression for the id of the account with the given address.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        groups: Sequence[Group],
        prefix: str,
        account_id: Callable[[str], str],
    ) -> None:
        super().__init__(scope, id)
        self.keys = [group.key for group in groups]
        self._looked_up = frozenset(group.key for group in groups if group.principal)
        add_blocks(
            self,
            "resource.databricks_group",
            {
                group.key: {
                    "display_name": prefix + group.key,
                    "allow_cluster_create": False,
                    "depends_on": [GUARD],
                }
                for group in groups
                if not group.principal
            },
        )
        add_blocks(
            self,
            "data.databricks_group",
            {
                group.key: {"display_name": template(group.principal), "recursive": False, "depends_on": [GUARD]}
                for group in groups
                if group.principal
            },
        )
        add_blocks(
            self,
            "resource.databricks_group_member",
            {
                f"{group.key}_{label(member.email)}": {
                    "group_id": self.id_of(group.key),
                    "member_id": account_id(member.email),
                }
                for group in groups
                if not group.principal
                for member in group.active_members
            },
        )

    def id_of(self, key: str) -> str:
        """Return an expression for the id of a group."""
        return f"${{{self._address(key)}.id}}"

    def name_of(self, key: str) -> str:
        """Return an expression for a group's display name, which also makes the resource that uses it depend on the
        group.
        """
        return f"${{{self._address(key)}.display_name}}"

    def _address(self, key: str) -> str:
        return f"data.databricks_group.{key}" if key in self._looked_up else f"databricks_group.{key}"
