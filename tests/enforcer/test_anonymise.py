"""Anonymising removes names and changes no total."""

from __future__ import annotations

import json
import sqlite3
from contextlib import chdir, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from emulated_course import SUNDAY, EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.__main__ import main
from enforcer.domain.allowances import Revocation, format_entry
from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.uptime import MEMBER, OTHER, Event, Role, counted_from
from enforcer.ledger import queries, record, starters
from enforcer.ledger.database import Ledger, open_ledger, vacuum
from enforcer.ledger.lock import ledger_lock
from enforcer.ledger.models import EventRow, MessageRow
from enforcer.ledger.record import EventBatch
from enforcer.ledger.stored_messages import is_queued
from enforcer.mail import outbox
from enforcer.mail.messages import Message
from enforcer.retention.anonymise import anonymise
from ledgers import clear
from observed_clusters import observed_cluster, raw_events

MONDAY, TUESDAY, WEDNESDAY = (SUNDAY + timedelta(days=number) for number in (1, 2, 3))
STUDENT = "@campus.example.ac.il"
T = datetime(2024, 11, 3, 8, tzinfo=UTC)
M, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def lab(frozen_emulator: EmulatorProcess, tmp_path: Path) -> EmulatedCourse:
    """Two settled days. On each, a group was stopped and staff ran a cluster."""
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path, limits={"week_minutes": 2000, "term_minutes": 9000})
    lab.environment["REPORT_RECIPIENT_EMAIL"] = "teacher@example.ac.il"
    for day in (SUNDAY, MONDAY):
        lab.set_time(day, "09:00")
        lab.start("group_01")
        lab.start("group_02", token=lab.emulator.admin_token)
        lab.advance_minutes(10)
        lab.call(
            "POST", "/api/2.1/clusters/restart", {"cluster_id": lab.clusters["group_02"]}, token=lab.student("group_02")
        )
        lab.advance_minutes(181)
        lab.poll()
        lab.stop("group_02")
        lab.set_time(day + timedelta(days=1), "00:20")
        assert lab.run("end-of-day").status == 0
    lab.run("allow", "1", "--minutes", "+15", "--reason", "a1@campus.example.ac.il was ill")
    return lab


def holding(folder: Path, text: str) -> list[str]:
    """Return the files that contain a string."""
    return [path.name for path in sorted(folder.rglob("*")) if path.is_file() and text.encode() in path.read_bytes()]


def totals(lab: EmulatedCourse) -> list[dict[str, Any]]:
    """Return the output of `usage` for all days, without names."""
    done = lab.run("usage", "--from", str(SUNDAY), "--to", str(TUESDAY), "--json")
    assert done.status == 0, done.err
    return [row | {"sessions": [session | {"started_by": None} for session in row["sessions"]]} for row in done.json]


