"""Counts the calls of all labs to one mail account, so that together they stay within its limits.

Each lab records its calls in its own ledger. The others read them there, so the count is right after a restart, and
includes calls of other processes, such as `end-of-day`. Calls of this process are also kept in memory, because they may
be later than the last reading.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from peewee import PeeweeException

from enforcer.domain.timestamps import from_millis, to_millis
from enforcer.ledger.stored_messages import recorded_calls
from enforcer.settings import MailBudget

log = logging.getLogger(__name__)

REREAD_AFTER_SECONDS = 30.0
RETRY_UNREADABLE_AFTER_SECONDS = 300.0
HOUR = timedelta(hours=1)

Calls = list[tuple[str, datetime]]
"""Kind and time of each call."""


@dataclass(frozen=True)
class _Reading:
    """What was read from a lab's ledger."""

    calls: Calls
    repeat_at: float
    """When to read again, in seconds of the monotonic clock."""


class MailAccount:
    """One mail account. `read` returns the calls in a ledger since an instant; `timer` returns seconds."""

    def __init__(
        self,
        read: Callable[[str, datetime], Calls] = recorded_calls,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._now, self._timer = read, now, timer
        self._lock = threading.RLock()
        self._calls: dict[str, Calls] = {}
        """Calls of this process by lab, of about an hour."""
        self._ledgers: dict[str, str] = {}
        self._budgets: dict[str, MailBudget] = {}
        self._readings: dict[str, _Reading] = {}

    def join(self, lab: str, ledger_location: str, budget: MailBudget) -> "AccountShare":
        """Add a lab and return its view of the account."""
        with self._lock:
            self._ledgers[lab], self._budgets[lab] = ledger_location, budget
            self._readings.pop(lab, None)
        return AccountShare(self, lab)

    @contextmanager
    def reserving(self, lab: str) -> Iterator[None]:
        """Hold the account while the block checks the budget and records its call."""
        self._read_ledgers(lab)  # before the lock, because reading may take a while
        with self._lock:
            yield

    def note_call(self, lab: str, kind: str, at: datetime) -> None:
        with self._lock:
            recent = [call for call in self._calls.get(lab, []) if call[1] > at - HOUR]
            # As a ledger stores it, so that the same call can be found in a reading.
            self._calls[lab] = [*recent, (kind, from_millis(to_millis(at)))]

    def calls_since(self, lab: str, kind: str, since: datetime) -> list[datetime]:
        """Return the times of the calls of all labs but this one after an instant, the latest first."""
        self._read_ledgers(lab)
        with self._lock:
            times = [
                at
                for other in self._ledgers
                if other != lab
                for name, at in self._calls_of(other).elements()
                if name == kind
            ]
        return sorted((at for at in times if at > since), reverse=True)

    def _calls_of(self, lab: str) -> Counter[tuple[str, datetime]]:
        """Return the calls of a lab. A call of this process is in the reading, too, unless it was recorded later."""
        reading = self._readings.get(lab)
        return Counter(reading.calls if reading else []) | Counter(self._calls.get(lab, []))

    def _read_ledgers(self, lab: str) -> None:
        """Read the ledgers of the other labs, unless they were read a moment ago."""
        with self._lock:
            due = [
                (other, place)
                for other, place in self._ledgers.items()
                if other != lab and (other not in self._readings or self._readings[other].repeat_at <= self._timer())
            ]
        for other, place in due:
            since = self._now() - HOUR
            try:
                reading = _Reading(self._read(place, since), self._timer() + REREAD_AFTER_SECONDS)
            except (OSError, ValueError, PeeweeException) as error:
                reading = self._without_ledger(other, error)
            with self._lock:
                self._readings[other] = reading

    def _without_ledger(self, other: str, error: Exception) -> _Reading:
        """Return the last reading of a ledger that cannot be read; if there is none, an equal share of the budget."""
        log.warning("the mails of the lab %s cannot be counted (%s)", other, type(error).__name__)
        repeat_at = self._timer() + RETRY_UNREADABLE_AFTER_SECONDS
        with self._lock:
            last = self._readings.get(other)
            budget, labs = self._budgets[other], len(self._ledgers)
        if last is not None:
            return _Reading(last.calls, repeat_at)
        now = self._now()
        calls = [("send", now)] * -(-budget.sends_per_hour // labs)
        calls += [("status", now)] * -(-budget.status_per_hour // labs)
        return _Reading(calls, repeat_at)


class AccountShare:
    """A lab's view of a mail account: `SharedMailAccount` of the settings."""

    def __init__(self, account: MailAccount, lab: str) -> None:
        self._account, self._lab = account, lab

    @contextmanager
    def reserving(self) -> Iterator[None]:
        with self._account.reserving(self._lab):
            yield

    def calls_since(self, kind: str, since: datetime) -> list[datetime]:
        return self._account.calls_since(self._lab, kind, since)

    def note_call(self, kind: str, at: datetime) -> None:
        self._account.note_call(self._lab, kind, at)
