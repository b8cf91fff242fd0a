"""The group that contains all student groups. Students get their entitlements only through it."""

from collections.abc import Sequence

from lab_settings import StudentSettings
from labkit.course_file import ALL_STUDENT_GROUPS
from stack.framework import (
    Construct,
    DataDatabricksGroup,
    Entitlements,
    ITerraformDependable,
    TerraformResourceLifecycle,
    add_blocks,
)
from stack.framework import Group as WorkspaceGroup
from stack.student_groups import StudentGroups

ENTITLEMENTS = ["allow_cluster_create", "allow_instance_pool_create", "databricks_sql_access", "workspace_access"]


class AllStudentGroups(Construct):
    """`databricks_group.all_student_groups`, its entitlements, and the course's groups as its members.

    If a different stack owns the workspace's settings, the group is looked up and only the members are added.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        groups: StudentGroups,
        students: StudentSettings,
        is_owned: bool,
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id)
        parent = self._create(students, depends_on) if is_owned else self._look_up(depends_on)
        add_blocks(
            self,
            "resource.databricks_group_member",
            {
                f"{ALL_STUDENT_GROUPS}_{key}": {"group_id": parent, "member_id": groups.id_of(key)}
                for key in groups.keys
            },
        )

    def _create(self, students: StudentSettings, depends_on: Sequence[ITerraformDependable]) -> str:
        group = WorkspaceGroup(
            self,
            "group",
            display_name=ALL_STUDENT_GROUPS,
            allow_cluster_create=False,
            depends_on=depends_on,
            # The group resource does not detect a removed entitlement; the resource below does.
            lifecycle=TerraformResourceLifecycle(ignore_changes=ENTITLEMENTS),
        )
        group.override_logical_id(ALL_STUDENT_GROUPS)
        entitlements = Entitlements(
            self,
            "entitlements",
            group_id=group.id,
            workspace_access=students.workspace_access,
            databricks_sql_access=students.sql_access,
            allow_cluster_create=False,
            allow_instance_pool_create=False,
        )
        entitlements.override_logical_id(ALL_STUDENT_GROUPS)
        return group.id

    def _look_up(self, depends_on: Sequence[ITerraformDependable]) -> str:
        group = DataDatabricksGroup(
            self, "group", display_name=ALL_STUDENT_GROUPS, recursive=False, depends_on=depends_on
        )
        group.override_logical_id(ALL_STUDENT_GROUPS)
        return group.id
