"""The stack for one course in one workspace, built from its settings and roster."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from lab_settings import LabSettings, TargetSettings
from labkit.course_file import ALL_STUDENT_GROUPS, CalendarEntry, cluster_tags, folder_of
from preflight.guard_query import guard_query
from roster.account_plan import plan_accounts
from roster.model import Group, Roster
from stack.accounts import StudentAccounts
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
from stack.programs import PackageCommand, ScriptCommand
from stack.restrictions import Restrictions
from stack.staff import Staff
from stack.student_groups import StudentGroups
from stack.workspace_guard import WorkspaceGuard


class Course(TerraformStack):
    """All resources of a course. The first roster is the course's own; the others only provide accounts.

    `deployer` is the application id of the service principal that deploys; None if the environment has none.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        lab: LabSettings,
        target_name: str,
        target: TargetSettings,
        rosters: Sequence[Roster],
        guard: ScriptCommand,
        stop: ScriptCommand,
        restricted: PackageCommand,
        state_folder: Path,
        deployer: str | None = None,
        imported_calendar: Iterable[CalendarEntry] = (),
    ) -> None:
        super().__init__(scope, lab.stack_id(target_name))
        self._lab, self._target_name, self._target = lab, target_name, target
        own, *others = rosters
        groups = own.active_groups
        text = course_text(lab, groups, deployer=deployer, imported_calendar=imported_calendar)

        self._add_backend(state_folder)
        self._add_providers()
        workspace = WorkspaceGuard(
            self, "workspace", program=guard, query=guard_query(lab, target_name, target, groups, course_file=text)
        )
        # The guard finishes before anything else is read or created.
        self._guard = [workspace.data]

        staff = Staff(self, "staff", settings=lab.staff, depends_on=self._guard)
        student_groups = self._add_student_groups(groups, self._add_accounts(own, others))
        CourseFolder(
            self,
            "course_folder",
            path=folder_of(lab.course.id, lab.course.term),
            course_text=text,
            has_pages=lab.pages is not None,
            has_requests=lab.requests is not None,
            staff=staff,
            caller=workspace.caller,
            depends_on=self._guard,
        )
        restrictions = self._add_restrictions(restricted)
        settings = common_settings(lab.cluster, lab.libraries)
        managers = staff.access_entries("CAN_MANAGE")
        for group in groups:
            name = lab.course.name_prefix + group.key
            GroupCluster(
                self,
                group.cluster,
                name=lab.course.name_prefix + group.cluster,
                group_name=student_groups.name_of(group.key),
                group_level=restrictions.level(name),
                tags=cluster_tags(course=lab.course.id, term=lab.course.term, group=name),
                settings=settings,
                managers=managers,
                stop=stop,
                queue_folder=state_folder / f"{self.node.id}.stopping",
                depends_on=self._guard,
            )

    def _add_backend(self, folder: Path) -> None:
        """Add the backend in which Terraform stores the state: this folder or a storage account."""
        # `check` blocks and the resource type terraform_data need this version.
        self.add_override("terraform.required_version", ">= 1.5")
        backend = self._target.backend
        if backend.type == "local":
            LocalBackend(self, path=str(folder / f"{self.node.id}.tfstate"))
            return
        AzurermBackend(
            self,
            resource_group_name=backend.resource_group_name or "",
            storage_account_name=backend.storage_account_name or "",
            container_name=backend.container_name or "",
            key=backend.key or "",
            use_azuread_auth=backend.use_azuread_auth,
        )

    def _add_providers(self) -> None:
        target = self._target
        DatabricksProvider(
            self, "databricks", profile=target.profile, host=target.host, rate_limit=target.requests_per_second
        )
        ExternalProvider(self, "external")

    def _add_accounts(self, own: Roster, others: Iterable[Roster]) -> StudentAccounts:
        """Add the accounts in all rosters."""
        plan = plan_accounts(
            own,
            others,
            target=self._target_name,
            staff=self._lab.staff.addresses,
            owns_accounts=self._lab.course.owns_accounts,
        )
        return StudentAccounts(self, "accounts", plan=plan)

    def _add_student_groups(self, groups: Sequence[Group], accounts: StudentAccounts) -> StudentGroups:
        """Add the groups, the group of all groups and, if this stack owns the workspace's settings, its policy."""
        course = self._lab.course
        student_groups = StudentGroups(
            self, "student_groups", groups=groups, prefix=course.name_prefix, account_id=accounts.id_of
        )
        AllStudentGroups(
            self,
            ALL_STUDENT_GROUPS,
            groups=student_groups,
            students=self._lab.students,
            is_owned=course.owns_workspace_settings,
            depends_on=self._guard,
        )
        if course.owns_workspace_settings:
            PersonalCompute(self, "personal_compute", depends_on=self._guard)
        return student_groups

    def _add_restrictions(self, program: PackageCommand) -> Restrictions:
        query = {
            "course": self._lab.course.id,
            "term": self._lab.course.term,
            "host": self._target.host or "",
            "profile": self._target.profile or "",
        }
        return Restrictions(self, "restrictions", program=program, query=query, depends_on=self._guard)
