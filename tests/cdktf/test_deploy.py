"""A term end to end: roster, cdktf, the real provider, an emulated workspace."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from emulator_process import EmulatorProcess
from stack.expressions import label
from terraform_lab import ROOT, STAFF, TerraformLab, remove_homes

pytestmark = [pytest.mark.process, pytest.mark.terraform]

OCTOBER = ROOT / "examples" / "Groupself-selection_94290_2026-10-18.csv"
FEW = {
    number: [f"s{number}{letter}@campus.example.ac.il" for letter in "ab"]
    for number in range(1, 5)
}  # fmt: skip
EIGHT = {
    number: [f"s{number}{letter}@campus.example.ac.il" for letter in "abc"]
    for number in range(1, 9)
}  # fmt: skip

StartEmulator = Callable[..., EmulatorProcess]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TerraformLab]:
    """The example's thirty groups, deployed with cdktf."""
    with EmulatorProcess(["--transition-seconds", "0"]) as emulator:
        term = TerraformLab(tmp_path_factory.mktemp("example"), emulator)
        term.create_staff_account()
        term.import_export(OCTOBER)
        done = term.cdktf("deploy", "--auto-approve")
        assert done.status == 0, done.text
        yield term


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TerraformLab]:
    """A deployed course with eight groups; tests restore it after changes."""
    with EmulatorProcess(["--transition-seconds", "0"]) as emulator:
        term = four_group_term(tmp_path_factory.mktemp("small"), emulator)
        term.write_roster(EIGHT)
        term.deploy()
        yield term


def four_group_term(
    tmp_path: Path, emulator: EmulatorProcess, settings: Mapping[str, str] | None = None
) -> TerraformLab:
    """Return a course with four groups that is not deployed yet."""
    changes = {"quota.groups.group_07": "quota.groups.group_01", **(settings or {})}
    term = TerraformLab(tmp_path, emulator, settings=changes)
    term.create_staff_account()
    term.write_roster(FEW)
    return term


def test_after_a_deploy_clusters_are_stopped_with_their_libraries(example: TerraformLab):
    clusters = example.clusters()
    assert sorted(clusters) == [f"cluster_{number:02d}" for number in range(1, 31)]
    assert {cluster["state"] for cluster in clusters.values()} == {"TERMINATED"}
    assert {len(example.libraries(cluster["cluster_id"])) for cluster in clusters.values()} == {2}
    assert {cluster["custom_tags"]["lab_group"] for cluster in clusters.values()} == {
        f"group_{number:02d}" for number in range(1, 31)
    }


def test_the_second_plan_is_empty_even_after_clusters_were_used(example: TerraformLab):
    assert example.plan() == {}
    names = ["cluster_01", "cluster_02", "cluster_03"]
    running, stopped, idle = ({"cluster_id": example.clusters()[name]["cluster_id"]} for name in names)
    for cluster in (stopped, idle):
        example.emulator.request("POST", "/api/2.1/clusters/start", cluster)
    example.emulator.request("POST", "/api/2.1/clusters/delete", stopped)
    example.emulator.control("POST", "clock", {"advance_seconds": 25 * 60})
    example.emulator.request("POST", "/api/2.1/clusters/start", running)
    states = {name: example.clusters()[name]["state"] for name in names}
    assert states == {"cluster_01": "RUNNING", "cluster_02": "TERMINATED", "cluster_03": "TERMINATED"}
    assert example.plan() == {}


def test_the_state_lists_readable_addresses(example: TerraformLab):
    listed = example.state_list()
    assert "databricks_cluster.cluster_07" in listed
    assert "databricks_workspace_file.course_file" in listed
    assert "databricks_group.group_07" in listed
    users = [line for line in listed if line.startswith("databricks_user.")]
    assert len(users) == 97
    assert all(re.fullmatch(r"databricks_user\.student_[a-z0-9_-]+_at_campus-example-ac-il", line) for line in users)


