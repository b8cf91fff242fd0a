"""Polls of an emulated workspace: warn, stop, restore; windows and allowances; concurrent changes by others."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulated_course import FOLDER, STAFF, SUNDAY, EmulatedCourse, local_time
from emulator_process import EmulatorProcess

pytestmark = pytest.mark.process

MONDAY = SUNDAY + timedelta(days=1)
RESTRICTED = ("TERMINATED", "CAN_ATTACH_TO")


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path) -> EmulatedCourse:
    frozen_emulator.control("POST", "reset")
    return EmulatedCourse(frozen_emulator, tmp_path)


def seen(lab: EmulatedCourse, group: str = "group_01") -> tuple[str, str]:
    return lab.state(group), lab.level(group)


def run_until_stopped(lab: EmulatedCourse, group: str = "group_01") -> None:
    """Let a member exceed the hard limit, and poll."""
    assert lab.start(group) == 200
    lab.advance_minutes(181)
    lab.poll()
    assert seen(lab, group) == RESTRICTED


def test_only_a_group_past_its_limit_is_stopped(lab: EmulatedCourse) -> None:
    for group in lab.names:
        assert lab.start(group) == 200
    lab.poll()
    lab.advance_minutes(100)
    lab.stop("group_02")
    lab.advance_minutes(80)

    lab.poll()

    assert {group: seen(lab, group) for group in lab.names} == {
        "group_01": RESTRICTED,
        "group_02": ("TERMINATED", "CAN_RESTART"),
    }
    assert [lab.start(group) for group in lab.names] == [403, 200]


def test_a_group_can_start_its_cluster_again_on_the_next_day(lab: EmulatedCourse) -> None:
    run_until_stopped(lab)

    lab.set_time(SUNDAY, "23:59:59")
    lab.poll()
    before = seen(lab)
    lab.set_time(MONDAY, "00:00:01")
    lab.poll()

    assert (before, seen(lab)) == (RESTRICTED, ("TERMINATED", "CAN_RESTART"))


def test_a_staff_session_is_neither_counted_nor_stopped(lab: EmulatedCourse) -> None:
    lab.grant("group_01", {"user_name": STAFF}, "CAN_MANAGE")
    lab.start("group_01", token=lab.tokens[STAFF])
    lab.advance_minutes(300)

    lab.poll()

    assert seen(lab) == ("RUNNING", "CAN_RESTART")


def test_a_staff_session_counts_from_a_members_restart(lab: EmulatedCourse) -> None:
    lab.start("group_01", token=lab.emulator.admin_token)
    lab.advance_minutes(300)
    lab.call(
        "POST", "/api/2.1/clusters/restart", {"cluster_id": lab.clusters["group_01"]}, token=lab.student("group_01")
    )
    lab.advance_minutes(170)
    lab.poll()
    early = seen(lab)
    lab.advance_minutes(11)

    lab.poll()

    assert (early, seen(lab)) == (("RUNNING", "CAN_RESTART"), RESTRICTED)


def test_staff_sessions_count_if_all_sessions_count(lab: EmulatedCourse) -> None:
    lab.write_course(count_all_sessions=True)
    lab.start("group_01", token=lab.emulator.admin_token)
    lab.advance_minutes(181)

    lab.poll()

    assert seen(lab) == RESTRICTED


def test_a_restricted_group_is_restored_at_once_by_an_allowance(lab: EmulatedCourse) -> None:
    run_until_stopped(lab)

    done = lab.run("allow", "1", "--minutes", "+60", "--reason", "project deadline")

    assert (done.status, lab.level("group_01"), lab.start("group_01")) == (0, "CAN_RESTART", 200)
    lab.advance_minutes(60)
    lab.poll()
    assert seen(lab) == RESTRICTED


def test_a_group_is_restricted_at_once_if_its_allowance_is_revoked(lab: EmulatedCourse) -> None:
    run_until_stopped(lab)
    id = lab.run("allow", "group_01", "--unlimited", "--reason", "exam", "--json").json["id"]
    restored = lab.level("group_01")
    lab.start("group_01")

    done = lab.run("revoke", id[:-2])

    assert (restored, done.status, seen(lab)) == ("CAN_RESTART", 0, RESTRICTED)


def test_a_blocked_group_without_usage_is_restricted(lab: EmulatedCourse) -> None:
    lab.run("block", "group_02", "--reason", "asked for it")

    assert (lab.level("group_01"), lab.level("group_02")) == ("CAN_RESTART", "CAN_ATTACH_TO")


def test_a_group_with_a_hard_limit_of_zero_is_restricted_at_once(lab: EmulatedCourse) -> None:
    lab.limits = {"soft_minutes": 0, "hard_minutes": 0, "week_minutes": None, "term_minutes": None}
    lab.write_course()

    lab.poll()

    assert [seen(lab, group) for group in lab.names] == [RESTRICTED] * 2


def test_groups_are_restored_during_a_window(lab: EmulatedCourse) -> None:
    run_until_stopped(lab, "group_01")
    lab.run("allow", "all", "--window", "Sun 12:00-14:00", "--reason", "lesson")
    lab.set_time(SUNDAY, "12:00")
    lab.poll()
    back = lab.level("group_01")
    for group in lab.names:
        assert lab.start(group) == 200
    lab.set_time(SUNDAY, "13:59")
    lab.poll()
    inside = [lab.state(group) for group in lab.names]

    lab.set_time(SUNDAY, "14:01")
    lab.poll()

    assert (back, inside) == ("CAN_RESTART", ["RUNNING", "RUNNING"])
    assert {group: seen(lab, group) for group in lab.names} == {
        "group_01": RESTRICTED,
        "group_02": ("RUNNING", "CAN_RESTART"),
    }
    lab.set_time(SUNDAY, "16:59")
    lab.poll()
    assert seen(lab, "group_02") == ("RUNNING", "CAN_RESTART")
    lab.set_time(SUNDAY, "17:00")
    lab.poll()
    assert seen(lab, "group_02") == RESTRICTED


def test_a_manually_restricted_group_is_restored_on_the_next_day(lab: EmulatedCourse) -> None:
    lab.poll()
    lab.grant("group_02", {"group_name": "group_02"}, "CAN_ATTACH_TO")
    lab.advance_minutes(60)
    lab.poll()
    same_day = lab.level("group_02")

    lab.set_time(MONDAY, "00:10")
    lab.poll()

    assert (same_day, lab.level("group_02")) == ("CAN_ATTACH_TO", "CAN_RESTART")


def test_a_manually_restored_group_is_restricted_again(lab: EmulatedCourse) -> None:
    run_until_stopped(lab)
    lab.grant("group_01", {"group_name": "group_01"}, "CAN_RESTART")
    lab.start("group_01")

    lab.poll()

    assert seen(lab) == RESTRICTED


def test_other_grants_survive_restricting_and_restoring(lab: EmulatedCourse) -> None:
    lab.create_user("ta@campus.example.ac.il")
    principal = lab.call(
        "POST", "/api/2.0/preview/scim/v2/ServicePrincipals", {"displayName": "grader", "active": True}
    )["applicationId"]
    lab.grant("group_01", {"user_name": "ta@campus.example.ac.il"}, "CAN_RESTART")
    lab.grant("group_01", {"service_principal_name": principal}, "CAN_MANAGE")
    before = lab.levels("group_01")

    run_until_stopped(lab)
    restricted = lab.levels("group_01")
    lab.set_time(MONDAY, "08:00")
    lab.poll()

    assert restricted == {**before, "group_01": "CAN_ATTACH_TO"}
    assert lab.levels("group_01") == before


@pytest.mark.parametrize("refused", ["/api/2.1/clusters/delete", "/api/2.0/permissions/clusters/{id}"])
def test_a_failure_for_one_cluster_does_not_affect_others(lab: EmulatedCourse, refused: str) -> None:
    for group in lab.names:
        lab.start(group)
    lab.advance_minutes(181)
    fault: dict[str, Any] = {"kind": "500", "match": refused.format(id=lab.clusters["group_01"])}
    if "delete" in refused:
        fault["count"] = 1
    lab.emulator.control("POST", "faults", {"rules": [fault]})

    failed = lab.run("poll")
    lab.emulator.control("POST", "faults", {})
    after = [seen(lab, group) for group in lab.names]
    lab.advance_minutes(1)
    lab.poll()

    assert failed.status == 1
    assert "cluster" in failed.err
    # The single failed stop may concern either cluster; an unreadable permission prevents no stop.
    expected = (
        [("RUNNING", "CAN_ATTACH_TO"), RESTRICTED]
        if "delete" in refused
        else [("TERMINATED", "CAN_RESTART"), RESTRICTED]
    )
    assert sorted(after) == sorted(expected)
    assert [seen(lab, group) for group in lab.names] == [RESTRICTED] * 2


def dumped(lab: EmulatedCourse) -> tuple[Any, ...]:
    """Return the ledger's bytes and content, and the whole workspace."""
    ledger = Path(lab.environment["CLUSTER_UPTIMES_DB"])
    with sqlite3.connect(ledger) as connection:
        content = list(connection.iterdump())
    connection.close()
    state = lab.emulator.control("GET", "state")
    return hashlib.sha256(ledger.read_bytes()).hexdigest(), content, state


