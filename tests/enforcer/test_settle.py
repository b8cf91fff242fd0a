"""Which days are due to be settled, and the results of settling."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from emulated_course import FOLDER, SUNDAY, EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.domain.day_records import DayTotal
from enforcer.ledger import queries
from enforcer.ledger.database import open_ledger
from enforcer.ledger.models import MessageRow
from enforcer.tick.settle import unsettled_days

MONDAY = SUNDAY + timedelta(days=1)
M = timedelta(minutes=1)


def november(*days: int) -> tuple[date, ...]:
    return tuple(date(2026, 11, day) for day in days)


@pytest.mark.parametrize(
    ("settled", "first", "up_to", "expected"),
    [
        pytest.param(4, 2, 5, november(5), id="the last night"),
        pytest.param(1, 1, 5, november(2, 3, 4, 5), id="a week off"),
        pytest.param(5, 2, 5, (), id="done already"),
        pytest.param(6, 2, 5, (), id="the clock was set back"),
        pytest.param(None, 3, 5, november(3, 4, 5), id="a new ledger, a lab that has run"),
        pytest.param(None, None, 5, (), id="nothing ever ran"),
        pytest.param(None, 6, 5, (), id="it began today"),
        pytest.param(1, 4, 5, november(4, 5), id="between two terms nothing is settled"),
    ],
)
def test_every_past_day_is_due_once(
    settled: int | None, first: int | None, up_to: int, expected: tuple[date, ...]
) -> None:
    def day(number: int | None) -> date | None:
        return None if number is None else date(2026, 11, number)

    assert unsettled_days(settled=day(settled), first=day(first), up_to=date(2026, 11, up_to)) == expected


@pytest.fixture
def emulator(frozen_emulator: EmulatorProcess) -> EmulatorProcess:
    frozen_emulator.control("POST", "reset")
    return frozen_emulator


def usage(lab: EmulatedCourse, group: str, minutes: float) -> None:
    assert lab.start(group) == 200
    lab.advance_minutes(minutes)


def settled(lab: EmulatedCourse, day: date) -> dict[str, DayTotal]:
    with closing(open_ledger(lab.environment["CLUSTER_UPTIMES_DB"])) as ledger:
        return {total.group: total for total in queries.settled(ledger, day).values()}


def test_a_deleted_cluster_is_settled_up_to_its_last_observation(emulator: EmulatorProcess, tmp_path: Path) -> None:
    lab = EmulatedCourse(emulator, tmp_path)
    usage(lab, "group_01", 40)
    lab.poll()
    lab.advance_minutes(5)
    emulator.control("POST", "drift", {"kind": "delete_cluster", "target": lab.clusters["group_01"]})
    lab.set_time(MONDAY, "00:20")

    assert lab.run("end-of-day").status == 0

    total = settled(lab, SUNDAY)["group_01"]
    assert (total.used // M, total.estimate) == (40, True)


def test_sessions_of_staff_are_settled_as_uncounted(emulator: EmulatorProcess, tmp_path: Path) -> None:
    lab = EmulatedCourse(emulator, tmp_path)
    assert lab.start("group_01", token=emulator.admin_token) == 200
    lab.advance_minutes(30)
    lab.stop("group_01")
    lab.set_time(MONDAY, "00:20")

    assert lab.run("end-of-day").status == 0

    total = settled(lab, SUNDAY)["group_01"]
    assert (total.used, total.uncounted // M, total.sessions) == (timedelta(), 30, 0)


def test_a_group_past_its_week_limit_stays_restricted_overnight(emulator: EmulatorProcess, tmp_path: Path) -> None:
    lab = EmulatedCourse(emulator, tmp_path, limits={"week_minutes": 100})
    usage(lab, "group_01", 101)
    usage(lab, "group_02", 20)
    lab.stop("group_02")
    lab.poll()
    lab.set_time(MONDAY, "00:20")

    assert lab.run("end-of-day").status == 0

    assert {group: lab.level(group) for group in lab.names} == {"group_01": "CAN_ATTACH_TO", "group_02": "CAN_RESTART"}
    answer = lab.call("GET", f"/api/2.0/workspace/export?path={FOLDER}/settled.json&direct_download=true")
    reported = json.loads(answer) if isinstance(answer, str) else answer
    used = {group: totals["week_ms"] // 60_000 for group, totals in reported["groups"].items()}
    assert (reported["up_to"], used) == (SUNDAY.isoformat(), {"group_01": 121, "group_02": 20})


def test_an_old_day_is_settled_without_a_report(emulator: EmulatorProcess, tmp_path: Path) -> None:
    lab = EmulatedCourse(emulator, tmp_path)
    lab.environment["REPORT_RECIPIENT_EMAIL"] = "teacher@example.ac.il"
    usage(lab, "group_01", 30)
    lab.stop("group_01")
    lab.set_time(SUNDAY + timedelta(days=20), "09:00")

    assert lab.run("end-of-day").status == 0

    assert settled(lab, SUNDAY)["group_01"].used // M == 30
    with closing(open_ledger(lab.environment["CLUSTER_UPTIMES_DB"])) as ledger:
        days = [
            row.period_start
            for row in ledger.select(MessageRow).order_by(MessageRow.period_start)
            if row.kind == "report"
        ]
    assert (days[0], len(days)) == ((SUNDAY + timedelta(days=6)).isoformat(), 14)


def test_a_report_is_written_in_every_format(emulator: EmulatorProcess, tmp_path: Path) -> None:
    lab = EmulatedCourse(emulator, tmp_path)
    usage(lab, "group_01", 30)
    lab.poll()
    begins = {".html": b"<!DOCTYPE html>", ".eml": b"Subject: ", ".csv": b"\xef\xbb\xbfday,", ".png": b"\x89PNG"}

    for suffix, first in begins.items():
        done = lab.run("report", "--day", SUNDAY.isoformat(), "--output", f"day{suffix}")
        assert done.status == 0, done
        assert (tmp_path / f"day{suffix}").read_bytes().startswith(first)
        assert (tmp_path / f"day{suffix}").stat().st_mode & 0o077 == 0
    assert "<bdi>group_01</bdi>" in lab.run("report", "--day", SUNDAY.isoformat()).out
    assert (lab.run("report", "--output", "day.pdf").status, lab.run("report", "--day", "2031-01-01").status) == (2, 2)