def test_drift_is_planned_and_repaired(small: TerraformLab):
    deleted = small.clusters()["cluster_06"]["cluster_id"]
    member = next(line.split(",")[3] for line in small.roster.read_text(encoding="utf-8").splitlines()[1:])
    drifted = small.drift_all(member, f"databricks_group_member.group_01_{label(member)}")
    small.drift("uninstall_library", "cluster_07", "nltk")

    assert small.plan() == {**drifted, "databricks_cluster.cluster_07": ("update",)}
    done = small.apply()
    assert done.status == 0, done.text
    assert small.plan() == {}
    assert small.clusters()["cluster_06"]["cluster_id"] != deleted
    assert {cluster["state"] for cluster in small.clusters().values()} == {"TERMINATED"}


def test_a_retired_group_loses_its_resources(example: TerraformLab):
    october = example.roster.read_text(encoding="utf-8")
    export = OCTOBER.read_text(encoding="utf-8-sig")
    lines = october.splitlines()
    fifth = [line for line in lines if line.startswith("5,")]
    moodle_id, addresses = fifth[0].split(",")[1], [line.split(",")[3] for line in fifth]
    dropped = example.folder / "dropped.csv"
    dropped.write_text(without_group(export, moodle_id), encoding="utf-8")
    with example.restored_afterwards():
        example.import_export(dropped)
        example.synth()
        assert example.plan() == {
            "databricks_workspace_file.course_file": ("update",),
            "databricks_workspace_file.course_version": ("update",),
            "databricks_cluster.cluster_05": ("delete",),
            "databricks_permissions.cluster_05": ("delete",),
            "terraform_data.stop_cluster_05": ("delete",),
            "databricks_group.group_05": ("delete",),
            "databricks_group_member.all_student_groups_group_05": ("delete",),
            **{f"databricks_group_member.group_05_{label(address)}": ("delete",) for address in addresses},
            **{f"databricks_user.student_{label(address)}": ("delete",) for address in addresses},
        }


def without_group(export: str, moodle_id: str) -> str:
    """Return the export without the row for the group with this id."""
    kept = [line for line in export.splitlines(keepends=True) if moodle_id not in line.replace('"', "").split(",")[:2]]
    assert len(kept) < len(export.splitlines())
    return "".join(kept)


def test_moving_a_student_changes_memberships_only(small: TerraformLab):
    october = small.roster.read_text(encoding="utf-8")
    row = next(line for line in october.splitlines() if line.startswith("1,"))
    second = next(line for line in october.splitlines() if line.startswith("2,"))
    address = row.split(",")[3]
    moved = ",".join([*second.split(",")[:3], address, "active", "managed"])
    with small.restored_afterwards():
        small.roster.write_text(october.replace(row, moved), encoding="utf-8")
        small.synth()
        assert small.plan() == {
            f"databricks_group_member.group_01_{label(address)}": ("delete",),
            f"databricks_group_member.group_02_{label(address)}": ("create",),
        }


def test_a_quota_change_updates_only_the_course_file_and_its_version(small: TerraformLab):
    cluster = small.clusters()["cluster_08"]["cluster_id"]
    small.emulator.request("POST", "/api/2.1/clusters/start", {"cluster_id": cluster})
    with small.restored_afterwards():
        small.change("lab.toml", "hard_minutes = 180", "hard_minutes = 170")
        small.synth()
        assert small.plan() == {
            "databricks_workspace_file.course_file": ("update",),
            "databricks_workspace_file.course_version": ("update",),
        }
        done = small.terraform("apply", "-input=false", "plan")
        assert done.status == 0, done.text
        assert small.clusters()["cluster_08"]["state"] == "RUNNING"
        _, events = small.emulator.request("POST", "/api/2.1/clusters/events", {"cluster_id": cluster, "limit": 50})
        since = [event["type"] for event in events["events"]]
        assert set(since[: since.index("STARTING")]) == {"RUNNING", "DRIVER_HEALTHY"}
    small.emulator.request("POST", "/api/2.1/clusters/delete", {"cluster_id": cluster})
    done = small.apply()
    assert done.status == 0, done.text


