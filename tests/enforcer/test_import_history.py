"""Daily totals from the legacy system are imported once; days computed from events replace them."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Sequence
from contextlib import chdir, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from peewee import (
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    FloatField,
    ForeignKeyField,
    Model,
    SqliteDatabase,
)

from enforcer.__main__ import main
from enforcer.domain.day_records import DayTotal
from enforcer.ledger import queries
from enforcer.ledger.database import open_ledger
from enforcer.ledger.schema.migrations import STEPS

NOW = datetime(2026, 2, 3, 9, tzinfo=UTC)
DAY = date(2026, 2, 1)
H, S = timedelta(hours=1), timedelta(seconds=1)


# The models of the legacy system, with its spelling.


class ClusterUptime(Model):
    cluster_id: Any = CharField(primary_key=True)
    start_time: Any = DateTimeField(null=True)
    uptime_seconds: Any = FloatField(default=0.0)
    cumulative_seconds: Any = FloatField(default=0.0)
    warning_sent: Any = BooleanField(default=False)
    force_terminated: Any = BooleanField(default=False)
    last_poll_time: Any = DateTimeField(null=True)

    class Meta:
        table_name = "cluster_uptimes"


class ClusterCumulativeUptime(Model):
    cluster: Any = ForeignKeyField(ClusterUptime, backref="daily_records", field="cluster_id")
    date: Any = DateField()
    daily_use_seconds: Any = FloatField(default=0.0)

    class Meta:
        indexes = ((("cluster", "date"), True),)


class ClusterInfo(Model):
    cluster_id: Any = CharField(primary_key=True)
    cluster_name: Any = CharField(unique=True)


MODELS = (ClusterUptime, ClusterCumulativeUptime, ClusterInfo)
ROWS = (("0112-b", DAY, 5400.25), ("0112-a", DAY, 3600.0), ("0112-a", date(2026, 2, 2), 60.0))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two days of two clusters, and one cluster that was running when that system was shut down."""
    path = tmp_path / "cluster_uptimes.db"
    write(path, ROWS)
    return path


def write(path: Path, days: Sequence[tuple[object, object, object]]) -> None:
    database = SqliteDatabase(str(path), pragmas={"journal_mode": "wal", "busy_timeout": 5000, "synchronous": "NORMAL"})
    with database.bind_ctx(MODELS), database:
        database.create_tables(MODELS)
        for cluster_id, day, seconds in days:
            ClusterCumulativeUptime.create(cluster=cluster_id, date=day, daily_use_seconds=seconds)
        ClusterUptime.create(cluster_id="0112-b", uptime_seconds=12.5, start_time="2026-02-03 08:00:00")
        for id, name in (("0112-a", "cluster_01"), ("0112-b", "cluster_02")):
            ClusterInfo.create(cluster_id=id, cluster_name=name)


