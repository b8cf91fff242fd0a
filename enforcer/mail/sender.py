"""Sending what is in the outbox: as much as budgets and time allow, the most urgent first; the rest stays due.

Each call is noted before it is made, together with the letter's unknown outcome, so that a run that is killed in the
middle leaves a letter that is asked about first. A letter is given up after a day of failed attempts; waiting for a
budget, for `Retry-After` or for a run does not count.

Accepted is not delivered: the status is asked each hour until it is final, for a day. A letter that the service refuses
(400) goes to each of its recipients alone, so that one wrong address keeps it from nobody else.
"""

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from enforcer.domain.message_kinds import Kind, is_untrue
from enforcer.ledger import letters
from enforcer.ledger.database import Ledger
from enforcer.ledger.letters import StoredLetter
from enforcer.mail import messages, outbox
from enforcer.mail.mail_service import Answer, Carrier, Verdict
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
QUESTIONS_EVERY = HOUR
"""So long after it was accepted, and then again, it is asked what became of a letter."""
LONGEST_GAP = timedelta(hours=2)
"""Between two failed attempts no more counts as failing: the rest was waiting."""


@dataclass(frozen=True)
class Sent:
    accepted: int = 0
    failures: tuple[str, ...] = ()
    """What went wrong, in sentences; the letters are still due unless the sentence says that one was given up."""
    waiting: int = 0
    """Letters that are left, for whatever reason."""
    dropped: int = 0
    """Letters that are never sent, because a later one made them untrue."""


def send_due(ledger: Ledger, carrier: Carrier, settings: Settings, *, now: datetime, deadline: Deadline) -> Sent:
    """Send what is due, until budgets or time end. Never sleeps and never raises for what the mail service does.

    `now` is the run's clock reading, `deadline` was made with it. Without mail settings everything waits.
    """
    if settings.mail is None:
        return Sent(waiting=letters.waiting(ledger))
    run = _Run(ledger, carrier, settings, settings.mail, now, deadline)
    run.queue_digests()
    run.drop_untrue()
    run.through_the_outbox()
    run.follow_accepted()
    run.give_up()
    return Sent(run.accepted, tuple(run.failures.values()), letters.waiting(ledger), run.dropped)


def next_try(ledger: Ledger, settings: Settings, *, now: datetime) -> datetime | None:
    """When another run may get a letter further; None where nothing waits or there is no mail service.

    The first letter that is due, or later: when the service is ready again, and when the budget has room.
    """
    first = letters.first_due(ledger)
    if settings.mail is None or first is None:
        return None
    unclear = letters.first_due(ledger, only_unclear=True)
    held = letters.held_until(ledger)
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
    times = letters.calls_since(ledger, "send", now - span)
    return [times[limit - 1] + span] if len(times) >= limit else []


