"""Commands and jobs on clusters: they start a stopped cluster with their user's permissions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.api.errors import ApiError
from emulator.clusters.lifecycle import simulate_work
from emulator.models.scim import User
from emulator_process import EmulatorProcess
from in_process_workspace import CLUSTERS, SPEC, InProcessWorkspace

RUNS = "/api/2.1/jobs/runs/"


def context(workspace: InProcessWorkspace, cluster_id: str, user: User | None = None) -> str:
    body = {"clusterId": cluster_id, "language": "python"}
    return str(workspace.call("POST", "/api/1.2/contexts/create", body, user)["id"])


def execute(workspace: InProcessWorkspace, cluster_id: str, context_id: str, user: User | None = None) -> str:
    body = {"clusterId": cluster_id, "contextId": context_id, "language": "python", "command": "1 + 1"}
    return str(workspace.call("POST", "/api/1.2/commands/execute", body, user)["id"])


def command(workspace: InProcessWorkspace, cluster_id: str, context_id: str, command_id: str) -> dict[str, Any]:
    query = f"clusterId={cluster_id}&contextId={context_id}&commandId={command_id}"
    answer: dict[str, Any] = workspace.call("GET", f"/api/1.2/commands/status?{query}")
    return answer


def context_status(workspace: InProcessWorkspace, cluster_id: str, context_id: str) -> str:
    path = f"/api/1.2/contexts/status?clusterId={cluster_id}&contextId={context_id}"
    return str(workspace.call("GET", path)["status"])


def submit(workspace: InProcessWorkspace, cluster_id: str, user: User | None = None) -> int:
    task = {"task_key": "a", "existing_cluster_id": cluster_id, "notebook_task": {"notebook_path": "/Shared/a"}}
    return int(workspace.call("POST", f"{RUNS}submit", {"run_name": "r", "tasks": [task]}, user)["run_id"])


def run(workspace: InProcessWorkspace, run_id: int) -> dict[str, Any]:
    answer: dict[str, Any] = workspace.call("GET", f"{RUNS}get?run_id={run_id}")
    return answer


def test_a_command_runs_for_one_transition(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    context_id = context(workspace, cluster_id)
    assert context_status(workspace, cluster_id, context_id) == "Running"
    command_id = execute(workspace, cluster_id, context_id)
    assert command(workspace, cluster_id, context_id, command_id) == {
        "id": command_id,
        "status": "Running",
        "results": None,
    }
    workspace.advance(2)
    assert command(workspace, cluster_id, context_id, command_id) == {
        "id": command_id, "status": "Finished", "results": {"resultType": "text", "data": ""},
    }  # fmt: skip


@pytest.mark.parametrize("cluster_id", ["__none__", None])
def test_a_command_without_a_context_is_rejected_before_other_checks(
    workspace: InProcessWorkspace, cluster_id: str | None
) -> None:
    body = {"clusterId": cluster_id, "language": "python", "command": "1"}
    with pytest.raises(ApiError) as refused:
        workspace.call("POST", "/api/1.2/commands/execute", body)
    text = "IllegalArgumentException: requirement failed: missing contextId"
    assert (refused.value.status, refused.value.body()) == (400, {"error": text})


def test_attaching_starts_a_stopped_cluster_as_the_attaching_user(workspace: InProcessWorkspace) -> None:
    ana, cluster_id = workspace.create_user("ana@lab.example"), workspace.create_stopped()
    workspace.grant(cluster_id, ana, "CAN_RESTART")
    context_id = context(workspace, cluster_id, ana)
    assert (workspace.state(cluster_id), context_status(workspace, cluster_id, context_id)) == ("PENDING", "Pending")
    command_id = execute(workspace, cluster_id, context_id, ana)
    assert command(workspace, cluster_id, context_id, command_id)["status"] == "Queued"
    workspace.advance(2)
    assert context_status(workspace, cluster_id, context_id) == "Running"
    assert command(workspace, cluster_id, context_id, command_id)["status"] == "Running"
    starting = workspace.events(cluster_id, event_types=["STARTING"])
    assert [event["details"]["user"] for event in starting] == ["ana@lab.example"]
    assert workspace.emulated.state.clusters.sessions[cluster_id][-1].started_by == "ana@lab.example"


def attempts(cluster_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Return all requests that use a cluster."""
    return [
        ("/api/1.2/contexts/create", {"clusterId": cluster_id, "language": "python"}),
        (f"{RUNS}submit", {"existing_cluster_id": cluster_id, "notebook_task": {}}),
        (f"{RUNS}submit", {"tasks": [{"task_key": "a", "existing_cluster_id": cluster_id}]}),
    ]


