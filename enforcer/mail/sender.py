"""Sending what is in the outbox: as much as budgets and time allow, the most urgent first; the rest stays due.

Each call is noted before it is made, together with the message's unknown outcome, so that a run that is killed in the
middle leaves a message that is asked about first. A message is given up after a day of failed attempts; waiting for a
budget, for `Retry-After` or for a run does not count.

Accepted is not delivered: the status is asked each hour until it is final, for a day. A message that the service
refuses (400) is sent to each recipient alone, so that a wrong address does not keep it from the others.
"""

import json
import logging
from collections.abc import Collection
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
"""No call is begun with less than this left."""
COPIES_PER_HOUR = 20
"""The admin gets so many copies; of the others one digest tells."""
TROUBLES = 3
"""After so many calls in a row without a clear answer the service is left alone until the next run."""
STATUS_CHECK_INTERVAL = HOUR
"""So long after it was accepted, and then again, it is asked what became of a message."""
LONGEST_GAP = timedelta(hours=2)
"""Between two failed attempts no more counts as failing: the rest was waiting."""


@dataclass(frozen=True)
class Sent:
    accepted: int = 0
    failures: tuple[str, ...] = ()
    """What went wrong, in sentences; the messages are still due unless the sentence says that one was given up."""
    waiting: int = 0
    """Messages that are left, for whatever reason."""
    dropped: int = 0
    """Messages that are never sent, because a later one made them untrue."""


def send_due(
    ledger: Ledger, mail_service: MailService, settings: Settings, *, now: datetime, deadline: Deadline
) -> Sent:
    """Send what is due, until budgets or time end. Never sleeps and never raises for what the mail service does.

    `now` is the run's clock reading, `deadline` was made with it. Without mail settings everything waits.
    """
    if settings.mail is None:
        return Sent(waiting=stored_messages.waiting_count(ledger))
    run = _Run(ledger, mail_service, settings, settings.mail, now, deadline)
    run.queue_digests()
    run.drop_untrue()
    run.through_the_outbox()
    run.follow_accepted()
    run.give_up()
    return Sent(run.accepted, tuple(run.failures.values()), stored_messages.waiting_count(ledger), run.dropped)


def next_try(ledger: Ledger, settings: Settings, *, now: datetime) -> datetime | None:
    """When another run may get a message further; None where nothing waits or there is no mail service.

    The first message that is due, or later: when the service is ready again, and when the budget has room.
    """
    first = stored_messages.first_due(ledger)
    if settings.mail is None or first is None:
        return None
    unclear = stored_messages.first_due(ledger, only_unknown=True)
    held = stored_messages.held_until(ledger)
    budget = settings.mail.budget
    free = [
        *_frees(ledger, MINUTE, budget.sends_per_minute, now),
        *_frees(ledger, HOUR, budget.sends_per_hour, now),
        *([held] if held and held <= now + DAY else []),
    ]
    ready = max([first, *free])
    return ready if unclear is None else min(ready, unclear)


def _frees(ledger: Ledger, span: timedelta, limit: int, now: datetime) -> list[datetime]:
    """When there is room for a send in this span again; nothing where there is."""
    times = stored_messages.calls_since(ledger, "send", now - span)
    return [times[limit - 1] + span] if len(times) >= limit else []


