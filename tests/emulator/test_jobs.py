"""Jobs: their settings and rights, and the runs of their tasks by the clock."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.models.jobs import MultiTaskRun
from emulator.state.state import dump, dump_json, load, load_json
from in_process_workspace import CLUSTERS, InProcessWorkspace

ADMIN = "admin@lab.example"
JOBS = "/api/2.2/jobs/"
NEW = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
NOTEBOOK = {"notebook_task": {"notebook_path": "/Shared/a"}}


def task(key: str, *others: str, **fields: Any) -> dict[str, Any]:
    """Return a task, on serverless compute unless the fields name a cluster."""
    waits = {"depends_on": [{"task_key": other} for other in others]} if others else {}
    return {"task_key": key, **waits, **NOTEBOOK, **fields}


def create(workspace: InProcessWorkspace, *tasks: dict[str, Any], user: Any = None, **fields: Any) -> int:
    body = {"name": "nightly", **({"tasks": list(tasks)} if tasks else {}), **fields}
    return int(workspace.call("POST", f"{JOBS}create", body, user)["job_id"])


def get(workspace: InProcessWorkspace, job_id: int, user: Any = None) -> dict[str, Any]:
    answer: dict[str, Any] = workspace.call("GET", f"{JOBS}get?job_id={job_id}", user=user)
    return answer


def run_now(workspace: InProcessWorkspace, job_id: int, user: Any = None, **fields: Any) -> int:
    return int(workspace.call("POST", f"{JOBS}run-now", {"job_id": job_id, **fields}, user)["run_id"])


def run(workspace: InProcessWorkspace, run_id: int) -> dict[str, Any]:
    answer: dict[str, Any] = workspace.call("GET", f"{JOBS}runs/get?run_id={run_id}")
    return answer


def states(workspace: InProcessWorkspace, run_id: int) -> dict[str, str]:
    """Return the state of each task, or its result once there is one."""
    found = {one["task_key"]: one["state"] for one in run(workspace, run_id)["tasks"]}
    return {key: state.get("result_state", state["life_cycle_state"]) for key, state in found.items()}


def listed(workspace: InProcessWorkspace, what: str, user: Any = None) -> list[int]:
    name = "job_id" if what.startswith("list") else "run_id"
    answer = workspace.call("GET", JOBS + what, user=user)
    return [one[name] for one in answer["jobs" if name == "job_id" else "runs"]]


def test_a_job_echoes_its_settings_with_the_defaults_of_the_platform(workspace: InProcessWorkspace) -> None:
    job_id = create(
        workspace, task("a", job_cluster_key="j"), job_clusters=[{"job_cluster_key": "j", "new_cluster": NEW}]
    )
    assert get(workspace, job_id) == {
        "job_id": job_id,
        "creator_user_name": ADMIN,
        "run_as_user_name": ADMIN,
        "run_as_owner": True,
        "created_time": workspace.now,
        "settings": {
            "name": "nightly",
            "email_notifications": {},
            "webhook_notifications": {},
            "timeout_seconds": 0,
            "max_concurrent_runs": 1,
            "format": "MULTI_TASK",
            "job_clusters": [{"job_cluster_key": "j", "new_cluster": NEW}],
            "tasks": [
                task("a", job_cluster_key="j")
                | {"run_if": "ALL_SUCCESS", "timeout_seconds": 0, "email_notifications": {}}
            ],
        },
    }


def test_a_list_leaves_tasks_out_unless_they_are_asked_for(workspace: InProcessWorkspace) -> None:
    first, second = create(workspace, task("a")), create(workspace, task("b"), name="Other")
    assert listed(workspace, "list") == [second, first]
    assert listed(workspace, "list?name=OTHER") == [second]
    (short,) = workspace.call("GET", f"{JOBS}list?name=other")["jobs"]
    (whole,) = workspace.call("GET", f"{JOBS}list?name=other&expand_tasks=true")["jobs"]
    assert ("tasks" in short["settings"], whole) == (False, get(workspace, second))


@pytest.mark.parametrize("what", ["list", "runs/list"])
def test_pages_show_everything_once(workspace: InProcessWorkspace, what: str) -> None:
    job_id = create(workspace, task("a"), max_concurrent_runs=9)
    if what == "list":
        made = [job_id, *(create(workspace, name=str(number)) for number in range(4))]
    else:
        made = []
        for _ in range(5):
            made.append(run_now(workspace, job_id))
            workspace.advance(1)
    found, token = [], ""
    for _ in range(3):
        page = workspace.call("GET", f"{JOBS}{what}?limit=2&page_token={token}")
        found += [one.get("run_id", one.get("job_id")) for one in page["jobs" if what == "list" else "runs"]]
        token = page.get("next_page_token", "")
    assert (found, token) == ([one for one in reversed(made)], "")


def test_an_update_merges_tasks_by_key_and_a_reset_replaces_all(workspace: InProcessWorkspace) -> None:
    job_id = create(workspace, task("a"), task("b"), schedule={"quartz_cron_expression": "0 0 0 * * ?"})
    changed = task("b", notebook_task={"notebook_path": "/Shared/b"})
    body = {"new_settings": {"name": "x", "tasks": [changed, task("c")]}, "fields_to_remove": ["tasks/a", "schedule"]}
    workspace.call("POST", f"{JOBS}update", {"job_id": job_id, **body})
    settings = get(workspace, job_id)["settings"]
    paths = {one["task_key"]: one["notebook_task"]["notebook_path"] for one in settings["tasks"]}
    assert (settings["name"], paths, "schedule" in settings) == ("x", {"b": "/Shared/b", "c": "/Shared/a"}, False)
    workspace.call("POST", f"{JOBS}reset", {"job_id": job_id, "new_settings": {"name": "y"}})
    assert (get(workspace, job_id)["settings"]["name"], "tasks" in get(workspace, job_id)["settings"]) == ("y", False)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tasks": [task("a"), task("a")]}, "task_key 'a' is used more than once."),
        ({"tasks": [task("a b")]}, "task_key must be 1 to 100 letters, digits, hyphens and underscores, not 'a b'."),
        ({"tasks": [task("a", "b")]}, "Task 'a' depends on task 'b', which does not exist."),
        ({"tasks": [task("a", "b"), task("b", "a")]}, "The dependencies of these tasks form a cycle: a, b."),
        ({"tasks": [task("a", job_cluster_key="j")]}, "Job cluster 'j' is not defined in field 'job_clusters'."),
        ({"git_source": {"git_url": "https://x"}}, "git_source.git_provider must be one of: github,"),
        ({"tasks": "a"}, "tasks must be a list of objects."),
        ({"run_as": {"user_name": "nobody@lab.example"}}, "Principal nobody@lab.example of run_as does not exist."),
    ],
)
def test_settings_that_no_job_can_have_are_refused(
    workspace: InProcessWorkspace, fields: dict[str, Any], message: str
) -> None:
    status, code, text = workspace.refusal("POST", f"{JOBS}create", {"name": "x", **fields})
    assert (status, code, text.startswith(message)) == (400, "INVALID_PARAMETER_VALUE", True), text


def test_an_unknown_job_is_refused_in_the_words_that_clients_look_for(workspace: InProcessWorkspace) -> None:
    expected = (400, "INVALID_PARAMETER_VALUE", "Job 7 does not exist.")
    assert workspace.refusal("GET", f"{JOBS}get?job_id=7") == expected
    assert workspace.refusal("POST", f"{JOBS}delete", {"job_id": 7}) == expected
    assert workspace.refusal("GET", f"{JOBS}runs/get?run_id=7")[2] == "Run 7 does not exist."


def test_tasks_begin_when_those_that_they_wait_for_are_over(workspace: InProcessWorkspace) -> None:
    run_id = run_now(workspace, create(workspace, task("a"), task("b", "a"), task("c", "b")))
    seen = []
    for _ in range(4):
        seen.append(states(workspace, run_id))
        workspace.advance(2)
    assert seen == [
        {"a": "RUNNING", "b": "BLOCKED", "c": "BLOCKED"},
        {"a": "SUCCESS", "b": "RUNNING", "c": "BLOCKED"},
        {"a": "SUCCESS", "b": "SUCCESS", "c": "RUNNING"},
        {"a": "SUCCESS", "b": "SUCCESS", "c": "SUCCESS"},
    ]
    ended = run(workspace, run_id)
    assert (ended["state"]["result_state"], ended["run_duration"], ended["status"]["state"]) == (
        "SUCCESS",
        6_000,
        "TERMINATED",
    )


def test_tasks_share_a_job_cluster_that_ends_with_the_run(workspace: InProcessWorkspace) -> None:
    clusters = [{"job_cluster_key": "j", "new_cluster": NEW}]
    tasks = [task("a", job_cluster_key="j"), task("b", "a", job_cluster_key="j")]
    run_id = run_now(workspace, create(workspace, *tasks, job_clusters=clusters))
    workspace.advance(2)
    assert states(workspace, run_id) == {"a": "RUNNING", "b": "BLOCKED"}
    workspace.advance(4)
    ids = {one["cluster_instance"]["cluster_id"] for one in run(workspace, run_id)["tasks"]}
    (cluster_id,) = ids
    workspace.advance(2)
    assert (run(workspace, run_id)["state"]["result_state"], workspace.state(cluster_id)) == ("SUCCESS", "TERMINATED")


def test_a_task_with_a_cluster_of_its_own_and_one_on_a_running_cluster(workspace: InProcessWorkspace) -> None:
    shared = workspace.create_running()
    run_id = run_now(workspace, create(workspace, task("a", new_cluster=NEW), task("b", existing_cluster_id=shared)))
    assert states(workspace, run_id) == {"a": "PENDING", "b": "RUNNING"}
    workspace.advance(6)
    own = run(workspace, run_id)["tasks"][0]["cluster_instance"]["cluster_id"]
    assert states(workspace, run_id) == {"a": "SUCCESS", "b": "SUCCESS"}
    assert (workspace.state(own), workspace.state(shared)) == ("TERMINATED", "RUNNING")


def test_a_task_fails_when_its_cluster_is_terminated(workspace: InProcessWorkspace) -> None:
    cluster_id = workspace.create_running()
    run_id = run_now(workspace, create(workspace, task("a", existing_cluster_id=cluster_id), task("b", "a")))
    workspace.advance(1)
    workspace.post("delete", cluster_id)
    workspace.advance(5)
    assert states(workspace, run_id) == {"a": "FAILED", "b": "UPSTREAM_FAILED"}
    state = run(workspace, run_id)["state"]
    assert (state["life_cycle_state"], state["result_state"]) == ("INTERNAL_ERROR", "FAILED")
    assert state["state_message"].startswith("Task a failed with message: Cluster ")


@pytest.mark.parametrize(
    ("run_if", "result"),
    [
        ("ALL_SUCCESS", "UPSTREAM_FAILED"),
        ("ALL_DONE", "SUCCESS"),
        ("AT_LEAST_ONE_SUCCESS", "SUCCESS"),
        ("NONE_FAILED", "UPSTREAM_FAILED"),
        ("ALL_FAILED", "UPSTREAM_FAILED"),
        ("AT_LEAST_ONE_FAILED", "SUCCESS"),
    ],
)
def test_a_condition_decides_whether_a_task_runs_after_a_failure(
    workspace: InProcessWorkspace, run_if: str, result: str
) -> None:
    bad = task("bad", existing_cluster_id="0101-000000-abcd1234")
    run_id = run_now(workspace, create(workspace, task("good"), bad, task("last", "good", "bad", run_if=run_if)))
    workspace.advance(10)
    assert states(workspace, run_id) == {"good": "SUCCESS", "bad": "FAILED", "last": result}


def test_a_run_has_the_rights_of_whom_the_job_runs_as(workspace: InProcessWorkspace) -> None:
    cluster_id, ana = workspace.create_running(), workspace.create_user("ana@lab.example")
    body = {"run_as": {"user_name": ana.name}, "tasks": [task("a", existing_cluster_id=cluster_id)]}
    job_id = create(workspace, **body)
    failed = run(workspace, run_now(workspace, job_id))["tasks"][0]["state"]
    assert "ana@lab.example does not have Attach permissions" in failed["state_message"]
    workspace.grant(cluster_id, ana, "CAN_ATTACH_TO")
    assert run(workspace, run_now(workspace, job_id))["tasks"][0]["state"]["life_cycle_state"] == "RUNNING"
    ben = workspace.create_user("ben@lab.example")
    assert workspace.refusal("POST", f"{JOBS}create", {"name": "x", **body}, ben)[:2] == (403, "PERMISSION_DENIED")


def test_a_serverless_task_is_in_the_query_history_without_warehouse(workspace: InProcessWorkspace) -> None:
    starter = workspace.call("GET", "/api/2.0/sql/warehouses")["warehouses"][0]["id"]
    sql = {"notebook_task": None, "sql_task": {"query": {"query_id": "q"}, "warehouse_id": starter}}
    run_id = run_now(workspace, create(workspace, task("a"), task("b", **sql)))
    workspace.advance(4)
    rows = workspace.call("GET", "/api/2.0/sql/history/queries")["res"]
    assert [(row.get("warehouse_id"), row["duration"]) for row in rows] == [(starter, 4_000), (None, 2_000)]
    assert states(workspace, run_id) == {"a": "SUCCESS", "b": "SUCCESS"}


def test_a_run_beyond_the_limit_is_skipped(workspace: InProcessWorkspace) -> None:
    job_id = create(workspace, task("a"))
    first, second = run_now(workspace, job_id), run_now(workspace, job_id)
    state = run(workspace, second)["state"]
    assert (state["life_cycle_state"], state["result_state"]) == ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED")
    workspace.advance(2)
    assert run(workspace, first)["state"]["result_state"] == "SUCCESS"
    third = run_now(workspace, job_id)
    assert listed(workspace, "runs/list?active_only=true") == [third]
    assert listed(workspace, f"runs/list?completed_only=true&job_id={job_id}") == [first, second]


def test_an_idempotency_token_starts_one_run(workspace: InProcessWorkspace) -> None:
    job_id = create(workspace, task("a"))
    assert run_now(workspace, job_id, idempotency_token="t") == run_now(workspace, job_id, idempotency_token="t")
    assert len(listed(workspace, "runs/list")) == 1


def test_parameters_of_a_run_override_those_of_its_job(workspace: InProcessWorkspace) -> None:
    parameters = [{"name": "day", "default": "monday"}, {"name": "size", "default": "1"}]
    job_id = create(workspace, task("a"), parameters=parameters)
    run_id = run_now(workspace, job_id, job_parameters={"day": "friday"}, notebook_params={"x": "1"})
    seen = run(workspace, run_id)
    assert seen["job_parameters"] == [
        {"name": "day", "default": "monday", "value": "friday"},
        {"name": "size", "default": "1", "value": "1"},
    ]
    assert seen["overriding_parameters"] == {"notebook_params": {"x": "1"}}


def test_a_cancelled_run_ends_its_tasks_and_frees_its_clusters(workspace: InProcessWorkspace) -> None:
    run_id = run_now(workspace, create(workspace, task("a", new_cluster=NEW), task("b", "a"), task("c")))
    cluster_id = run(workspace, run_id)["tasks"][0]["cluster_instance"]["cluster_id"]
    workspace.advance(1)
    workspace.call("POST", f"{JOBS}runs/cancel", {"run_id": run_id})
    workspace.advance(4)
    assert states(workspace, run_id) == {"a": "CANCELED", "b": "CANCELED", "c": "CANCELED"}
    assert run(workspace, run_id)["state"]["result_state"] == "CANCELED"
    assert workspace.state(cluster_id) == "TERMINATED"
    assert workspace.call("GET", "/api/2.0/sql/history/queries")["res"][0]["status"] == "CANCELED"


def test_a_continuous_job_runs_until_it_is_paused(workspace: InProcessWorkspace) -> None:
    job_id = create(workspace, task("a", new_cluster=NEW), continuous={})
    workspace.advance(2)
    (first,) = listed(workspace, "runs/list?active_only=true")
    workspace.advance(86_400)
    assert (states(workspace, first), run(workspace, first)["trigger"]) == ({"a": "RUNNING"}, "CONTINUOUS")
    workspace.call("POST", f"{JOBS}runs/cancel-all", {"job_id": job_id})
    workspace.advance(4)
    (second,) = listed(workspace, "runs/list?active_only=true")
    body = {"job_id": job_id, "new_settings": {"continuous": {"pause_status": "PAUSED"}}}
    workspace.call("POST", f"{JOBS}update", body)
    workspace.advance(60)
    assert (listed(workspace, "runs/list?active_only=true"), second == first) == ([], False)


def test_levels_on_a_job_decide_who_may_do_what(workspace: InProcessWorkspace) -> None:
    job_id, ana = create(workspace, task("a")), workspace.create_user("ana@lab.example")
    path, body = f"/api/2.0/permissions/jobs/{job_id}", {"job_id": job_id}

    def allowed(level: str) -> list[bool]:
        entry = {"user_name": "ana@lab.example", "permission_level": level}
        workspace.call("PATCH", path, {"access_control_list": [entry]})
        answers = [("GET", f"{JOBS}get?job_id={job_id}"), ("POST", f"{JOBS}run-now"), ("POST", f"{JOBS}update")]
        found = []
        for method, asked in answers:
            try:
                workspace.call(method, asked, body, ana)
                found.append(True)
            except Exception as error:  # noqa: BLE001 - its words are compared below
                assert "User ana@lab.example does not have " in str(error)
                found.append(False)
        return found

    assert workspace.refusal("GET", f"{JOBS}get?job_id={job_id}", user=ana) == (
        403,
        "PERMISSION_DENIED",
        f"User ana@lab.example does not have View or Admin or Manage Run or Owner permissions on job {job_id}",
    )
    assert listed(workspace, "list", ana) == []
    assert allowed("CAN_VIEW") == [True, False, False]
    assert allowed("CAN_MANAGE_RUN") == [True, True, False]
    assert allowed("CAN_MANAGE") == [True, True, True]
    assert listed(workspace, "list", ana) == [job_id]


def test_a_deleted_job_leaves_its_runs(workspace: InProcessWorkspace) -> None:
    job_id = create(workspace, task("a"), continuous={})
    workspace.advance(2)
    workspace.call("POST", f"{JOBS}delete", {"job_id": job_id})
    workspace.advance(60)
    (left,) = listed(workspace, "runs/list")
    assert (run(workspace, left)["state"]["result_state"], listed(workspace, "list")) == ("CANCELED", [])
    workspace.call("POST", f"{JOBS}runs/delete", {"run_id": left})
    assert listed(workspace, "runs/list") == []


def test_tasks_can_be_submitted_without_a_job(workspace: InProcessWorkspace) -> None:
    body = {"run_name": "once", "tasks": [task("a"), task("b", "a", new_cluster=NEW)]}
    run_id = int(workspace.call("POST", f"{JOBS}runs/submit", body)["run_id"])
    workspace.advance(10)
    seen = run(workspace, run_id)
    assert (seen["run_name"], seen["run_type"], seen["state"]["result_state"]) == ("once", "SUBMIT_RUN", "SUCCESS")


def test_a_task_of_a_run_can_be_asked_for_by_its_own_id(workspace: InProcessWorkspace) -> None:
    run_id = run_now(workspace, create(workspace, task("a"), task("b", existing_cluster_id="0101-000000-abcd1234")))
    a, b = run(workspace, run_id)["tasks"]
    assert run(workspace, a["run_id"])["tasks"] == [a]
    output = workspace.call("GET", f"{JOBS}runs/get-output?run_id={b['run_id']}")
    assert output["error"] == "Cluster 0101-000000-abcd1234 does not exist"
    assert "multiple tasks is not supported" in workspace.refusal("GET", f"{JOBS}runs/get-output?run_id={run_id}")[2]


def test_runs_survive_a_restart(workspace: InProcessWorkspace) -> None:
    run_id = run_now(workspace, create(workspace, task("a", new_cluster=NEW), task("b", "a")))
    workspace.advance(1)
    state = workspace.emulated.state
    assert load_json(dump_json(state)) == load(dump(state)) == state
    workspace.emulated.state = load_json(dump_json(state))
    workspace.advance(20)
    assert states(workspace, run_id) == {"a": "SUCCESS", "b": "SUCCESS"}


@given(st.data())
def test_every_run_of_any_tasks_ends_and_frees_its_clusters(data: st.DataObject) -> None:
    workspace = InProcessWorkspace()
    clusters = [workspace.create_running(autotermination_minutes=0), "0101-000000-abcd1234"]
    kinds: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
        [{}, {"new_cluster": NEW}, {"job_cluster_key": "j"}, *({"existing_cluster_id": c} for c in clusters)]
    )
    conditions = st.sampled_from(["ALL_SUCCESS", "ALL_DONE", "NONE_FAILED", "ALL_FAILED", "AT_LEAST_ONE_FAILED"])
    tasks: list[dict[str, Any]] = []
    for number in range(data.draw(st.integers(1, 6))):
        others = data.draw(st.sets(st.sampled_from([one["task_key"] for one in tasks]))) if tasks else set()
        tasks.append(task(f"t{number}", *sorted(others), run_if=data.draw(conditions), **data.draw(kinds)))
    job_id = create(workspace, *tasks, job_clusters=[{"job_cluster_key": "j", "new_cluster": NEW}])
    run_id = run_now(workspace, job_id)
    workspace.advance(data.draw(st.integers(0, 9)))
    verb = data.draw(st.sampled_from(["nothing", "cancel", "terminate"]))
    if verb == "cancel":
        workspace.call("POST", f"{JOBS}runs/cancel", {"run_id": run_id})
    elif verb == "terminate":
        workspace.post("delete", clusters[0])
    workspace.advance(60)
    left: MultiTaskRun = workspace.emulated.state.jobs.runs[str(run_id)]
    assert left.is_over and all(one.is_over for one in left.tasks)
    up = [
        one["cluster_id"]
        for one in workspace.call("GET", f"{CLUSTERS}list")["clusters"]
        if one["state"] != "TERMINATED"
    ]
    # A task starts its cluster if that was terminated before.
    assert up in ([[], [clusters[0]]] if verb == "terminate" else [[clusters[0]]])