def test_a_dry_run_prints_the_actions_of_a_poll_and_changes_nothing(lab: EmulatedCourse) -> None:
    lab.poll()
    for group in lab.names:
        lab.start(group)
    lab.advance_minutes(160)
    lab.stop("group_02")
    lab.advance_minutes(21)
    before = dumped(lab)

    dry = lab.poll("--dry-run")
    after = dumped(lab)
    lab.poll()

    assert after == before
    assert [line.split(":")[0] for line in dry.out.splitlines()] == [
        "restrict group_01",
        "stop group_01",
        "warn group_02",
    ]
    assert seen(lab) == RESTRICTED


def test_a_dry_run_creates_no_ledger(lab: EmulatedCourse) -> None:
    lab.poll("--dry-run")

    assert list(lab.folder.iterdir()) == []


def test_the_last_limits_apply_if_the_course_file_is_invalid_or_missing(lab: EmulatedCourse) -> None:
    lab.limits |= {"soft_minutes": 20, "hard_minutes": 30}
    lab.write_course()
    lab.poll()
    lab.put(f"{FOLDER}/course.json", "{}")
    lab.start("group_01")
    lab.advance_minutes(31)

    broken = [lab.run("poll") for _ in range(2)]
    stopped = seen(lab)
    lab.call("POST", "/api/2.0/workspace/delete", {"path": FOLDER, "recursive": True})
    lab.start("group_02")
    lab.advance_minutes(31)
    lab.poll()

    assert [(done.status, f"{FOLDER}/course.json: version is missing" in done.err) for done in broken] == [
        (1, True)
    ] * 2
    assert (stopped, seen(lab, "group_02")) == (RESTRICTED, RESTRICTED)