def test_using_a_stopped_cluster_needs_can_restart(
    workspace: InProcessWorkspace,
) -> None:
    ana, cluster_id = workspace.create_user("ana@lab.example"), workspace.create_stopped()
    group = workspace.group("group_01", ana)
    for level, words in (
        (None, f"ana@lab.example does not have Attach permissions on {cluster_id}."),
        ("CAN_ATTACH_TO", f"You do not have permission to autostart {cluster_id}"),
    ):
        workspace.grant(cluster_id, group, level)
        for path, body in attempts(cluster_id):
            status, _, message = workspace.refusal("POST", path, body, ana)
            assert (status, words in message) == (403, True)
        with pytest.raises(ApiError, match=words):
            simulate_work(
                workspace.emulated, workspace.emulated.state.clusters.by_id[cluster_id], ana, 60, workspace.now
            )
        if level:
            assert workspace.refusal("POST", f"{CLUSTERS}start", {"cluster_id": cluster_id}, ana)[0] == 403
    workspace.grant(cluster_id, group, "CAN_RESTART")
    context(workspace, cluster_id, ana)
    assert workspace.state(cluster_id) == "PENDING"


def test_a_second_grant_still_permits_a_start(workspace: InProcessWorkspace) -> None:
    ana, cluster_id = workspace.create_user("ana@lab.example"), workspace.create_stopped()
    workspace.grant(cluster_id, workspace.group("group_01", ana), "CAN_ATTACH_TO")
    workspace.grant(cluster_id, workspace.group("tutors", ana), "CAN_RESTART")
    submit(workspace, cluster_id, ana)
    assert workspace.state(cluster_id) == "PENDING"


def test_can_attach_to_is_enough_to_use_a_running_cluster(workspace: InProcessWorkspace) -> None:
    ana, cluster_id = workspace.create_user("ana@lab.example"), workspace.create_running()
    workspace.grant(cluster_id, ana, "CAN_ATTACH_TO")
    context_id = context(workspace, cluster_id, ana)
    execute(workspace, cluster_id, context_id, ana)
    workspace.grant(cluster_id, ana, None)
    body = {"clusterId": cluster_id, "contextId": context_id, "command": "1"}
    assert workspace.refusal("POST", "/api/1.2/commands/execute", body, ana)[0] == 403


def test_workload_type_excludes_jobs_or_notebooks(workspace: InProcessWorkspace) -> None:
    no_jobs = workspace.create_running(workload_type={"clients": {"jobs": False, "notebooks": True}})
    no_notebooks = workspace.create_running(workload_type={"clients": {"jobs": True, "notebooks": False}})
    notebooks, *jobs = attempts(no_jobs)
    for path, body in jobs:
        assert "does not allow jobs workloads" in workspace.refusal("POST", path, body)[2]
    workspace.call("POST", *notebooks)
    notebooks, *jobs = attempts(no_notebooks)
    assert "does not allow notebooks workloads" in workspace.refusal("POST", *notebooks)[2]
    for path, body in jobs:
        workspace.call("POST", path, body)


def test_a_dedicated_cluster_cannot_be_used_by_others(workspace: InProcessWorkspace) -> None:
    ana, cluster_id = (
        workspace.create_user("ana@lab.example"),
        workspace.create_running(data_security_mode="SINGLE_USER"),
    )
    workspace.grant(cluster_id, ana, "CAN_MANAGE")
    for path, body in attempts(cluster_id):
        status, _, message = workspace.refusal("POST", path, body, ana)
        assert (status, "Single-user check failed: user 'ana@lab.example'" in message) == (403, True)
    workspace.group("group_01", ana)
    edited = SPEC | {"data_security_mode": "DATA_SECURITY_MODE_DEDICATED", "single_user_name": "group_01"}
    workspace.post("edit", cluster_id, **edited)
    workspace.advance(2)
    context(workspace, cluster_id, ana)


