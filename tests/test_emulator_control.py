"""`/_emulator/`: how a test or a rehearsal looks at a workspace and moves it from outside."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from emulator.__main__ import main
from emulator.app import _is_loopback
from emulator.control import account
from emulator.control import drift as drift_kinds
from emulator.control.bodies import FAULT_KINDS
from emulator.journal import Journal
from emulator.profiles import AZURE_LIMITS, PROFILES
from emulator.routing import Call
from emulator_process import ROOT, EmulatorProcess
from raw_socket import exchange, request, status_of

CLUSTERS = "/api/2.1/clusters"
SCIM = "/api/2.0/preview/scim/v2"
SPEC = {"cluster_name": "cluster_01", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
LIBRARY = {"pypi": {"package": "pandas==2.2.2"}}

Start = Callable[..., EmulatorProcess]


def ok(emulator: EmulatorProcess, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
    status, answer = emulator.request(method, path, body, token=token)
    assert status in (200, 201, 204), f"{method} {path}: {status} {answer}"
    return answer


def refusal(emulator: EmulatorProcess, path: str, body: Any) -> str:
    status, answer = emulator.request("POST", f"/_emulator/{path}", body)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    return str(answer["message"])


def instant(emulator: EmulatorProcess) -> datetime:
    return datetime.fromisoformat(emulator.control("GET", "clock")["now"])


def cluster(emulator: EmulatorProcess, **more: Any) -> str:
    return str(ok(emulator, "POST", f"{CLUSTERS}/create", {**SPEC, "num_workers": 1, **more})["cluster_id"])


def details(emulator: EmulatorProcess, cluster_id: str) -> dict[str, Any]:
    return ok(emulator, "GET", f"{CLUSTERS}/get?cluster_id={cluster_id}")


def grants(emulator: EmulatorProcess, cluster_id: str) -> dict[str, str]:
    """Who was given what directly on a cluster."""
    answer = ok(emulator, "GET", f"/api/2.0/permissions/clusters/{cluster_id}")
    return {
        entry.get("group_name") or entry.get("user_name"): given["permission_level"]
        for entry in answer["access_control_list"]
        for given in entry["all_permissions"]
        if not given["inherited"]
    }


# --- the clock


def test_the_clock_runs_on_by_itself(emulator: EmulatorProcess) -> None:
    before = instant(emulator)
    time.sleep(0.3)
    assert timedelta(seconds=0.3) <= instant(emulator) - before < timedelta(seconds=5)


def test_the_clock_runs_faster_on_request(start_emulator: Start) -> None:
    emulator = start_emulator("--speed", 3600)
    before = instant(emulator)
    time.sleep(0.5)
    assert timedelta(minutes=30) <= instant(emulator) - before < timedelta(hours=5)


def test_the_clock_can_be_moved_by_seconds_and_to_an_instant(emulator: EmulatorProcess) -> None:
    before = instant(emulator)
    shown = datetime.fromisoformat(emulator.control("POST", "clock", {"advance_seconds": 3600})["now"])
    assert timedelta(hours=1) <= shown - before < timedelta(hours=1, seconds=5)
    target = (before + timedelta(days=3)).isoformat()
    shown = datetime.fromisoformat(emulator.control("POST", "clock", {"now": target})["now"])
    assert timedelta(0) <= shown - before - timedelta(days=3) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "give either advance_seconds or now"),
        ({"advance_seconds": 1, "now": "2100-01-01T00:00:00Z"}, "give either advance_seconds or now"),
        ({"advance_seconds": -1}, "advance_seconds: Input should be greater than or equal to 0"),
        ({"advance_seconds": "soon"}, "advance_seconds: Input should be a valid number"),
        ({"now": "2100-01-01T00:00:00"}, "now: Input should have timezone info"),
        ({"now": "tomorrow"}, "now: Input should be a valid datetime"),
        ({"now": "2001-01-01T00:00:00Z"}, "the clock only moves forward"),
        ({"now": "2999-01-01T00:00:00Z"}, "the clock ends in the year 2200"),
        ({"advance": 1}, "advance: no such field"),
    ],
)
def test_a_wrong_move_of_the_clock_is_said_in_a_sentence(
    emulator: EmulatorProcess, body: dict[str, Any], sentence: str
) -> None:
    assert sentence in refusal(emulator, "clock", body)


# --- state, reset, users


def test_two_dumps_of_one_state_are_the_same_text(emulator: EmulatorProcess) -> None:
    asked = request("GET /_emulator/state HTTP/1.1")
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    first, second = (exchange(emulator.url, asked).partition(b"\r\n\r\n")[2] for _ in range(2))
    assert first == second
    assert list(json.loads(first)) == sorted(json.loads(first))


def test_a_dump_does_not_depend_on_the_order_of_requests(start_emulator: Start) -> None:
    dumps = []
    for names in (("a", "b", "c"), ("c", "a", "b")):
        emulator = start_emulator("--seed", 1)
        for name in names:
            ok(emulator, "POST", f"{SCIM}/Groups", {"displayName": name})
        groups = emulator.control("GET", "state")["directory"]["groups"]
        dumps.append({name: group["display_name"] for name, group in groups.items()})
    assert list(dumps[0].items()) == list(dumps[1].items())


def test_a_reset_gives_a_new_workspace_with_the_same_id_token_and_right_time(emulator: EmulatorProcess) -> None:
    ana = emulator.control("POST", "users", {"user_name": "ana@lab.example", "admin": True})
    emulator.control("POST", "clock", {"advance_seconds": 10**6})
    emulator.control("POST", "faults", {"rules": [{"kind": "500"}]})
    emulator.control("POST", "reset")
    assert emulator.control("GET", "faults") == {"profile": None, "rules": []}
    assert emulator.journal() == []
    assert abs(instant(emulator).timestamp() - time.time()) < 5
    assert ok(emulator, "GET", f"{SCIM}/Me")["userName"] == "admin@lab.example"
    assert emulator.control("GET", "state")["workspace_id"] == emulator.workspace_id
    assert emulator.request("GET", f"{SCIM}/Me", token=ana["token"])[0] == 403


def test_a_reset_heals_a_workspace_whose_administrator_was_deleted(emulator: EmulatorProcess) -> None:
    other = emulator.control("POST", "users", {"user_name": "boss@lab.example", "admin": True})["token"]
    me = ok(emulator, "GET", f"{SCIM}/Me")["id"]
    ok(emulator, "DELETE", f"{SCIM}/Users/{me}", token=other)
    assert emulator.request("GET", f"{SCIM}/Me")[0] == 403
    emulator.control("POST", "reset")
    assert ok(emulator, "GET", f"{SCIM}/Me")["userName"] == "admin@lab.example"


def test_a_user_is_made_once_and_gets_a_token_each_time(emulator: EmulatorProcess) -> None:
    first, second = (emulator.control("POST", "users", {"user_name": "ana@lab.example"}) for _ in range(2))
    assert first["id"] == second["id"]
    assert first["token"] != second["token"]
    for given in (first, second):
        me = ok(emulator, "GET", f"{SCIM}/Me", token=given["token"])
        assert (me["id"], me["userName"]) == (first["id"], "ana@lab.example")
    assert emulator.request("POST", f"{SCIM}/Users", {"userName": "x@lab.example"}, token=first["token"])[0] == 403


def test_a_user_may_be_an_administrator(emulator: EmulatorProcess) -> None:
    token = emulator.control("POST", "users", {"user_name": "boss@lab.example", "admin": True})["token"]
    ok(emulator, "POST", f"{SCIM}/Users", {"userName": "x@lab.example"}, token=token)
    emulator.control("POST", "users", {"user_name": "boss@lab.example"})
    ok(emulator, "POST", f"{SCIM}/Users", {"userName": "y@lab.example"}, token=token)


def test_a_user_made_here_is_a_user_like_any_other(emulator: EmulatorProcess) -> None:
    made = emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    user = ok(emulator, "GET", f"{SCIM}/Users/{made['id']}")
    assert (user["active"], [group["display"] for group in user["groups"]]) == (True, ["users"])
    home = ok(emulator, "GET", "/api/2.0/workspace/get-status?path=/Users/ana@lab.example")
    assert home["object_type"] == "DIRECTORY"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "user_name: Field required"),
        ({"user_name": ""}, "user_name: String should have at least 1 character"),
        ({"user_name": "a@b", "admin": "perhaps"}, "admin: Input should be a valid boolean"),
        ({"user_name": "a@b", "role": "x"}, "role: no such field"),
    ],
)
def test_a_wrong_user_is_said_in_a_sentence(emulator: EmulatorProcess, body: dict[str, Any], sentence: str) -> None:
    message = refusal(emulator, "users", body)
    assert sentence in message
    assert message.endswith('Allowed: `{"user_name", "admin": false}`')


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            {"rules": [{}]},
            "rules.0: kind: Field required; there are 429, 500, 503, 504, reset, hang, truncate, latency",
        ),
        ({"rules": [{"kind": "418"}]}, "rules.0: kind: there is no '418'; there are 429, 500"),
        ({"rules": [{"kind": "429", "rate": 2}]}, "rules.0.rate: Input should be less than or equal to 1"),
        ({"rules": [{"kind": "429", "retry_after": -1}]}, "retry_after: Input should be greater than or equal to 0"),
        ({"rules": [{"kind": "launch_failure", "rate": 1}]}, "rules.0.rate: no such field"),
        ({"rules": [{"kind": "events_dropped", "types": ["NOPE"]}]}, "types: there is no event of type 'NOPE'"),
        ({"rules": {"kind": "429"}}, "rules: Input should be a valid list"),
        ({"profile": "nope"}, "profile: there is no 'nope'; there are azure, flaky"),
        ({"rule": []}, "rule: no such field"),
    ],
)
def test_a_wrong_fault_is_said_in_a_sentence(emulator: EmulatorProcess, body: dict[str, Any], sentence: str) -> None:
    assert sentence in refusal(emulator, "faults", body)


def test_what_does_not_exist_below_control_is_a_404(emulator: EmulatorProcess) -> None:
    for method, path in (("GET", "nothing"), ("DELETE", "clock"), ("POST", "journal")):
        assert emulator.request(method, f"/_emulator/{path}")[0] == 404


# --- who may ask


def test_control_answers_on_loopback_only(start_emulator: Start) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it asks which address of this machine would be used
        except OSError:
            pytest.skip("this machine has no network but loopback")
        outside = probe.getsockname()[0]
    if outside.startswith("127."):
        pytest.skip("this machine has no network but loopback")
    emulator = start_emulator("--host", "0.0.0.0")
    port = emulator.url.rpartition(":")[2]
    asked = request("GET /_emulator/clock HTTP/1.1")
    assert status_of(exchange(f"http://127.0.0.1:{port}", asked)) == 200
    assert status_of(exchange(f"http://{outside}:{port}", asked)) == 403


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Host: 127.0.0.1:8765", 200),
        ("Host: LOCALHOST:8765", 200),
        ("Host: [::1]:8765", 200),
        ("Host: evil.example:8765", 403),
        ("Host: localhost\r\nOrigin: https://evil.example", 403),
    ],
)
def test_control_does_not_answer_web_pages(emulator: EmulatorProcess, header: str, status: int) -> None:
    asked = f"GET /_emulator/state HTTP/1.1\r\n{header}\r\nConnection: close\r\n\r\n"
    assert status_of(exchange(emulator.url, asked.encode())) == status


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("unix", False),
    ],
)
def test_loopback_has_many_spellings(address: str, inside: bool) -> None:
    assert _is_loopback(address) is inside


# --- the journal


def test_the_journal_tells_who_asked_what_and_how_it_was_answered(emulator: EmulatorProcess) -> None:
    agent = "databricks-tf-provider/1.99.0 databricks-sdk-go/0.93.0 go/1.24 os/linux resource/cluster auth/pat"
    emulator.request("GET", f"{SCIM}/Users?count=2", headers={"User-Agent": agent})
    emulator.request("GET", "/api/2.0/preview/scim/v2/Users/404", headers={"User-Agent": "x data/current_user y"})
    first, second = emulator.journal()
    assert first.pop("milliseconds") > 0
    assert abs(datetime.fromisoformat(first.pop("at")) - instant(emulator)) < timedelta(seconds=10)
    assert first == {
        "method": "GET",
        "path": f"{SCIM}/Users",
        "query": "count=2",
        "status": 200,
        "caller": "admin@lab.example",
        "resource": "cluster",
        "user_agent": agent,
    }
    assert (second["status"], second["resource"]) == (404, "current_user")


def test_the_journal_holds_no_token_and_no_control(emulator: EmulatorProcess) -> None:
    emulator.request("GET", f"{SCIM}/Me")
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    journal = emulator.journal()
    assert [line["path"] for line in journal] == [f"{SCIM}/Me"]
    assert emulator.admin_token not in json.dumps(journal)


def test_the_journal_forgets_the_oldest_first() -> None:
    journal = Journal(keep=2)
    for number in range(3):
        call = Call(None, "GET", f"/{number}", {}, {}, b"", 0)  # type: ignore[arg-type]
        journal.note(call, b"", 200, 0.001)
    assert [json.loads(line)["path"] for line in journal.lines()] == ["/1", "/2"]


# --- behind Terraform's back


@pytest.fixture
def lab(emulator: EmulatorProcess) -> dict[str, str]:
    """A group with a student, its cluster with a library and a permission."""
    ana = emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    group = {"displayName": "group_01", "members": [{"value": ana["id"]}]}
    group_id = ok(emulator, "POST", f"{SCIM}/Groups", group)["id"]
    made = cluster(emulator, custom_tags={"origin": "terraform"})
    ok(emulator, "POST", "/api/2.0/libraries/install", {"cluster_id": made, "libraries": [LIBRARY]})
    grant = {"group_name": "group_01", "permission_level": "CAN_RESTART"}
    ok(emulator, "PUT", f"/api/2.0/permissions/clusters/{made}", {"access_control_list": [grant]})
    return {"cluster": made, "group": group_id, "token": ana["token"], "user": ana["id"]}


def drift(emulator: EmulatorProcess, kind: str, target: str, value: Any = None) -> None:
    emulator.control("POST", "drift", {"kind": kind, "target": target, "value": value})


def test_a_cluster_is_deleted_for_good_pinned_or_not(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    ok(emulator, "POST", f"{CLUSTERS}/pin", {"cluster_id": lab["cluster"]})
    drift(emulator, "delete_cluster", "cluster_01")
    assert emulator.request("GET", f"{CLUSTERS}/get?cluster_id={lab['cluster']}")[0] == 400


@pytest.mark.parametrize("running", [True, False])
def test_a_cluster_is_resized_running_or_not(emulator: EmulatorProcess, lab: dict[str, str], running: bool) -> None:
    if not running:
        ok(emulator, "POST", f"{CLUSTERS}/delete", {"cluster_id": lab["cluster"]})
    drift(emulator, "resize", lab["cluster"], 3)
    read = details(emulator, lab["cluster"])
    assert (read["num_workers"], read["state"]) == (3, "RUNNING" if running else "TERMINATED")
    drift(emulator, "resize", lab["cluster"], {"min_workers": 1, "max_workers": 4})
    read = details(emulator, lab["cluster"])
    assert (read["autoscale"], "num_workers" in read) == ({"min_workers": 1, "max_workers": 4}, False)


def test_a_tag_is_changed_added_and_taken_away(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    drift(emulator, "tag", "cluster_01", {"origin": "by hand", "more": "1"})
    assert details(emulator, lab["cluster"])["custom_tags"] == {"origin": "by hand", "more": "1"}
    drift(emulator, "tag", "cluster_01", {"origin": None})
    assert details(emulator, lab["cluster"])["custom_tags"] == {"more": "1"}


def test_a_permission_is_changed_and_taken_away(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    drift(emulator, "permission", "cluster_01", {"group_name": "group_01", "permission_level": "CAN_ATTACH_TO"})
    assert grants(emulator, lab["cluster"])["group_01"] == "CAN_ATTACH_TO"
    drift(emulator, "permission", "cluster_01", {"group_name": "group_01", "permission_level": None})
    assert "group_01" not in grants(emulator, lab["cluster"])
    drift(
        emulator,
        "permission",
        f"/clusters/{lab['cluster']}",
        {"user_name": "ana@lab.example", "permission_level": "CAN_MANAGE"},
    )
    assert grants(emulator, lab["cluster"])["ana@lab.example"] == "CAN_MANAGE"
    drift(emulator, "permission", "cluster_01")
    assert grants(emulator, lab["cluster"]) == {}


def test_a_member_is_removed_and_added(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    def members() -> list[str]:
        group = ok(emulator, "GET", f"{SCIM}/Groups/{lab['group']}")
        return [member["display"] for member in group.get("members", [])]

    drift(emulator, "remove_member", "group_01", "ana@lab.example")
    assert members() == []
    drift(emulator, "add_member", lab["group"], lab["user"])
    assert len(members()) == 1


def test_a_policy_gets_another_definition(emulator: EmulatorProcess) -> None:
    made = ok(emulator, "POST", "/api/2.0/policies/clusters/create", {"name": "lab", "definition": "{}"})
    drift(emulator, "policy", "lab", {"num_workers": {"type": "fixed", "value": 1}})
    drift(emulator, "policy", "Personal Compute", '{"node_type_id": {"type": "unlimited"}}')
    path = "/api/2.0/policies/clusters"
    assert "num_workers" in ok(emulator, "GET", f"{path}/get?policy_id={made['policy_id']}")["definition"]
    (personal,) = [p for p in ok(emulator, "GET", f"{path}/list")["policies"] if p["name"] == "Personal Compute"]
    assert personal["policy_family_definition_overrides"] == '{"node_type_id": {"type": "unlimited"}}'


def test_a_library_is_uninstalled(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    drift(emulator, "uninstall_library", "cluster_01", "pandas")
    answer = ok(emulator, "GET", f"/api/2.0/libraries/cluster-status?cluster_id={lab['cluster']}")
    assert [entry["status"] for entry in answer["library_statuses"]] == ["UNINSTALL_ON_RESTART"]


def test_a_group_may_belong_to_the_account(emulator: EmulatorProcess) -> None:
    emulator.control("POST", "users", {"user_name": "ana@lab.example"})
    drift(emulator, "account_group", "students", ["ana@lab.example"])
    found = ok(emulator, "GET", f"{SCIM}/Groups?filter=displayName%20eq%20%22students%22")["Resources"]
    assert [group["meta"]["resourceType"] for group in found] == ["Group"]
    assert emulator.request("DELETE", f"{SCIM}/Groups/{found[0]['id']}")[0] == 403


def test_a_metastore_is_assigned_and_taken_away(emulator: EmulatorProcess) -> None:
    path = "/api/2.1/unity-catalog/current-metastore-assignment"
    metastore = "5a0c6d3e-1f5b-4c0a-9d0e-3f2b1a4c5d6e"
    assert emulator.request("GET", path)[0] == 404
    drift(emulator, "metastore", metastore)
    assert ok(emulator, "GET", path)["metastore_id"] == metastore
    drift(emulator, "metastore", metastore, False)
    assert emulator.request("GET", path)[0] == 404


def test_a_warehouse_that_everybody_may_use_is_put_in(emulator: EmulatorProcess) -> None:
    assert ok(emulator, "GET", "/api/2.0/sql/warehouses")["warehouses"] == []
    drift(emulator, "warehouse", "Serverless Starter Warehouse")
    ana = emulator.control("POST", "users", {"user_name": "ana@lab.example"})["token"]
    seen = ok(emulator, "GET", "/api/2.0/sql/warehouses", token=ana)["warehouses"]
    assert [warehouse["name"] for warehouse in seen] == ["Serverless Starter Warehouse"]


def test_nobody_behind_terraforms_back_stands_in_the_journal(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    before = len(emulator.journal())
    drift(emulator, "resize", "cluster_01", 2)
    assert len(emulator.journal()) == before


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "kind: Field required; target: Field required"),
        ({"kind": "nope", "target": "x"}, "kind: there is no 'nope'; there are delete_cluster, resize, tag"),
        ({"kind": "resize", "target": "cluster_99", "value": 1}, "target: there is no cluster 'cluster_99'"),
        ({"kind": "resize", "target": "cluster_01", "value": "big"}, "value: a number of workers, or"),
        ({"kind": "tag", "target": "cluster_01"}, 'value: {"key": "value"}'),
        (
            {"kind": "permission", "target": "cluster_01", "value": {"permission_level": "CAN_MANAGE"}},
            "value: null, or",
        ),
        ({"kind": "remove_member", "target": "group_99", "value": "a"}, "there is no 'group_99' among the groups"),
        ({"kind": "remove_member", "target": "group_01", "value": "zoe@x"}, "there is no 'zoe@x' among the users"),
        ({"kind": "policy", "target": "nope", "value": "{}"}, "target: there is no policy 'nope'"),
        ({"kind": "uninstall_library", "target": "cluster_01", "value": "numpy"}, "value: one of the libraries of"),
    ],
)
def test_a_wrong_drift_is_said_in_a_sentence(
    emulator: EmulatorProcess, lab: dict[str, str], body: dict[str, Any], sentence: str
) -> None:
    assert sentence in refusal(emulator, "drift", body)


# --- work and uptime


def test_work_keeps_a_cluster_from_idling(emulator: EmulatorProcess) -> None:
    made = cluster(emulator, autotermination_minutes=30)
    emulator.control("POST", "work", {"cluster_id": made, "seconds": 7200})
    emulator.control("POST", "clock", {"advance_seconds": 7000})
    assert details(emulator, made)["state"] == "RUNNING"
    emulator.control("POST", "clock", {"advance_seconds": 200 + 1800 + 60})
    read = details(emulator, made)
    assert (read["state"], read["termination_reason"]["code"]) == ("TERMINATED", "INACTIVITY")


def test_work_starts_a_cluster_with_the_right_of_who_works(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    ok(emulator, "POST", f"{CLUSTERS}/delete", {"cluster_id": lab["cluster"]})
    body = {"cluster_id": lab["cluster"], "seconds": 60, "token": lab["token"]}
    drift(emulator, "permission", "cluster_01", {"group_name": "group_01", "permission_level": "CAN_ATTACH_TO"})
    status, answer = emulator.request("POST", "/_emulator/work", body)
    assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED")
    assert f"do not have permission to autostart {lab['cluster']}" in answer["message"]
    drift(emulator, "permission", "cluster_01", {"group_name": "group_01", "permission_level": "CAN_RESTART"})
    emulator.control("POST", "work", body)
    assert details(emulator, lab["cluster"])["state"] == "RUNNING"
    told = emulator.control("GET", f"uptime?cluster_id={lab['cluster']}")
    assert told["sessions"][-1]["started_by"] == "ana@lab.example"


def test_work_of_a_stranger_is_refused(emulator: EmulatorProcess, lab: dict[str, str]) -> None:
    zoe = emulator.control("POST", "users", {"user_name": "zoe@lab.example"})["token"]
    body = {"cluster_id": lab["cluster"], "seconds": 60, "token": zoe}
    assert emulator.request("POST", "/_emulator/work", body)[0] == 403
    assert emulator.request("POST", "/_emulator/work", {**body, "token": "dapi0"})[0] == 403


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "cluster_id: Field required; seconds: Field required"),
        ({"cluster_id": "x", "seconds": 0}, "seconds: Input should be greater than 0"),
        ({"cluster_id": "0101-000000-abcd1234", "seconds": 5}, "Cluster 0101-000000-abcd1234 does not exist"),
    ],
)
def test_wrong_work_is_said_in_a_sentence(emulator: EmulatorProcess, body: dict[str, Any], sentence: str) -> None:
    assert sentence in refusal(emulator, "work", body)


def test_uptime_is_counted_between_two_instants(start_emulator: Start) -> None:
    emulator = start_emulator("--transition-seconds", 60, "--speed", 0)
    made = cluster(emulator, autotermination_minutes=0)
    emulator.control("POST", "clock", {"advance_seconds": 600})
    (session,) = emulator.control("GET", f"uptime?cluster_id={made}")["sessions"]
    start = datetime.fromisoformat(session["start"])
    assert session == {"start": session["start"], "end": None, "started_by": "admin@lab.example"}
    emulator.control("POST", "clock", {"now": (start + timedelta(hours=2)).isoformat()})
    ok(emulator, "POST", f"{CLUSTERS}/delete", {"cluster_id": made})
    emulator.control("POST", "clock", {"advance_seconds": 3600})

    def uptime(**query: datetime) -> int:
        arguments = "".join(f"&{name.rstrip('_')}={value.isoformat()}" for name, value in query.items())
        return int(emulator.control("GET", f"uptime?cluster_id={made}{arguments}")["milliseconds"])

    hour = timedelta(hours=1)
    assert uptime() == 2 * 3_600_000
    assert uptime(from_=start + hour) == 3_600_000
    assert uptime(to=start + hour) == 3_600_000
    assert uptime(from_=start + hour / 2, to=start + hour) == 1_800_000
    assert uptime(from_=start - 5 * hour, to=start) == 0
    assert uptime(from_=start + 9 * hour) == 0


def test_uptime_outlives_a_cluster(emulator: EmulatorProcess) -> None:
    made = cluster(emulator)
    drift(emulator, "delete_cluster", made)
    assert len(emulator.control("GET", f"uptime?cluster_id={made}")["sessions"]) == 1
    assert emulator.control("GET", "uptime?cluster_id=unknown") == {"milliseconds": 0, "sessions": []}


@pytest.mark.parametrize("query", ["", "?cluster_id=a&from=yesterday", "?cluster_id=a&since=2026-01-01T00:00:00Z"])
def test_a_wrong_question_for_uptime_is_said_in_a_sentence(emulator: EmulatorProcess, query: str) -> None:
    status, answer = emulator.request("GET", f"/_emulator/uptime{query}")
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "?cluster_id=&from=ISO&to=ISO" in answer["message"]


# --- what is told to people


def test_the_documentation_names_everything_there_is() -> None:
    text = (ROOT / "docs" / "emulator.md").read_text()
    options = [option for parameter in main.params for option in parameter.opts]
    named = [*PROFILES, *drift_kinds.KINDS, *account.KINDS, *FAULT_KINDS, *options]
    assert [name for name in named if f"`{name}" not in text] == []


def test_the_documentation_has_the_limits_that_are_in_force() -> None:
    text = (ROOT / "docs" / "emulator.md").read_text()
    figures = {f"{limit.requests} a {'minute' if limit.seconds == 60 else 'second'}" for limit in AZURE_LIMITS}
    assert [figure for figure in figures if f"| {figure} |" not in text] == []