def test_clusters_without_tags_are_managed_by_legacy_names(lab: EmulatedCourse) -> None:
    for group, id in lab.clusters.items():
        spec = lab.call("GET", f"/api/2.1/clusters/get?cluster_id={id}")
        kept = ("cluster_id", "cluster_name", "spark_version", "node_type_id", "num_workers", "autotermination_minutes")
        lab.call("POST", "/api/2.1/clusters/edit", {name: spec[name] for name in kept})
        assert lab.start(group) == 200
    limits = {"DATABRICKS_WARN_UPTIME": "20", "DATABRICKS_MAX_UPTIME": "30", "LAB_TIMEZONE": "Asia/Jerusalem"}
    lab.advance_minutes(29)
    lab.run("poll", **limits)
    early = lab.state("group_01")
    lab.advance_minutes(2)

    done = lab.run("poll", **limits)

    assert (early, done.status, [seen(lab, group) for group in lab.names]) == ("RUNNING", 0, [RESTRICTED] * 2)


def test_daily_and_weekly_limits_with_allowances_over_a_week(frozen_emulator: EmulatorProcess, tmp_path: Path) -> None:
    """Every day a member starts the cluster whenever allowed; polls every half hour stop it exactly at the limit."""
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(
        frozen_emulator, tmp_path, groups=1, limits={"soft_minutes": 90, "hard_minutes": 120, "week_minutes": 480}
    )
    days = [SUNDAY + timedelta(days=number) for number in range(8)]
    used = []
    lab.run("allow", "1", "--minutes", "+60", "--day", str(days[1]), "--reason", "deadline")
    lab.run("block", "1", "--day", str(days[2]), "--reason", "holiday")
    lab.run("allow", "1", "--window", "Wed 10:00-11:00", "--day", str(days[3]), "--reason", "lesson")
    lab.run("allow", "all", "--unlimited", "--day", str(days[5]), "--reason", "hackathon")
    for day in days:
        for hour in range(8, 15):
            for minute in ("00", "30"):
                lab.set_time(day, f"{hour:02}:{minute}")
                lab.poll()
                if lab.state("group_01") == "TERMINATED":
                    status = lab.emulator.request(
                        "POST",
                        "/api/2.1/clusters/start",
                        {"cluster_id": lab.clusters["group_01"]},
                        token=lab.student("group_01"),
                    )[0]
                    assert status == (403 if lab.level("group_01") == "CAN_ATTACH_TO" else 200)
        lab.stop("group_01")
        used.append(lab.used_ms("group_01", local_time(day, "00:00"), local_time(day, "23:59")) // 60_000)

    # 120 minutes; 60 more; blocked; an extra hour of lesson; a usual day; unlimited until 14:30, which the week counts
    # anyway, so nothing is left on Saturday; and a new week.
    assert used == [120, 180, 0, 180, 120, 390, 0, 120]


def test_a_poll_of_many_clusters_stays_below_the_rate_limits(frozen_emulator: EmulatorProcess, tmp_path: Path) -> None:
    """More groups than the rate limit of 30 permission changes per second are restricted, and no request fails."""
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path, groups=45, limits={"soft_minutes": 0, "hard_minutes": 0})
    frozen_emulator.control("POST", "faults", {"profile": "azure"})
    asked = len(frozen_emulator.request_log())

    lab.poll()
    requests = frozen_emulator.request_log()[asked:]
    frozen_emulator.control("POST", "faults", {})

    assert {request["status"] for request in requests} == {200}
    assert sum(request["method"] == "PATCH" for request in requests) == 45
    assert {lab.level(group) for group in lab.names} == {"CAN_ATTACH_TO"}


def test_usage_of_earlier_weeks_counts_for_the_term_limit(frozen_emulator: EmulatorProcess, tmp_path: Path) -> None:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path, groups=1, limits={"term_minutes": 200})
    lab.start("group_01")
    lab.advance_minutes(150)
    lab.poll()
    lab.stop("group_01")
    lab.set_time(SUNDAY + timedelta(days=30), "08:00")
    lab.poll()
    lab.start("group_01")
    lab.advance_minutes(51)

    dry = lab.poll("--dry-run")
    lab.poll()

    assert dry.out.splitlines()[1] == "stop group_01: used 201 minutes of the term, the limit is 200 minutes"
    assert seen(lab) == RESTRICTED