def test_commands_and_runs_fail_when_the_cluster_terminates(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    context_id = context(workspace, cluster_id)
    command_id, run_id = execute(workspace, cluster_id, context_id), submit(workspace, cluster_id)
    workspace.advance(1)
    workspace.post("delete", cluster_id)
    workspace.advance(10)
    assert context_status(workspace, cluster_id, context_id) == "Error"
    assert command(workspace, cluster_id, context_id, command_id)["results"]["resultType"] == "error"
    assert run(workspace, run_id)["state"]["result_state"] == "FAILED"
    assert workspace.state(cluster_id) == "TERMINATED"


def test_a_run_waits_for_its_cluster_and_succeeds(workspace: InProcessWorkspace) -> None:
    cluster_id, t = workspace.create_stopped(), 0
    t = workspace.now
    run_id = submit(workspace, cluster_id)
    assert run(workspace, run_id)["state"]["life_cycle_state"] == "PENDING"
    workspace.advance(2)
    assert run(workspace, run_id)["state"]["life_cycle_state"] == "RUNNING"
    workspace.advance(2)
    shown = run(workspace, run_id)
    assert shown["state"] == {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS", "state_message": ""}
    assert (shown["start_time"], shown["end_time"]) == (t, t + 4000)
    assert (shown["setup_duration"], shown["execution_duration"]) == (2000, 2000)
    assert shown["run_as_user_name"] == "admin@lab.example"


def test_submitters_can_see_and_cancel_their_runs(workspace: InProcessWorkspace) -> None:
    ana, dan, cluster_id = (
        workspace.create_user("ana@lab.example"),
        workspace.create_user("dan@lab.example"),
        workspace.create_running(),
    )
    workspace.grant(cluster_id, ana, "CAN_ATTACH_TO")
    run_id = submit(workspace, cluster_id, ana)
    assert workspace.refusal("POST", f"{RUNS}cancel", {"run_id": run_id}, dan)[0] == 403
    workspace.call("POST", f"{RUNS}cancel", {"run_id": run_id}, ana)
    workspace.advance(10)
    assert run(workspace, run_id)["state"]["result_state"] == "CANCELED"
    assert workspace.refusal("GET", f"{RUNS}get?run_id=7") == (400, "INVALID_PARAMETER_VALUE", "Run 7 does not exist.")


def test_a_cancelled_command_stays_cancelled(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    context_id = context(workspace, cluster_id)
    command_id = execute(workspace, cluster_id, context_id)
    body = {"clusterId": cluster_id, "contextId": context_id, "commandId": command_id}
    workspace.call("POST", "/api/1.2/commands/cancel", body)
    workspace.advance(10)
    assert command(workspace, cluster_id, context_id, command_id)["status"] == "Cancelled"
    workspace.call("POST", "/api/1.2/contexts/destroy", {"clusterId": cluster_id, "contextId": context_id})
    assert (workspace.emulated.state.clusters.contexts, workspace.emulated.state.clusters.commands) == ({}, {})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"tasks": [{"new_cluster": {}}] * 2}, 400),
        ({"tasks": [{"new_cluster": {}}]}, 400),
        ({"tasks": [{"new_cluster": "x"}]}, 400),
        ({"tasks": [{}]}, 400),
        ({"tasks": "x"}, 400),
        ({}, 400),
    ],
)
def test_a_run_must_specify_exactly_one_cluster(
    workspace: InProcessWorkspace, body: dict[str, Any], status: int
) -> None:
    assert workspace.refusal("POST", f"{RUNS}submit", body)[0] == status


def test_a_run_creates_and_terminates_its_new_cluster(workspace: InProcessWorkspace) -> None:
    wanted = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    run_id = int(
        workspace.call("POST", f"{RUNS}submit", {"tasks": [{"task_key": "a", "new_cluster": wanted}]})["run_id"]
    )
    cluster_id = run(workspace, run_id)["cluster_instance"]["cluster_id"]

    def cluster() -> dict[str, Any]:
        answer: dict[str, Any] = workspace.call("GET", f"{CLUSTERS}get?cluster_id={cluster_id}")
        return answer

    assert (cluster()["cluster_source"], cluster()["state"]) == ("JOB", "PENDING")
    assert cluster()["cluster_name"].startswith("job-")
    assert run(workspace, run_id)["state"]["life_cycle_state"] == "PENDING"
    workspace.advance(2)
    assert (cluster()["state"], run(workspace, run_id)["state"]["life_cycle_state"]) == ("RUNNING", "RUNNING")
    workspace.advance(2)
    assert run(workspace, run_id)["state"]["result_state"] == "SUCCESS"
    assert cluster()["state"] == "TERMINATING"
    workspace.advance(2)
    assert (cluster()["state"], cluster()["termination_reason"]["code"]) == ("TERMINATED", "JOB_FINISHED")
    workspace.advance(2)
    assert cluster()["state"] == "TERMINATED"


def test_cancelling_a_run_terminates_its_new_cluster(workspace: InProcessWorkspace) -> None:
    wanted = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    run_id = int(workspace.call("POST", f"{RUNS}submit", {"new_cluster": wanted, "notebook_task": {}})["run_id"])
    cluster_id = run(workspace, run_id)["cluster_instance"]["cluster_id"]
    workspace.advance(2)
    workspace.call("POST", f"{RUNS}cancel", {"run_id": run_id})
    workspace.advance(2)
    assert run(workspace, run_id)["state"]["result_state"] == "CANCELED"
    assert workspace.call("GET", f"{CLUSTERS}get?cluster_id={cluster_id}")["state"] == "TERMINATED"