def test_a_manual_edit_of_the_course_file_causes_only_a_warning(small: TerraformLab):
    body = {"path": "/lab-94290-2026w/course.json", "content": "e30=", "format": "RAW", "overwrite": True}
    small.emulator.request("POST", "/api/2.0/workspace/import", body)
    done = small.terraform("plan", "-input=false", "-detailed-exitcode", "-parallelism=50")
    assert done.status == 0, done.text
    assert "/lab-94290-2026w/course.json was edited by hand" in " ".join(done.text.split())
    again = "-replace=databricks_workspace_file.course_file"
    done = small.terraform("apply", "-input=false", "-auto-approve", "-parallelism=50", again)
    assert done.status == 0, done.text
    assert "edited by hand" not in small.terraform("plan", "-input=false", "-parallelism=50").text


def test_no_file_contains_the_token(small: TerraformLab):
    small.plan()
    assert small.files_with(small.emulator.admin_token) == []
    assert small.state.stat().st_mode & 0o077 == 0
    assert small.state.parent.stat().st_mode & 0o077 == 0


def test_a_destroyed_term_leaves_the_workspace_as_it_was(tmp_path: Path, start_emulator: StartEmulator):
    emulator = start_emulator("--transition-seconds", 0)
    term = four_group_term(tmp_path, emulator)
    existing = FEW[2][0]
    for name in (existing, "somebody@else.example"):
        emulator.control("POST", "users", {"user_name": name})
    term.write_roster(FEW, existing=[existing])
    spec = {"cluster_name": "theirs", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
    emulator.request("POST", "/api/2.1/clusters/create", {**spec, "num_workers": 1, "autotermination_minutes": 0})
    before = term.workspace_state()

    done = term.cdktf("deploy", "--auto-approve")
    assert done.status == 0, done.text
    assert done.text.startswith(f"Warning: Connected to workspace {emulator.workspace_id} at {emulator.url} as ")
    assert (done.text.count("Connected to workspace"), "Check block" in done.text) == (1, False)
    # The providers come from a mirror.
    assert not (term.folder / ".terraform.lock.hcl").exists()
    assert term.plan() == {}
    term.delete_output()
    done = term.cdktf("destroy", "--auto-approve")
    assert done.status == 0, done.text

    after = term.workspace_state()
    homes = remove_homes(after, [address for group in FEW.values() for address in group if address != existing])
    assert after == before
    assert homes == 7


def test_a_cluster_in_use_at_the_end_of_a_deploy_keeps_running(tmp_path: Path, start_emulator: StartEmulator):
    emulator = start_emulator("--transition-seconds", 1)
    term = four_group_term(tmp_path, emulator)
    worked = threading.Event()

    def work() -> None:
        for _ in range(600):
            cluster = term.clusters().get("cluster_02", {})
            if cluster.get("state") == "RUNNING":
                emulator.control("POST", "work", {"cluster_id": cluster["cluster_id"], "seconds": 3600})
                emulator.control("POST", "clock", {"advance_seconds": 60})
                worked.set()
                return
            time.sleep(0.1)

    somebody = threading.Thread(target=work)
    somebody.start()
    term.synth()
    done = term.apply()
    somebody.join()
    assert worked.is_set()
    assert done.status == 0, done.text
    states = {name: cluster["state"] for name, cluster in term.clusters().items()}
    assert states == {
        "cluster_01": "TERMINATED",
        "cluster_02": "RUNNING",
        "cluster_03": "TERMINATED",
        "cluster_04": "TERMINATED",
    }
    assert "Warning: cluster_02 (" in done.text
    assert "was not stopped: it is in use" in done.text
    assert term.plan() == {}


def test_an_unexpected_workspace_stops_every_command(tmp_path: Path, start_emulator: StartEmulator):
    right, wrong = start_emulator("--transition-seconds", 0), start_emulator("--transition-seconds", 0)
    settings = {"[targets.demo]": f'[targets.demo]\nexpected_workspace_id = "{right.workspace_id}"'}
    term = four_group_term(tmp_path, right, settings=settings)
    term.write_roster({1: FEW[1]})
    term.deploy()
    state = term.state.read_bytes()

    term.emulator = wrong
    attempts = [
        term.terraform("plan", "-input=false"),
        term.terraform("apply", "-input=false", "-auto-approve"),
        term.terraform("apply", "-input=false", "-auto-approve", "-refresh-only"),
        term.terraform("destroy", "-input=false", "-auto-approve"),
        term.cdktf("deploy", "--auto-approve"),
        term.cdktf("destroy", "--auto-approve"),
    ]
    for done in attempts:
        assert done.status != 0, done.text
        assert f"Wrong workspace: target demo has expected_workspace_id {right.workspace_id}" in " ".join(
            done.text.replace("│", " ").split()
        )
    preflight_attempts = attempts[-2:]
    assert [(done.status, len(done.text.splitlines())) for done in preflight_attempts] == [(2, 1), (2, 1)]
    assert term.state.read_bytes() == state
    paths = {entry["path"].partition("?")[0] for entry in wrong.request_log() if "/_emulator/" not in entry["path"]}
    assert paths == {"/api/2.0/preview/scim/v2/Me"}

    term.emulator = right
    assert term.plan() == {}


def test_a_deployment_converges_after_a_failed_resource(tmp_path: Path, start_emulator: StartEmulator):
    emulator = start_emulator("--transition-seconds", 0, "--seed", 5)
    term = four_group_term(tmp_path, emulator)
    rules = [
        {"kind": "429", "match": "*", "rate": 0.025, "retry_after": 1},
        {"kind": "503", "match": "*", "rate": 0.025},
        {"kind": "latency", "match": "*", "rate": 1, "seconds": 0.05},
        {"kind": "launch_failure", "match": "cluster_02", "count": 1},
        {"kind": "library_failed", "match": "nltk==3.9.1", "count": 1, "message": "no such package"},
    ]
    emulator.control("POST", "faults", {"rules": rules})
    term.write_roster({number: FEW[number] for number in (1, 2)})
    term.synth()
    first = term.apply()
    output = " ".join(first.text.replace("│", " ").split())
    assert first.status != 0
    assert "with databricks_cluster.cluster_02" in output
    assert "nltk==3.9.1" in output
    assert "no such package" in output

    second = term.apply()
    assert second.status == 0, second.text
    assert term.plan() == {}
    assert {cluster["state"] for cluster in term.clusters().values()} == {"TERMINATED"}
    done = term.terraform("destroy", "-input=false", "-auto-approve", "-parallelism=50")
    assert done.status == 0, done.text
    assert term.clusters() == {}


def test_an_existing_account_causes_an_error_unless_marked_as_existing(tmp_path: Path, start_emulator: StartEmulator):
    emulator = start_emulator("--transition-seconds", 0)
    term = four_group_term(tmp_path, emulator)
    there = FEW[1][0]
    emulator.control("POST", "users", {"user_name": there})
    term.synth()
    done = term.apply()
    assert done.status != 0
    assert f"User with username {there} already exists." in " ".join(done.text.replace("│", " ").split())

    term.write_roster(FEW, existing=[there])
    term.deploy()
    assert term.plan() == {}
    assert f"data.databricks_user.student_{label(there)}" in term.state_list()


def test_staff_members_may_deploy(tmp_path: Path, start_emulator: StartEmulator):
    emulator = start_emulator("--transition-seconds", 0)
    term = four_group_term(tmp_path, emulator)
    answer = emulator.control("POST", "users", {"user_name": "teacher@example.ac.il", "admin": True})
    term.token = answer["token"]
    term.change("lab.toml", f'addresses = ["{STAFF}"]', f'addresses = ["{STAFF}", "teacher@example.ac.il"]')
    term.deploy()
    assert term.plan() == {}


@pytest.mark.acceptance
def test_a_hundred_groups_of_four_hundred_students_are_deployed(tmp_path: Path, start_emulator: StartEmulator):
    term = four_group_term(tmp_path, start_emulator("--transition-seconds", 0))
    term.write_roster({n: [f"s{n}{letter}@campus.example.ac.il" for letter in "abcd"] for n in range(1, 101)})
    term.deploy()
    assert term.plan() == {}
    assert {cluster["state"] for cluster in term.clusters().values()} == {"TERMINATED"}
