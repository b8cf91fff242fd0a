"""Under which conditions a step that closes a term is done, pending or blocked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.compute import ClustersAPI

from emulator_process import ROOT
from in_process_course import FOLDER, InProcessCourse
from lab_settings import load_settings
from sdk_in_process import InProcessSdkClient
from teardown.anonymise import anonymise_steps, remove
from teardown.facts import Programs, excluded_parts, local_state, managed_objects, newest_archive, remote_state
from teardown.steps import (
    CommandResult,
    EnforcerArchive,
    LabRemains,
    LedgerEvidence,
    LedgerFacts,
    ManagedObject,
    RunningCluster,
    StateFacts,
    Status,
    VerifiedBackup,
    WorkspaceContents,
    archive_step,
    backup_command,
    backup_step,
    by_hand,
    clusters_step,
    destroy_step,
    kept_objects,
    poll_step,
    removed_objects,
    state_step,
)
from teardown.workspace_contents import find_lab_remains

NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)
M = timedelta(minutes=1)
LEDGER = LedgerFacts("94290", "2026w", NOW - 5 * M, 0, "2027-01-31")
ARCHIVED = EnforcerArchive("archive/enforcer-1", NOW - M, LEDGER)
EVIDENCE = LedgerEvidence("94290", "2026w", LEDGER, None, is_destroyed=False)
STUDENT = ManagedObject("account", "ana@x.example", "1")
WHOLE = VerifiedBackup("saved/host/2027-02-01", (), True, True, 7, 0)
DONE, TO_DO, NOT_POSSIBLE = Status.DONE, Status.TO_DO, Status.NOT_POSSIBLE


@pytest.mark.parametrize(
    ("verified", "status", "ends"),
    [
        (WHOLE, DONE, "7 objects were verified"),
        (replace(WHOLE, left_out=2), DONE, "because they cannot be exported or were deleted meanwhile"),
        (replace(WHOLE, is_current=False), TO_DO, "--since saved/host/2027-02-01/manifest.jsonl"),
        (replace(WHOLE, is_current=False, is_finished=False), TO_DO, "--output saved --resume"),
        (replace(WHOLE, excluded_parts=("homes", "DBFS")), TO_DO, "excludes homes, DBFS: "
         "python -m inventory backup --all-homes --shared --output saved --since saved/host/2027-02-01/manifest.jsonl"),
        (replace(WHOLE, excluded_parts=("homes",), is_finished=False), TO_DO, "--output saved"),
        (CommandResult(2, ("no such folder",)), TO_DO, "--output saved"),
        (None, NOT_POSSIBLE, "--output TARGET"),
    ],
)  # fmt: skip
def test_a_backup_is_done_if_it_is_complete_and_current(
    verified: VerifiedBackup | CommandResult | None, status: Status, ends: str
) -> None:
    step = backup_step("saved", verified, is_waived=False)

    assert (step.status, step.message[-len(ends) :]) == (status, ends)


def test_the_excluded_parts_follow_from_the_backups_options() -> None:
    everything = {"users": [], "all_homes": True, "shared": True, "sources": ["dbfs", "workspace"], "max_size": None}

    assert excluded_parts(everything) == ()
    assert excluded_parts({**everything, "sources": ["workspace"], "max_size": 1000}) == (
        "DBFS",
        "files larger than 1000 bytes",
    )
    assert excluded_parts({**everything, "sources": ["dbfs"], "users": ["ana@x.example"]}) == ("homes", "the Workspace")
    assert excluded_parts({**everything, "all_homes": False, "shared": False}) == ("homes", "shared folders")


def test_a_waived_backup_counts_as_done() -> None:
    assert backup_step(None, None, is_waived=True).status is DONE


def test_the_next_backup_is_incremental() -> None:
    assert backup_command("saved", replace(WHOLE, is_current=False))[-2:] == (
        "--since",
        "saved/host/2027-02-01/manifest.jsonl",
    )


@pytest.mark.parametrize(
    ("evidence", "is_outdated", "status", "says"),
    [
        (EVIDENCE, False, DONE, "2027-02-01 11:55 UTC; settled up to 2027-01-31"),
        (EVIDENCE, True, TO_DO, "clusters were stopped since the last poll"),
        (replace(EVIDENCE, ledger=replace(LEDGER, last_poll=None)), False, TO_DO, "there is no poll in the ledger"),
        (
            replace(EVIDENCE, ledger=replace(LEDGER, last_poll_failed=2)),
            False,
            TO_DO,
            "2 actions failed in the poll at 2027-02-01 11:55 UTC",
        ),
        (
            replace(EVIDENCE, ledger=replace(LEDGER, last_poll=NOW - 61 * M)),
            False,
            TO_DO,
            "the poll at 2027-02-01 10:59 UTC is more than an hour old",
        ),
        (
            replace(EVIDENCE, ledger=replace(LEDGER, term="2026s")),
            False,
            NOT_POSSIBLE,
            "this machine's ledger does not contain 94290 2026w; on the enforcer's machine, run python -m "
            "enforcer end-of-day && python -m enforcer archive --output enforcer-94290-2026w",
        ),
        # An archive that was copied from the enforcer's machine counts as evidence.
        (
            replace(EVIDENCE, ledger=CommandResult(1), archived=ARCHIVED),
            False,
            DONE,
            "2027-02-01 11:55 UTC; settled up to 2027-01-31",
        ),
        # Polls after `destroy` have no information about the lab.
        (
            replace(EVIDENCE, ledger=replace(LEDGER, last_poll=NOW + 999 * M), archived=ARCHIVED, is_destroyed=True),
            False,
            DONE,
            "2027-02-01 11:55 UTC; settled up to 2027-01-31",
        ),
        (replace(EVIDENCE, is_waived=True), False, DONE, "there is no enforcer's ledger to archive (--no-archive)"),
    ],
)
def test_the_last_poll_must_be_recent_and_successful(
    evidence: LedgerEvidence, is_outdated: bool, status: Status, says: str
) -> None:
    step = poll_step(evidence, now=NOW, is_outdated=is_outdated)

    assert (step.status, step.message) == (status, says)


@pytest.mark.parametrize(
    ("evidence", "status"),
    [
        (EVIDENCE, TO_DO),
        (replace(EVIDENCE, archived=ARCHIVED), DONE),
        (replace(EVIDENCE, archived=ARCHIVED, ledger=replace(LEDGER, last_poll=NOW)), TO_DO),
        (replace(EVIDENCE, archived=ARCHIVED, ledger=replace(LEDGER, last_poll=NOW), is_destroyed=True), DONE),
        (replace(EVIDENCE, archived=ARCHIVED, ledger=CommandResult(1)), DONE),
        (replace(EVIDENCE, ledger=CommandResult(1)), NOT_POSSIBLE),
        (replace(EVIDENCE, ledger=CommandResult(1), is_waived=True), DONE),
    ],
)
def test_an_archive_must_contain_the_last_poll(evidence: LedgerEvidence, status: Status) -> None:
    assert archive_step(evidence, folder="archive").status is status


def test_only_the_labs_running_clusters_are_stopped() -> None:
    ours, theirs = RunningCluster("1", "cluster_01", True), RunningCluster("2", "research", False)

    assert clusters_step(WorkspaceContents((ours, theirs))).items == ("cluster_01",)
    assert clusters_step(WorkspaceContents((theirs,))).status is DONE
    assert clusters_step(WorkspaceContents(None)).status is NOT_POSSIBLE
    output_lines = by_hand(
        workspace_id="1", host="h", contents=WorkspaceContents((ours, theirs)), target="demo", backend=""
    )
    assert output_lines[0].message == "a running cluster does not belong to the lab: research"


def test_destroyed_and_kept_objects_are_listed() -> None:
    member = ManagedObject("databricks_group_member", "", "2|3")
    state = StateFacts((STUDENT, member), ("state/x.tfstate",))

    destroys = destroy_step(state, LabRemains((STUDENT,)), location="x")
    assert destroys.message == "2 objects will be removed, including memberships and permissions"
    assert removed_objects(state.managed) == {"account": ("ana@x.example",)}
    assert destroy_step(StateFacts(problem="no provider"), LabRemains(), location="x").status is NOT_POSSIBLE
    stay = kept_objects(WorkspaceContents(others={"jobs": ("nightly",), "tokens": ()}, unread=("DBFS folders",)))
    assert [(step.name, step.status, step.items) for step in stay] == [
        ("jobs", DONE, ("nightly",)),
        ("DBFS folders", NOT_POSSIBLE, ()),
    ]


def test_destroy_is_done_only_if_the_lab_is_known_to_be_gone() -> None:
    left = LabRemains(
        (ManagedObject("file", "/lab-94290-2026w/course.json", "1"), ManagedObject("group", "group_01", "2"))
    )

    def judged(remains: LabRemains) -> tuple[Status, str, tuple[str, ...]]:
        step = destroy_step(StateFacts(), remains, location="state/x.tfstate")
        return step.status, step.message.split(":")[0], step.items

    assert judged(LabRemains()) == (DONE, "the state is empty, and the workspace has no objects of the lab", ())
    assert judged(left) == (
        NOT_POSSIBLE,
        "there is no state in state/x.tfstate, or it is empty, but the workspace still has the lab",
        ("file /lab-94290-2026w/course.json", "group group_01"),
    )
    unknown = "the state is empty, and it is unknown whether the workspace has the lab"
    assert judged(LabRemains(unread=("the groups",))) == (NOT_POSSIBLE, unknown, ())


def test_leftovers_of_a_lab_are_found_by_course_file_names_and_tags() -> None:
    lab = InProcessCourse(2, soft=150 * M, hard=180 * M)
    research = {"origin": "terraform", "lab_course": "1", "lab_term": "2026w", "lab_group": "group_01"}
    lab.workspace.create(cluster_name="other", custom_tags=research)
    for name in ("group_01", "group_009", "faculty"):
        lab.workspace.group(name)
    client: Any = InProcessSdkClient(lab.workspace)
    client.clusters = ClustersAPI(client.api_client)

    def found(groups: tuple[str, ...], term: str = "2026w") -> list[str]:
        return [one.name for one in find_lab_remains(client, course="94290", term=term, groups=groups).found]

    of_lab = [f"{FOLDER}/course.json", "group_001", "group_002", "cluster_001", "cluster_002"]
    assert sorted(found(())) == sorted(of_lab)
    # Groups in the roster are included, too; a group in the tags of a different course's cluster belongs to that
    # course.
    assert sorted(found(("group_009", "group_01"))) == sorted([*of_lab, "group_009"])
    assert found(("group_009",), term="2031s") == ["group_009"]


@pytest.mark.parametrize(
    ("state", "is_remote", "is_archived", "status"),
    [
        (StateFacts((STUDENT,), ("x.tfstate",)), False, False, TO_DO),
        (StateFacts((), ("x.tfstate",)), False, False, TO_DO),
        (StateFacts(), False, True, DONE),
        (StateFacts(), True, False, TO_DO),
        (StateFacts(), True, True, DONE),
        (StateFacts(problem="no login"), True, False, NOT_POSSIBLE),
    ],
)
def test_the_state_is_archived_last(state: StateFacts, is_remote: bool, is_archived: bool, status: Status) -> None:
    assert state_step(state, folder="archive", is_remote=is_remote, is_archived=is_archived).status is status


def test_a_local_state_is_parsed(tmp_path: Path) -> None:
    resource = {"mode": "managed", "type": "databricks_user"}
    instances = [{"attributes": {"id": "1", "user_name": "ana@x.example"}}]
    data = {"mode": "data", "type": "databricks_user", "instances": instances}
    text = json.dumps({"version": 4, "resources": [{**resource, "instances": instances}, data]})
    path = tmp_path / "course.tfstate"
    path.write_text(text)
    (tmp_path / "course.tfstate.backup").touch()
    (tmp_path / "course-2.tfstate").touch()

    assert managed_objects(text) == (STUDENT,)
    assert local_state(tmp_path, "course") == StateFacts((STUDENT,), (str(path), f"{path}.backup"))
    path.write_text('{"version": 3}')
    assert local_state(tmp_path, "course").problem == f"{path} cannot be read (its version is not 4)"
    assert local_state(tmp_path, "other") == StateFacts()


TERRAFORM = """#!/bin/sh
echo "$@" >> "$LOG"
case "$2 $3" in
"init -input=false") mkdir -p "${1#-chdir=}/.terraform";;
"state pull") [ -n "$STATE" ] && printf %s "$STATE" || { echo "│ Error: no login" >&2; exit 1; };;
esac
"""


@pytest.mark.process
def test_a_remote_state_is_read_with_terraform(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(TERRAFORM)
    program.chmod(0o755)
    stack, log = tmp_path / "stack", tmp_path / "log"
    text = json.dumps({"version": 4, "resources": []})
    path = {"PATH": f"{program.parent}:/usr/bin:/bin", "LOG": str(log)}

    refused = remote_state(Programs(tmp_path, path), stack)
    empty = remote_state(Programs(tmp_path, {**path, "STATE": text}), stack)
    missing = remote_state(Programs(tmp_path, {"PATH": str(tmp_path)}), stack)
    other = remote_state(Programs(tmp_path, {**path, "TERRAFORM_BINARY_NAME": "tofu"}), stack)

    assert refused == (StateFacts(problem="Error: no login"), "")
    assert empty == (StateFacts(), text)
    assert missing[0].problem == "terraform cannot be started (No such file or directory)"
    assert other[0].problem == "tofu cannot be started (No such file or directory)"
    assert [line.split(" ", 1)[1] for line in log.read_text().splitlines()] == [
        "init -input=false -no-color",
        "state pull",
        "state pull",
    ]


def test_the_newest_archive_of_the_term_is_found(tmp_path: Path) -> None:
    facts = {"course": "94290", "last_poll": None, "last_poll_failed": 0, "settled_up_to": None}
    for name, term, hour in (("a", "2026w", 1), ("b", "2026w", 2), ("c", "2026s", 3)):
        (tmp_path / name).mkdir()
        manifest = {**facts, "term": term, "made_at": f"2027-02-01T0{hour}:00:00.000Z"}
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "manifest.json").write_text("{}")

    found = newest_archive(tmp_path, course="94290", term="2026w")

    assert found == EnforcerArchive(
        str(tmp_path / "b"), NOW - 10 * 60 * M, LedgerFacts("94290", "2026w", None, 0, None)
    )
    assert newest_archive(tmp_path, course="1", term="1") is None


def test_anonymising_removes_only_the_labs_files(tmp_path: Path) -> None:
    facts = {"course": "94290", "last_poll": None, "last_poll_failed": 0, "settled_up_to": None}
    manifest = {**facts, "term": "2026w", "made_at": "2027-02-01T01:00:00.000Z"}
    for name, content in (
        ("rosters/94290-2026w.csv", ""),
        ("rosters/other.csv", ""),
        ("cdktf.out/stacks/94290-2026w-demo/cdk.tf.json", ""),
        ("cdktf.out/stacks/other/cdk.tf.json", ""),
        ("archive/state-1/94290-2026w-demo.tfstate", ""),
        ("archive/state-2/other.tfstate", ""),
        ("archive/a/manifest.json", json.dumps(manifest)),
        ("archive/a/people/letters.csv", ""),
        ("archive/a/totals/days.csv", ""),
        ("archive/b/manifest.json", "{}"),
        ("archive/b/people/letters.csv", ""),
        ("archive/.enforcer-1.draft/people/letters.csv", ""),
        ("archive/.ssh/key", ""),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    lab = load_settings(ROOT / "examples" / "lab.toml")
    places = {"settings_folder": tmp_path, "output": tmp_path / "cdktf.out", "archive": tmp_path / "archive"}

    steps = anonymise_steps(lab, stack="94290-2026w-demo", state=StateFacts(), **places)

    assert {step.name: [str(Path(item).relative_to(tmp_path)) for item in step.items] for step in steps} == {
        "roster": ["rosters/94290-2026w.csv"],
        "synthesized stack": ["cdktf.out/stacks/94290-2026w-demo"],
        "state": ["archive/state-1"],
        "archived people": ["archive/a/people"],
        "unfinished archives": ["archive/.enforcer-1.draft"],
    }
    assert [remove(step) for step in steps] == [[]] * 5
    kept = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert kept == [
        "archive/.ssh/key",
        "archive/a/manifest.json",
        "archive/a/totals/days.csv",
        "archive/b/manifest.json",
        "archive/b/people/letters.csv",
        "archive/state-2/other.tfstate",
        "cdktf.out/stacks/other/cdk.tf.json",
        "rosters/other.csv",
    ]
    states = {step.status for step in anonymise_steps(lab, stack="94290-2026w-demo", state=StateFacts(), **places)}
    assert states == {DONE}