def test_a_run_on_a_new_cluster_needs_the_entitlement(workspace: InProcessWorkspace) -> None:
    wanted = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    ana = workspace.create_user("ana@lab.example")
    assert workspace.refusal("POST", f"{RUNS}submit", {"tasks": [{"new_cluster": wanted}]}, ana)[0] == 403


def test_a_policy_distinguishes_job_clusters_from_all_purpose_clusters(workspace: InProcessWorkspace) -> None:
    rules = json.dumps({"cluster_type": {"type": "fixed", "value": "job"}})
    policy = workspace.call("POST", "/api/2.0/policies/clusters/create", {"name": "runs", "definition": rules})[
        "policy_id"
    ]
    wanted = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    wanted |= {"policy_id": policy}
    assert workspace.refusal("POST", f"{CLUSTERS}create", wanted)[0] == 400
    assert workspace.call("POST", f"{RUNS}submit", {"tasks": [{"task_key": "a", "new_cluster": wanted}]})["run_id"]


def test_unknown_ids_are_errors_in_the_legacy_format(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    for path, words in (
        ("contexts/status?clusterId=x&contextId=y", "ClusterNotFoundException: Cluster not found: x"),
        (f"contexts/status?clusterId={cluster_id}&contextId=y", "ContextNotFoundException: Context not found: y"),
        ("contexts/status?contextId=y", "Missing required field: clusterId"),
    ):
        with pytest.raises(ApiError) as refused:
            workspace.call("GET", f"/api/1.2/{path}")
        assert refused.value.body() == {"error": words}


def test_work_keeps_a_cluster_from_idling(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running(autotermination_minutes=10)
    cluster = workspace.emulated.state.clusters.by_id[cluster_id]
    workspace.advance(300)
    simulate_work(workspace.emulated, cluster, workspace.emulated.administrator, 1800, workspace.now)
    workspace.advance(1800 + 599.9)
    assert workspace.state(cluster_id) == "RUNNING"
    workspace.advance(0.1)
    assert workspace.state(cluster_id) == "TERMINATING"


def test_a_cluster_shows_when_it_was_last_used(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create()
    assert "last_activity_time" not in workspace.get(cluster_id)
    workspace.advance(2)
    t = workspace.now
    simulate_work(
        workspace.emulated,
        workspace.emulated.state.clusters.by_id[cluster_id],
        workspace.emulated.administrator,
        600,
        t,
    )
    seen = []
    for _ in range(3):
        workspace.advance(250)
        seen.append(workspace.get(cluster_id)["last_activity_time"] - t)
    assert seen == [250_000, 500_000, 600_000]


def test_work_on_a_stopped_cluster_begins_after_its_start(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_stopped(autotermination_minutes=10)
    cluster, t = workspace.emulated.state.clusters.by_id[cluster_id], workspace.now
    simulate_work(workspace.emulated, cluster, workspace.emulated.administrator, 60, t)
    workspace.advance(3600)
    assert cluster.terminated_time == t + 2000 + 60_000 + 600_000 + 2000


def test_the_sdk_runs_commands_and_jobs(emulator: EmulatorProcess) -> None:
    from databricks.sdk.errors import PermissionDenied
    from databricks.sdk.service import compute, jobs

    client = emulator.client()
    cluster_id = emulator.request("POST", "/api/2.1/clusters/create", SPEC)[1]["cluster_id"]
    opened = client.command_execution.create_and_wait(cluster_id=cluster_id, language=compute.Language.PYTHON)
    assert opened.status == compute.ContextStatus.RUNNING
    done = client.command_execution.execute_and_wait(
        cluster_id=cluster_id, context_id=opened.id, language=compute.Language.PYTHON, command="1 + 1"
    )
    assert (done.status, done.results and done.results.result_type) == (
        compute.CommandStatus.FINISHED,
        compute.ResultType.TEXT,
    )
    client.command_execution.destroy(cluster_id, str(opened.id))
    task = jobs.SubmitTask(task_key="a", existing_cluster_id=cluster_id)
    finished = client.jobs.submit_and_wait(tasks=[task])
    assert finished.state and finished.state.result_state == jobs.RunResultState.SUCCESS

    ana = emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    with pytest.raises(PermissionDenied, match="does not have Attach permissions"):
        emulator.client(ana["token"]).command_execution.create(cluster_id=cluster_id).result()
