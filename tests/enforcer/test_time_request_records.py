"""Time requests in the ledger, its archive, and after anonymising."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from enforcer.domain.allowances import Allowance, Revocation, format_entry, in_force, parse_entry
from enforcer.ledger import queries, time_request_rows
from enforcer.ledger.database import Ledger
from enforcer.ledger.time_request_rows import RequestFile
from enforcer.retention.anonymise import anonymise, without_people
from enforcer.retention.archive_tables import TABLES
from enforcer.time_requests import store
from enforcer.time_requests.answers import approval, denial, with_answers
from enforcer.time_requests.model import State, TimeRequest
from request_lab import M, RequestLab

NOW = datetime(2026, 11, 2, 9, 0, 0, 5000, tzinfo=UTC)
DAY = date(2026, 11, 2)
REQUEST = TimeRequest("20261102T090000Z-0123456789", "group_001", NOW, 60, "Dana's deadline")
WEEK = timedelta(days=7)


def approved(request: TimeRequest = REQUEST, now: datetime = NOW) -> Allowance:
    return approval(request, 45, first_day=DAY, last_day=DAY, given_by="t@lab", now=now)


def test_the_ledger_returns_what_it_stored(ledger: Ledger) -> None:
    course = RequestLab(1).poll(ledger).snapshot
    assert course
    answered = replace(REQUEST, state=State.APPROVED, answer="yes", answered_at=NOW, minutes_given=45)
    unreadable = replace(REQUEST, id="r2", minutes=None, reason="", state=State.REFUSED)
    store.save(ledger, course.course, [REQUEST, unreadable])
    store.save(ledger, course.course, [answered])
    assert store.load(ledger, course.course) == (answered, unreadable)
    assert store.load(ledger, replace(course.course, term="2027s")) == ()

    file = RequestFile("/lab-94290-2026w/requests/group_002.txt", "1:2:3", "7", "group_002", "2026-11-02", 3)
    time_request_rows.put_files(ledger, [file])
    time_request_rows.put_files(ledger, [file._replace(reads=4)])
    assert time_request_rows.files(ledger, "/lab-94290-2026w")[file.path] == file._replace(reads=4)
    assert file.path not in time_request_rows.files(ledger, "/lab-94290-2026")


@pytest.mark.parametrize(
    "entry",
    [
        approved(),
        replace(approved(), only_day=True),
        replace(approved(), time_request=""),
        denial(REQUEST, "no", given_by="t@lab", now=NOW),
    ],
)
def test_the_file_of_an_answer_is_read_as_it_was_written(entry: Allowance | Revocation) -> None:
    assert parse_entry(format_entry(entry), "x.json") == entry


def test_only_the_first_answer_to_a_time_request_is_in_force() -> None:
    first, second = approved(), replace(approved(now=NOW + M), id="extension-1")
    assert in_force([second, first]) == (first,)
    withdrawn = Revocation("v", first.id, "mistake", "t@lab", NOW + 2 * M)
    assert in_force([second, first, withdrawn]) == ()


def test_a_revoked_approval_is_a_denial() -> None:
    revoked = Revocation("v", approved().id, "mistake", "t@lab", NOW + M)
    (answered,) = with_answers([REQUEST], [approved(), revoked], now=NOW, expires_after=WEEK, expired="late")
    assert (answered.state, answered.answer, answered.minutes_given) == (State.DENIED, "mistake", None)


def test_an_archive_contains_the_time_requests(ledger: Ledger) -> None:
    snapshot = RequestLab(1).poll(ledger).snapshot
    assert snapshot
    store.save(ledger, snapshot.course, [REQUEST])
    (table,) = (table for table in TABLES if table.name == "time_requests")
    (row,) = table.rows(ledger, snapshot)
    assert table.has_people
    assert dict(zip([column.name for column in table.columns], row, strict=True)) == {
        "group": "group_001",
        "id": REQUEST.id,
        "asked_at": NOW,
        "minutes": 60,
        "reason": "Dana's deadline",
        "state": "waiting",
        "answer": "",
        "answered_at": None,
        "minutes_given": None,
    }


def test_anonymising_removes_the_words_of_groups(ledger: Ledger) -> None:
    snapshot = RequestLab(1).poll(ledger).snapshot
    assert snapshot
    course, path = snapshot.course, "/lab-94290-2026w/allowances/asked-1.json"
    later = replace(REQUEST, id="r2", asked_at=NOW + timedelta(days=2))
    store.save(ledger, course, [replace(REQUEST, answer="ask Noa"), later])
    queries.store_file(ledger, path, "1", format_entry(approved()))
    number = queries.note_intent(
        ledger, "stop", "c", "group_001", reason="day 180 + 45 minutes: asked: Dana's deadline", day=DAY, now=NOW
    )
    queries.note_outcome(ledger, number, now=NOW)

    queries.write_note(ledger, "settled", DAY.isoformat())
    counts = anonymise(ledger, before=DAY + timedelta(days=1), tz=UTC, now=NOW + timedelta(days=3))

    assert (counts.time_requests, counts.allowances, counts.actions) == (1, 1, 1)
    assert [(one.reason, one.answer) for one in store.load(ledger, course)] == [("", ""), ("Dana's deadline", "")]
    assert [one.reason for one in queries.actions_on(ledger, DAY)] == ["day 180 + 45 minutes: asked"]
    stored = queries.stored_file(ledger, path)
    assert stored
    kept = parse_entry(stored[1], path)
    assert isinstance(kept, Allowance)
    assert (kept.reason, kept.change, kept.time_request) == ("asked", 45 * M, REQUEST.id)


def test_a_reason_without_people_keeps_the_words_of_staff() -> None:
    assert (
        without_people("180 + 60 minutes: project deadline, t@lab.example") == "180 + 60 minutes: project deadline, …"
    )
