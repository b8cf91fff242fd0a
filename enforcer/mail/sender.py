"""Sends the messages in the outbox, the most urgent first, as far as budgets and time allow; the rest stays due.

Each call is recorded before it is made, with the message's result as unknown, so that its status is checked first if
the run is killed. A message is given up after a day of failed attempts; waiting for a budget, `Retry-After` or the next
run does not count.

Accepted does not mean delivered: the status is checked every hour until it is final, for a day. A message that the
service refuses (400) is sent to each recipient alone, so that an invalid address does not prevent delivery to the
others.
"""

import json
import logging
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from enforcer.domain.message_kinds import MessageKind, is_outdated
from enforcer.ledger import stored_messages
from enforcer.ledger.database import Ledger
from enforcer.ledger.stored_messages import StoredMessage
from enforcer.mail import messages, outbox
from enforcer.mail.mail_service import MailService, SendResult, SendStatus
from enforcer.settings import MailSettings, Settings
from labkit.clock import Deadline

log = logging.getLogger(__name__)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CALL_TIMEOUT = timedelta(seconds=10)
LEAST_TIME = timedelta(seconds=2)
"""Minimum time left for a call to start."""
COPIES_PER_HOUR = 20
"""Maximum number of copies to the admin in an hour; a digest lists the other messages."""
MAX_FAILED_CALLS = 3
"""Maximum number of consecutive calls without a clear result; then no more calls are made in this run."""
STATUS_CHECK_INTERVAL = HOUR
"""Time from acceptance to the first status check, and between status checks."""
LONGEST_GAP = timedelta(hours=2)
"""Maximum time between two failed attempts that counts as failing; the rest counts as waiting."""


@dataclass(frozen=True)
class SendSummary:
    accepted: int = 0
    failures: tuple[str, ...] = ()
    """A line for each failure; a message stays due unless its line reports that it was given up."""
    waiting: int = 0
    """Number of messages that are still pending."""
    dropped: int = 0
    """Number of messages dropped because later ones made them untrue."""


def send_due(
    ledger: Ledger, mail_service: MailService, settings: Settings, *, now: datetime, deadline: Deadline
) -> SendSummary:
    """Send due messages until budgets or time run out. Never sleeps, and never raises for errors of the mail service.

    `now` is the time at which the run and its `deadline` began. Without mail settings, all messages stay in the outbox.
    """
    if settings.mail is None:
        return SendSummary(waiting=stored_messages.waiting_count(ledger))
    run = _OutboxRun(ledger, mail_service, settings, settings.mail, now, deadline)
    run.queue_digests()
    run.drop_untrue()
    run.send_waiting()
    run.check_accepted()
    run.give_up()
    return SendSummary(run.accepted, tuple(run.failures.values()), stored_messages.waiting_count(ledger), run.dropped)


def next_try(ledger: Ledger, settings: Settings, *, now: datetime) -> datetime | None:
    """Return when another run can send a message; None if no message is pending or mail is not configured.

    That is when the first message is due, or later: when the service is ready and the budget has room again.
    """
    first = stored_messages.first_due(ledger)
    if settings.mail is None or first is None:
        return None
    unclear = stored_messages.first_due(ledger, only_unknown=True)
    held = stored_messages.held_until(ledger)
    budget = settings.mail.budget
    free = [
        *_budget_frees_at(ledger, settings.mail, MINUTE, budget.sends_per_minute, now),
        *_budget_frees_at(ledger, settings.mail, HOUR, budget.sends_per_hour, now),
        *([held] if held and held <= now + DAY else []),
    ]
    ready = max([first, *free])
    return ready if unclear is None else min(ready, unclear)


def _budget_frees_at(ledger: Ledger, mail: MailSettings, span: timedelta, limit: int, now: datetime) -> list[datetime]:
    """Return a list with the time at which the budget next has room, or an empty list if it has room now."""
    others = mail.account.calls_since("send", now - span) if mail.account else []
    times = sorted([*stored_messages.calls_since(ledger, "send", now - span), *others], reverse=True)
    return [times[limit - 1] + span] if len(times) >= limit else []


