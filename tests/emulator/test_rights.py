"""A student can start a cluster in every way while the group has CAN_RESTART; a restriction takes effect at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import PermissionDenied
from databricks.sdk.service.compute import Language, State
from databricks.sdk.service.iam import AccessControlRequest, ComplexValue, PermissionLevel
from databricks.sdk.service.jobs import NotebookTask, SubmitTask

from emulator_process import EmulatorProcess

pytestmark = pytest.mark.process

VERSION = "15.4.x-scala2.12"
NODE_TYPE = "Standard_DS3_v2"


@dataclass
class Lab:
    emulator: EmulatorProcess
    staff: WorkspaceClient
    student: WorkspaceClient
    token: str
    cluster_id: str
    group_id: str
    user_id: str

    def level(self, level: PermissionLevel) -> None:
        """Set the level of the student's group on the cluster."""
        grant = AccessControlRequest(group_name="group_01", permission_level=level)
        self.staff.permissions.set("clusters", self.cluster_id, access_control_list=[grant])

    def state(self) -> State | None:
        return self.staff.clusters.get(self.cluster_id).state

    def stop(self) -> None:
        self.staff.clusters.delete(self.cluster_id)
        assert self.state() == State.TERMINATED


@pytest.fixture
def lab(emulator: EmulatorProcess) -> Lab:
    """A group with one student and CAN_RESTART on a stopped cluster."""
    staff = emulator.client()
    ana = emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    group = staff.groups.create(display_name="group_01", members=[ComplexValue(value=ana["id"])])
    made: Any = staff.clusters.create(
        cluster_name="cluster_01", spark_version=VERSION, node_type_id=NODE_TYPE, num_workers=1
    ).response
    lab = Lab(
        emulator=emulator,
        staff=staff,
        student=emulator.client(ana["token"]),
        token=ana["token"],
        cluster_id=str(made.cluster_id),
        group_id=str(group.id),
        user_id=ana["id"],
    )
    lab.level(PermissionLevel.CAN_RESTART)
    lab.stop()
    return lab


def start(lab: Lab) -> None:
    lab.student.clusters.start(lab.cluster_id)


def attach(lab: Lab) -> None:
    """Attach a notebook."""
    lab.student.command_execution.create(cluster_id=lab.cluster_id, language=Language.PYTHON)


def work(lab: Lab) -> None:
    body = {"cluster_id": lab.cluster_id, "seconds": 60, "token": lab.token}
    status, answer = lab.emulator.request("POST", "/_emulator/work", body)
    if status == 403:
        raise PermissionDenied(answer["message"])
    assert status == 200


def submit(lab: Lab) -> None:
    task = SubmitTask(
        task_key="a",
        existing_cluster_id=lab.cluster_id,
        notebook_task=NotebookTask(notebook_path="/Users/ana@lab.example/a"),
    )
    lab.student.jobs.submit(run_name="a", tasks=[task])


WAYS: list[Callable[[Lab], None]] = [start, attach, work, submit]


@pytest.mark.parametrize("way", WAYS)
def test_a_student_starts_the_cluster_of_the_group(lab: Lab, way: Callable[[Lab], None]) -> None:
    way(lab)
    assert lab.state() == State.RUNNING


@pytest.mark.parametrize("way", WAYS)
def test_a_student_with_can_attach_to_cannot_start_the_cluster(lab: Lab, way: Callable[[Lab], None]) -> None:
    lab.level(PermissionLevel.CAN_ATTACH_TO)
    with pytest.raises(PermissionDenied):
        way(lab)
    assert lab.state() == State.TERMINATED
    lab.level(PermissionLevel.CAN_RESTART)
    way(lab)
    assert lab.state() == State.RUNNING


@pytest.mark.parametrize("way", [attach, work, submit])
def test_an_automatic_start_fails_with_the_platform_message(lab: Lab, way: Callable[[Lab], None]) -> None:
    lab.level(PermissionLevel.CAN_ATTACH_TO)
    with pytest.raises(PermissionDenied, match=f"do not have permission to autostart {lab.cluster_id}"):
        way(lab)


@pytest.mark.parametrize("way", [attach, work])
def test_a_student_with_can_attach_to_can_use_a_running_cluster(lab: Lab, way: Callable[[Lab], None]) -> None:
    start(lab)
    lab.level(PermissionLevel.CAN_ATTACH_TO)
    way(lab)
    with pytest.raises(PermissionDenied):
        lab.student.clusters.restart(lab.cluster_id)


@pytest.mark.parametrize("way", WAYS)
def test_a_second_grant_still_allows_a_start(lab: Lab, way: Callable[[Lab], None]) -> None:
    lab.staff.groups.create(display_name="helpers", members=[ComplexValue(value=lab.user_id)])
    lab.level(PermissionLevel.CAN_ATTACH_TO)
    second = AccessControlRequest(group_name="helpers", permission_level=PermissionLevel.CAN_RESTART)
    lab.staff.permissions.update("clusters", lab.cluster_id, access_control_list=[second])
    way(lab)
    assert lab.state() == State.RUNNING


def test_a_nested_group_has_the_outer_group_s_permissions(lab: Lab) -> None:
    lab.staff.groups.create(display_name="all_student_groups", members=[ComplexValue(value=lab.group_id)])
    grant = AccessControlRequest(group_name="all_student_groups", permission_level=PermissionLevel.CAN_RESTART)
    lab.staff.permissions.set("clusters", lab.cluster_id, access_control_list=[grant])
    start(lab)
    assert lab.state() == State.RUNNING


def test_a_removed_member_cannot_start_the_cluster_of_the_group(lab: Lab) -> None:
    lab.emulator.control("POST", "drift", {"kind": "remove_member", "target": "group_01", "value": "ana@lab.example"})
    with pytest.raises(PermissionDenied):
        start(lab)


@pytest.mark.parametrize(
    "forbidden",
    [
        lambda lab: lab.student.clusters.create(
            cluster_name="mine", spark_version=VERSION, node_type_id=NODE_TYPE, num_workers=0
        ),
        lambda lab: lab.student.clusters.edit(lab.cluster_id, VERSION, node_type_id=NODE_TYPE, num_workers=8),
        lambda lab: lab.student.clusters.resize(lab.cluster_id, num_workers=8),
        lambda lab: lab.student.clusters.pin(lab.cluster_id),
        lambda lab: lab.student.clusters.permanent_delete(lab.cluster_id),
        lambda lab: lab.student.users.create(user_name="x@lab.example"),
        lambda lab: lab.student.groups.delete(lab.group_id),
        lambda lab: lab.student.permissions.set(
            "clusters",
            lab.cluster_id,
            access_control_list=[
                AccessControlRequest(user_name="ana@lab.example", permission_level=PermissionLevel.CAN_MANAGE)
            ],
        ),
        lambda lab: lab.student.cluster_policies.create(name="mine", definition="{}"),
        lambda lab: lab.student.workspace.mkdirs("/mine"),
    ],
)
def test_a_student_cannot_perform_staff_actions(lab: Lab, forbidden: Callable[[Lab], Any]) -> None:
    with pytest.raises(PermissionDenied):
        forbidden(lab)


def test_a_student_sees_only_the_cluster_of_the_group(lab: Lab) -> None:
    lab.staff.clusters.create(cluster_name="cluster_02", spark_version=VERSION, node_type_id=NODE_TYPE, num_workers=1)
    assert [cluster.cluster_name for cluster in lab.student.clusters.list()] == ["cluster_01"]
    assert {cluster.cluster_name for cluster in lab.staff.clusters.list()} == {"cluster_01", "cluster_02"}
