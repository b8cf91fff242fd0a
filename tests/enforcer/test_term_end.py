"""What the tools of a term's end take and what they leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator_process import EmulatorProcess
from enforcer.retention.term_end import clusters_to_remove, groups_to_remove, lab_groups, users_to_remove
from enforcer.workspace.directory import HeldCluster, HeldGroup, Person
from enforcer_lab import STAFF, EnforcerLab

CHOSEN = ("94290", "2030w")
PEOPLE = [
    Person(str(n), f"{name}@x.example", name, True) for n, name in enumerate(["ada", "bob", "cem", "dov", "eva", "fay"])
]
GROUPS = [
    HeldGroup("admins", "admins", ("0", "nested")),
    HeldGroup("nested", "operators", ("1",)),
    HeldGroup("users", "users", tuple("012345")),
    HeldGroup("g1", "group_01", ("0", "1", "2", "3", "4")),
    HeldGroup("g2", "faculty", ("3",)),
    HeldGroup("all", "all_student_groups", ("g1", "2")),
]
LAB = frozenset({"group_01"})


def held(name: str, *, tagged: bool = True, term: str = "2030w") -> HeldCluster:
    group = name.replace("cluster", "group") if tagged else None
    course, of = ("94290", term) if tagged else (None, None)
    return HeldCluster(f"id-{name}", name, "TERMINATED", group, course, of, tagged, None, None, None, False)


def users(
    *, keep: tuple[str, ...] = (), caller: str = "Eva@x.example", everything: bool = False
) -> tuple[list[str], dict[str, str]]:
    found = users_to_remove(PEOPLE, GROUPS, LAB, keep=keep, caller=caller, everything=everything)
    return [item.name[:3] for item in found.remove], {name[:3]: reason for name, reason in found.keep}


def test_students_go_and_administrators_colleagues_and_the_caller_stay() -> None:
    assert users() == (
        ["cem"],
        {
            "ada": "an administrator",
            "bob": "an administrator",
            "dov": "also in faculty",
            "eva": "it is you",
        },
    )


def test_whom_one_keeps_stays_however_the_address_is_spelled() -> None:
    assert users(keep=("CEM@x.example",))[1]["cem"] == "named by --keep"


def test_everybody_goes_but_administrators_and_the_caller() -> None:
    assert users(everything=True)[0] == ["cem", "dov", "fay"]


def test_groups_of_the_lab_go_and_those_of_every_workspace_never() -> None:
    lab = groups_to_remove(GROUPS, LAB | {"admins"}, keep=(), everything=False)
    everything = groups_to_remove(GROUPS, LAB, keep=("faculty",), everything=True)

    assert [item.name for item in lab.remove] == ["group_01"]
    assert [item.name for item in everything.remove] == ["operators", "group_01", "all_student_groups"]
    assert everything.keep == (("faculty", "named by --keep"),)


def test_clusters_of_another_term_and_of_nobody_stay() -> None:
    clusters = [held("cluster_01"), held("cluster_02", term="2031s"), held("cluster_03", tagged=False)]

    found = {
        str(chosen): [item.name for item in clusters_to_remove(clusters, chosen, keep=(), everything=everything).remove]
        for chosen, everything in [(CHOSEN, False), (None, False)]
    }

    assert found == {str(CHOSEN): ["cluster_01"], "None": ["cluster_01", "cluster_02", "cluster_03"]}


def test_the_groups_of_a_lab_are_those_of_its_file_and_its_clusters() -> None:
    clusters = [held("cluster_02"), held("cluster_03", term="2031s")]

    assert lab_groups(clusters, GROUPS, ["group_07"], CHOSEN) == {"group_02", "group_07"}
    assert lab_groups([], GROUPS, [], None) == {"group_01"}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[EnforcerLab]:
    with EmulatorProcess(["--speed", "0", "--transition-seconds", "0"]) as emulator:
        yield EnforcerLab(emulator, tmp_path)


@pytest.mark.process
def test_a_term_is_removed_in_three_steps_that_can_be_broken_off_and_repeated(lab: EnforcerLab) -> None:
    staying = {"admin@lab.example", STAFF, "student2b@campus.example.ac.il"}
    unsure = lab.run("delete-users")
    lab.emulator.control(
        "POST", "faults", {"rules": [{"kind": "500", "match": "/api/2.0/preview/scim/v2/Users/*", "count": 1}]}
    )

    first = lab.run("delete-users", "--yes", "--json", "--keep", "Student2b@campus.example.ac.il")
    second = lab.run("delete-users", "--yes", "--keep", "student2b@campus.example.ac.il")
    lab.ask("POST", "/api/2.1/clusters/pin", {"cluster_id": lab.clusters["group_01"]})
    groups, clusters = lab.run("delete-groups", "--yes"), lab.run("purge-clusters", "--yes")

    assert (unsure.status, "nothing was deleted" in unsure.err) == (1, True)
    assert sorted(row["result"] for row in first.json) == ["deleted", "deleted", "failed", "kept"]
    assert [done.status for done in (first, second, groups, clusters)] == [1, 0, 0, 0]
    assert {row["user"] for row in lab.run("users", "--json").json} == staying
    assert {row["group"] for row in lab.run("groups", "--json").json} == {"admins", "users"}
    assert lab.run("clusters", "--json").json == []
