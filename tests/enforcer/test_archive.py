"""The content of an archive; no cell is a formula in a spreadsheet."""

from __future__ import annotations

import csv
import hashlib
import json
import stat
from contextlib import chdir, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pyarrow import parquet

from enforcer.__main__ import main
from enforcer.domain.day_records import DayTotal
from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.observations import ObservedCluster, RawEvent
from enforcer.domain.uptime import Event, Observation
from enforcer.ledger import queries, record
from enforcer.ledger.database import open_copy, open_ledger
from enforcer.ledger.record import EventBatch
from enforcer.mail import outbox
from enforcer.mail.messages import Message
from enforcer.retention.archive_tables import TABLES

pytestmark = [pytest.mark.waits, pytest.mark.xdist_group("matplotlib")]

T = datetime(2024, 11, 3, 8, tzinfo=UTC)
M, H, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ANA = "ana@x.example"
COURSE: dict[str, Any] = {
    "version": 1,
    "course": "94290",
    "term": "2024w",
    "title": "Data Engineering",
    "timezone": "UTC",
    "first_day": "2024-10-20",
    "last_day": "2025-01-31",
    "first_weekday": "Sunday",
    "count_all_sessions": False,
    "groups": [
        {
            "name": "group_01",
            "number": 1,
            "title": f"=Team of {ANA}",
            "limits": {"soft_minutes": 150, "hard_minutes": 180},
        }
    ],
}
FORMULA = '=HYPERLINK("https://x.example","ok")\nsecond line'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A ledger with a settled day of a course, a message about it, and a cluster of a different course."""
    place = str(tmp_path_factory.mktemp("ledger") / "uptimes.db")
    with closing(open_ledger(place)) as ledger:
        for id, term in (("1103-1", "2024w"), ("1103-0", "2024s")):
            observation = Observation(T + DAY, running=False, started=T, terminated=T + H)
            cluster = ObservedCluster(id, "cluster_01", "group_01", "94290", term, "terraform", observation, "1")
            record.observe(ledger, [cluster], now=T + DAY if term == "2024w" else T)
            events = [Event(T, "STARTING", ANA), Event(T + M, "RUNNING", workers=2), Event(T + H, "TERMINATING", ANA)]
            reported = [RawEvent(event, json.dumps({"user": event.user})) for event in events]
            record.add_events(ledger, [EventBatch(id, reported, "1")], read_to=T + DAY)
            message = Message("@Team: near the limit", FORMULA, "<p>", (ANA,), ("staff@x.example",))
            outbox.queue(
                ledger, MessageKind.WARNING, id, message, now=T, period="day", period_start=T.date(), hard_limit=3 * H
            )
        number = queries.note_intent(
            ledger, "warn", "1103-1", "group_01", reason=f"+ 60 for {ANA}", day=T.date(), now=T
        )
        queries.note_outcome(ledger, number, now=T + M)
        total = DayTotal("1103-1", T.date(), "group_01", 59 * M, 150 * M, None, 0 * M, 0 * M, 1, False)
        queries.settle(ledger, [total], now=T + DAY)
        queries.write_note(ledger, "settled", str(T.date()))
        queries.write_note(ledger, "members", json.dumps({"read": 0, "groups": {"group_01": [ANA]}}))
        queries.store_file(ledger, "/lab-94290-2024w/course.json", "1", json.dumps(COURSE))
        allowance = {"version": 1, "id": "a", "group": "all", "first_day": "2024-11-03", "last_day": "2024-11-03"}
        allowance |= {"minutes": 60, "reason": ANA, "given_by": "staff@x.example", "given_at": T.isoformat()}
        queries.store_file(ledger, "/lab-94290-2024w/allowances/../a.json", "1", json.dumps(allowance))
        queries.record_poll(ledger, began=T + DAY, ended=T + DAY + M, failed=1, calls={})
    return place


def run(place: str, *words: str) -> tuple[int, str, str]:
    """Run `python -m enforcer archive …` on this ledger; return status, output and errors."""
    environment = {"CLUSTER_UPTIMES_DB": place, "MPLCONFIGDIR": str(Path(place).parent)}
    with chdir(Path(place).parent):
        done = CliRunner(env=environment).invoke(main, ["archive", *words], obj=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def archived(place: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archives") / "deep" / "term"
    said = f"94290 2024w is in {folder}, with 1 reports; settled up to 2024-11-03\n"
    assert run(place, "--output", str(folder)) == (0, said, "")
    return folder


def of_csv(archived: Path, name: str) -> list[dict[str, str]]:
    (path,) = archived.glob(f"*/{name}.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def of_parquet(archived: Path, name: str) -> list[dict[str, Any]]:
    (path,) = archived.glob(f"*/{name}.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return rows


def test_the_tables_contain_only_rows_of_the_term(archived: Path) -> None:
    assert of_parquet(archived, "days") == [
        {
            "day": date(2024, 11, 3),
            "group": "group_01",
            "cluster_id": "1103-1",
            "used_ms": 59 * 60_000,
            "soft_ms": 150 * 60_000,
            "hard_ms": None,
            "overrun_ms": 0,
            "uncounted_ms": 0,
            "sessions": 1,
            "estimate": False,
            "imported": False,
            "settled_at": T + DAY,
        }
    ]
    assert of_csv(archived, "days")[0] | {"cluster_id": ""} == {
        "day": "2024-11-03",
        "group": "group_01",
        "cluster_id": "",
        "used_ms": "3540000",
        "soft_ms": "9000000",
        "hard_ms": "",
        "overrun_ms": "0",
        "uncounted_ms": "0",
        "sessions": "1",
        "estimate": "false",
        "imported": "false",
        "settled_at": "2024-11-04T08:00:00.000Z",
    }
    (session,) = of_parquet(archived, "sessions")
    assert (session["started_by"], session["counted_from"], session["workers"]) == (ANA, T + M, "[[0, 2]]")
    assert [event["type"] for event in of_parquet(archived, "events")] == ["STARTING", "RUNNING", "TERMINATING"]
    (message,) = of_parquet(archived, "messages")
    assert (message["to"], message["cc"], message["text"]) == (ANA, "staff@x.example", FORMULA)


def test_no_csv_cell_is_a_formula_or_has_two_lines(archived: Path) -> None:
    (message,) = of_csv(archived, "messages")
    assert message["subject"] == "'@Team: near the limit"
    assert message["text"] == '\'=HYPERLINK("https://x.example","ok")\\x0asecond line'
    assert [row["reason"] for row in of_csv(archived, "actions")] == ["'+ 60 for …"]


def test_only_the_subfolder_people_contains_names_of_people(archived: Path) -> None:
    naming = {path.relative_to(archived).parts[0] for path in files(archived) if b"ana@x" in path.read_bytes()}

    assert naming == {"people"}
    assert sorted(
        str(path.relative_to(archived)) for path in files(archived) if path.suffix not in (".csv", ".parquet")
    ) == [
        "README.md",
        "manifest.json",
        "people/allowances/_a.json",
        "people/ledger.db",
        "people/reports/2024-11-03.html",
        "totals/course.json",
    ]


def files(archived: Path) -> list[Path]:
    return [path for path in sorted(archived.rglob("*")) if path.is_file()]


def test_an_archive_is_private_and_every_file_has_its_checksum(archived: Path) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in files(archived)}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in [archived, *archived.glob("**/")]}
    manifest = json.loads((archived / "manifest.json").read_text())

    assert (modes, folders) == ({0o600}, {0o700})
    assert {name: file["sha256"] for name, file in manifest.pop("files").items()} == {
        str(path.relative_to(archived)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files(archived)
        if path.name != "manifest.json"
    }
    assert manifest | {"made_at": None} == {
        "format": 2,
        "course": "94290",
        "term": "2024w",
        "last_poll": "2024-11-04T08:00:00.000Z",
        "last_poll_failed": 1,
        "settled_up_to": "2024-11-03",
        "made_at": None,
    }


def test_the_readme_describes_every_column(archived: Path) -> None:
    text = (archived / "README.md").read_text()

    assert [c.name for table in TABLES for c in table.columns if f"| `{c.name}` |" not in text] == []
    assert "delete the folder `people`" in text


def test_an_archive_contains_the_ledger(archived: Path, place: str) -> None:
    def shown(place: str) -> list[DayTotal]:
        with closing(open_copy(place)) as ledger:
            return list(queries.settled(ledger, T.date()).values())

    assert shown(str(archived / "people" / "ledger.db")) == shown(place) != []


def test_an_archive_is_never_overwritten(place: str, archived: Path) -> None:
    before = {path: path.read_bytes() for path in files(archived)}

    status, _, said = run(place, "--output", str(archived))

    assert (status, said) == (
        2,
        f"{archived} already exists; an archive is never overwritten: choose a different folder.\n",
    )
    assert {path: path.read_bytes() for path in files(archived)} == before
    nowhere = str(archived.parent / "none.db")
    target = archived.parent / "other"
    assert run(nowhere, "--output", str(target)) == (
        1,
        "",
        f"the ledger {nowhere} has no course; check CLUSTER_UPTIMES_DB, or run poll first\n",
    )
    assert sorted(path.name for path in archived.parent.iterdir()) == ["term"]


def test_a_dry_run_reports_the_archive_and_writes_nothing(place: str, tmp_path: Path) -> None:
    status, out, _ = run(place, "--output", str(tmp_path / "archive"), "--dry-run", "--json")

    assert (status, json.loads(out)["made"], json.loads(out)["reports"]) == (0, False, 1)
    assert not (tmp_path / "archive").exists()