@dataclass
class _Run:
    ledger: Ledger
    carrier: Carrier
    settings: Settings
    mail: MailSettings
    began: datetime
    deadline: Deadline
    accepted: int = 0
    dropped: int = 0
    untrue: frozenset[int] = frozenset()
    """Letters that a later one made untrue, although it is not known whether they were accepted."""
    failures: dict[int, str] = field(default_factory=dict)
    """By letter: what went wrong last."""
    hopeless: list[int] = field(default_factory=list)
    """Letters to be given up."""
    troubles: int = 0

    def __post_init__(self) -> None:
        # Calls that no budget counts any more, and those of a clock that was ahead.
        letters.forget_calls(self.ledger, up_to=self.began - HOUR, after=self.began + HOUR)
        until = letters.held_until(self.ledger) or self.began
        self.is_sending_over = self.began < until <= self.began + DAY
        self.is_asking_over = False

    @property
    def now(self) -> datetime:
        return self.began + self.deadline.elapsed

    @property
    def is_over(self) -> bool:
        return self.troubles >= TROUBLES or self.deadline.remaining < LEAST_TIME

    def drop_untrue(self) -> None:
        """Drop what a later letter made untrue; a letter whose outcome is unknown is asked about first."""
        waiting = letters.waiting_notices(self.ledger)
        later = letters.later_notices(self.ledger, waiting.values())
        untrue = {id for id, one in waiting.items() if any(is_untrue(one, other) for other in later)}
        self.untrue = frozenset(one.id for one in letters.letters(self.ledger, untrue) if one.is_unclear)
        self._drop(untrue - self.untrue)

    def _drop(self, ids: Collection[int]) -> None:
        if ids:
            letters.drop(self.ledger, ids, now=self.now)
            self.dropped += len(ids)
            log.warning("%d letters are dropped, because later ones made them untrue", len(ids))

    def through_the_outbox(self) -> None:
        # A letter due in more than a day was put off by a clock that was wrong.
        for id, is_unclear in letters.due(self.ledger, now=self.began, put_off=self.began + DAY):
            if self.is_over:
                break
            if self.is_sending_over and not is_unclear:
                continue
            self._carry(letters.letter(self.ledger, id))

    def _carry(self, letter: StoredLetter) -> None:
        """Bring one letter as far as it gets now."""
        if letter.is_unclear and not self._find_out(letter, None):
            return
        if letter.id in self.untrue:
            self._drop([letter.id])
            return
        if self.is_over or not self._may_send():
            return
        letter = self._begin_send(letter)
        answer = self.carrier.send(letter.operation_id, letter.payload, timeout=self._timeout())
        self._note_trouble(answer)
        match answer.verdict:
            case Verdict.ACCEPTED:
                self._accept(letter, answer)
            case Verdict.BUSY:
                self._hold(letter, answer)
            case Verdict.CONFLICT:
                self._find_out(letter, answer)
            case Verdict.REFUSED:
                self._fail(letter, answer, is_unclear=False)
            case _:
                self._fail(letter, answer, is_unclear=True)

    def _find_out(self, letter: StoredLetter, conflict: Answer | None) -> bool:
        """Ask what became of a letter; True if it is now certain that it was never accepted, so that it can be sent.

        With `conflict`, the 400 it met: a letter that was never accepted is then itself at fault.
        """
        if self.is_over or not self._may_ask():
            if conflict:
                self._fail(letter, conflict, is_unclear=True)
            return False
        with self.ledger.atomic():
            letters.note_call(self.ledger, "status", self.now)
            if conflict is None:
                letters.note_question(self.ledger, letter.id)
                letter = replace(letter, attempts=letter.attempts + 1)
        answer = self.carrier.status(letter.operation_id, timeout=self._timeout())
        self._note_trouble(answer)
        match answer.verdict:
            case Verdict.ACCEPTED:
                self._accept(letter, answer)
            case Verdict.FAILED:
                self._lose(letter, answer)
            case Verdict.MISSING if conflict:
                self._refuse(letter, conflict)
            case Verdict.MISSING:
                letters.note_missing(self.ledger, letter.id)
                return True
            case Verdict.BUSY:
                self.is_asking_over = True
                letters.put_off(self.ledger, letter.id, self.now + (answer.retry_after or MINUTE))
            case _:
                self._fail(letter, answer, is_unclear=True)
        return False

    def _begin_send(self, letter: StoredLetter) -> StoredLetter:
        """Seal the letter, note the call and that its outcome is unknown; return it with the bytes to send."""
        with self.ledger.atomic():
            if letter.sealed is None:
                self._seal(letter)
            letters.note_call(self.ledger, "send", self.now)
            letters.note_attempt(self.ledger, letter.id)
        return letters.letter(self.ledger, letter.id)

    def _seal(self, letter: StoredLetter) -> None:
        """Settle who sends it, and whether the admin gets a copy. From now on its bytes stay as they are."""
        message = json.loads(letter.payload)
        wants_copy = bool(message["recipients"]["cc"])
        has_copy = wants_copy and self._copies_this_hour() < COPIES_PER_HOUR
        if not has_copy:
            message["recipients"]["cc"] = []
        letters.seal(
            self.ledger,
            letter.id,
            json.dumps({"senderAddress": self.mail.sender, **message}),
            now=self.began,
            has_copy=has_copy,
            wants_digest=wants_copy and not has_copy,
        )

    def _copies_this_hour(self) -> int:
        first = _hour(self.began)
        return letters.copies_between(self.ledger, first, first + HOUR)

    def _refuse(self, letter: StoredLetter, answer: Answer) -> None:
        """A letter that is itself at fault, or one of its recipients, goes to each of them alone."""
        alone = outbox.to_each_alone(letter.operation_id, letter.payload)
        if len(alone) > 1:
            log.warning("letter %s was refused and is sent to each recipient alone", letter.operation_id)
            for id in letters.split(self.ledger, letter, alone, now=self.now):
                if not self.is_over and not self.is_sending_over:
                    self._carry(letters.letter(self.ledger, id))
            return
        with self.ledger.atomic():
            letters.note_refused(self.ledger, letter.id, now=self.now)
            self._fail(letter, answer, is_unclear=False)

    def _accept(self, letter: StoredLetter, answer: Answer) -> None:
        now = self.now
        letters.note_accepted(self.ledger, letter.id, now=now, is_final=answer.is_final, asked=now + QUESTIONS_EVERY)
        self.accepted += 1
        log.info("letter %s accepted: %s", letter.operation_id, letter.subject)

    def _hold(self, letter: StoredLetter, answer: Answer) -> None:
        """Too many letters: none is tried before the service is ready again. This is waiting, not failing."""
        until = self.now + min(answer.retry_after or MINUTE, DAY)
        with self.ledger.atomic():
            letters.hold_until(self.ledger, until)
            letters.put_off_unsent(self.ledger, letter.id, until, answer.text)
        self.is_sending_over = True

    def _fail(self, letter: StoredLetter, answer: Answer, *, is_unclear: bool) -> None:
        now = self.now
        gap = now - letter.last_failure if letter.last_failure else timedelta()
        failing = letter.failing + min(max(gap, timedelta()), LONGEST_GAP)
        pause = min(MINUTE * 2 ** min(letter.attempts - 1, 10), HOUR)
        until = now + min(answer.retry_after or pause, DAY)
        letters.note_failure(
            self.ledger, letter.id, answer.text, now=now, failing=failing, until=until, is_unclear=is_unclear
        )
        if failing >= DAY:
            self.hopeless.append(letter.id)
        else:
            self.failures[letter.id] = f'the letter "{letter.subject}" was not sent: {answer.text}'

    def _lose(self, letter: StoredLetter, answer: Answer) -> None:
        """The service accepted it and did not deliver it."""
        letters.note_final(self.ledger, letter.id, now=self.now, error=f"accepted, but not delivered: {answer.text}")
        self.hopeless.append(letter.id)

    def follow_accepted(self) -> None:
        """Ask what became of the letters that were accepted, each once an hour, for a day.

        These questions leave half of the budget to letters that wait for an answer before they can be sent.
        """
        given_up = letters.ask_no_more(self.ledger, accepted_before=self.began - DAY, now=self.now)
        if given_up:
            log.warning("of %d accepted letters the mail service gave no final status within a day", given_up)
        for id in letters.undelivered(self.ledger, now=self.began, put_off=self.began + DAY):
            if self.is_over or not self._may_ask(share=2):
                break
            letters.note_call(self.ledger, "status", self.now)
            letter = letters.letter(self.ledger, id)
            answer = self.carrier.status(letter.operation_id, timeout=self._timeout())
            self._note_trouble(answer)
            match answer.verdict:
                case Verdict.FAILED:
                    self._lose(letter, answer)
                case Verdict.ACCEPTED if answer.is_final:
                    letters.note_final(self.ledger, id, now=self.now)
                case Verdict.BUSY:
                    self.is_asking_over = True
                    letters.put_off(self.ledger, id, self.now + (answer.retry_after or MINUTE))
                case _:
                    letters.put_off(self.ledger, id, self.now + QUESTIONS_EVERY)

    def give_up(self) -> None:
        """Mark the hopeless letters and queue a note about them, both or neither."""
        self.hopeless += [id for id in letters.refused(self.ledger) if id not in self.hopeless]
        if not self.hopeless:
            return
        with self.ledger.atomic():
            hopeless = letters.letters(self.ledger, self.hopeless)
            letters.give_up(self.ledger, self.hopeless, now=self.now)
            self.failures |= {
                letter.id: f'the letter "{letter.subject}" was given up: {letter.error}' for letter in hopeless
            }
            # Of a note that cannot be sent there is no further note.
            told = [letter for letter in hopeless if letter.kind is not Kind.GIVEN_UP]
            if self.settings.admin and told:
                note = messages.given_up(
                    [_unsent(letter) for letter in told],
                    at=self.began,
                    admin=self.settings.admin,
                    folder=self.settings.letters,
                )
                outbox.queue(self.ledger, Kind.GIVEN_UP, told[0].operation_id, note, now=self.began)

    def queue_digests(self) -> None:
        """One letter for each past hour in which the admin had too many copies."""
        hours: dict[datetime, list[tuple[int, datetime, str]]] = {}
        for id, sealed, subject in letters.without_copy(self.ledger, before=_hour(self.began)):
            hours.setdefault(_hour(sealed), []).append((id, sealed, subject))
        for hour, told in hours.items():
            ids = [id for id, _, _ in told]
            with self.ledger.atomic():
                if self.settings.admin:
                    digest = messages.digest(
                        [(sealed, subject) for _, sealed, subject in told],
                        hour=hour,
                        admin=self.settings.admin,
                        folder=self.settings.letters,
                    )
                    about = f"copies {ids[0]}"
                    outbox.queue(self.ledger, Kind.DIGEST, about, digest, now=self.began, first=hour.isoformat())
                letters.note_digest(self.ledger, ids)

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
        return letters.count_calls_since(self.ledger, kind, self.now - span)

    def _timeout(self) -> timedelta:
        return min(CALL_TIMEOUT, self.deadline.remaining)

    def _note_trouble(self, answer: Answer) -> None:
        if answer.concerns_all:
            self.troubles = TROUBLES
        elif answer.verdict is Verdict.UNKNOWN:
            self.troubles += 1
        else:
            self.troubles = 0


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _unsent(letter: StoredLetter) -> messages.Unsent:
    recipients = json.loads(letter.payload)["recipients"]
    to = tuple(one["address"] for kind in ("to", "cc") for one in recipients[kind])
    return messages.Unsent(letter.subject, to, letter.queued, letter.error or "")
