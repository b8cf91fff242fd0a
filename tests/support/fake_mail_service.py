"""A fake mail service with all failures that a real one has, and an exception that simulates a killed sender."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from enforcer.mail.mail_service import SendResult, SendStatus
from enforcer.settings import MailBudget

NOW = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
UNKNOWN = SendResult(SendStatus.UNKNOWN, "no answer")


class SimulatedKill(BaseException):
    """Simulates the end of the process."""


@dataclass
class FakeMailService:
    """A fake mail service. `plan` contains the outcomes of the next calls; all later calls succeed.

    `before` and `after` say whether the failure came before or after the message was accepted.
    """

    plan: list[str] = field(default_factory=list)
    budget: MailBudget | None = None
    now: datetime = NOW
    accepted: dict[str, str] = field(default_factory=dict)
    """Maps operation ids to payloads, in order."""
    calls: list[tuple[str, str, datetime]] = field(default_factory=list)
    """`send` or `status`, operation id, time."""
    first_payloads: dict[str, str] = field(default_factory=dict)
    """Maps operation ids to the payload of the first attempt."""
    unknown_outcomes: set[str] = field(default_factory=set)
    """Operations for which the sender does not know whether they were accepted."""
    used_elsewhere: set[str] = field(default_factory=set)
    """Operation ids that a different program used."""
    failed: set[str] = field(default_factory=set)
    """Operations that were accepted but could not be delivered."""
    is_slow: bool = False
    """Whether accepted messages stay in progress forever."""
    refused: set[str] = field(default_factory=set)
    """Addresses that no message may have as a recipient."""
    suppressed: set[str] = field(default_factory=set)
    """Suppressed addresses: a message sent only to such addresses is accepted and then fails."""

    def send(self, operation_id: str, payload: str, *, timeout: timedelta) -> SendResult:
        assert operation_id not in self.unknown_outcomes, "sent again without a question"
        assert (
            self.first_payloads.setdefault(operation_id, payload) == payload or operation_id in self.used_elsewhere
        ), "other bytes"
        self.calls.append(("send", operation_id, self.now))
        what = self.plan.pop(0) if self.plan else "well"
        if what == "busy" or not self._has_room("send"):
            return SendResult(SendStatus.BUSY, "too many", timedelta(seconds=90))
        if what == "refused":
            return SendResult(SendStatus.REFUSED, "no")
        if what.endswith("before"):
            self.unknown_outcomes.add(operation_id)
            return self._break(what)
        if self.refused & set(recipients(payload)):
            self.unknown_outcomes.add(operation_id)
            return SendResult(SendStatus.CONFLICT, "Invalid recipient")
        known = self.accepted.setdefault(operation_id, payload)
        if what.endswith("after"):
            self.unknown_outcomes.add(operation_id)
            return self._break(what)
        if what == "conflict" or known != payload:
            self.unknown_outcomes.add(operation_id)
            return SendResult(SendStatus.CONFLICT, "another message")
        return SendResult(SendStatus.ACCEPTED)

    def status(self, operation_id: str, *, timeout: timedelta) -> SendResult:
        self.calls.append(("status", operation_id, self.now))
        what = self.plan.pop(0) if self.plan else "well"
        if what == "busy" or not self._has_room("status"):
            return SendResult(SendStatus.BUSY, "too many", timedelta(seconds=90))
        if what.startswith(("breaks", "killed")):
            return self._break(what)
        self.unknown_outcomes.discard(operation_id)
        if operation_id in self.failed:
            return SendResult(SendStatus.FAILED, "bounced", is_final=True)
        if operation_id in self.accepted and self.is_slow:
            return SendResult(SendStatus.ACCEPTED, "Running")
        if self.suppressed and self.suppressed >= set(recipients(self.accepted.get(operation_id, "")) or [""]):
            return SendResult(SendStatus.FAILED, "all recipients were suppressed", is_final=True)
        if operation_id in self.accepted:
            return SendResult(SendStatus.ACCEPTED, "Succeeded", is_final=True)
        return SendResult(SendStatus.MISSING)

    def _break(self, what: str) -> SendResult:
        if what.startswith("killed"):
            raise SimulatedKill
        return UNKNOWN

    def _has_room(self, kind: str) -> bool:
        if self.budget is None:
            return True
        a_minute, an_hour = (
            (self.budget.sends_per_minute, self.budget.sends_per_hour)
            if kind == "send"
            else (self.budget.status_per_minute, self.budget.status_per_hour)
        )
        return self.calls_within(kind, MINUTE) <= a_minute and self.calls_within(kind, HOUR) <= an_hour

    def calls_within(self, kind: str, span: timedelta) -> int:
        """Return the number of calls in the interval that ends now, including this one."""
        return sum(1 for name, _, at in self.calls if name == kind and at > self.now - span)

    def recipients_of(self, subject: str) -> list[str]:
        """Return the recipients who got the message with this subject, sorted."""
        payloads = [each for each in self.accepted.values() if json.loads(each)["content"]["subject"] == subject]
        return sorted(one for each in payloads for one in recipients(each) if one not in self.suppressed)

    def status_times(self, operation_id: str) -> list[datetime]:
        """Return the times at which the operation's status was requested."""
        return [at for kind, name, at in self.calls if (kind, name) == ("status", operation_id)]

    @property
    def subjects(self) -> list[str]:
        return [json.loads(payload)["content"]["subject"] for payload in self.accepted.values()]


def recipients(payload: str) -> list[str]:
    """Return all recipients of a message."""
    named = json.loads(payload)["recipients"] if payload else {"to": [], "cc": []}
    return [one["address"] for kind in ("to", "cc") for one in named[kind]]
