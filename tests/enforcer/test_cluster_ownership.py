"""Selection of managed clusters: tags are only a claim, and an accepted cluster stays accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from emulator.models.scim import User
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.ownership import AcceptedCluster, CreatorCheck, choose_course, select_clusters
from enforcer.domain.quota import Restrict, Stop
from enforcer.domain.uptime import Observation
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings, SettingsError, load_settings
from enforcer.tick.run import TickResult, run_tick
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
from fake_mail_service import FakeMailService
from in_process_course import SETTINGS, STAFF, START, InProcessCourse
from labkit.clock import Deadline

pytestmark = pytest.mark.waits

M = timedelta(minutes=1)
UNSET = load_settings({})
"""Settings without a course."""


@pytest.fixture
def lab() -> InProcessCourse:
    return InProcessCourse(2, soft=150 * M, hard=180 * M)


def tick(
    ledger: Ledger, lab: InProcessCourse, settings: Settings = UNSET, workspace: Workspace | None = None
) -> TickResult:
    connected = workspace or lab.connect()
    return run_tick(settings, ledger, connected, FakeMailService(), now=lab.now(), deadline=Deadline(M))


def served(result: TickResult) -> list[str]:
    assert result.snapshot
    return sorted(cluster.id for cluster in result.snapshot.clusters)


def touched(result: TickResult) -> set[str]:
    return {action.cluster_id for action in result.actions}


def foreigner(lab: InProcessCourse, name: str = "professor@example.ac.il") -> User:
    """Return a user who may create clusters and is neither staff nor an administrator."""
    user = lab.workspace.emulated.state.directory.find_user(name) or lab.workspace.create_user(name)
    user.entitlements = ["allow-cluster-create", "workspace-access"]
    return user


def foreign_cluster(lab: InProcessCourse, name: str = "cluster_9", **tags: str) -> str:
    """Create a foreign cluster with these tags that has run for longer than any limit."""
    owner = foreigner(lab)
    id = lab.workspace.create(owner, cluster_name=name, autotermination_minutes=0, custom_tags=tags)
    lab.workspace.advance(200 * 60)
    return id


def test_foreign_clusters_of_other_courses_cause_no_ambiguity(ledger: Ledger, lab: InProcessCourse) -> None:
    lab.start(lab.clusters[0])
    foreign = foreign_cluster(lab, origin="terraform", lab_course="666", lab_term="2026w", lab_group="group_001")

    result = tick(ledger, lab)

    assert (served(result), touched(result)) == (sorted(lab.clusters), {lab.clusters[0]})
    assert [type(action) for action in result.actions] == [Restrict, Stop]
    assert lab.workspace.state(foreign) == "RUNNING"
    assert result.problems == (
        f"cluster cluster_9 ({foreign}, created by professor@example.ac.il) claims to belong to group_001 of 666 2026w "
        "and is not managed: its creator professor@example.ac.il is neither a workspace administrator nor in [staff]",
    )


@pytest.mark.parametrize("settings", [UNSET, SETTINGS], ids=["course unset", "course set"])
def test_a_cluster_with_a_spoofed_group_is_reported_and_not_managed(
    ledger: Ledger, lab: InProcessCourse, settings: Settings
) -> None:
    tags = {"origin": "terraform", "lab_course": "94290", "lab_term": "2026w"}
    claims = foreign_cluster(lab, lab_group="group_001", **tags)
    unlisted = lab.workspace.create(
        cluster_name="x", autotermination_minutes=0, custom_tags={**tags, "lab_group": "faculty"}
    )
    lab.workspace.advance(200 * 60)

    results = [tick(ledger, lab, settings) for _ in range(2)]

    for result in results:
        assert (served(result), touched(result)) == (sorted(lab.clusters), set())
        assert [failure.split(" and is not managed: ")[1] for failure in result.problems] == [
            "its creator professor@example.ac.il is neither a workspace administrator nor in [staff]",
            "the course file does not list this group",
        ]
    assert {lab.workspace.state(claims), lab.workspace.state(unlisted)} == {"RUNNING"}
    assert lab.level(lab.clusters[0]) == "CAN_RESTART"


def test_settings_or_ledger_select_one_of_two_courses(
    ledger: Ledger, lab: InProcessCourse, module_ledger: Ledger
) -> None:
    other = lab.make_cluster("group_001", lab_course="94291")
    lab.write_course(course="94291")
    for id in (lab.clusters[0], other):
        lab.start(id)
    lab.workspace.advance(200 * 60)

    with pytest.raises(SettingsError, match="several courses .94290 2026w, 94291 2026w.; set LAB_COURSE and LAB_TERM"):
        tick(ledger, lab)
    assert lab.workspace.state(other) == lab.workspace.state(lab.clusters[0]) == "RUNNING"

    named = tick(ledger, lab, SETTINGS)
    assert (served(named), touched(named), named.problems) == (sorted(lab.clusters), {lab.clusters[0]}, ())
    later = tick(ledger, lab)
    assert (served(later), lab.workspace.state(other)) == (sorted(lab.clusters), "RUNNING")
    assert later.problems == (
        "the workspace has several courses (94290 2026w, 94291 2026w); set LAB_COURSE and LAB_TERM to one of them; "
        "94290 2026w is managed meanwhile",
    )
    assert later.snapshot and later.snapshot.notices == later.problems


def test_untagged_clusters_are_ignored_if_a_course_is_set(ledger: Ledger, lab: InProcessCourse) -> None:
    # By the legacy names, the cluster would be group_1's, and its starter would count.
    lab.workspace.group("group_1", foreigner(lab))
    foreign = foreign_cluster(lab, name="cluster_1")
    for id in lab.clusters:
        lab.remove(id)

    for settings in (SETTINGS, UNSET):
        result = tick(ledger, lab, settings)
        assert (touched(result), lab.workspace.state(foreign)) == (set(), "RUNNING")
        tick(ledger, InProcessCourse(2, soft=150 * M, hard=180 * M), settings)


def test_legacy_names_count_without_tags_and_course_setting(ledger: Ledger) -> None:
    lab = InProcessCourse(0, soft=150 * M, hard=180 * M, has_file=False)
    legacy = lab.workspace.create(cluster_name="cluster_1", autotermination_minutes=0)
    lab.workspace.advance(60)
    foreign = foreign_cluster(lab, origin="terraform", lab_course="666", lab_term="2026w", lab_group="x")

    assert served(tick(ledger, lab)) == [legacy]
    assert lab.workspace.state(foreign) == "RUNNING"


def test_clusters_recreated_by_admins_or_staff_are_managed(ledger: Ledger, lab: InProcessCourse) -> None:
    tick(ledger, lab)
    admin = lab.workspace.create_user("second@example.ac.il")
    lab.members("admins").append(admin.id)
    lab.remove(lab.clusters[0])
    again = lab.make_cluster("group_001", creator=admin)
    by_staff = lab.make_cluster("group_002", creator=foreigner(lab, STAFF))
    lab.start(again)
    lab.workspace.advance(200 * 60)

    result = tick(ledger, lab)

    assert served(result) == sorted([again, by_staff, lab.clusters[1]])
    assert (touched(result), result.problems) == ({again}, ())


def test_clusters_of_a_former_administrator_stay_accepted(ledger: Ledger, lab: InProcessCourse) -> None:
    admin = lab.workspace.create_user("second@example.ac.il")
    lab.members("admins").append(admin.id)
    before = lab.make_cluster("group_001", creator=admin)
    tick(ledger, lab)
    lab.members("admins").remove(admin.id)
    admin.entitlements = ["allow-cluster-create"]
    after = lab.make_cluster("group_001", creator=admin)

    result = tick(ledger, lab)

    assert served(result) == sorted([before, *lab.clusters])
    assert [after in failure for failure in result.problems] == [True]


def test_without_a_course_file_ledger_or_settings_select_the_course(
    ledger: Ledger, lab: InProcessCourse, module_ledger: Ledger
) -> None:
    tick(ledger, lab)
    lab.remove_course()
    lab.start(lab.clusters[0])
    lab.workspace.advance(200 * 60)
    assert (touched(tick(ledger, lab)), lab.level(lab.clusters[0])) == ({lab.clusters[0]}, "CAN_ATTACH_TO")

    new = InProcessCourse(1, soft=150 * M, hard=180 * M, has_file=False)
    new.start(new.clusters[0])
    new.workspace.advance(300 * 60)
    for table in ("cluster", "accepted_cluster", "file", "note"):
        ledger.database.execute_sql(
            f"DELETE FROM {table} WHERE 1 = 1" + (" AND name <> 'ledger id'" if table == "note" else "")
        )
    unnamed = tick(ledger, new)
    assert served(unnamed) == []
    assert ["deploy it, or set LAB_COURSE and LAB_TERM" in failure for failure in unnamed.problems] == [True]
    assert touched(tick(ledger, new, SETTINGS)) == {new.clusters[0]}


def test_tags_decide_while_administrators_cannot_be_read(
    ledger: Ledger, lab: InProcessCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = lab.connect()
    lab.start(lab.clusters[0])
    lab.workspace.advance(200 * 60)

    def refuse() -> Any:
        raise WorkspaceError("the groups: 403")

    monkeypatch.setattr(workspace, "members", refuse)
    refused = tick(ledger, lab, SETTINGS, workspace)

    assert touched(refused) == {lab.clusters[0]}
    assert sum("is managed on the basis of its tags alone" in failure for failure in refused.problems) == 2
    assert queries.accepted_clusters(ledger) == {}
    accepted = tick(ledger, lab, SETTINGS)
    assert (accepted.problems, set(queries.accepted_clusters(ledger))) == ((), set(lab.clusters))
    tags = {"origin": "terraform", "lab_course": "94290", "lab_term": "2026w", "lab_group": "group_001"}
    foreign = foreign_cluster(lab, **tags)
    claimed = tick(ledger, lab, SETTINGS, workspace)
    assert foreign not in served(claimed)
    assert any("and the group has another cluster" in failure for failure in claimed.problems)


def test_a_cluster_with_changed_tags_stays_in_its_group(ledger: Ledger, lab: InProcessCourse) -> None:
    tick(ledger, lab)
    stored = lab.workspace.emulated.state.clusters.by_id[lab.clusters[0]]
    stored.definition["custom_tags"]["lab_group"] = "group_002"

    result = tick(ledger, lab)

    assert served(result) == sorted(lab.clusters)
    assert result.snapshot and result.snapshot.group_by_cluster[lab.clusters[0]] == "group_001"
    assert len(result.problems) == 1 and "it still belongs to group_001" in result.problems[0]


# --- pure


def seen(id: str, *, creator: str | None = "admin@x", **tags: str) -> ObservedCluster:
    reported = {"group": "group_01", "course": "1", "term": "t", "origin": "terraform"} | tags
    return ObservedCluster(
        id, id, observation=Observation(START, running=True), list_fingerprint="", creator=creator, **reported
    )


def is_by_admin(cluster: ObservedCluster) -> bool:
    return cluster.creator == "admin@x"


LISTED = frozenset({"group_01", "group_02"})


def own(*clusters: ObservedCluster, groups: frozenset[str] | None = LISTED, **more: Any) -> Any:
    values: dict[str, Any] = {
        "is_named": False,
        "accepted": {},
        "creator_check": CreatorCheck(is_by_admin, lambda _: True),
    } | more
    return select_clusters(clusters, ("1", "t"), groups=groups, **values)


@pytest.mark.parametrize(
    ("cluster", "is_served"),
    [
        (seen("a"), True),
        (seen("a", creator="dana@x"), False),
        (seen("a", group="faculty"), False),
        (seen("a", course="2"), False),
        (seen("a", term=""), False),
        (seen("a", origin="hand"), False),
        (seen("a", course="../1"), False),
    ],
)
def test_a_lab_cluster_has_tags_a_listed_group_and_a_staff_creator(cluster: ObservedCluster, is_served: bool) -> None:
    found = own(cluster)
    assert (bool(found.clusters), bool(found.newly_accepted)) == (is_served, is_served)


def test_an_accepted_cluster_stays_accepted() -> None:
    before = {"a": AcceptedCluster("1", "t", "group_01", "dana@x")}
    assert own(seen("a", creator="dana@x"), accepted=before).clusters == (seen("a", creator="dana@x"),)
    moved = own(seen("a", group="group_02"), accepted=before)
    assert (moved.clusters, moved.newly_accepted, len(moved.problems)) == ((seen("a"),), (), 1)
    bare = own(replace(seen("a"), course="", term="", group=None, origin=""), accepted=before)
    assert (bare.clusters, len(bare.problems)) == ((seen("a"),), 1)
    renamed = own(seen("a", group="group_02"), accepted=before, groups=frozenset({"group_02"}))
    assert (renamed.newly_accepted, renamed.problems) == ((seen("a", group="group_02"),), ())


def test_a_cluster_with_an_unknown_creator_is_managed_but_not_accepted() -> None:
    check = CreatorCheck(is_by_admin, lambda _: False)
    alone = own(seen("a", creator="b@x"), creator_check=check)
    assert (alone.clusters, alone.newly_accepted, len(alone.problems)) == ((seen("a", creator="b@x"),), (), 1)
    beside = own(seen("a", creator=None), seen("b"), creator_check=check)
    assert (beside.clusters, beside.claims, len(beside.problems)) == ((seen("b"),), (seen("a", creator=None),), 1)


@pytest.mark.parametrize(
    ("found", "settings", "known", "chosen"),
    [
        ([], (None, None), None, None),
        ([("1", "t")], (None, None), None, ("1", "t")),
        ([("1", "t"), ("2", "t")], ("2", None), None, ("2", "t")),
        ([("1", "t"), ("2", "t")], (None, None), ("1", "t"), ("1", "t")),
        ([("1", "t"), ("2", "t")], (None, None), None, None),
        ([("2", "t")], (None, None), ("1", "t"), ("2", "t")),
        ([], (None, None), ("1", "t"), ("1", "t")),
        ([("1", "t")], ("9", "t"), ("1", "t"), ("9", "t")),
        ([], ("9", None), ("1", "t"), None),
    ],
)
def test_settings_clusters_or_ledger_select_the_course(
    found: list[tuple[str, str]],
    settings: tuple[str | None, str | None],
    known: tuple[str, str] | None,
    chosen: tuple[str, str] | None,
) -> None:
    unclear = len(found) > 1 and settings == (None, None)
    result, sentence = choose_course(found, *settings, known)
    assert (result, sentence is not None) == (chosen, unclear)