def test_anonymising_removes_every_name_and_changes_no_total(
    lab: EmulatedCourse,
) -> None:
    lab.set_time(TUESDAY + timedelta(days=1), "00:20")
    assert lab.run("end-of-day").status == 0
    before = totals(lab)
    assert [row["used_ms"] // 60_000 for row in before if row["day"] == str(SUNDAY)] == [191, 181]

    rehearsed = lab.run("anonymise", "--before", str(WEDNESDAY), "--dry-run", "--json").json
    assert (totals(lab), holding(lab.folder, "student1a")) == (before, ["uptimes.db"])
    done = lab.run("anonymise", "--before", str(WEDNESDAY), "--yes", "--json")

    assert (done.status, done.err) == (0, shown(rehearsed))
    assert done.json == rehearsed | {"anonymised": True}
    assert totals(lab) == before
    assert set(starter_names(lab.environment["CLUSTER_UPTIMES_DB"])) == {MEMBER, OTHER}
    # The workspace's current members differ from the members at that time.
    with closing(open_ledger(lab.environment["CLUSTER_UPTIMES_DB"])) as ledger:
        members = json.loads(queries.note(ledger, "members") or "")["groups"]
        queries.write_note(ledger, "members", json.dumps({"read": 0, "groups": members}))
    assert lab.run("anonymise", "--before", str(WEDNESDAY), "--yes").status == 0
    assert holding(lab.folder, STUDENT) == []
    assert totals(lab) == before
    lab.poll()
    assert totals(lab) == before


def shown(reported: dict[str, Any]) -> str:
    counts = {name: count for name, count in reported.items() if isinstance(count, int) and count is not True and count}
    return "".join(f"the ledger: {count} {name}\n" for name, count in counts.items())


@pytest.fixture
def place(tmp_path: Path) -> str:
    """A ledger with a past Sunday and Monday; the Sunday is settled, and one of its messages was never sent."""
    place = str(tmp_path / "uptimes.db")
    message = Message("Team of ana@x.example", "to ana@x.example", "<p>", ("ana@x.example",))
    with closing(open_ledger(place)) as ledger:
        record.observe(ledger, [observed_cluster(at=T + DAY, running=False)], now=T + DAY)
        for begins in (T, T + DAY):
            starts, runs = Event(begins, "STARTING", "ana@x.example"), Event(begins + M, "RUNNING")
            ends = Event(begins + 9 * M, "TERMINATING", "ana@x.example")
            record.add_events(ledger, [EventBatch("1103-1", raw_events(starts, runs, ends), "1")], read_to=begins + DAY)
            first = begins.date()
            outbox.queue(
                ledger,
                MessageKind.WARNING,
                "1103-1",
                message,
                now=begins,
                period="day",
                period_start=first,
                hard_limit=180 * M,
            )
            queries.note_intent(ledger, "stop", "1103-1", "group_01", reason="for noa@x.example", day=first, now=begins)
        queries.write_note(ledger, "settled", str(T.date()))
    return place


def run(place: str, *words: str) -> tuple[int, str, str]:
    """Run `python -m enforcer anonymise …` on this ledger; return status, output and errors."""
    environment = {"CLUSTER_UPTIMES_DB": place}
    with chdir(Path(place).parent):
        done = CliRunner(env=environment).invoke(main, ["anonymise", *words], obj=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def messages(place: str) -> list[tuple[str, str, bool, str | None]]:
    with closing(open_ledger(place)) as ledger:
        rows = ledger.select(MessageRow).order_by(MessageRow.id)
        return [(row.period_start, row.subject, row.request_body == "{}", row.error) for row in rows]


def starter_names(place: str) -> list[str]:
    with closing(open_ledger(place)) as ledger:
        return [
            row.user_name for row in ledger.select(EventRow).where(EventRow.type == "STARTING").order_by(EventRow.at)
        ]


def test_rows_of_later_days_are_not_anonymised(place: str) -> None:
    assert run(place, "--before", "2024-11-04", "--yes") == (
        0,
        "the ledger: 2 events\nthe ledger: 1 sessions\nthe ledger: 1 actions\nthe ledger: 1 messages\n"
        "the ledger: 1 unsent\n",
        "",
    )

    assert starter_names(place) == [MEMBER, "ana@x.example"]
    assert messages(place) == [
        ("2024-11-03", "Team of …", True, "it was anonymised before it was sent"),
        ("2024-11-04", "Team of ana@x.example", False, None),
    ]
    with closing(open_ledger(place)) as ledger:
        assert [action.reason for day in (T, T + DAY) for action in queries.actions_on(ledger, day.date())] == [
            "for …",
            "for noa@x.example",
        ]
        assert is_queued(
            ledger, MessageKind.WARNING, "1103-1", period="day", period_start=str(T.date()), hard_limit=180 * M
        )
    assert run(place, "--before", "2024-11-04", "--yes") == (0, "there is nothing to anonymise before 2024-11-04\n", "")


def test_a_revocation_belongs_to_the_local_day_on_which_it_was_created(place: str) -> None:
    jerusalem = ZoneInfo("Asia/Jerusalem")
    at = datetime(2024, 11, 4, 0, 30, tzinfo=jerusalem)  # the day before in UTC
    given = {minutes: at - timedelta(minutes=minutes) for minutes in (0, 60)}
    with closing(open_ledger(place)) as ledger:
        for minutes, instant in given.items():
            entry = Revocation(f"r{minutes}", "a1", "asked for", "ana@x.example", instant.astimezone(UTC))
            queries.store_file(ledger, f"/lab/allowances/r{minutes}.json", "1", format_entry(entry))

        anonymise(ledger, before=at.date(), tz=jerusalem, now=at)

        kept = {minutes: queries.stored_file(ledger, f"/lab/allowances/r{minutes}.json") for minutes in given}
    assert {minutes: "ana@x.example" in str(content) for minutes, content in kept.items()} == {0: True, 60: False}


def test_an_unsettled_day_is_not_anonymised(place: str) -> None:
    refused = "2024-11-04 is not settled, so nothing was anonymised; run end-of-day first, or use --before 2024-11-04\n"

    assert run(place, "--before", "2024-11-05", "--yes") == (1, "", refused)

    assert starter_names(place) == ["ana@x.example", "ana@x.example"]


def test_anonymising_needs_a_confirmation_and_a_past_day(place: str) -> None:
    status, _, said = run(place, "--before", "2024-11-04")
    assert (status, said.splitlines()[-1]) == (
        1,
        'Type "anonymise before 2024-11-04" to continue: nothing was anonymised',
    )
    status, _, said = run(place, "--before", "2999-01-01", "--yes")
    assert (status, "2999-01-01 is in the future" in said) == (2, True)
    assert run(place, "--before", "2024-11-04", "--dry-run")[0] == 0

    assert starter_names(place) == ["ana@x.example", "ana@x.example"]


def test_anonymising_fails_while_a_poll_is_running(place: str) -> None:
    with ledger_lock(place):
        assert run(place, "--before", "2024-11-04", "--yes")[::2] == (
            1,
            "a poll is running; nothing was anonymised, try again\n",
        )


@pytest.mark.waits
def test_a_reader_that_prevents_truncating_the_log_is_reported(place: str) -> None:
    with closing(sqlite3.connect(place)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM event").fetchall()

        status, _, said = run(place, "--before", "2024-11-04", "--yes")

    assert (status, said.startswith("the ledger may still contain names in free pages (")) == (1, True)
    assert run(place, "--before", "2024-11-04", "--yes")[0] == 0
    assert holding(Path(place).parent, "Team of ana@x.example was") == []


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def test_late_events_of_anonymised_days_are_ignored(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = (
        str(tmp_path / "uptimes.db")
        if kind == "sqlite"
        else str(request.getfixturevalue("postgresql").database("anonymise"))
    )
    events = [Event(T, "STARTING", "ana@x"), Event(T + M, "RUNNING"), Event(T + 9 * M, "TERMINATING", "noa@x")]
    with closing(open_ledger(place)) as ledger:
        queries.write_note(ledger, "members", json.dumps({"read": 0, "groups": {"group_01": ["ana@x"]}}))
        record.observe(ledger, [observed_cluster(at=T + 10 * M, running=False)], now=T + 10 * M)
        record.add_events(ledger, [EventBatch("1103-1", raw_events(*events), "1")], read_to=T + 10 * M)
        queries.write_note(ledger, "settled", str(T.date()))

        counts = anonymise(ledger, before=T.date() + DAY, tz=UTC, now=T + 2 * DAY)
        vacuum(ledger)
        record.add_events(ledger, [EventBatch("1103-1", raw_events(*events), "1")], read_to=T + 20 * M)

        assert (counts.events, counts.sessions, counts.groups) == (2, 1, 1)
        assert [event.user for event in record.events(ledger, "1103-1")] == [MEMBER, None, OTHER]
        (session,) = queries.sessions(ledger, begins=T, ends=T + M * 30)["1103-1"]
        assert (session.start, session.end, session.started_by) == (T + M, T + 9 * M, MEMBER)


MOMENTS = st.builds(
    lambda minute, type, user: Event(T + minute * M, type, user),
    st.integers(0, 3000),
    st.sampled_from(["CREATING", "STARTING", "RUNNING", "RESTARTING", "RESIZING", "TERMINATING", "DRIVER_HEALTHY"]),
    st.sampled_from(["ana@x", "staff@x", "who@x", None]),
)
ROLES = {"ana@x": Role.STUDENT, "staff@x": Role.STAFF, "who@x": Role.UNKNOWN}


@given(st.lists(MOMENTS, unique_by=lambda event: (event.at, event.type), min_size=1))
def test_anonymised_sessions_count_as_before(module_ledger: Ledger, events: list[Event]) -> None:
    ledger = module_ledger

    def counting() -> list[tuple[Any, ...]]:
        found = queries.sessions(ledger, begins=T, ends=T + 30 * DAY).get("1103-1", [])
        return [(one.start, one.end, one.estimate, counted_from(one)) for one in found]

    clear(ledger)
    record.observe(ledger, [observed_cluster(at=T + 3 * DAY, running=False)], now=T + 3 * DAY)
    record.add_events(ledger, [EventBatch("1103-1", raw_events(*events), "1")], read_to=T + 3 * DAY)
    due = starters.unknown(ledger, ["1103-1"], since=T)
    starters.decide(ledger, {one: ROLES[one.user] for one in due}, now=T + 3 * DAY)
    before = counting()
    queries.write_note(ledger, "settled", str(T.date() + 9 * DAY))

    anonymise(ledger, before=T.date() + 9 * DAY, tz=UTC, now=T + 10 * DAY)

    assert (counting(), starters.unknown(ledger, ["1103-1"], since=T)) == (before, [])
    assert {event.user for event in record.events(ledger, "1103-1")} <= {MEMBER, OTHER, None}
