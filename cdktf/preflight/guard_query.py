"""The expectations with which the guard compares the live workspace: the query of `check_workspace.py`. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from lab_settings import LabSettings, TargetSettings
from labkit.course_file import ALL_STUDENT_GROUPS, cluster_tags, path_of
from roster.model import Group

WARNINGS = ("unguarded", "open_to_everybody", "would_restart", "course_file_edited")
"""The keys of the guard's warnings, which are also the names of Terraform's checks. An empty value means no warning."""
RUNNING_SETTINGS = (
    "spark_version",
    "node_type_id",
    "autotermination_minutes",
    "data_security_mode",
    "spark_conf",
    "spark_env_vars",
)


def guard_query(
    lab: LabSettings, target_name: str, target: TargetSettings, groups: Sequence[Group], *, course_file: str
) -> dict[str, str]:
    """Return what the guard expects of the live workspace; `course_file` is the new content of the course file."""
    course, prefix = lab.course, lab.course.name_prefix
    names = [prefix + group.key for group in groups if not group.principal]
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
            "principals": [group.principal for group in groups if group.principal],
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
    """Convert values for Terraform's external data protocol: strings stay, other values become JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, sort_keys=True) for key, value in values.items()
    }