def run(folder: Path, *words: object, **variables: str) -> tuple[int, str, str]:
    clock = f"data:application/json,{quote(json.dumps({'now': NOW.isoformat()}))}"
    environment = {
        "CLUSTER_UPTIMES_DB": str(folder / "ledger" / "uptimes.db"),
        "LAB_CLOCK": clock,
        "LAB_COURSE": "94290",
        "LAB_TERM": "2025w",
        "LAB_TIMEZONE": "Asia/Jerusalem",
    } | variables
    with chdir(folder):
        result = CliRunner(env=environment).invoke(main, [str(word) for word in words], obj=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def settled(folder: Path, day: date = DAY) -> dict[str, DayTotal]:
    with closing(open_ledger(str(folder / "ledger" / "uptimes.db"))) as ledger:
        return queries.settled(ledger, day)


def imported(id: str, group: str, used: timedelta) -> DayTotal:
    nothing = timedelta()
    return DayTotal(id, DAY, group, used, None, None, nothing, nothing, 0, estimate=True, imported=True)


def test_each_total_becomes_a_settled_day_once(tmp_path: Path, file: Path) -> None:
    taken = "3 days of 2 clusters, 2026-02-01 to 2026-02-02, 2.5 hours\n"
    left = "skipped: the running totals of 1 clusters; today is counted from the workspace's events\n"

    assert run(tmp_path, "import-history", file, "--dry-run") == (0, f"would be imported: {taken}{left}", "")
    assert settled(tmp_path) == {}
    assert run(tmp_path, "import-history", file) == (0, f"imported: {taken}{left}", "")
    assert run(tmp_path, "import-history", file) == (0, f"already imported: 3 days\n{left}", "")

    assert settled(tmp_path) == {
        "0112-a": imported("0112-a", "group_01", H),
        "0112-b": imported("0112-b", "group_02", 5400.25 * S),
    }


def test_the_json_output_contains_the_imported_days(tmp_path: Path, file: Path) -> None:
    _, out, _ = run(tmp_path, "import-history", file, "--json")

    reported = json.loads(out)
    assert reported["imported_days"][0] == {"cluster_id": "0112-a", "day": "2026-02-01", "used_ms": 3_600_000}
    assert [len(reported.pop("imported_days")), reported] == [
        3,
        {"file": str(file), "imported": True, "already_imported": 0, "skipped": [], "running_totals": 1},
    ]


def test_the_report_shows_an_imported_day_as_an_estimate(tmp_path: Path, file: Path) -> None:
    run(tmp_path, "import-history", file)

    status, out, _ = run(tmp_path, "report", "--day", DAY, "--output", "day.csv")

    assert (status, out) == (0, "")
    rows = csv.DictReader(io.StringIO((tmp_path / "day.csv").read_text(encoding="utf-8-sig")))
    assert [(row["group"], row["used_minutes"], row["limit"], row["estimate"]) for row in rows] == [
        ("group_01", "60.00", "not known", "counted by the legacy system"),
        ("group_02", "90.00", "not known", "counted by the legacy system"),
    ]


def test_a_computed_day_replaces_an_imported_one(tmp_path: Path, file: Path) -> None:
    run(tmp_path, "import-history", file)
    nothing = timedelta()
    exact = DayTotal("0112-a", DAY, "group_01", 2 * H, H, 3 * H, nothing, nothing, 1, estimate=False)
    forgotten = DayTotal("0112-b", DAY, "group_02", nothing, H, 3 * H, nothing, nothing, 0, estimate=False)
    with closing(open_ledger(str(tmp_path / "ledger" / "uptimes.db"))) as ledger:
        queries.settle(ledger, [exact, forgotten], now=NOW)

    status, _, said = run(tmp_path, "import-history", file)

    assert settled(tmp_path) == {"0112-a": exact, "0112-b": imported("0112-b", "group_02", 5400.25 * S)}
    assert (status, said) == (0, "0112-a on 2026-02-01: this enforcer settled that day itself\n")


def test_invalid_rows_are_reported_while_valid_ones_are_imported(tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    odd = [("a", "2026-02-30", 1.0), ("b", DAY, "x\x1b[2J"), ("c", DAY, -1.0), ("d", DAY, 90001.0), ("", DAY, 1.0)]
    write(path, [*odd, ("0112-a", DAY, 1.0), ("0112-a", NOW.date(), 1.0)])

    status, out, said = run(tmp_path, "import-history", path)

    assert (status, out.splitlines()[0]) == (1, "imported: 1 days of 1 clusters, 2026-02-01 to 2026-02-01, 0.0 hours")
    assert said.splitlines() == [
        "a on 2026-02-30: '2026-02-30' is not a date",
        "b on 2026-02-01: 'x\\x1b[2J' is not a number of seconds",
        "c on 2026-02-01: -1.0 is not a number of seconds",
        "d on 2026-02-01: 25.0 hours do not fit into a day",
        " on 2026-02-01: it has no cluster id",
        "0112-a on 2026-02-03: the day is not over",
    ]


def test_a_database_of_the_legacy_systems_first_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "first.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE clusteruptime (id VARCHAR(255) PRIMARY KEY, start_timestamp REAL, uptime_seconds REAL);
            CREATE TABLE clustercumulativeuptime (id INTEGER PRIMARY KEY, cluster_id VARCHAR(255) NOT NULL,
                date DATE NOT NULL, daily_use_seconds REAL NOT NULL);
            INSERT INTO clustercumulativeuptime VALUES (1, '0112-z', '2026-02-01', 7200);
            """
        )

    assert run(tmp_path, "import-history", path)[0] == 0
    assert settled(tmp_path) == {"0112-z": imported("0112-z", "0112-z", 2 * H)}


def test_the_imported_file_is_not_changed_even_while_in_use(tmp_path: Path, file: Path) -> None:
    with closing(sqlite3.connect(file)) as owner:
        owner.execute("INSERT INTO clustercumulativeuptime VALUES (9, '0112-c', '2026-02-01', 3600)")
        owner.commit()
        before = {path.name: path.read_bytes() for path in tmp_path.glob("cluster_uptimes.db*")}
        assert run(tmp_path, "import-history", file)[0] == 0
        # The newest row is in the write-ahead log, so the log was read, too.
        assert "0112-c" in settled(tmp_path)
        after = {path.name: path.read_bytes() for path in tmp_path.glob("cluster_uptimes.db*")}
    assert {name: after[name] for name in before if not name.endswith("-shm")} == {
        name: content for name, content in before.items() if not name.endswith("-shm")
    }
    assert after.keys() == before.keys()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no database at all, and long enough to be looked at" * 20, "file is not a database"),
        (b"", "has no table clustercumulativeuptime: it is not the legacy system's database."),
    ],
)
def test_a_file_that_is_not_a_legacy_database_is_rejected(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(content)

    status, out, said = run(tmp_path, "import-history", path)

    assert (status, out) == (2, "")
    assert said.startswith(str(path)) and sentence in said
    assert not (tmp_path / "ledger").exists()


def test_the_column_for_imports_is_added_to_an_old_ledger(tmp_path: Path) -> None:
    place = str(tmp_path / "old.db")
    with closing(open_ledger(place)) as ledger:
        ledger.database.execute_sql("ALTER TABLE day DROP COLUMN imported")
        ledger.database.execute_sql("DELETE FROM migration WHERE name = ?", (STEPS[1][0],))
    nothing = timedelta()
    total = DayTotal("0112-a", DAY, "group_01", H, None, None, nothing, nothing, 1, estimate=False)

    with closing(open_ledger(place)) as ledger:
        queries.settle(ledger, [total], now=NOW)
        assert queries.settled(ledger, DAY) == {"0112-a": total}


@pytest.mark.parametrize("verb", ["report", "archive", "anonymise"])
def test_a_legacy_database_is_not_opened_as_a_ledger(tmp_path: Path, file: Path, verb: str) -> None:
    more = {"anonymise": ("--before", "2026-01-01"), "archive": ("--output", "archive")}

    status, out, err = run(tmp_path, verb, *more.get(verb, ()), CLUSTER_UPTIMES_DB=str(file))

    why = "cannot be read (it is the legacy system's database; import it with import-history)"
    assert (status, f"{why}; check CLUSTER_UPTIMES_DB" in out + err) == (2, True)
    with pytest.raises(OSError, match="it is the legacy system's database"):
        open_ledger(str(file))
    with closing(sqlite3.connect(file)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"cluster_uptimes", "clustercumulativeuptime", "clusterinfo"}
