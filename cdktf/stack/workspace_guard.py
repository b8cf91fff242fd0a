"""The guard at the head of every plan, deploy and destroy: is this the workspace that is meant?"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from lab_settings import Lab, Target
from labkit.course_file import ALL_STUDENT_GROUPS, cluster_tags, path_of
from roster.model import Group
from stack.expressions import templates
from stack.framework import Construct, DataExternal, TerraformStack
from stack.programs import Program

ADDRESS = "data.external.workspace"

# Each becomes a warning where the result of this name is not empty.
WARNINGS = ("unguarded", "open_to_everybody", "would_restart", "course_file_edited")
RUNNING_SETTINGS = (
    "spark_version",
    "node_type_id",
    "autotermination_minutes",
    "data_security_mode",
    "spark_conf",
    "spark_env_vars",
)


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


def expectations(
    lab: Lab, target_name: str, target: Target, groups: Sequence[Group], *, course_file: str
) -> dict[str, str]:
    """What the guard compares the live workspace with; `course_file` is the text that the course file will have."""
    course, prefix = lab.course, lab.course.name_prefix
    names = [prefix + group.key for group in groups]
    return as_query(
        {
            "target": target_name,
            "profile": target.profile or "",
            "host": target.host or "",
            "expected_host": target.expected_host,
            "expected_workspace_id": target.expected_workspace_id,
            "sql_access": lab.students.sql_access,
            "closes_personal_compute": course.owns_workspace_settings,
            "group_names": [*names, ALL_STUDENT_GROUPS] if course.owns_workspace_settings else names,
            "clusters": {
                prefix + group.cluster: cluster_tags(course=course.id, term=course.term, group=prefix + group.key)
                for group in groups
            },
            "cluster_settings": {
                **{name: getattr(lab.cluster, name) for name in RUNNING_SETTINGS},
                "driver_node_type_id": lab.cluster.driver,
                "log_destination": lab.cluster.log_destination,
                "allow_jobs": lab.cluster.allow_jobs,
            },
            "course_file": path_of(course.id, course.term),
            "course_file_sha256": hashlib.sha256(course_file.encode()).hexdigest(),
        }
    )


def as_query(values: Mapping[str, object]) -> dict[str, str]:
    """Values as the protocol of data scripts takes them: texts stay, the rest is JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True) for key, value in values.items()
    }
