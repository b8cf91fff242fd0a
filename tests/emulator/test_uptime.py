"""Actual uptime, and invariants of clusters under any sequence of requests."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from emulator.api.errors import ApiError
from emulator.clusters.lifecycle import simulate_work
from emulator.metering.uptime import uptime
from emulator.models.clusters import LaunchFailure, UptimeSession
from emulator.state.state import dump
from in_process_workspace import CLUSTERS, SPEC, InProcessWorkspace

ADMIN = "admin@lab.example"
LEGAL = {
    "PENDING": {"RUNNING", "TERMINATING"},
    "RUNNING": {"RESIZING", "RESTARTING", "TERMINATING"},
    "RESTARTING": {"RUNNING", "TERMINATING"},
    "RESIZING": {"RUNNING", "TERMINATING"},
    "TERMINATING": {"TERMINATED", "ERROR"},
    "TERMINATED": {"PENDING"},
    "ERROR": {"PENDING", "TERMINATING"},
}


def total(workspace: InProcessWorkspace, cluster_id: str) -> int:
    return uptime(workspace.emulated.state.clusters, cluster_id, 0, workspace.now)[0]


def test_uptime_runs_from_running_to_terminating() -> None:
    workspace = InProcessWorkspace()
    t, cluster_id = workspace.now, workspace.create()
    workspace.advance(62)
    workspace.post("delete", cluster_id)
    workspace.advance(600)
    assert uptime(workspace.emulated.state.clusters, cluster_id, 0, workspace.now) == (
        60_000,
        [UptimeSession(start=t + 2000, end=t + 62_000, started_by=ADMIN)],
    )


def test_a_restart_is_recorded_and_does_not_end_the_session() -> None:
    workspace = InProcessWorkspace()
    ana, cluster_id = workspace.create_user("ana@lab.example"), workspace.create_running()
    workspace.grant(cluster_id, ana, "CAN_RESTART")
    workspace.advance(60)
    workspace.post("restart", cluster_id, ana)
    restarted = workspace.now
    workspace.advance(60)
    milliseconds, sessions = uptime(workspace.emulated.state.clusters, cluster_id, 0, workspace.now)
    assert (milliseconds, len(sessions), sessions[0].started_by) == (120_000, 1, ADMIN)
    assert [(restart.at, restart.user) for restart in sessions[0].restarts] == [(restarted, "ana@lab.example")]


def test_uptime_of_a_part_of_the_time() -> None:
    workspace = InProcessWorkspace()
    cluster_id = workspace.create_running()
    t = workspace.now
    workspace.advance(100)
    workspace.post("delete", cluster_id)
    state = workspace.emulated.state
    assert uptime(state.clusters, cluster_id, t + 30_000, t + 50_000)[0] == 20_000
    assert uptime(state.clusters, cluster_id, t + 90_000, t + 500_000)[0] == 10_000
    assert uptime(state.clusters, cluster_id, t + 100_000, t + 500_000) == (0, [])
    assert uptime(state.clusters, cluster_id, t - 500_000, t) == (0, [])
    assert uptime(state.clusters, "unknown", 0, t) == (0, [])


def test_a_failed_launch_has_no_uptime() -> None:
    workspace = InProcessWorkspace()
    workspace.emulated.state.clusters.set_launch_failures([LaunchFailure()])
    cluster_id = workspace.create()
    workspace.advance(60)
    assert uptime(workspace.emulated.state.clusters, cluster_id, 0, workspace.now) == (0, [])


def test_removing_a_running_cluster_ends_its_session() -> None:
    workspace = InProcessWorkspace()
    cluster_id = workspace.create_running()
    workspace.advance(10)
    workspace.post("permanent-delete", cluster_id)
    workspace.advance(50)
    assert total(workspace, cluster_id) == 10_000


sizes = st.one_of(
    st.integers(0, 3).map(lambda number: {"num_workers": number}),
    st.tuples(st.integers(1, 2), st.integers(2, 4)).map(
        lambda limits: {"autoscale": {"min_workers": limits[0], "max_workers": limits[1]}}
    ),
)
verbs: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.one_of(
    st.sampled_from(["start", "restart", "delete", "pin", "unpin", "permanent-delete"]).map(lambda verb: (verb, {})),
    sizes.map(lambda size: ("resize", size)),
    st.tuples(sizes, st.sampled_from([0, 10, 30])).map(
        lambda new: ("edit", _definition(new[0]) | {"autotermination_minutes": new[1]})
    ),
    st.integers(0, 2400).map(lambda seconds: ("work", {"seconds": seconds})),
    st.floats(0, 1800).map(lambda seconds: ("advance", {"seconds": seconds})),
    st.integers(0, 4).map(lambda seconds: ("advance", {"seconds": seconds})),
    st.sampled_from(["TERMINATED", "ERROR"]).map(lambda end: ("fail", {"ends_in": end})),
)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 600) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
FIELDS = (
    *SPEC, "autoscale", "custom_tags", "workload_type", "init_scripts", "clone_from", "update_mask", "cluster",
    "idempotency_token", "instance_pool_id", "limit", "offset", "order", "event_types", "page_token", "page_size",
    "start_time", "owner_username", "libraries", "clusterId", "contextId", "language", "tasks", "run_id", "policy_id",
    "existing_cluster_id", "data_security_mode", "single_user_name", "docker_image",
)  # fmt: skip
PATHS = (
    *(CLUSTERS + verb for verb in ("create", "edit", "update", "resize", "events", "change-owner", "start")),
    "/api/2.0/libraries/install", "/api/2.0/libraries/uninstall", "/api/1.2/contexts/create",
    "/api/1.2/commands/execute", "/api/2.1/jobs/runs/submit", "/api/2.1/jobs/runs/cancel",
)  # fmt: skip


@given(
    path=st.sampled_from(PATHS),
    whole=st.booleans(),
    body=st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=3),
)
def test_random_bodies_succeed_or_fail_with_a_client_error(path: str, whole: bool, body: dict[str, Any]) -> None:
    workspace = InProcessWorkspace()
    cluster_id = workspace.create_stopped()
    try:
        workspace.call("POST", path, {"cluster_id": cluster_id} | (SPEC if whole else {}) | body)
    except ApiError as error:
        assert error.status in (400, 403, 404, 501)
    workspace.advance(3600)
    workspace.call("GET", f"{CLUSTERS}list")


def _definition(size: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in SPEC.items() if name != "num_workers"} | size


def carry_out(workspace: InProcessWorkspace, cluster_id: str, verb: str, fields: dict[str, Any]) -> None:
    clusters = workspace.emulated.state.clusters
    if verb == "advance":
        workspace.advance(fields["seconds"])
    elif verb == "fail":
        clusters.set_launch_failures([LaunchFailure(**fields)])
    elif verb == "work":
        simulate_work(
            workspace.emulated,
            clusters.by_id[cluster_id],
            workspace.emulated.administrator,
            fields["seconds"],
            workspace.now,
        )
    else:
        workspace.post(verb, cluster_id, **fields)


def reachable(state: str) -> set[str]:
    """Return all states that can follow by time alone, including this one."""
    found, waiting = {state}, [state]
    while waiting:
        for following in LEGAL[waiting.pop()] - found:
            found.add(following)
            waiting.append(following)
    return found


def listed_uptime(workspace: InProcessWorkspace, cluster_id: str) -> int:
    """Return the uptime from RUNNING to TERMINATING according to the event list."""
    result, began = 0, None
    for event in workspace.events(cluster_id):
        if event["type"] == "RUNNING" and began is None:
            began = event["timestamp"]
        elif event["type"] == "TERMINATING" and began is not None:
            result, began = result + event["timestamp"] - began, None
    return result + (workspace.now - began if began is not None else 0)


def check(workspace: InProcessWorkspace, cluster_id: str, before: str, verb: str) -> None:
    cluster = workspace.emulated.state.clusters.by_id[cluster_id]
    if verb == "advance":
        # Time alone starts nothing, so a stopped cluster stays stopped.
        assert cluster.state in (reachable(before) if before not in ("TERMINATED", "ERROR") else {before})
    elif cluster.state != before:
        assert cluster.state in LEGAL[before], (before, verb, cluster.state)
    current_session = [
        session for session in workspace.emulated.state.clusters.sessions.get(cluster_id, ()) if session.end is None
    ]
    assert len(current_session) == (cluster.state in ("RUNNING", "RESIZING", "RESTARTING"))
    assert total(workspace, cluster_id) == listed_uptime(workspace, cluster_id)
    if cluster.state == "RUNNING":
        assert cluster.min_workers <= cluster.workers <= cluster.max_workers
        assert len(workspace.get(cluster_id)["executors"]) == cluster.workers
    stamps = [event["timestamp"] for event in workspace.events(cluster_id)]
    assert stamps == sorted(stamps) and stamps[-1] <= workspace.now
    entries = workspace.emulated.state.scheduler.entries
    due = [entry.arguments["to"] for entry in entries if entry.kind == "clusters.change"]
    # New nodes are found while the cluster is resized, which changes no state.
    ends = [to for to in due if to != "NODES_FOUND"]
    assert len(ends) == (cluster.state not in ("RUNNING", "TERMINATED", "ERROR"))


@given(size=sizes, history=st.lists(verbs, max_size=25))
def test_any_history_has_legal_states_and_correct_uptime(
    size: dict[str, Any], history: list[tuple[str, dict[str, Any]]]
) -> None:
    workspace = InProcessWorkspace()
    cluster_id = str(workspace.call("POST", f"{CLUSTERS}create", _definition(size))["cluster_id"])
    for verb, fields in history:
        before = dump(workspace.emulated.state)
        state = workspace.emulated.state.clusters.by_id[cluster_id].state
        known = total(workspace, cluster_id)
        try:
            carry_out(workspace, cluster_id, verb, fields)
        except ApiError:
            assert dump(workspace.emulated.state) == before
            continue
        if verb == "permanent-delete":
            assert total(workspace, cluster_id) == known
            workspace.advance(10_000)
            assert total(workspace, cluster_id) == known
            return
        check(workspace, cluster_id, state, verb)
