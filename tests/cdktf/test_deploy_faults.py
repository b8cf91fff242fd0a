"""A whole term in a workspace with random faults: errors contain the resource, and the next run converges."""

import csv
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator_process import EmulatorProcess
from stack.expressions import label
from terraform_lab import ROOT, CommandOutput, TerraformLab, remove_homes

pytestmark = [pytest.mark.process, pytest.mark.terraform, pytest.mark.acceptance, pytest.mark.xdist_group("deploy")]

OCTOBER = ROOT / "examples" / "Groupself-selection_94290_2026-10-18.csv"
GROUPS = 30
RUNS = 4

FAULTS = [
    {"kind": "429", "match": "*", "rate": 0.025, "retry_after": 1},
    {"kind": "503", "match": "*", "rate": 0.025},
    {"kind": "latency", "match": "*", "rate": 1, "seconds": 0.05},
    {"kind": "launch_failure", "match": "cluster_02", "count": 1},
    {"kind": "library_failed", "match": "nltk==3.9.1", "count": 1, "message": "no such package"},
]


def test_a_term_with_thirty_groups_completes_under_faults(
    tmp_path: Path, start_emulator: Callable[..., EmulatorProcess]
):
    emulator = start_emulator("--transition-seconds", 0.5, "--seed", 5)
    term = TerraformLab(tmp_path, emulator)
    term.create_staff_account()
    term.import_export(OCTOBER)
    with term.roster.open(encoding="utf-8", newline="") as roster:
        addresses = [row["email"] for row in csv.DictReader(roster) if row["email"]]
    existing = addresses[0]
    term.change("rosters/94290-2026w.csv", f"{existing},active,managed", f"{existing},active,existing:demo")
    add_existing_objects(term, existing)
    before = term.workspace_state()
    emulator.control("POST", "faults", {"rules": FAULTS})

    # Deployment: the error lists both failures, the next run creates the rest, and a cluster in use keeps running.
    term.synth()
    somebody = threading.Thread(target=work_on, args=(term, "cluster_09"))
    somebody.start()
    first = term.apply()
    somebody.join()
    assert first.status != 0
    assert "with databricks_cluster.cluster_02" in output_of(first)
    assert "nltk==3.9.1" in output_of(first)
    assert "no such package" in output_of(first)
    converge(term)
    clusters = term.clusters()
    states = {name: cluster["state"] for name, cluster in clusters.items()}
    numbers = range(1, GROUPS + 1)
    assert states == {f"cluster_{n:02d}": "RUNNING" if n == 9 else "TERMINATED" for n in numbers} | {
        "theirs": "RUNNING"
    }
    libraries = {name: term.libraries(clusters[name]["cluster_id"]) for name in clusters if name != "theirs"}
    assert {len(listed) for listed in libraries.values()} == {2}

    # Using the lab causes no drift.
    used = [clusters[f"cluster_{n:02d}"]["cluster_id"] for n in (11, 12, 13)]
    for cluster in used:
        term.call("POST", "/api/2.1/clusters/start", {"cluster_id": cluster})
    assert term.plan() == {}
    term.call("POST", "/api/2.1/clusters/delete", {"cluster_id": used[0]})
    emulator.control("POST", "clock", {"advance_seconds": 3 * 3600})
    lab = {cluster["state"] for name, cluster in term.clusters().items() if name != "theirs"}
    assert lab == {"TERMINATED"}
    assert term.plan() == {}

    # Drift is detected and repaired.
    member = addresses[1]
    drifted = term.drift_all(member, f"databricks_group_member.group_01_{label(member)}")
    assert term.plan() == drifted
    converge(term)

    # After destroy, the workspace is as before; other people's objects and the students' homes are unchanged.
    for _ in range(RUNS):
        done = term.terraform("destroy", "-input=false", "-auto-approve", "-parallelism=50")
        if done.status == 0:
            break
    assert done.status == 0, done.text
    emulator.control("POST", "faults", {})
    after = term.workspace_state()
    homes = remove_homes(after, [address for address in addresses if address != existing])
    assert after == before
    assert homes == len(addresses) - 1


def add_existing_objects(term: TerraformLab, existing: str) -> None:
    """Create the objects that exist before the lab."""
    for name in (existing, "somebody@else.example"):
        term.emulator.control("POST", "users", {"user_name": name})
    spec = {"cluster_name": "theirs", "spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2"}
    term.call("POST", "/api/2.1/clusters/create", {**spec, "num_workers": 1, "autotermination_minutes": 0})
    while term.clusters()["theirs"]["state"] != "RUNNING":
        time.sleep(0.1)


def work_on(term: TerraformLab, name: str) -> None:
    """Use a cluster for an hour as soon as it runs."""
    for _ in range(3000):
        cluster = term.clusters().get(name, {})
        if cluster.get("state") == "RUNNING":
            term.emulator.control("POST", "work", {"cluster_id": cluster["cluster_id"], "seconds": 3600})
            term.emulator.control("POST", "clock", {"advance_seconds": 60})
            return
        time.sleep(0.1)


def converge(term: TerraformLab) -> None:
    """Apply again up to RUNS times; afterwards the plan must be empty."""
    for _ in range(RUNS):
        done = term.apply()
        if done.status == 0:
            break
    assert done.status == 0, done.text
    assert term.plan() == {}


def output_of(done: CommandOutput) -> str:
    """Return a command's output without Terraform's box characters."""
    return " ".join(done.text.replace("│", " ").split())
