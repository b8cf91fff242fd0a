"""The ledger behaves the same on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from peewee import CharField, Database, DatabaseError, Model, SchemaManager, SqliteDatabase

from enforcer.domain.day_records import DayTotal, RecordedAction
from enforcer.domain.uptime import Event, Restart, Session
from enforcer.ledger import queries, record, stored_messages
from enforcer.ledger.database import Ledger, open_copy, open_ledger
from enforcer.ledger.models import LEDGER_ID, TABLES, MessageRow, NoteRow
from enforcer.ledger.record import EventBatch
from enforcer.ledger.schema.migrations import STEPS, migrate
from labkit.addresses import is_database_url
from observed_clusters import observed_cluster, raw_events

T = datetime(2030, 11, 3, 8, tzinfo=UTC)
M, H = timedelta(minutes=1), timedelta(hours=1)
DAY = date(2030, 11, 3)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def ledger_location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A separate database, because some of these tests change its schema."""
    if request.param == "sqlite":
        return str(tmp_path / "deep" / "uptimes.db")
    return str(request.getfixturevalue("postgresql").database("ledger"))


START = Event(T, "STARTING", "ana@x")
RUN = Event(T + 5 * M, "RUNNING", "ana@x", workers=2)
END = Event(T + H, "TERMINATING", "ana@x", idle=10 * M)
SESSION = Session(T + 5 * M, T + H, "ana@x", workers=((T + 5 * M, 2),))


def kept(ledger: Ledger, id: str = "1103-1") -> list[Session]:
    return queries.sessions(ledger, begins=T - H, ends=T + 9 * H).get(id, [])


def test_repeated_events_in_any_order_make_the_same_session(ledger: Ledger) -> None:
    record.observe(ledger, [observed_cluster()], now=T)
    record.add_events(ledger, [EventBatch("1103-1", raw_events(RUN, START), "1")], read_to=T + 6 * M)
    assert [session.end for session in kept(ledger)] == [None]

    for _ in range(2):
        record.observe(ledger, [observed_cluster(at=T + 2 * H, running=False)], now=T + 2 * H)
        record.add_events(ledger, [EventBatch("1103-1", raw_events(END, RUN), "2")], read_to=T + 2 * H)

    assert kept(ledger) == [SESSION]
    assert record.events(ledger, "1103-1") == (START, RUN, END)
    known = queries.clusters(ledger)["1103-1"]
    assert (known.list_fingerprint, known.events_read_to, known.is_running) == ("2", T + 2 * H, False)


def test_later_events_replace_an_estimate(ledger: Ledger) -> None:
    record.observe(ledger, [observed_cluster()], now=T)
    record.observe(ledger, [observed_cluster(at=T + 2 * H, running=False)], now=T + 2 * H)
    record.add_events(ledger, [EventBatch("1103-1", raw_events(START, RUN), "2")], read_to=T + 2 * H)
    (guess,) = kept(ledger)
    assert (guess.end, guess.estimate is None) == (T + 2 * H, False)
    assert queries.clusters_with_estimates(ledger, timedelta(days=1)) == {"1103-1": T + 5 * M}

    record.add_events(ledger, [EventBatch("1103-1", raw_events(END), "2")], read_to=T + 3 * H)

    assert kept(ledger) == [SESSION]
    assert queries.clusters_with_estimates(ledger, timedelta(days=1)) == {}


def test_a_deleted_cluster_ran_until_it_was_last_seen_running(ledger: Ledger) -> None:
    record.observe(ledger, [observed_cluster()], now=T)
    restart = Event(T + 7 * M, "RESTARTING", "noa@x")
    record.add_events(ledger, [EventBatch("1103-1", raw_events(START, RUN, restart), "1")], read_to=T + 8 * M)
    record.observe(ledger, [observed_cluster(at=T + 30 * M)], now=T + 30 * M)

    record.mark_gone(ledger, "1103-1", now=T + H)

    (session,) = kept(ledger)
    assert (session.end, session.restarts) == (T + 30 * M, (Restart(T + 7 * M, "noa@x"),))
    assert session.estimate == record.GONE


def test_a_settled_day_does_not_change(ledger: Ledger) -> None:
    total = DayTotal("1103-1", DAY, "group_01", 3 * H, 2 * H, None, 0 * M, 5 * M, 2, True)
    queries.settle(ledger, [total], now=T)
    queries.settle(ledger, [DayTotal("1103-1", DAY, "group_01", 9 * H, None, None, 0 * M, 0 * M, 1, False)], now=T)

    assert queries.settled(ledger, DAY) == {"1103-1": total}


