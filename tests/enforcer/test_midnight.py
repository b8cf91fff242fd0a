"""Midnight, missed cron jobs, clock skew and a restored ledger do not change the figures."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from emulated_course import FOLDER, SUNDAY, EmulatedCourse, local_time
from emulator_process import EmulatorProcess
from enforcer.ledger import queries
from enforcer.ledger.database import open_ledger
from enforcer.ledger.models import DayRow, MessageRow

pytestmark = pytest.mark.process

MONDAY = SUNDAY + timedelta(days=1)
MS, MINUTE = timedelta(milliseconds=1), timedelta(minutes=1)


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path, ledger_location: str) -> EmulatedCourse:
    """A lab with its ledger in a file, then in PostgreSQL."""
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path)
    lab.environment["CLUSTER_UPTIMES_DB"] = ledger_location
    lab.environment["REPORT_RECIPIENT_EMAIL"] = "teacher@example.ac.il"
    return lab


def settled(lab: EmulatedCourse) -> dict[date, dict[str, timedelta]]:
    """Return the settled totals: day → group → used."""
    with closing(open_ledger(lab.environment["CLUSTER_UPTIMES_DB"])) as ledger:
        days = sorted({date.fromisoformat(row.day) for row in ledger.select(DayRow, DayRow.day)})
        return {day: {total.group: total.used for total in queries.settled(ledger, day).values()} for day in days}


def reports(lab: EmulatedCourse) -> list[str]:
    """Return the days whose reports were queued."""
    with closing(open_ledger(lab.environment["CLUSTER_UPTIMES_DB"])) as ledger:
        return [
            row.period_start
            for row in ledger.select(MessageRow).where(MessageRow.kind == "report").order_by(MessageRow.period_start)
        ]


def truth(lab: EmulatedCourse, group: str, day: date) -> timedelta:
    """Return the members' usage on a day according to the workspace. The deployment ended before 8:00 on Sunday."""
    return (
        lab.used_ms(
            group,
            max(local_time(day, "00:00"), local_time(SUNDAY, "08:00")),
            local_time(day + timedelta(days=1), "00:00"),
        )
        * MS
    )


def totals_file(lab: EmulatedCourse) -> dict[str, object]:
    answer = lab.call("GET", f"/api/2.0/workspace/export?path={FOLDER}/settled.json&direct_download=true")
    return json.loads(answer) if isinstance(answer, str) else dict(answer)


def end_of_day(lab: EmulatedCourse, *words: str) -> None:
    done = lab.run("end-of-day", *words)
    assert done.status == 0, done


def test_a_session_across_midnight_is_split_between_the_days(lab: EmulatedCourse) -> None:
    lab.set_time(SUNDAY, "21:30")
    assert lab.start("group_01") == 200
    lab.poll()
    lab.set_time(MONDAY, "00:20")

    end_of_day(lab)

    assert settled(lab)[SUNDAY]["group_01"] == truth(lab, "group_01", SUNDAY) >= 149 * MINUTE
    assert lab.state("group_01") == "RUNNING"
    used = {row["group"]: row["used_ms"] for row in lab.run("usage", "--json").json}
    assert used["group_01"] == 20 * 60_000


def test_polls_around_midnight_belong_to_their_own_days(lab: EmulatedCourse) -> None:
    lab.set_time(SUNDAY, "20:00")
    assert lab.start("group_01") == 200
    lab.set_time(SUNDAY, "23:59:59")
    lab.poll()
    before = (lab.state("group_01"), lab.level("group_01"), lab.start("group_01"))
    lab.set_time(MONDAY, "00:00:01")
    lab.poll()
    after = (lab.state("group_01"), lab.level("group_01"), lab.start("group_01"))

    assert before == ("TERMINATED", "CAN_ATTACH_TO", 403)
    assert after == ("TERMINATED", "CAN_RESTART", 200)
    end_of_day(lab)
    assert settled(lab)[SUNDAY]["group_01"] == truth(lab, "group_01", SUNDAY)


