"""The loader creates the resources in a synthesized stack without Terraform."""

import base64
from typing import Any

import pytest
from databricks.sdk.errors import ResourceConflict

from emulator_process import EmulatorProcess
from synthesized.loader import LoadedCounts, LoadError, load

pytestmark = pytest.mark.process

LEVEL = '${contains(keys(data.external.restricted.result), "group_01") ? "CAN_ATTACH_TO" : "CAN_RESTART"}'
STACK: dict[str, Any] = {
    "data": {"databricks_user": {"student_old": {"user_name": "old@campus.example.ac.il", "depends_on": []}}},
    "resource": {
        "databricks_user": {"student_dana": {"user_name": "dana@campus.example.ac.il"}},
        "databricks_group": {
            "group_01": {"display_name": "group_01", "allow_cluster_create": False},
            "all_student_groups": {"display_name": "all_student_groups"},
        },
        "databricks_entitlements": {
            "all_student_groups": {
                "group_id": "${databricks_group.all_student_groups.id}",
                "workspace_access": True,
                "databricks_sql_access": False,
            }
        },
        "databricks_group_member": {
            "group_01_dana": {
                "group_id": "${databricks_group.group_01.id}",
                "member_id": "${databricks_user.student_dana.id}",
            },
            "group_01_old": {
                "group_id": "${databricks_group.group_01.id}",
                "member_id": "${data.databricks_user.student_old.id}",
            },
            "all": {
                "group_id": "${databricks_group.all_student_groups.id}",
                "member_id": "${databricks_group.group_01.id}",
            },
        },
        "databricks_cluster": {
            "cluster_01": {
                "cluster_name": "cluster_01",
                "spark_version": "15.4.x-scala2.12",
                "node_type_id": "Standard_DS3_v2",
                "autoscale": {"min_workers": 1, "max_workers": 2},
                "is_pinned": True,
                "library": [{"pypi": {"package": "nltk==3.9.1"}}],
                "spark_conf": {"spark.a": "$${b}"},
                "depends_on": ["data.external.workspace"],
            }
        },
        "databricks_directory": {"course_folder": {"path": "/lab"}, "allowances": {"path": "/lab/allowances"}},
        "databricks_workspace_file": {
            "course_file": {"path": "/lab/course.json", "content_base64": base64.b64encode(b'{"a": 1}').decode()}
        },
        "databricks_permissions": {
            "cluster_01": {
                "cluster_id": "${databricks_cluster.cluster_01.id}",
                "access_control": [
                    {"group_name": "${databricks_group.group_01.display_name}", "permission_level": LEVEL}
                ],
            }
        },
    },
}


def test_a_stack_becomes_accounts_groups_clusters_and_permissions(emulator: EmulatorProcess):
    emulator.control("POST", "users", {"user_name": "old@campus.example.ac.il"})
    client = emulator.client()

    assert load(client, STACK) == LoadedCounts(users=1, groups=2, memberships=3, clusters=1, permissions=1, files=1)

    groups = {group.display_name: group for group in client.groups.list()}
    assert sorted(str(member.display) for member in groups["group_01"].members or []) == [
        "dana@campus.example.ac.il",
        "old@campus.example.ac.il",
    ]
    assert [entitlement.value for entitlement in groups["all_student_groups"].entitlements or []] == [
        "workspace-access"
    ]
    [cluster] = client.clusters.list()
    assert (str(cluster.state), cluster.spark_conf) == ("State.TERMINATED", {"spark.a": "${b}"})
    statuses = client.libraries.cluster_status(str(cluster.cluster_id))
    assert [status.library.pypi.package for status in statuses if status.library and status.library.pypi] == [
        "nltk==3.9.1"
    ]
    rights = client.permissions.get("clusters", str(cluster.cluster_id)).access_control_list or []
    assert "group_01" in [entry.group_name for entry in rights]
    assert client.workspace.download("/lab/course.json").read() == b'{"a": 1}'
    assert sorted(str(found.path) for found in client.workspace.list("/lab")) == ["/lab/allowances", "/lab/course.json"]


def test_the_error_contains_a_missing_account(emulator: EmulatorProcess):
    with pytest.raises(LoadError, match=r"The workspace has no account old@campus\.example\.ac\.il"):
        load(emulator.client(), STACK)


def test_existing_objects_are_not_changed(emulator: EmulatorProcess):
    for name in ("old@campus.example.ac.il", "dana@campus.example.ac.il"):
        emulator.control("POST", "users", {"user_name": name})
    with pytest.raises(ResourceConflict, match="already exists"):
        load(emulator.client(), STACK)
    assert [group.display_name for group in emulator.client().groups.list()] == ["admins", "users"]
