"""Restrictions as reported to a deployment, from the live workspace alone."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from emulated_course import FOLDER, SUNDAY, EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.__main__ import main
from enforcer.domain.settled_totals import GroupTotals, SettledTotals, format_settled
from enforcer.tick.restricted import restricted
from enforcer.workspace.client import Workspace

pytestmark = pytest.mark.process

HOUR = timedelta(hours=1)


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path) -> EmulatedCourse:
    frozen_emulator.control("POST", "reset")
    return EmulatedCourse(frozen_emulator, tmp_path, limits={"soft_minutes": 150, "hard_minutes": 180})


def asked(lab: EmulatedCourse) -> dict[str, str]:
    """Return the result that a deployment would get now; every file must be readable."""
    found, problems = restricted(Workspace(cast(Any, lab.emulator.client())), "94290", "2030w", now=lab.now)
    assert problems == []
    return found


def test_a_group_that_the_enforcer_restricted_is_returned_with_limit(lab: EmulatedCourse) -> None:
    assert lab.start("group_01") == lab.start("group_02") == 200
    lab.advance_minutes(90)
    lab.stop("group_02")
    lab.advance_minutes(90)
    lab.poll()

    assert asked(lab) == {"group_01": "day 180"}


def test_a_manually_restricted_group_is_not_returned(lab: EmulatedCourse) -> None:
    lab.grant("group_01", {"group_name": "group_01"}, "CAN_ATTACH_TO")

    assert asked(lab) == {}


def test_a_manually_restored_group_is_not_returned(lab: EmulatedCourse) -> None:
    lab.start("group_01")
    lab.advance_minutes(180)
    lab.poll()
    lab.grant("group_01", {"group_name": "group_01"}, "CAN_RESTART")

    assert asked(lab) == {}


def test_a_session_started_long_ago_counts_for_its_starter_today(lab: EmulatedCourse) -> None:
    lab.start("group_01")
    lab.start("group_02", token=lab.emulator.admin_token)
    for group in lab.names:
        lab.grant(group, {"group_name": group}, "CAN_ATTACH_TO")
    lab.set_time(SUNDAY + timedelta(days=3), "12:00")

    assert asked(lab) == {"group_01": "day 180"}


def test_a_group_with_an_allowance_for_today_is_not_returned(lab: EmulatedCourse) -> None:
    lab.start("group_01")
    lab.advance_minutes(180)
    lab.poll()
    lab.run("allow", "group_01", "--minutes", "60", "--reason", "project deadline")
    lab.grant("group_01", {"group_name": "group_01"}, "CAN_ATTACH_TO")

    assert asked(lab) == {}


def test_week_usage_is_the_settled_total_plus_later_sessions(lab: EmulatedCourse) -> None:
    lab.write_course(groups=[group_with(name, number, week_minutes=600) for number, name in enumerate(lab.names, 1)])
    tuesday = SUNDAY + timedelta(days=2)
    settled = SettledTotals(
        SUNDAY, {"group_01": GroupTotals(8 * HOUR, 8 * HOUR), "group_02": GroupTotals(7 * HOUR, 7 * HOUR)}
    )
    lab.put(f"{FOLDER}/settled.json", format_settled(settled))
    lab.set_time(tuesday, "08:00")
    for group in lab.names:
        lab.start(group)
        lab.grant(group, {"group_name": group}, "CAN_ATTACH_TO")
    lab.advance_minutes(121)

    assert asked(lab) == {"group_01": "week 600"}


def group_with(name: str, number: int, **limits: int) -> dict[str, Any]:
    reported = {"soft_minutes": 150, "hard_minutes": 180, "week_minutes": None, "term_minutes": None} | limits
    return {"name": name, "number": number, "moodle_id": None, "title": f"Team {number}", "limits": reported}


def test_no_group_is_returned_without_clusters(lab: EmulatedCourse) -> None:
    lab.start("group_01")
    lab.advance_minutes(180)
    lab.poll()
    for id in lab.clusters.values():
        lab.call("POST", "/api/2.1/clusters/permanent-delete", {"cluster_id": id})
    assert asked(lab) == {}

    lab.call("POST", "/api/2.0/workspace/delete", {"path": FOLDER, "recursive": True})
    assert asked(lab) == {}


def test_an_invalid_course_file_does_not_block_a_deployment(lab: EmulatedCourse) -> None:
    lab.put(f"{FOLDER}/course.json", "{")

    found, problems = restricted(Workspace(cast(Any, lab.emulator.client())), "94290", "2030w", now=lab.now)

    assert (found, len(problems)) == ({}, 1)
    assert problems[0].startswith(f"{FOLDER}/course.json")


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("", 2, "standard input is not JSON"),
        ("[]", 2, "must be a JSON object whose values are strings"),
        ('{"course": "94290"}', 2, "the query has no term"),
        ('{"course": "94290", "term": "2030w"}', 0, ""),
    ],
)
def test_the_command_prints_a_json_object_or_an_error(
    lab: EmulatedCourse, query: str, status: int, sentence: str
) -> None:
    done = CliRunner(env=lab.environment).invoke(main, ["restricted"], input=query, obj=lab.environment)

    assert (done.exit_code, sentence in done.stderr) == (status, True)
    assert status or json.loads(done.stdout) == {}


def test_the_whole_first_day_is_read_without_settled_totals(lab: EmulatedCourse) -> None:
    lab.write_course(
        groups=[group_with(name, number, term_minutes=240) for number, name in enumerate(lab.names, 1)],
        first_day=str(SUNDAY),
    )
    for day in range(2):
        lab.set_time(SUNDAY + timedelta(days=day), "09:00")
        lab.start("group_01")
        lab.advance_minutes(121)
        lab.stop("group_01")
    lab.grant("group_01", {"group_name": "group_01"}, "CAN_ATTACH_TO")

    assert (asked(lab), lab.now.date()) == ({"group_01": "term 240"}, date(2030, 11, 4))
