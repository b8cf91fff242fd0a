"""The groups of students and their members."""

from collections.abc import Callable, Sequence

from roster.model import Group
from stack.expressions import add_blocks, label
from stack.framework import Construct
from stack.workspace_guard import ADDRESS as GUARD


class StudentGroups(Construct):
    """`databricks_group.group_07` and `databricks_group_member.group_07_dana_at_campus-example`.

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
                for member in group.active_members
            },
        )

    def id_of(self, key: str) -> str:
        """Return an expression for the id of a group."""
        return f"${{databricks_group.{key}.id}}"

    def name_of(self, key: str) -> str:
        """Return an expression for a group's display name, which also makes the resource that uses it depend on the
        group.
        """
        return f"${{databricks_group.{key}.display_name}}"
