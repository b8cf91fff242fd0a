"""One course in one workspace: the stack that turns a roster and settings into what students use."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from lab_settings import Lab, Target
from labkit.course_file import ALL_STUDENT_GROUPS, cluster_tags, folder_of, path_of
from roster.model import Group, Roster
from stack.accounts import StudentAccounts, plan_accounts
from stack.all_student_groups import AllStudentGroups
from stack.course_document import course_text
from stack.course_folder import CourseFolder
from stack.framework import (
    AzurermBackend,
    Construct,
    DatabricksProvider,
    ExternalProvider,
    LocalBackend,
    TerraformStack,
)
from stack.group_cluster import GroupCluster, common_settings
from stack.personal_compute import PersonalCompute
from stack.programs import Program, Verb
from stack.restrictions import Restrictions
from stack.staff import Staff
from stack.student_groups import StudentGroups
from stack.workspace_guard import WorkspaceGuard, as_query

RUNNING_SETTINGS = (
    "spark_version",
    "node_type_id",
    "autotermination_minutes",
    "data_security_mode",
    "spark_conf",
    "spark_env_vars",
)


class Course(TerraformStack):
    """The whole of a course. The first roster is the course's own; of the others only the accounts are made."""

    def __init__(
        self,
        scope: Construct,
        *,
        lab: Lab,
        target_name: str,
        target: Target,
        rosters: Sequence[Roster],
        guard: Program,
        stop: Program,
        restricted: Verb,
        state_folder: Path,
    ) -> None:
        super().__init__(scope, lab.stack_id(target_name))
        own, *others = rosters
        groups = own.active_groups
        prefix = lab.course.name_prefix
        text = course_text(lab, groups)

        # Blocks of `check` and the type terraform_data need it.
        self.add_override("terraform.required_version", ">= 1.5")
        self._keep_state(target, state_folder)
        DatabricksProvider(
            self, "databricks", profile=target.profile, host=target.host, rate_limit=target.requests_per_second
        )
        ExternalProvider(self, "external")

        workspace = WorkspaceGuard(
            self, "workspace", program=guard, query=self._expectations(lab, target_name, target, groups, text)
        )
        first = [workspace.data]

        staff = Staff(self, "staff", settings=lab.staff, after=first)
        accounts = StudentAccounts(
            self,
            "accounts",
            plan=plan_accounts(
                own,
                others,
                target=target_name,
                staff=lab.staff.addresses,
                owns_accounts=lab.course.owns_accounts,
            ),
        )

        student_groups = StudentGroups(self, "student_groups", groups=groups, prefix=prefix, account_id=accounts.id_of)
        AllStudentGroups(
            self,
            ALL_STUDENT_GROUPS,
            groups=student_groups,
            students=lab.students,
            owned=lab.course.owns_workspace_settings,
            after=first,
        )
        if lab.course.owns_workspace_settings:
            PersonalCompute(self, "personal_compute", after=first)

        CourseFolder(
            self,
            "course_folder",
            path=folder_of(lab.course.id, lab.course.term),
            course_text=text,
            staff=staff,
            caller=workspace.caller,
            after=first,
        )
        restrictions = Restrictions(
            self,
            "restrictions",
            program=restricted,
            query={
                "course": lab.course.id,
                "term": lab.course.term,
                "host": target.host or "",
                "profile": target.profile or "",
            },
            after=first,
        )
        settings = common_settings(lab.cluster, lab.libraries)
        managers = staff.may("CAN_MANAGE")
        for group in groups:
            name = prefix + group.key
            GroupCluster(
                self,
                group.cluster,
                name=prefix + group.cluster,
                group_name=student_groups.name_of(group.key),
                group_level=restrictions.level(name),
                tags=cluster_tags(course=lab.course.id, term=lab.course.term, group=name),
                settings=settings,
                managers=managers,
                stop=stop,
                spool=state_folder / f"{self.node.id}.stopping",
                after=first,
            )

    def _keep_state(self, target: Target, folder: Path) -> None:
        backend = target.backend
        if backend.type == "local":
            LocalBackend(self, path=str(folder / f"{self.node.id}.tfstate"))
            return
        AzurermBackend(
            self,
            resource_group_name=backend.resource_group_name or "",
            storage_account_name=backend.storage_account_name or "",
            container_name=backend.container_name or "",
            key=backend.key or "",
        )

    def _expectations(
        self, lab: Lab, target_name: str, target: Target, groups: Sequence[Group], course_file: str
    ) -> dict[str, str]:
        """What the guard is to compare the live workspace with."""
        names = [lab.course.name_prefix + group.key for group in groups]
        if lab.course.owns_workspace_settings:
            names.append(ALL_STUDENT_GROUPS)
        settings = {name: getattr(lab.cluster, name) for name in RUNNING_SETTINGS}
        return as_query(
            {
                "target": target_name,
                "profile": target.profile or "",
                "host": target.host or "",
                "expected_host": target.expected_host,
                "expected_workspace_id": target.expected_workspace_id,
                "sql_access": lab.students.sql_access,
                "closes_personal_compute": lab.course.owns_workspace_settings,
                "group_names": names,
                "clusters": {
                    lab.course.name_prefix + group.cluster: cluster_tags(
                        course=lab.course.id, term=lab.course.term, group=lab.course.name_prefix + group.key
                    )
                    for group in groups
                },
                "cluster_settings": {
                    **settings,
                    "driver_node_type_id": lab.cluster.driver,
                    "log_destination": lab.cluster.log_destination,
                    "allow_jobs": lab.cluster.allow_jobs,
                },
                "course_file": path_of(lab.course.id, lab.course.term),
                "course_file_sha256": hashlib.sha256(course_file.encode()).hexdigest(),
            }
        )
