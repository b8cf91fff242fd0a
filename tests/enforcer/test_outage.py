"""While the ledger is unavailable, groups past a limit are stopped and the admin gets one message; actions are recorded
later.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import peewee
import pytest

from emulated_course import EmulatedCourse
from emulator_process import EmulatorProcess
from enforcer.domain.quota import Restrict, Stop
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger, empty_copy, open_ledger
from enforcer.ledger.lock import LedgerUnavailable, is_temporary
from enforcer.operations import systemd
from enforcer.operations.markers import Marker
from enforcer.operations.outage import KIND, note_recovery
from enforcer.tick.run import run_tick, stop_by_events
from fake_mail_service import FakeMailService
from in_process_course import SETTINGS, InProcessCourse
from labkit.clock import Deadline
from postgresql_server import PostgreSQL

M = timedelta(minutes=1)
ROOT = Path(__file__).resolve().parents[2]
RESTRICTED = ("TERMINATED", "CAN_ATTACH_TO")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EIO, "Input/output error"),
        peewee.OperationalError("database is locked"),
        peewee.OperationalError("database or disk is full"),
        peewee.OperationalError("FATAL:  the database system is starting up"),
        sqlite3.OperationalError("disk I/O error"),
        peewee.DatabaseError("database disk image is malformed"),
        LedgerUnavailable(RuntimeError("x")),
    ],
    ids=str,
)
def test_a_temporary_ledger_error_is_not_a_settings_error(error: BaseException) -> None:
    assert is_temporary(error)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "Permission denied"),
        OSError(errno.ENOTDIR, "Not a directory"),
        peewee.OperationalError('FATAL:  password authentication failed for user "lab"'),
        peewee.OperationalError('FATAL:  database "uptime" does not exist'),
        peewee.OperationalError("unable to open database file"),
        ValueError("the database is locked"),
    ],
    ids=str,
)
def test_settings_and_program_errors_are_not_temporary_ledger_errors(error: BaseException) -> None:
    assert not is_temporary(error)


@pytest.fixture
def lab() -> InProcessCourse:
    return InProcessCourse(2, soft=150 * M, hard=180 * M)


def test_groups_past_a_limit_are_stopped_by_events_without_a_ledger(lab: InProcessCourse) -> None:
    workspace, (over, other) = lab.connect(), lab.clusters
    lab.start(over)
    lab.workspace.advance(100 * 60)
    lab.start(other)
    lab.workspace.advance(81 * 60)
    with closing(empty_copy()) as memory:
        result = stop_by_events(SETTINGS, memory, workspace, now=lab.now(), deadline=Deadline(M))
        again = stop_by_events(SETTINGS, memory, workspace, now=lab.now(), deadline=Deadline(M))

    assert [(type(action), action.cluster_id) for action in result.actions] == [(Restrict, over), (Stop, over)]
    assert (lab.level(over), lab.workspace.state(over), lab.workspace.state(other)) == (
        "CAN_ATTACH_TO",
        "TERMINATING",
        "RUNNING",
    )
    assert (result.failures, again.actions) == ((), ())


def test_actions_during_a_ledger_outage_are_recorded_once_afterwards(
    ledger: Ledger, lab: InProcessCourse, tmp_path: Path
) -> None:
    from dataclasses import replace

    settings, day = replace(SETTINGS, ledger_location=str(tmp_path / "uptimes.db")), lab.now().date()
    done = {
        "kind": "stop",
        "cluster": lab.clusters[0],
        "group": "group_001",
        "reason": "day 180 minutes",
        "day": day.isoformat(),
        "at": lab.now().isoformat(),
        "error": None,
    }
    Marker(settings.ledger_location, KIND).write(
        {"since": "", "actions": [done, done | {"kind": "restrict"}, {"kind": "odd"}, 7]}
    )

    note_recovery(settings, ledger)
    note_recovery(settings, ledger)

    assert [(a.kind, a.done, a.error) for a in queries.actions_on(ledger, day)] == [
        ("stop", lab.now(), None),
        ("restrict", lab.now(), None),
    ]
    assert queries.restricted_clusters(ledger) == {lab.clusters[0]}
    assert Marker(settings.ledger_location, KIND).read() is None


def test_a_group_stopped_without_the_ledger_is_notified_later(ledger: Ledger, lab: InProcessCourse) -> None:
    workspace, mail = lab.connect(), FakeMailService()
    lab.start(lab.clusters[0])
    lab.workspace.advance(181 * 60)
    with closing(empty_copy()) as memory:
        stop_by_events(SETTINGS, memory, workspace, now=lab.now(), deadline=Deadline(M))
    lab.workspace.advance(60)

    run_tick(SETTINGS_WITH_MAIL, ledger, workspace, mail, now=lab.now(), deadline=Deadline(M))

    assert mail.subjects == ["Lab: the cluster of Team 1 is off, its limit is reached"]


def with_mail():
    from dataclasses import replace

    from enforcer.settings import load_settings

    environ = {
        "AZURE_EMAIL_CONNECTION_STRING": "endpoint=https://x.communication.azure.com;accesskey=eA==",
        "AZURE_EMAIL_SENDER": "lab@campus.example",
    }
    return replace(load_settings(environ), course=SETTINGS.course, term=SETTINGS.term)


SETTINGS_WITH_MAIL = with_mail()


@pytest.mark.process
def test_systemd_is_notified_as_its_unit_requires(tmp_path: Path) -> None:
    place = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(place)
        systemd.notify({"NOTIFY_SOCKET": place}, systemd.READY)
        systemd.notify({"NOTIFY_SOCKET": place}, systemd.ALIVE)

        assert [listener.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]
    systemd.notify({"NOTIFY_SOCKET": place}, systemd.ALIVE)
    systemd.notify({}, systemd.ALIVE)


# --- the whole program


@contextmanager
def watching(lab: EmulatedCourse) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **lab.environment, "PYTHONPATH": str(ROOT)}
    with (lab.folder / "watch.log").open("wb") as stream:
        service = subprocess.Popen(
            [sys.executable, "-m", "enforcer", "watch"], cwd=lab.folder, env=environment, stderr=stream
        )
    try:
        yield service
    finally:
        service.kill()
        service.wait()


def until(holds: Callable[[], bool], lab: EmulatedCourse) -> None:
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends, (lab.folder / "watch.log").read_text()[-3000:]
        time.sleep(0.1)


def mails(lab: EmulatedCourse) -> list[str]:
    return [mail["subject"] for mail in lab.emulator.control("GET", "mail")]


def outage_mails(lab: EmulatedCourse) -> list[str]:
    """Return the subjects of messages about the ledger. A clock that moves during a tick is reported separately."""
    return [subject for subject in mails(lab) if "the ledger is unavailable" in subject]


def with_mail_of(emulator: EmulatorProcess) -> dict[str, str]:
    return {
        "AZURE_EMAIL_CONNECTION_STRING": emulator.mail_connection_string,
        "REQUESTS_CA_BUNDLE": emulator.mail_ca,
        "AZURE_EMAIL_SENDER": "lab@example.ac.il",
        "ADMIN_EMAIL": "admin@example.ac.il",
    }


@pytest.mark.process
@pytest.mark.timed_lock
def test_watch_survives_a_restart_of_postgresql(frozen_emulator: EmulatorProcess, tmp_path: Path) -> None:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path, groups=1)
    with PostgreSQL() as server:
        lab.environment |= {"CLUSTER_UPTIMES_DB": server.database("watched"), "HOME": str(tmp_path)}
        lab.environment |= with_mail_of(frozen_emulator)
        with watching(lab) as service:
            until(lambda: "checked 1 clusters" in (lab.folder / "watch.log").read_text(), lab)
            lab.start("group_01")
            lab.advance_minutes(1)
            until(lambda: (lab.folder / "watch.log").read_text().count("checked") == 2, lab)
            server.stop()
            lab.advance_minutes(181)
            # The lab's clock advances by two minutes in small steps.
            for _ in range(12):
                if (lab.state("group_01"), lab.level("group_01")) == RESTRICTED:
                    break
                time.sleep(1)
                lab.advance_minutes(1 / 6)
            until(lambda: (lab.state("group_01"), lab.level("group_01")) == RESTRICTED, lab)
            until(lambda: len(outage_mails(lab)) == 1, lab)
            lab.advance_minutes(3)
            server.start()
            for _ in range(30):
                if "the ledger is available again" in (lab.folder / "watch.log").read_text():
                    break
                time.sleep(1)
                lab.advance_minutes(1)
            service.send_signal(signal.SIGTERM)
            assert service.wait(timeout=60) == 0
        with closing(open_ledger(lab.environment["CLUSTER_UPTIMES_DB"])) as ledger:
            done = [action.kind for action in queries.actions_on(ledger, lab.now.date())]
    assert done[:2] == ["restrict", "stop"]
    assert len(outage_mails(lab)) == 1


@contextmanager
def locked(place: str) -> Iterator[str]:
    """Lock the ledger from a different program; yield the reason in a poll's message."""
    with closing(sqlite3.connect(place)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield "database is locked"


@contextmanager
def full(place: str) -> Iterator[str]:
    """Simulate a full disk; yield the reason in a poll's message."""

    def refuse(place: str) -> Ledger:
        raise peewee.OperationalError("database or disk is full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("enforcer.commands.context.open_ledger", refuse)
        patch.setattr("enforcer.operations.crash_mail.open_ledger", refuse)
        yield "database or disk is full"


@pytest.mark.process
@pytest.mark.parametrize("trouble", [locked, full])
def test_groups_are_stopped_by_polls_without_a_ledger(
    frozen_emulator: EmulatorProcess, tmp_path: Path, trouble: Callable[[str], AbstractContextManager[str]]
) -> None:
    frozen_emulator.control("POST", "reset")
    lab = EmulatedCourse(frozen_emulator, tmp_path, groups=1)
    lab.environment |= with_mail_of(frozen_emulator)
    lab.poll()
    lab.start("group_01")
    lab.advance_minutes(181)
    with trouble(lab.environment["CLUSTER_UPTIMES_DB"]) as what:
        first = lab.run("poll")
        lab.advance_minutes(75)
        second = lab.run("poll")

    assert (first.status, second.status) == (1, 1)
    assert f"the ledger is unavailable at the moment ({what})" in first.err
    assert (lab.state("group_01"), lab.level("group_01")) == RESTRICTED
    assert len(mails(lab)) == 1
    assert lab.run("poll").status == 0
    with closing(open_ledger(lab.environment["CLUSTER_UPTIMES_DB"])) as ledger:
        done = [action.kind for action in queries.actions_on(ledger, lab.now.date())]
    assert done == ["restrict", "stop"]
    assert [subject for subject in mails(lab) if "is off" in subject] != []
