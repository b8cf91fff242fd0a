"""The ledger keeps its word on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from peewee import CharField, Database, DatabaseError, Model

from enforcer.domain.uptime import Event, Restart, Session
from enforcer.ledger import queries, record
from enforcer.ledger.database import open_copy, open_ledger
from enforcer.ledger.migrations import STEPS, migrate
from enforcer.ledger.models import database
from enforcer.ledger.queries import DayTotal, DoneAction
from enforcer.ledger.record import Reading
from observed_clusters import seen, told

T = datetime(2030, 11, 3, 8, tzinfo=UTC)
M, H = timedelta(minutes=1), timedelta(hours=1)
DAY = date(2030, 11, 3)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "deep" / "uptimes.db")
    return str(request.getfixturevalue("postgresql").database("ledger"))


@pytest.fixture
def connection(place: str) -> Iterator[Database]:
    connection = open_ledger(place)
    yield connection
    connection.close()


START = Event(T, "STARTING", "ana@x")
RUN = Event(T + 5 * M, "RUNNING", "ana@x", workers=2)
END = Event(T + H, "TERMINATING", "ana@x", idle=10 * M)
SESSION = Session(T + 5 * M, T + H, "ana@x", workers=((T + 5 * M, 2),))


def kept(id: str = "1103-1") -> list[Session]:
    return queries.sessions(begins=T - H, ends=T + 9 * H).get(id, [])


@pytest.mark.usefixtures("connection")
def test_events_in_any_order_told_any_number_of_times_make_the_same_session() -> None:
    record.observe([seen()], now=T)
    record.add_events([Reading("1103-1", told(RUN, START), "1")], read_to=T + 6 * M)
    assert [session.end for session in kept()] == [None]

    for _ in range(2):
        record.observe([seen(at=T + 2 * H, running=False)], now=T + 2 * H)
        record.add_events([Reading("1103-1", told(END, RUN), "2")], read_to=T + 2 * H)

    assert kept() == [SESSION]
    assert record.events("1103-1") == (START, RUN, END)
    known = queries.clusters()["1103-1"]
    assert (known.moved, known.events_read_to, known.is_running) == ("2", T + 2 * H, False)


@pytest.mark.usefixtures("connection")
def test_an_estimate_is_replaced_when_better_facts_come() -> None:
    record.observe([seen()], now=T)
    record.observe([seen(at=T + 2 * H, running=False)], now=T + 2 * H)
    record.add_events([Reading("1103-1", told(START, RUN), "2")], read_to=T + 2 * H)
    (guess,) = kept()
    assert (guess.end, guess.estimate is None) == (T + 2 * H, False)
    assert queries.doubtful(timedelta(days=1)) == {"1103-1": T + 5 * M}

    record.add_events([Reading("1103-1", told(END), "2")], read_to=T + 3 * H)

    assert kept() == [SESSION]
    assert queries.doubtful(timedelta(days=1)) == {}


@pytest.mark.usefixtures("connection")
def test_a_cluster_that_is_gone_ran_until_it_was_last_seen_running() -> None:
    record.observe([seen()], now=T)
    restart = Event(T + 7 * M, "RESTARTING", "noa@x")
    record.add_events([Reading("1103-1", told(START, RUN, restart), "1")], read_to=T + 8 * M)
    record.observe([seen(at=T + 30 * M)], now=T + 30 * M)

    record.mark_gone("1103-1", now=T + H)

    (session,) = kept()
    assert (session.end, session.restarts) == (T + 30 * M, (Restart(T + 7 * M, "noa@x"),))
    assert session.estimate == record.GONE


@pytest.mark.usefixtures("connection")
def test_a_settled_day_is_history() -> None:
    total = DayTotal("1103-1", DAY, "group_01", 3 * H, 2 * H, None, 0 * M, 5 * M, 2, True)
    queries.settle([total], now=T)
    queries.settle([DayTotal("1103-1", DAY, "group_01", 9 * H, None, None, 0 * M, 0 * M, 1, False)], now=T)

    assert queries.settled(DAY) == {"1103-1": total}


@pytest.mark.usefixtures("connection")
def test_what_is_put_down_again_replaces_what_was_there() -> None:
    for value in ("a", "b"):
        queries.write_note("name", value)
        queries.remember_file("/lab/course.json", value, f"text {value}")
        queries.record_poll(began=T, ended=T + M, failed=len(value), calls={"clusters/list": 1})
        queries.note_lowered("1103-1", "group_01", now=T)

    assert (queries.note("name"), queries.note("other")) == ("b", None)
    assert queries.remembered_file("/lab/course.json") == ("b", "text b")
    assert (queries.polls_between(T, T + M), queries.last_poll()) == ([T], T)
    assert queries.lowered() == {"1103-1"}
    queries.note_restored("1103-1")
    assert queries.lowered() == frozenset()


@pytest.mark.usefixtures("connection")
def test_an_intent_stays_open_until_it_succeeds() -> None:
    first = queries.note_intent("stop", "1103-1", "group_01", reason="day 180 minutes", day=DAY, now=T)
    second = queries.note_intent("restrict", "1103-1", "group_01", reason="", day=DAY, now=T + M)
    queries.note_outcome(first, now=T + M, error="503")
    queries.note_outcome(second, now=T + M)

    assert queries.actions_on(DAY) == [
        DoneAction("stop", "1103-1", "group_01", "day 180 minutes", T, None, "503"),
        DoneAction("restrict", "1103-1", "group_01", "", T + M, T + M, None),
    ]


def test_opening_it_again_changes_nothing(place: str, connection: Database) -> None:
    queries.write_note("name", "a")
    connection.close()

    again = open_ledger(place)

    assert (migrate(again), queries.note("name")) == ([], "a")
    again.close()


def test_a_step_that_fails_leaves_the_ledger_as_it_was_before_it(connection: Database) -> None:
    class Added(Model):
        name: Any = CharField(primary_key=True)

        class Meta:
            database = database
            table_name = "added"

    def good(opened: Database) -> None:
        opened.create_tables([Added], safe=False)

    def bad(opened: Database) -> None:
        good(opened)
        opened.execute_sql("no such statement")

    with pytest.raises(DatabaseError):
        migrate(connection, (*STEPS, ("0002 bad", bad)))
    assert "added" not in connection.get_tables()

    assert migrate(connection, (*STEPS, ("0002 good", good))) == ["0002 good"]
    assert migrate(connection, (*STEPS, ("0002 good", good))) == []
    assert "added" in connection.get_tables()


def test_what_is_written_to_a_copy_does_not_reach_the_ledger(place: str, connection: Database) -> None:
    queries.write_note("name", "a")
    record.observe([seen()], now=T)
    connection.close()
    open_copy(place)
    assert (queries.note("name"), list(queries.clusters())) == ("a", ["1103-1"])
    queries.write_note("name", "b")

    again = open_ledger(place)

    assert queries.note("name") == "a"
    again.close()


def test_the_file_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "uptimes.db"
    connection = open_ledger(str(place))
    queries.write_note("name", "a")
    files = sorted(place.parent.iterdir())
    assert {(file.name, stat.S_IMODE(file.stat().st_mode)) for file in files} == {
        ("uptimes.db", 0o600),
        ("uptimes.db-shm", 0o600),
        ("uptimes.db-wal", 0o600),
    }
    pragmas = [connection.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "foreign_keys")]
    assert pragmas == ["wal", 1]
    connection.close()
    assert sqlite3.connect(place).execute("SELECT name FROM migration").fetchall() == [(name,) for name, _ in STEPS]