def test_five_days_without_polls_are_settled_one_by_one(lab: EmulatedCourse) -> None:
    days = [SUNDAY + timedelta(days=number) for number in range(6)]
    lab.set_time(SUNDAY, "09:00")
    lab.poll()
    for number, day in enumerate(days):
        lab.set_time(day, "10:00")
        assert lab.start("group_01") == 200
        lab.advance_minutes(20 + number)
        lab.stop("group_01")
    lab.set_time(days[-1], "12:00")

    end_of_day(lab)

    past = days[:-1]
    assert {day: totals["group_01"] for day, totals in settled(lab).items()} == {
        day: truth(lab, "group_01", day) for day in past
    }
    assert [truth(lab, "group_01", day) // MINUTE for day in past] == [20 + number for number in range(5)]
    assert reports(lab) == [day.isoformat() for day in past]
    assert totals_file(lab)["up_to"] == days[-2].isoformat()


def test_no_day_is_settled_twice_if_the_clock_is_set_back_an_hour(lab: EmulatedCourse, tmp_path: Path) -> None:
    lab.set_time(SUNDAY, "22:00")
    assert lab.start("group_01") == 200
    lab.poll()
    lab.set_time(MONDAY, "00:10")
    end_of_day(lab)
    before = settled(lab), reports(lab)
    clock = tmp_path / "clock.json"
    clock.write_text(json.dumps({"now": local_time(SUNDAY, "23:12").isoformat()}))
    wrong = {"LAB_CLOCK": clock.as_uri()}

    assert [lab.run("poll", **wrong).status, lab.run("end-of-day", **wrong).status] == [0, 0]
    assert (lab.state("group_01"), settled(lab), reports(lab)) == ("RUNNING", *before)

    lab.set_time(MONDAY, "04:00")
    lab.poll()
    assert (lab.state("group_01"), lab.level("group_01")) == ("TERMINATED", "CAN_ATTACH_TO")
    used = {row["group"]: row["used_ms"] for row in lab.run("usage", "--json").json}
    assert used["group_01"] == lab.used_ms("group_01", local_time(MONDAY, "00:00"), local_time(MONDAY, "04:00"))


def test_end_of_day_is_idempotent(lab: EmulatedCourse) -> None:
    lab.set_time(SUNDAY, "10:00")
    assert lab.start("group_01") == 200
    lab.advance_minutes(181)
    lab.poll()
    assert lab.level("group_01") == "CAN_ATTACH_TO"
    lab.set_time(MONDAY, "00:20")

    end_of_day(lab)
    once = settled(lab), reports(lab), totals_file(lab), lab.level("group_01")
    end_of_day(lab)

    assert (settled(lab), reports(lab), totals_file(lab), lab.level("group_01")) == once
    assert once[3] == "CAN_RESTART"
    assert once[1] == [SUNDAY.isoformat()]


@pytest.mark.parametrize("ledger_location", ["sqlite"], indirect=True)
def test_days_missing_in_a_restored_ledger_are_settled_again(lab: EmulatedCourse, tmp_path: Path) -> None:
    place = Path(lab.environment["CLUSTER_UPTIMES_DB"])
    lab.set_time(SUNDAY, "10:00")
    assert lab.start("group_01") == 200
    lab.advance_minutes(30)
    lab.poll()
    with closing(open_ledger(str(place))) as ledger:
        ledger.database.execute_sql("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
    lab.stop("group_01")
    lab.set_time(MONDAY, "10:00")
    end_of_day(lab)
    assert lab.start("group_01") == 200
    lab.advance_minutes(45)
    lab.stop("group_01")
    lab.set_time(MONDAY + timedelta(days=1), "00:20")
    end_of_day(lab)
    before = settled(lab)

    for file in place.parent.glob("uptimes.db*"):
        file.unlink()
    shutil.copy(tmp_path / "backup.db", place)
    end_of_day(lab)

    assert settled(lab) == before
    assert before[MONDAY]["group_01"] == truth(lab, "group_01", MONDAY) >= 45 * MINUTE


def test_every_day_with_events_is_settled_in_an_empty_ledger(lab: EmulatedCourse) -> None:
    lab.set_time(SUNDAY, "10:00")
    assert lab.start("group_01") == 200
    lab.advance_minutes(30)
    lab.stop("group_01")
    lab.set_time(MONDAY, "12:00")

    end_of_day(lab)

    assert settled(lab)[SUNDAY] == {"group_01": truth(lab, "group_01", SUNDAY), "group_02": timedelta()}


def test_settling_a_day_waits_for_unreadable_events(lab: EmulatedCourse) -> None:
    lab.set_time(SUNDAY, "10:00")
    assert lab.start("group_01") == 200
    lab.poll()
    lab.advance_minutes(30)
    lab.stop("group_01")
    lab.set_time(MONDAY, "00:20")
    lab.emulator.control("POST", "faults", {"rules": [{"match": "POST /api/2.1/clusters/events", "kind": "500"}]})

    done = lab.run("end-of-day")

    assert (done.status, settled(lab)) == (1, {})
    assert f"{SUNDAY} is not settled yet: the events of group_01 could not be read" in done.err
    lab.emulator.control("POST", "faults", {})
    end_of_day(lab)
    assert settled(lab)[SUNDAY]["group_01"] == truth(lab, "group_01", SUNDAY)


def test_days_after_the_requested_one_are_not_settled(lab: EmulatedCourse) -> None:
    lab.set_time(SUNDAY, "10:00")
    assert lab.start("group_01") == 200
    lab.advance_minutes(30)
    lab.stop("group_01")
    lab.set_time(SUNDAY + timedelta(days=4), "12:00")

    assert lab.run("end-of-day", "--day", MONDAY.isoformat(), "--dry-run").out.splitlines()[-1] == (
        f"{MONDAY} would be settled"
    )
    end_of_day(lab, "--day", MONDAY.isoformat())

    assert list(settled(lab)) == [SUNDAY, MONDAY]