def test_a_stored_value_replaces_the_earlier_one(ledger: Ledger) -> None:
    for value in ("a", "b"):
        queries.write_note(ledger, "name", value)
        queries.store_file(ledger, "/lab/course.json", value, f"text {value}")
        queries.record_poll(ledger, began=T, ended=T + M, failed=len(value), calls={"clusters/list": 1})
        queries.note_restricted(ledger, "1103-1", "group_01", now=T)

    assert (queries.note(ledger, "name"), queries.note(ledger, "other")) == ("b", None)
    assert queries.stored_file(ledger, "/lab/course.json") == ("b", "text b")
    assert (queries.polls_between(ledger, T, T + M), queries.last_poll(ledger)) == ([T], T)
    assert queries.restricted_clusters(ledger) == {"1103-1"}
    queries.note_restored(ledger, "1103-1")
    assert queries.restricted_clusters(ledger) == frozenset()


def test_an_intent_stays_open_until_it_succeeds(ledger: Ledger) -> None:
    first = queries.note_intent(ledger, "stop", "1103-1", "group_01", reason="day 180 minutes", day=DAY, now=T)
    second = queries.note_intent(ledger, "restrict", "1103-1", "group_01", reason="", day=DAY, now=T + M)
    queries.note_outcome(ledger, first, now=T + M, error="503")
    queries.note_outcome(ledger, second, now=T + M)

    assert queries.actions_on(ledger, DAY) == [
        RecordedAction("stop", "1103-1", "group_01", "day 180 minutes", T, None, "503"),
        RecordedAction("restrict", "1103-1", "group_01", "", T + M, T + M, None),
    ]


def test_opening_a_ledger_again_changes_nothing(ledger_location: str, ledger: Ledger) -> None:
    queries.write_note(ledger, "name", "a")
    ledger.close()

    with closing(open_ledger(ledger_location)) as again:
        assert (migrate(again.database), queries.note(again, "name")) == ([], "a")


def test_a_failed_migration_step_is_rolled_back(ledger: Ledger) -> None:
    class Added(Model):
        name: Any = CharField(primary_key=True)

        class Meta:
            table_name = "added"

    database = ledger.database

    def good(opened: Database) -> None:
        SchemaManager(Added, opened).create_all(safe=False)

    def bad(opened: Database) -> None:
        good(opened)
        opened.execute_sql("no such statement")

    with pytest.raises(DatabaseError):
        migrate(database, (*STEPS, ("0002 bad", bad)))
    assert "added" not in database.get_tables()

    assert migrate(database, (*STEPS, ("0002 good", good))) == ["0002 good"]
    assert migrate(database, (*STEPS, ("0002 good", good))) == []
    assert "added" in database.get_tables()


def test_each_migration_step_is_applied_by_one_process_only(ledger_location: str, ledger: Ledger) -> None:
    def slow(opened: Any) -> None:
        opened.execute_sql("INSERT INTO note (name, value) VALUES ('slow step', '1')")
        time.sleep(0.3)

    both_opened = threading.Barrier(2, timeout=20)

    def migrate_once() -> list[str]:
        with closing(open_ledger(ledger_location)) as own:
            both_opened.wait()
            return migrate(own.database, (*STEPS, ("0099 slow", slow)))

    with ThreadPoolExecutor(2) as pool:
        added = [each.result() for each in [pool.submit(migrate_once), pool.submit(migrate_once)]]
    assert sorted(added) == [[], ["0099 slow"]]


def test_a_ledger_of_a_newer_version_is_rejected(ledger_location: str, ledger: Ledger) -> None:
    migrate(ledger.database, (*STEPS, ("0099 later", lambda opened: None)))
    reason = r"a newer version of the enforcer has migrated it \(step 0099 later\); update this machine's checkout"

    with pytest.raises(OSError, match=reason):
        open_ledger(ledger_location)
    with pytest.raises(OSError, match=reason):
        open_copy(ledger_location)


def test_the_models_match_the_migrated_tables(ledger: Ledger) -> None:
    database = ledger.database
    for table in TABLES:
        meta: Any = table._meta
        key = meta.primary_key.field_names if meta.composite_key else (meta.primary_key.column_name,)
        indexes = {(tuple(columns), is_unique) for columns, is_unique in meta.indexes}
        indexes |= {((field.column_name,), field.unique) for field in meta.sorted_fields if field.index or field.unique}
        found = {(tuple(index.columns), index.unique) for index in database.get_indexes(meta.table_name)}

        assert {(column.name, column.null) for column in database.get_columns(meta.table_name)} == {
            (field.column_name, field.null) for field in meta.sorted_fields
        }
        assert set(database.get_primary_keys(meta.table_name)) == set(key)
        assert found - {(tuple(key), True)} == indexes - {(tuple(key), False)}


def test_writing_to_a_copy_does_not_change_the_ledger(ledger_location: str, ledger: Ledger) -> None:
    queries.write_note(ledger, "name", "a")
    record.observe(ledger, [observed_cluster()], now=T)
    copy = open_copy(ledger_location)
    assert (queries.note(copy, "name"), list(queries.clusters(copy))) == ("a", ["1103-1"])

    queries.write_note(copy, "name", "b")

    assert (queries.note(copy, "name"), queries.note(ledger, "name")) == ("b", "a")
    copy.close()