@dataclass
class _OutboxRun:
    ledger: Ledger
    service: MailService
    settings: Settings
    mail: MailSettings
    began: datetime
    deadline: Deadline
    accepted: int = 0
    dropped: int = 0
    untrue: frozenset[int] = frozenset()
    """Messages that later ones made untrue, and that may have been accepted."""
    failures: dict[int, str] = field(default_factory=dict)
    """Last failure of each message."""
    hopeless: list[int] = field(default_factory=list)
    """Messages to be given up."""
    failed_calls: int = 0

    def __post_init__(self) -> None:
        # Calls that no budget counts any longer, and calls in the future because of clock skew.
        stored_messages.forget_calls(self.ledger, up_to=self.began - HOUR, after=self.began + HOUR)
        until = stored_messages.held_until(self.ledger) or self.began
        self.is_sending_paused = self.began < until <= self.began + DAY
        self.is_checking_paused = False

    @property
    def now(self) -> datetime:
        return self.began + self.deadline.elapsed

    @property
    def is_over(self) -> bool:
        return self.failed_calls >= MAX_FAILED_CALLS or self.deadline.remaining < LEAST_TIME

    def drop_untrue(self) -> None:
        """Drop messages that later ones made untrue. If a result is unknown, check the status first."""
        waiting = stored_messages.waiting_notices(self.ledger)
        later = stored_messages.later_notices(self.ledger, waiting.values())
        untrue = {id for id, one in waiting.items() if any(is_outdated(one, other) for other in later)}
        self.untrue = frozenset(
            one.id for one in stored_messages.messages(self.ledger, untrue) if one.is_outcome_unknown
        )
        self._drop(untrue - self.untrue)

    def _drop(self, ids: Collection[int]) -> None:
        if ids:
            stored_messages.drop(self.ledger, ids, now=self.now)
            self.dropped += len(ids)
            log.warning("%d messages are dropped, because later ones made them untrue", len(ids))

    def send_waiting(self) -> None:
        # A message that is due in more than a day was postponed because of clock skew.
        for id, is_outcome_unknown in stored_messages.due(self.ledger, now=self.began, put_off=self.began + DAY):
            if self.is_over:
                break
            if self.is_sending_paused and not is_outcome_unknown:
                continue
            self._send(stored_messages.message(self.ledger, id))

    def _send(self, message: StoredMessage) -> None:
        """Send one message if possible now."""
        if message.is_outcome_unknown and not self._check_status(message, None):
            return
        if message.id in self.untrue:
            self._drop([message.id])
            return
        with self._reserving():
            if self.is_over or not self._may_send():
                return
            message = self._begin_send(message)
        result = self.service.send(message.operation_id, message.request_body, timeout=self._timeout())
        self._count_failed_calls(result)
        match result.status:
            case SendStatus.ACCEPTED:
                self._accept(message, result)
            case SendStatus.BUSY:
                self._pause(message, result)
            case SendStatus.CONFLICT:
                self._check_status(message, result)
            case SendStatus.REFUSED:
                self._fail(message, result, is_outcome_unknown=False)
            case _:
                self._fail(message, result, is_outcome_unknown=True)

    def _check_status(self, message: StoredMessage, conflict: SendResult | None) -> bool:
        """Check the status of a message. Return True if it was certainly never accepted, so that it can be sent.

        `conflict` is the 400 result of sending it: if it was never accepted, the message itself is invalid.
        """
        with self._reserving():
            may_ask = not self.is_over and self._may_ask()
            if may_ask:
                with self.ledger.atomic():
                    self._note_call("status")
                    if conflict is None:
                        stored_messages.note_status_check(self.ledger, message.id)
                        message = replace(message, attempts=message.attempts + 1)
        if not may_ask:
            if conflict:
                self._fail(message, conflict, is_outcome_unknown=True)
            return False
        result = self.service.status(message.operation_id, timeout=self._timeout())
        self._count_failed_calls(result)
        match result.status:
            case SendStatus.ACCEPTED:
                self._accept(message, result)
            case SendStatus.FAILED:
                self._lose(message, result)
            case SendStatus.MISSING if conflict:
                self._refuse(message, conflict)
            case SendStatus.MISSING:
                stored_messages.note_missing(self.ledger, message.id)
                return True
            case SendStatus.BUSY:
                self.is_checking_paused = True
                stored_messages.put_off(self.ledger, message.id, self.now + (result.retry_after or MINUTE))
            case _:
                self._fail(message, result, is_outcome_unknown=True)
        return False

    def _begin_send(self, message: StoredMessage) -> StoredMessage:
        """Seal the message and record the attempt with an unknown result. Return it with the bytes to send."""
        with self.ledger.atomic():
            if message.sealed is None:
                self._seal(message)
            self._note_call("send")
            stored_messages.note_attempt(self.ledger, message.id)
        return stored_messages.message(self.ledger, message.id)

    def _seal(self, message: StoredMessage) -> None:
        """Fix the sender and whether the admin gets a copy. From now on the bytes do not change."""
        body = json.loads(message.request_body)
        wants_copy = bool(body["recipients"]["cc"])
        has_copy = wants_copy and self._copies_this_hour() < COPIES_PER_HOUR
        if not has_copy:
            body["recipients"]["cc"] = []
        stored_messages.seal(
            self.ledger,
            message.id,
            json.dumps({"senderAddress": self.mail.sender, **body}),
            now=self.began,
            has_copy=has_copy,
            needs_digest=wants_copy and not has_copy,
        )

    def _copies_this_hour(self) -> int:
        first = _hour(self.began)
        return stored_messages.copies_between(self.ledger, first, first + HOUR)

    def _refuse(self, message: StoredMessage, result: SendResult) -> None:
        """Send a refused message to each recipient alone, because one recipient may be the reason."""
        parts = outbox.split_by_recipient(message.operation_id, message.request_body)
        if len(parts) > 1:
            log.warning("message %s was refused and is sent to each recipient alone", message.operation_id)
            for id in stored_messages.split(self.ledger, message, parts, now=self.now):
                if not self.is_over and not self.is_sending_paused:
                    self._send(stored_messages.message(self.ledger, id))
            return
        with self.ledger.atomic():
            stored_messages.note_refused(self.ledger, message.id, now=self.now)
            self._fail(message, result, is_outcome_unknown=False)

    def _accept(self, message: StoredMessage, result: SendResult) -> None:
        now = self.now
        stored_messages.note_accepted(
            self.ledger, message.id, now=now, is_final=result.is_final, next_check=now + STATUS_CHECK_INTERVAL
        )
        self.accepted += 1
        log.info("message %s accepted: %s", message.operation_id, message.subject)

    def _pause(self, message: StoredMessage, result: SendResult) -> None:
        """Pause all sending until the service is ready again. The pause counts as waiting, not as failing."""
        until = self.now + min(result.retry_after or MINUTE, DAY)
        with self.ledger.atomic():
            stored_messages.hold_until(self.ledger, until)
            stored_messages.put_off_unsent(self.ledger, message.id, until, result.text)
        self.is_sending_paused = True

    def _fail(self, message: StoredMessage, result: SendResult, *, is_outcome_unknown: bool) -> None:
        now = self.now
        gap = now - message.last_failure if message.last_failure else timedelta()
        failing = message.failing + min(max(gap, timedelta()), LONGEST_GAP)
        pause = min(MINUTE * 2 ** min(message.attempts - 1, 10), HOUR)
        until = now + min(result.retry_after or pause, DAY)
        stored_messages.note_failure(
            self.ledger,
            message.id,
            result.text,
            now=now,
            failing=failing,
            until=until,
            is_outcome_unknown=is_outcome_unknown,
        )
        if failing >= DAY:
            self.hopeless.append(message.id)
        else:
            self.failures[message.id] = f'the message "{message.subject}" was not sent: {result.text}'

    def _lose(self, message: StoredMessage, result: SendResult) -> None:
        """Give up a message that the service accepted and did not deliver."""
        stored_messages.note_final(
            self.ledger, message.id, now=self.now, error=f"accepted, but not delivered: {result.text}"
        )
        self.hopeless.append(message.id)

    def check_accepted(self) -> None:
        """Check the status of accepted messages, each once an hour, for a day.

        Half of the budget is reserved for messages whose status must be checked before they can be sent.
        """
        given_up = stored_messages.end_status_checks(self.ledger, accepted_before=self.began - DAY, now=self.now)
        if given_up:
            log.warning("the mail service reported no final status for %d accepted messages within a day", given_up)
        for id in stored_messages.due_status_checks(self.ledger, now=self.began, put_off=self.began + DAY):
            with self._reserving():
                if self.is_over or not self._may_ask(share=2):
                    break
                self._note_call("status")
            message = stored_messages.message(self.ledger, id)
            result = self.service.status(message.operation_id, timeout=self._timeout())
            self._count_failed_calls(result)
            match result.status:
                case SendStatus.FAILED:
                    self._lose(message, result)
                case SendStatus.ACCEPTED if result.is_final:
                    stored_messages.note_final(self.ledger, id, now=self.now)
                case SendStatus.BUSY:
                    self.is_checking_paused = True
                    stored_messages.put_off(self.ledger, id, self.now + (result.retry_after or MINUTE))
                case _:
                    stored_messages.put_off(self.ledger, id, self.now + STATUS_CHECK_INTERVAL)

    def give_up(self) -> None:
        """Atomically give up the messages that cannot be sent and queue a message to the admin about them."""
        self.hopeless += [id for id in stored_messages.refused(self.ledger) if id not in self.hopeless]
        if not self.hopeless:
            return
        with self.ledger.atomic():
            hopeless = stored_messages.messages(self.ledger, self.hopeless)
            stored_messages.give_up(self.ledger, self.hopeless, now=self.now)
            self.failures |= {
                message.id: f'the message "{message.subject}" was given up: {message.error}' for message in hopeless
            }
            # If a message of this kind cannot be sent, no message is queued about it.
            reported = [message for message in hopeless if message.kind is not MessageKind.GIVEN_UP]
            if self.settings.admin_email and reported:
                note = messages.given_up(
                    [_undelivered(message) for message in reported],
                    at=self.began,
                    admin=self.settings.admin_email,
                    folder=self.settings.mail_templates,
                )
                outbox.queue(self.ledger, MessageKind.GIVEN_UP, reported[0].operation_id, note, now=self.began)

    def queue_digests(self) -> None:
        """Queue a digest for each past hour with more messages than copies to the admin."""
        hours: dict[datetime, list[tuple[int, datetime, str]]] = {}
        for id, sealed, subject in stored_messages.without_copy(self.ledger, before=_hour(self.began)):
            hours.setdefault(_hour(sealed), []).append((id, sealed, subject))
        for hour, uncopied in hours.items():
            ids = [id for id, _, _ in uncopied]
            with self.ledger.atomic():
                if self.settings.admin_email:
                    digest = messages.digest(
                        [(sealed, subject) for _, sealed, subject in uncopied],
                        hour=hour,
                        admin=self.settings.admin_email,
                        folder=self.settings.mail_templates,
                    )
                    topic = f"copies {ids[0]}"
                    outbox.queue(
                        self.ledger, MessageKind.DIGEST, topic, digest, now=self.began, period_start=hour.isoformat()
                    )
                stored_messages.note_digest(self.ledger, ids)

    def _may_send(self) -> bool:
        """Return whether the send budget has room; once it is used up, nothing more is sent in this run."""
        budget = self.mail.budget
        if not self.is_sending_paused:
            self.is_sending_paused = self._is_used_up("send", budget.sends_per_minute, budget.sends_per_hour)
        return not self.is_sending_paused

    def _may_ask(self, *, share: int = 1) -> bool:
        """Return whether the budget for status checks has room. With `share=2`, only half of it may be used."""
        budget = self.mail.budget
        if not self.is_checking_paused:
            limits = (-(-limit // share) for limit in (budget.status_per_minute, budget.status_per_hour))
            self.is_checking_paused = self._is_used_up("status", *limits)
        return not self.is_checking_paused

    def _is_used_up(self, kind: str, per_minute: int, per_hour: int) -> bool:
        return self._calls(kind, MINUTE) >= per_minute or self._calls(kind, HOUR) >= per_hour

    def _calls(self, kind: str, span: timedelta) -> int:
        """Return the number of recent calls of all labs that use the account."""
        since, account = self.now - span, self.mail.account
        others = len(account.calls_since(kind, since)) if account else 0
        return stored_messages.count_calls_since(self.ledger, kind, since) + others

    def _note_call(self, kind: str) -> None:
        now = self.now
        stored_messages.note_call(self.ledger, kind, now)
        if self.mail.account:
            self.mail.account.note_call(kind, now)

    def _reserving(self) -> AbstractContextManager[None]:
        return self.mail.account.reserving() if self.mail.account else nullcontext()

    def _timeout(self) -> timedelta:
        return min(CALL_TIMEOUT, self.deadline.remaining)

    def _count_failed_calls(self, result: SendResult) -> None:
        if result.concerns_all:
            self.failed_calls = MAX_FAILED_CALLS
        elif result.status is SendStatus.UNKNOWN:
            self.failed_calls += 1
        else:
            self.failed_calls = 0


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _undelivered(message: StoredMessage) -> messages.UndeliveredMessage:
    recipients = json.loads(message.request_body)["recipients"]
    to = tuple(one["address"] for kind in ("to", "cc") for one in recipients[kind])
    return messages.UndeliveredMessage(message.subject, to, message.queued, message.error or "")
