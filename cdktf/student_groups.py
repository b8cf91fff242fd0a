"""The groups of students and who is in them."""

from collections.abc import Callable, Mapping, Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_databricks.group import Group as WorkspaceGroup
from cdktf_cdktf_provider_databricks.group_member import GroupMember
from constructs import Construct

from expressions import template
from roster import Group


class StudentGroups(Construct):
    """`databricks_group.students["group_07"]` and `databricks_group_member.student["group_07/address"]`.

    `account_id` gives an expression for the id of the account of an address.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        groups: Sequence[Group],
        prefix: str,
        account_id: Callable[[str], str],
        after: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id)
        self._keys = [group.key for group in groups]
        members = {
            template(f"{group.key}/{member.email}"): {
                "group": self._attribute(group.key, "id"),
                "account": account_id(member.email),
            }
            for group in groups
            for member in group.active_members
        }
        if groups:
            students = WorkspaceGroup(
                self, "students", display_name="${each.value}", allow_cluster_create=False, depends_on=after
            )
            students.override_logical_id("students")
            students.add_override("for_each", {group.key: prefix + group.key for group in groups})
        if members:
            student = GroupMember(self, "student", group_id="${each.value.group}", member_id="${each.value.account}")
            student.override_logical_id("student")
            student.add_override("for_each", members)

    @property
    def ids(self) -> Mapping[str, str]:
        """An expression for the id of each group, by key."""
        return {key: self._attribute(key, "id") for key in self._keys}

    def name_of(self, key: str) -> str:
        """An expression for a group's display name, which makes whoever uses it wait for the groups."""
        return self._attribute(key, "display_name")

    def _attribute(self, key: str, attribute: str) -> str:
        return f'${{databricks_group.students["{key}"].{attribute}}}'