def test_a_copy_made_before_the_first_message_has_the_ledger_id(ledger_location: str, ledger: Ledger) -> None:
    copy = open_copy(ledger_location)
    assert stored_messages.ledger_id(copy) == stored_messages.ledger_id(ledger)
    copy.close()


def test_messages_accepted_before_version_0_1_2_are_not_checked(tmp_path: Path) -> None:
    place = tmp_path / "old.db"
    with closing(SqliteDatabase(str(place))) as database:
        migrate(database, STEPS[:2])
        database.execute_sql(
            "INSERT INTO letter VALUES (1, 'an id', 'warning', 'day', '2026-11-01', 'c1', 60000, 0, 2, 's', '{}',"
            " 5, 5, 0, 0, 9, 1, NULL, 0, 0, 7, NULL, NULL)"
        )

    with closing(open_ledger(str(place))) as ledger:
        assert [(row.accepted_at, row.final_at) for row in ledger.select(MessageRow)] == [(7, 7)]
        assert stored_messages.ledger_id(ledger)


def test_the_ledgers_files_are_private(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "uptimes.db"
    ledger = open_ledger(str(place))
    queries.write_note(ledger, "name", "a")
    files = sorted(place.parent.iterdir())
    assert {(file.name, stat.S_IMODE(file.stat().st_mode)) for file in files} == {
        ("uptimes.db", 0o600),
        ("uptimes.db-shm", 0o600),
        ("uptimes.db-wal", 0o600),
    }
    pragmas = [ledger.database.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "foreign_keys")]
    assert pragmas == ["wal", 1]
    ledger.close()
    assert sqlite3.connect(place).execute("SELECT name FROM migration").fetchall() == [(name,) for name, _ in STEPS]


@pytest.fixture
def other_ledger(ledger_location: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A second ledger of the same kind."""
    is_file = not is_database_url(ledger_location)
    place = str(tmp_path / "other.db") if is_file else request.getfixturevalue("postgresql").database("other")
    with closing(open_ledger(place)) as ledger:
        yield ledger


def write_down(ledger: Ledger, number: int) -> None:
    """Write with peewee queries, with written-out SQL, and in a transaction."""
    id = f"cluster-{number}"
    queries.write_note(ledger, "number", str(number))
    record.observe(ledger, [observed_cluster(id)], now=T)
    record.add_events(ledger, [EventBatch(id, raw_events(START, RUN), "1")], read_to=T + 6 * M)
    queries.settle(ledger, [DayTotal(id, DAY, "group_01", number * M, None, None, 0 * M, 0 * M, 1, False)], now=T)
    stored_messages.note_call(ledger, "send", T + number * M)


def read_back(ledger: Ledger) -> tuple[object, ...]:
    return (
        queries.note(ledger, "number"),
        list(queries.clusters(ledger)),
        list(queries.sessions(ledger, begins=T, ends=T + H)),
        [total.used for total in queries.settled(ledger, DAY).values()],
        stored_messages.calls_since(ledger, "send", T),
    )


def expected(number: int) -> tuple[object, ...]:
    id = f"cluster-{number}"
    return str(number), [id], [id], [number * M], [T + number * M]


def test_two_ledgers_are_open_at_once(ledger: Ledger, other_ledger: Ledger) -> None:
    write_down(ledger, 1)
    write_down(other_ledger, 2)

    assert (read_back(ledger), read_back(other_ledger)) == (expected(1), expected(2))


def test_threads_use_two_ledgers_at_once(ledger: Ledger, other_ledger: Ledger) -> None:
    start = threading.Barrier(4)

    def work(ledger: Ledger, number: int) -> tuple[object, ...]:
        start.wait()
        with closing(ledger):
            for _ in range(5):
                with ledger.atomic():
                    queries.write_note(ledger, f"of {number} by {threading.get_ident()}", str(number))
            return queries.note(ledger, f"of {number} by {threading.get_ident()}"), number

    with ThreadPoolExecutor(4) as pool:
        wanted = [(ledger, 1), (other_ledger, 2)] * 2
        assert list(pool.map(lambda pair: work(*pair), wanted)) == [("1", 1), ("2", 2)] * 2
    values = [{row.value for row in one.select(NoteRow) if row.name != LEDGER_ID} for one in (ledger, other_ledger)]
    assert values == [{"1"}, {"2"}]


@pytest.mark.parametrize(
    "path",
    [path for path in (ROOT / "enforcer").rglob("*.py") if ROOT / "enforcer/ledger" not in path.parents],
    ids=str,
)
def test_tables_are_queried_only_in_the_ledger_package(path: Path) -> None:
    assert "ledger.models" not in path.read_text(encoding="utf-8")