@dataclass
class _Run:
    ledger: Ledger
    mail_service: MailService
    settings: Settings
    mail: MailSettings
    began: datetime
    deadline: Deadline
    accepted: int = 0
    dropped: int = 0
    untrue: frozenset[int] = frozenset()
    """Messages that a later one made untrue, although it is not known whether they were accepted."""
    failures: dict[int, str] = field(default_factory=dict)
    """By message: what went wrong last."""
    hopeless: list[int] = field(default_factory=list)
    """Messages to be given up."""
    troubles: int = 0

    def __post_init__(self) -> None:
        # Calls that no budget counts any more, and those of a clock that was ahead.
        stored_messages.forget_calls(self.ledger, up_to=self.began - HOUR, after=self.began + HOUR)
        until = stored_messages.held_until(self.ledger) or self.began
        self.is_sending_over = self.began < until <= self.began + DAY
        self.is_asking_over = False

    @property
    def now(self) -> datetime:
        return self.began + self.deadline.elapsed

    @property
    def is_over(self) -> bool:
        return self.troubles >= TROUBLES or self.deadline.remaining < LEAST_TIME

    def drop_untrue(self) -> None:
        """Drop what a later message made untrue; a message whose outcome is unknown is asked about first."""
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

    def through_the_outbox(self) -> None:
        # A message due in more than a day was put off by a clock that was wrong.
        for id, is_outcome_unknown in stored_messages.due(self.ledger, now=self.began, put_off=self.began + DAY):
            if self.is_over:
                break
            if self.is_sending_over and not is_outcome_unknown:
                continue
            self._carry(stored_messages.message(self.ledger, id))

    def _carry(self, message: StoredMessage) -> None:
        """Bring one message as far as it gets now."""
        if message.is_outcome_unknown and not self._find_out(message, None):
            return
        if message.id in self.untrue:
            self._drop([message.id])
            return
        if self.is_over or not self._may_send():
            return
        message = self._begin_send(message)
        answer = self.mail_service.send(message.operation_id, message.request_body, timeout=self._timeout())
        self._note_trouble(answer)
        match answer.status:
            case SendStatus.ACCEPTED:
                self._accept(message, answer)
            case SendStatus.BUSY:
                self._hold(message, answer)
            case SendStatus.CONFLICT:
                self._find_out(message, answer)
            case SendStatus.REFUSED:
                self._fail(message, answer, is_outcome_unknown=False)
            case _:
                self._fail(message, answer, is_outcome_unknown=True)

    def _find_out(self, message: StoredMessage, conflict: SendResult | None) -> bool:
        """Ask what became of a message; True if it is now certain that it was never accepted, so that it can be sent.

        With `conflict`, the 400 it met: a message that was never accepted is then itself at fault.
        """
        if self.is_over or not self._may_ask():
            if conflict:
                self._fail(message, conflict, is_outcome_unknown=True)
            return False
        with self.ledger.atomic():
            stored_messages.note_call(self.ledger, "status", self.now)
            if conflict is None:
                stored_messages.note_status_check(self.ledger, message.id)
                message = replace(message, attempts=message.attempts + 1)
        answer = self.mail_service.status(message.operation_id, timeout=self._timeout())
        self._note_trouble(answer)
        match answer.status:
            case SendStatus.ACCEPTED:
                self._accept(message, answer)
            case SendStatus.FAILED:
                self._lose(message, answer)
            case SendStatus.MISSING if conflict:
                self._refuse(message, conflict)
            case SendStatus.MISSING:
                stored_messages.note_missing(self.ledger, message.id)
                return True
            case SendStatus.BUSY:
                self.is_asking_over = True
                stored_messages.put_off(self.ledger, message.id, self.now + (answer.retry_after or MINUTE))
            case _:
                self._fail(message, answer, is_outcome_unknown=True)
        return False

    def _begin_send(self, message: StoredMessage) -> StoredMessage:
        """Seal the message, note the call and that its outcome is unknown; return it with the bytes to send."""
        with self.ledger.atomic():
            if message.sealed is None:
                self._seal(message)
            stored_messages.note_call(self.ledger, "send", self.now)
            stored_messages.note_attempt(self.ledger, message.id)
        return stored_messages.message(self.ledger, message.id)

    def _seal(self, message: StoredMessage) -> None:
        """Settle who sends it, and whether the admin gets a copy. From now on its bytes stay as they are."""
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

    def _refuse(self, message: StoredMessage, answer: SendResult) -> None:
        """A message that is itself at fault, or one of its recipients, goes to each of them alone."""
        alone = outbox.split_by_recipient(message.operation_id, message.request_body)
        if len(alone) > 1:
            log.warning("message %s was refused and is sent to each recipient alone", message.operation_id)
            for id in stored_messages.split(self.ledger, message, alone, now=self.now):
                if not self.is_over and not self.is_sending_over:
                    self._carry(stored_messages.message(self.ledger, id))
            return
        with self.ledger.atomic():
            stored_messages.note_refused(self.ledger, message.id, now=self.now)
            self._fail(message, answer, is_outcome_unknown=False)

    def _accept(self, message: StoredMessage, answer: SendResult) -> None:
        now = self.now
        stored_messages.note_accepted(
            self.ledger, message.id, now=now, is_final=answer.is_final, next_check=now + STATUS_CHECK_INTERVAL
        )
        self.accepted += 1
        log.info("message %s accepted: %s", message.operation_id, message.subject)

    def _hold(self, message: StoredMessage, answer: SendResult) -> None:
        """Too many messages: none is tried before the service is ready again. This is waiting, not failing."""
        until = self.now + min(answer.retry_after or MINUTE, DAY)
        with self.ledger.atomic():
            stored_messages.hold_until(self.ledger, until)
            stored_messages.put_off_unsent(self.ledger, message.id, until, answer.text)
        self.is_sending_over = True

    def _fail(self, message: StoredMessage, answer: SendResult, *, is_outcome_unknown: bool) -> None:
        now = self.now
        gap = now - message.last_failure if message.last_failure else timedelta()
        failing = message.failing + min(max(gap, timedelta()), LONGEST_GAP)
        pause = min(MINUTE * 2 ** min(message.attempts - 1, 10), HOUR)
        until = now + min(answer.retry_after or pause, DAY)
        stored_messages.note_failure(
            self.ledger,
            message.id,
            answer.text,
            now=now,
            failing=failing,
            until=until,
            is_outcome_unknown=is_outcome_unknown,
        )
        if failing >= DAY:
            self.hopeless.append(message.id)
        else:
            self.failures[message.id] = f'the message "{message.subject}" was not sent: {answer.text}'

    def _lose(self, message: StoredMessage, answer: SendResult) -> None:
        """The service accepted it and did not deliver it."""
        stored_messages.note_final(
            self.ledger, message.id, now=self.now, error=f"accepted, but not delivered: {answer.text}"
        )
        self.hopeless.append(message.id)

    def follow_accepted(self) -> None:
        """Ask what became of the messages that were accepted, each once an hour, for a day.

        These questions leave half of the budget to messages that wait for an answer before they can be sent.
        """
        given_up = stored_messages.end_status_checks(self.ledger, accepted_before=self.began - DAY, now=self.now)
        if given_up:
            log.warning("of %d accepted messages the mail service gave no final status within a day", given_up)
        for id in stored_messages.due_status_checks(self.ledger, now=self.began, put_off=self.began + DAY):
            if self.is_over or not self._may_ask(share=2):
                break
            stored_messages.note_call(self.ledger, "status", self.now)
            message = stored_messages.message(self.ledger, id)
            answer = self.mail_service.status(message.operation_id, timeout=self._timeout())
            self._note_trouble(answer)
            match answer.status:
                case SendStatus.FAILED:
                    self._lose(message, answer)
                case SendStatus.ACCEPTED if answer.is_final:
                    stored_messages.note_final(self.ledger, id, now=self.now)
                case SendStatus.BUSY:
                    self.is_asking_over = True
                    stored_messages.put_off(self.ledger, id, self.now + (answer.retry_after or MINUTE))
                case _:
                    stored_messages.put_off(self.ledger, id, self.now + STATUS_CHECK_INTERVAL)

    def give_up(self) -> None:
        """Mark the hopeless messages and queue a note about them, both or neither."""
        self.hopeless += [id for id in stored_messages.refused(self.ledger) if id not in self.hopeless]
        if not self.hopeless:
            return
        with self.ledger.atomic():
            hopeless = stored_messages.messages(self.ledger, self.hopeless)
            stored_messages.give_up(self.ledger, self.hopeless, now=self.now)
            self.failures |= {
                message.id: f'the message "{message.subject}" was given up: {message.error}' for message in hopeless
            }
            # Of a note that cannot be sent there is no further note.
            told = [message for message in hopeless if message.kind is not MessageKind.GIVEN_UP]
            if self.settings.admin_email and told:
                note = messages.given_up(
                    [_unsent(message) for message in told],
                    at=self.began,
                    admin=self.settings.admin_email,
                    folder=self.settings.mail_templates,
                )
                outbox.queue(self.ledger, MessageKind.GIVEN_UP, told[0].operation_id, note, now=self.began)

    def queue_digests(self) -> None:
        """One message for each past hour in which the admin had too many copies."""
        hours: dict[datetime, list[tuple[int, datetime, str]]] = {}
        for id, sealed, subject in stored_messages.without_copy(self.ledger, before=_hour(self.began)):
            hours.setdefault(_hour(sealed), []).append((id, sealed, subject))
        for hour, told in hours.items():
            ids = [id for id, _, _ in told]
            with self.ledger.atomic():
                if self.settings.admin_email:
                    digest = messages.digest(
                        [(sealed, subject) for _, sealed, subject in told],
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
        """Once the budget is used up, sending is over for this run."""
        budget = self.mail.budget
        if not self.is_sending_over:
            self.is_sending_over = self._is_used_up("send", budget.sends_per_minute, budget.sends_per_hour)
        return not self.is_sending_over

    def _may_ask(self, *, share: int = 1) -> bool:
        """With `share` only one part in so many of the budget may be used up."""
        budget = self.mail.budget
        if not self.is_asking_over:
            limits = (-(-limit // share) for limit in (budget.status_per_minute, budget.status_per_hour))
            self.is_asking_over = self._is_used_up("status", *limits)
        return not self.is_asking_over

    def _is_used_up(self, kind: str, a_minute: int, an_hour: int) -> bool:
        return self._calls(kind, MINUTE) >= a_minute or self._calls(kind, HOUR) >= an_hour

    def _calls(self, kind: str, span: timedelta) -> int:
        return stored_messages.count_calls_since(self.ledger, kind, self.now - span)

    def _timeout(self) -> timedelta:
        return min(CALL_TIMEOUT, self.deadline.remaining)

    def _note_trouble(self, answer: SendResult) -> None:
        if answer.concerns_all:
            self.troubles = TROUBLES
        elif answer.status is SendStatus.UNKNOWN:
            self.troubles += 1
        else:
            self.troubles = 0


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _unsent(message: StoredMessage) -> messages.UndeliveredMessage:
    recipients = json.loads(message.request_body)["recipients"]
    to = tuple(one["address"] for kind in ("to", "cc") for one in recipients[kind])
    return messages.UndeliveredMessage(message.subject, to, message.queued, message.error or "")
