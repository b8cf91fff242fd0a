"""A group of students and who is in it."""

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_databricks.group import Group as WorkspaceGroup
from cdktf_cdktf_provider_databricks.group_member import GroupMember
from constructs import Construct

from expressions import template


class StudentGroup(Construct):
    """`databricks_group.group_07` and `databricks_group_member.group_07["address"]`.

    `members` maps addresses to expressions for the ids of their accounts.
    """

    def __init__(
        self,
        scope: Construct,
        key: str,
        *,
        name: str,
        members: Mapping[str, str],
        after: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, key)
        self.key = key
        group = WorkspaceGroup(self, "group", display_name=name, allow_cluster_create=False, depends_on=after)
        group.override_logical_id(key)
        self.id = group.id
        self.display_name = group.display_name
        if members:
            membership = GroupMember(self, "members", group_id=group.id, member_id="${each.value}")
            membership.override_logical_id(key)
            membership.add_override("for_each", {template(address): account for address, account in members.items()})
