"""Labs with the same mail account stay within its limits together, also after a restart."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enforcer.fleet.mail_account import Calls, MailAccount
from enforcer.ledger.database import Ledger, open_ledger
from enforcer.ledger.stored_messages import note_call, recorded_calls
from enforcer.mail.sender import next_try
from enforcer.settings import MailBudget, Settings
from example_counts import at_most_examples
from fake_mail_service import HOUR, MINUTE, NOW, FakeMailService
from outbox_sending import call_kinds, enqueue, mail_settings, most_calls_within, send_once

BUDGET = MailBudget(3, 10, 100, 200)
LABS = ("a", "b", "c")


class Clock:
    """The time of the labs and of the machine."""

    def __init__(self) -> None:
        self.now = NOW

    def seconds(self) -> float:
        return (self.now - NOW).total_seconds()


class LabsOfOneAccount:
    """Three labs with an empty ledger each, and the mail service that they share."""

    def __init__(self, folder: Path, empty_ledger: Path) -> None:
        self.places = {lab: str(folder / lab / "uptimes.db") for lab in LABS}
        for place in self.places.values():
            Path(place).parent.mkdir(mode=0o700)
            shutil.copy(empty_ledger, place)
        self.ledgers: dict[str, Ledger] = {lab: open_ledger(place) for lab, place in self.places.items()}
        self.service, self.clock = FakeMailService(), Clock()
        self.settings: dict[str, Settings] = {}
        self.restart()

    def restart(self) -> None:
        """Forget everything that is not in the ledgers."""
        account = MailAccount(now=lambda: self.clock.now, timer=self.clock.seconds)
        for lab, place in self.places.items():
            settings = mail_settings(BUDGET)
            assert settings.mail
            self.settings[lab] = replace(
                settings, mail=replace(settings.mail, account=account.join(lab, place, BUDGET))
            )

    def send(self, lab: str, at: timedelta) -> None:
        self.clock.now = NOW + at
        send_once(self.ledgers[lab], self.service, at, self.settings[lab])

    def close(self) -> None:
        for ledger in self.ledgers.values():
            ledger.close()


@pytest.fixture
def labs(tmp_path: Path, empty_ledger: Path) -> Iterator[LabsOfOneAccount]:
    made = LabsOfOneAccount(tmp_path, empty_ledger)
    yield made
    made.close()


def test_the_labs_share_the_budget_of_a_minute(labs: LabsOfOneAccount) -> None:
    for lab in LABS:
        for number in range(3):
            enqueue(labs.ledgers[lab], f"{lab} {number}")

    for lab in LABS:
        labs.send(lab, timedelta())

    assert call_kinds(labs.service) == ["send"] * 3
    due = {next_try(labs.ledgers[lab], labs.settings[lab], now=NOW) for lab in ("b", "c")}
    assert due == {NOW + MINUTE}, "the others try again when the budget has room"


@pytest.mark.waits
def test_a_restart_does_not_forget_the_calls_of_other_labs(labs: LabsOfOneAccount) -> None:
    for lab in LABS:
        for number in range(9):
            enqueue(labs.ledgers[lab], f"{lab} {number}")

    for minute in range(75):
        if minute < 10 or minute > 55:
            labs.restart()
        for lab in LABS:
            labs.send(lab, minute * MINUTE)

    assert len(labs.service.accepted) == 20
    assert most_calls_within(labs.service, "send", HOUR) == BUDGET.sends_per_hour
    assert most_calls_within(labs.service, "send", MINUTE) == BUDGET.sends_per_minute


def test_calls_of_another_process_are_counted(labs: LabsOfOneAccount) -> None:
    enqueue(labs.ledgers["a"], "one")
    with closing(open_ledger(labs.places["b"])) as end_of_day:
        for _ in range(3):
            note_call(end_of_day, "send", NOW)

    labs.send("a", timedelta())
    assert call_kinds(labs.service) == []
    labs.send("a", MINUTE)
    assert call_kinds(labs.service) == ["send"]


def test_a_call_during_a_reading_is_counted_once() -> None:
    ledgers, at = Ledgers(), NOW + timedelta(microseconds=1234)

    def read(place: str, since: datetime) -> Calls:
        if place == "b":
            # While the ledger of b is read, b reserves and records its call.
            with account.reserving("b"):
                ledgers.calls["b"].append(("send", NOW + timedelta(milliseconds=1)))
                account.note_call("b", "send", at)
        return ledgers.read(place, since)

    account = MailAccount(read, now=lambda: NOW, timer=lambda: 0.0)
    for lab in LABS:
        account.join(lab, lab, BUDGET)

    assert account.calls_since("a", "send", NOW - MINUTE) == [NOW + timedelta(milliseconds=1)]


def test_calls_in_the_same_millisecond_are_all_counted() -> None:
    ledgers = Ledgers()
    account = MailAccount(ledgers.read, now=lambda: NOW, timer=lambda: 0.0)
    for lab in LABS:
        account.join(lab, lab, BUDGET)

    counts = []
    for _ in range(2):
        with account.reserving("b"):
            ledgers.calls["b"].append(("send", NOW))
            account.note_call("b", "send", NOW)
        counts.append(len(account.calls_since("a", "send", NOW - MINUTE)))

    assert counts == [1, 2]


def test_threads_of_several_labs_never_exceed_the_budget(labs: LabsOfOneAccount) -> None:
    for lab in LABS:
        labs.ledgers[lab].close()

    def send(lab: str) -> None:
        with closing(open_ledger(labs.places[lab])) as ledger:
            for number in range(5):
                enqueue(ledger, f"{lab} {number}")
            send_once(ledger, labs.service, settings=labs.settings[lab])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(send, LABS))

    assert call_kinds(labs.service) == ["send"] * 3


def test_a_lab_with_an_unreadable_ledger_counts_as_its_share(labs: LabsOfOneAccount) -> None:
    labs.ledgers["b"].close()
    Path(labs.places["b"]).write_bytes(b"no database" * 1000)
    for number in range(9):
        enqueue(labs.ledgers["a"], f"a {number}")

    for minute in range(70):
        labs.send("a", minute * MINUTE)

    # A third of ten calls, rounded up, is left to the lab whose calls are unknown, for an hour.
    before = [at for kind, _, at in labs.service.calls if kind == "send" and at < NOW + HOUR]
    assert len(before) == 6
    assert len(labs.service.accepted) == 9


def test_recorded_calls_are_read_from_files_and_databases(ledger: Ledger, ledger_location: str) -> None:
    for kind, at in (("send", NOW - HOUR), ("send", NOW - MINUTE), ("status", NOW)):
        note_call(ledger, kind, at)

    assert recorded_calls(ledger_location, NOW - HOUR) == [("send", NOW - MINUTE), ("status", NOW)]


def test_a_ledger_that_does_not_exist_has_no_calls(tmp_path: Path) -> None:
    assert recorded_calls(str(tmp_path / "uptimes.db"), NOW) == []
    assert list(tmp_path.iterdir()) == []


class Ledgers:
    """Calls by lab, as their ledgers would return them."""

    def __init__(self) -> None:
        self.calls: dict[str, Calls] = {lab: [] for lab in LABS}

    def read(self, place: str, since: datetime) -> Calls:
        return [call for call in self.calls[place] if call[1] > since]


steps = st.lists(
    st.tuples(st.sampled_from(LABS), st.integers(0, 50), st.sampled_from(["send", "restart", "elsewhere"])), max_size=60
)


@at_most_examples(100)
@given(steps)
def test_each_call_is_counted_once(drawn: list[tuple[str, int, str]]) -> None:
    ledgers, clock = Ledgers(), Clock()

    def joined() -> MailAccount:
        account = MailAccount(ledgers.read, now=lambda: clock.now, timer=clock.seconds)
        for lab in LABS:
            account.join(lab, lab, BUDGET)
        return account

    account = joined()
    for lab, seconds, what in drawn:
        clock.now += timedelta(seconds=seconds)
        if what == "restart":
            account = joined()
        elif what == "elsewhere":
            ledgers.calls[lab].append(("send", clock.now))
            clock.now += timedelta(seconds=31)  # the others read the ledger again
        else:
            with account.reserving(lab):
                ledgers.calls[lab].append(("send", clock.now))
                account.note_call(lab, "send", clock.now)
        for one in LABS:
            since = clock.now - MINUTE
            others = [at for other in LABS if other != one for _, at in ledgers.calls[other] if at > since]
            assert account.calls_since(one, "send", since) == sorted(others, reverse=True)
            assert account.calls_since(one, "status", since) == []
