"""Which objects the commands for the end of a term delete and keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulated_course import FOLDER, STAFF, EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.retention.term_end import clusters_to_remove, groups_to_remove, users_to_remove
from enforcer.workspace.directory import ClusterInfo, GroupInfo, UserInfo
from labkit.formats.roster_file import RosterAccounts

NAMES = ["ada", "bob", "cem", "dov", "eva", "fay", "gil", "hal"]
PEOPLE = [UserInfo(str(n), f"{name}@x.example", name, True) for n, name in enumerate(NAMES)]
GROUPS = [
    GroupInfo("admins", "admins", ("0", "nested")),
    GroupInfo("nested", "operators", ("1",)),
    GroupInfo("users", "users", tuple("01234567")),
    GroupInfo("g1", "group_01", ("0", "1", "2", "3", "4", "6", "7")),
    GroupInfo("g2", "faculty", ("3",)),
    GroupInfo("all", "all_student_groups", ("g1", "2")),
]
LAB = frozenset({"group_01"})
ROSTER = RosterAccounts(
    managed=frozenset(f"{name}@x.example" for name in ("ada", "bob", "cem", "dov", "eva", "hal")),
    existing=frozenset({"gil@x.example"}),
)


def held(name: str) -> ClusterInfo:
    return ClusterInfo(f"id-{name}", name, "TERMINATED", "faculty", "94290", "2030w", None, None, None, False)


def users(
    roster: RosterAccounts | None = ROSTER, *, keep: tuple[str, ...] = (), everything: bool = False
) -> tuple[list[str], dict[str, str]]:
    found = users_to_remove(
        PEOPLE,
        GROUPS,
        LAB,
        roster,
        is_staff=lambda address: address == "hal@x.example",
        keep=keep,
        caller="Eva@x.example",
        everything=everything,
    )
    return [item.name[:3] for item in found.remove], {name[:3]: reason for name, reason in found.keep}


SPARED = {
    "ada": "an administrator",
    "bob": "an administrator",
    "eva": "your own account",
    "gil": "the account existed before the lab",
    "hal": "staff of the course",
}


def test_only_accounts_that_a_roster_marks_managed_are_deleted() -> None:
    assert users() == (["cem"], {**SPARED, "dov": "also in faculty"})


def test_keep_ignores_the_case_of_addresses() -> None:
    assert users(keep=("CEM@x.example",))[1]["cem"] == "selected by --keep"


def test_only_managed_accounts_are_deleted_even_with_all() -> None:
    assert users(everything=True) == (["cem", "dov"], {**SPARED, "fay": "no roster marks it as managed"})


def test_without_a_roster_no_listed_member_is_deleted() -> None:
    unknown = "no roster was given"
    members = {**SPARED, "gil": unknown, "cem": unknown, "dov": unknown}
    assert users(None) == ([], members)
    assert users(None, everything=True) == ([], {**members, "fay": unknown})


def test_without_a_course_file_no_account_is_deleted() -> None:
    found = users_to_remove(PEOPLE, GROUPS, (), ROSTER, is_staff=None, keep=(), caller="", everything=True)
    assert found.remove == ()
    assert ("cem@x.example", "staff is unknown without a course file") in found.keep


def test_a_student_in_a_roster_is_deleted_without_a_group() -> None:
    found = users_to_remove(PEOPLE, [], (), ROSTER, is_staff=lambda _: False, keep=(), caller="", everything=False)
    assert [item.name[:3] for item in found.remove] == ["ada", "bob", "cem", "dov", "eva", "hal"]


def test_only_groups_listed_in_the_course_file_are_deleted() -> None:
    lab = groups_to_remove(GROUPS, LAB | {"admins"}, keep=(), everything=False)
    everything = groups_to_remove(GROUPS, LAB, keep=("group_01",), everything=True)

    assert ([item.name for item in lab.remove], lab.keep) == (["group_01"], ())
    assert [item.name for item in everything.remove] == []
    assert dict(everything.keep) == {
        "admins": "built-in group of every workspace",
        "operators": "the course file does not list it",
        "users": "built-in group of every workspace",
        "group_01": "selected by --keep",
        "faculty": "the course file does not list it",
        "all_student_groups": "the course file does not list it",
    }


def test_only_clusters_of_the_labs_groups_are_deleted() -> None:
    clusters = [held(f"cluster_0{number}") for number in range(1, 5)]
    of_lab = {"id-cluster_01": "group_01", "id-cluster_02": "faculty", "id-cluster_03": "group_01"}

    found = clusters_to_remove(clusters, of_lab, LAB, keep=("id-cluster_03",), everything=True)

    assert [item.name for item in found.remove] == ["cluster_01"]
    assert dict(found.keep) == {
        "cluster_02": "the course file does not list its group faculty",
        "cluster_03": "selected by --keep",
        "cluster_04": "it is not a cluster of the lab",
    }
    assert clusters_to_remove(clusters, of_lab, (), keep=(), everything=False).remove == ()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[EmulatedCourse]:
    with EmulatorProcess(["--speed", "0", "--transition-seconds", "0"]) as emulator:
        yield EmulatedCourse(emulator, tmp_path)


@pytest.mark.process
def test_interrupted_removal_commands_can_be_repeated(lab: EmulatedCourse) -> None:
    existing = "student1a@campus.example.ac.il"
    staying = {"admin@lab.example", STAFF, "student2b@campus.example.ac.il", existing, "dean@x.example"}
    dean = lab.create_user("dean@x.example")
    lab.call("POST", "/api/2.0/preview/scim/v2/Groups", {"displayName": "faculty", "members": [{"value": dean}]})
    spoofed = {"origin": "terraform", "lab_course": "94290", "lab_term": "2030w", "lab_group": "faculty"}
    spec = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_DS3_v2", "num_workers": 1}
    lab.call("POST", "/api/2.1/clusters/create", {**spec, "cluster_name": "spoofed", "custom_tags": spoofed})
    roster = ("--roster", lab.write_roster(existing=[existing]))
    unsure, listed = lab.run("delete-users", *roster), lab.run("delete-users", "--yes", "--all")
    lab.emulator.control(
        "POST", "faults", {"rules": [{"kind": "500", "match": "/api/2.0/preview/scim/v2/Users/*", "count": 1}]}
    )

    keep = ("--all", "--keep", "Student2b@campus.example.ac.il")
    first = lab.run("delete-users", *roster, "--yes", "--json", *keep)
    second = lab.run("delete-users", *roster, "--yes", *keep)
    lab.call("POST", "/api/2.1/clusters/pin", {"cluster_id": lab.clusters["group_01"]})
    groups, clusters = lab.run("delete-groups", "--yes", "--all"), lab.run("purge-clusters", "--yes", "--all")

    where = f"workspace {lab.emulator.workspace_id} at {lab.emulator.url}"
    assert (unsure.status, listed.status) == (1, 2)
    assert unsure.out.startswith(f"3 users to delete in {where}:\n")
    assert unsure.err == f'Type "delete 3 users in {where}" to continue: nothing was deleted\n'
    assert listed.err.startswith("no account is deleted: a roster has to mark the accounts of the lab; add --roster ")
    results = [row["result"] for row in first.json]
    assert [results.count(kind) for kind in ("deleted", "failed", "kept")] == [1, 1, 5]
    assert [done.status for done in (first, second, groups, clusters)] == [1, 0, 0, 0]
    assert {row["user"] for row in lab.run("users", "--json").json} == staying
    assert {row["group"] for row in lab.run("groups", "--json").json} == {"admins", "users", "faculty"}
    assert [row["cluster"] for row in lab.run("clusters", "--json").json] == ["spoofed"]


@pytest.mark.process
def test_without_a_course_file_nothing_is_deleted(lab: EmulatedCourse) -> None:
    lab.call("POST", "/api/2.0/workspace/delete", {"path": FOLDER, "recursive": True})

    for words in (["delete-users", "--roster", lab.write_roster()], ["delete-groups"], ["purge-clusters"]):
        done = lab.run(*words, "--yes", "--all")
        assert (done.status, ": there is no course file of 94290 2030w that lists the groups" in done.err) == (2, True)
    assert [len(lab.run(verb, "--json").json) for verb in ("users", "groups", "clusters")] == [6, 4, 2]
