"""Sending what is in the outbox: as much as budgets and time allow, the most urgent first; the rest stays due.

Each call is noted before it is made, together with the letter's unknown outcome, so that a run that is killed in the
middle leaves a letter that is asked about first. A letter is given up after a day of failed attempts; waiting for a
budget, for `Retry-After` or for a run does not count.
"""

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from enforcer.domain.timestamps import to_instant, to_millis
from enforcer.ledger import queries
from enforcer.ledger.models import LetterRow, MailCallRow, database
from enforcer.mail import messages, outbox
from enforcer.mail.mail_service import Answer, Carrier, Verdict
from enforcer.mail.outbox import Kind
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
LONGEST_GAP = timedelta(hours=2)
"""Between two failed attempts no more counts as failing: the rest was waiting."""
HELD = "mail held until"


@dataclass(frozen=True)
class Sent:
    accepted: int = 0
    failures: tuple[str, ...] = ()
    """What went wrong, in sentences; the letters are still due unless the sentence says that one was given up."""
    waiting: int = 0
    """Letters that are left, for whatever reason."""


def send_due(carrier: Carrier, settings: Settings, *, now: datetime, deadline: Deadline) -> Sent:
    """Send what is due, until budgets or time end. Never sleeps and never raises for what the mail service does.

    `now` is the run's clock reading, `deadline` was made with it. Without mail settings everything waits.
    """
    if settings.mail is None:
        return Sent(waiting=outbox.waiting())
    run = _Run(carrier, settings, settings.mail, now, deadline)
    run.queue_digests()
    run.through_the_outbox()
    run.give_up()
    return Sent(run.accepted, tuple(run.failures), outbox.waiting())


def next_try(settings: Settings, *, now: datetime) -> datetime | None:
    """When another run may get a letter further; None where nothing waits or there is no mail service.

    The first letter that is due, or later: when the service is ready again, and when the budget has room.
    """
    if settings.mail is None:
        return None
    still = LetterRow.accepted.is_null() & LetterRow.given_up.is_null()
    first = LetterRow.select(fn.MIN(LetterRow.due)).where(still).scalar()
    if first is None:
        return None
    unclear = LetterRow.select(fn.MIN(LetterRow.due)).where(still & LetterRow.is_unclear).scalar()
    held = int(queries.note(HELD) or 0)
    budget = settings.mail.budget
    free = [
        *_frees(MINUTE, budget.sends_per_minute, now),
        *_frees(HOUR, budget.sends_per_hour, now),
        *([to_instant(held)] if held <= to_millis(now + DAY) else []),
    ]
    ready = max([to_instant(first), *free])
    return ready if unclear is None else min(ready, to_instant(unclear))


def _frees(span: timedelta, limit: int, now: datetime) -> list[datetime]:
    """When there is room for a send in this span again; nothing where there is."""
    sent = MailCallRow.select(MailCallRow.at).where(
        (MailCallRow.kind == "send") & (MailCallRow.at > to_millis(now - span))
    )
    times: list[int] = sorted((row.at for row in sent), reverse=True)
    return [to_instant(times[limit - 1]) + span] if len(times) >= limit else []


@dataclass
class _Run:
    carrier: Carrier
    settings: Settings
    mail: MailSettings
    began: datetime
    deadline: Deadline
    accepted: int = 0
    failures: list[str] = field(default_factory=list)
    hopeless: list[int] = field(default_factory=list)
    """Letters to be given up."""
    troubles: int = 0

    def __post_init__(self) -> None:
        _forget_calls(self.began)
        held = queries.note(HELD)
        until = to_instant(int(held)) if held else self.began
        self.is_sending_over = self.began < until <= self.began + DAY
        self.is_asking_over = False

    @property
    def now(self) -> datetime:
        return self.began + self.deadline.elapsed

    @property
    def is_over(self) -> bool:
        return self.troubles >= TROUBLES or self.deadline.left < LEAST_TIME

    def through_the_outbox(self) -> None:
        at = to_millis(self.began)
        # A letter due in more than a day was put off by a clock that was wrong.
        due = (LetterRow.due <= at) | (LetterRow.due > to_millis(self.began + DAY))
        waiting = LetterRow.select(LetterRow.id, LetterRow.is_unclear).where(
            LetterRow.accepted.is_null() & LetterRow.given_up.is_null() & due
        )
        for row in list(waiting.order_by(LetterRow.rank, LetterRow.id)):
            if self.is_over:
                break
            if self.is_sending_over and not row.is_unclear:
                continue
            self._carry(LetterRow.get_by_id(row.id))

    def _carry(self, letter: Any) -> None:
        """Bring one letter as far as it gets now."""
        if letter.is_unclear and not self._find_out(letter, None):
            return
        if self.is_over or not self._may_send():
            return
        payload = self._begin_send(letter)
        answer = self.carrier.send(letter.operation_id, payload, timeout=self._timeout())
        self._note_trouble(answer)
        match answer.verdict:
            case Verdict.ACCEPTED:
                self._accept(letter)
            case Verdict.BUSY:
                self._hold(letter, answer)
            case Verdict.CONFLICT:
                self._find_out(letter, answer)
            case Verdict.REFUSED:
                self._fail(letter, answer, is_unclear=False)
            case _:
                self._fail(letter, answer, is_unclear=True)

    def _find_out(self, letter: Any, conflict: Answer | None) -> bool:
        """Ask what became of a letter; True if it is now certain that it was never accepted, so that it can be sent.

        With `conflict`, the 400 it met: a letter that was never accepted is then itself at fault.
        """
        if self.is_over or not self._may_ask():
            if conflict:
                self._fail(letter, conflict, is_unclear=True)
            return False
        with database.atomic():
            note_call("status", self.now)
            _update(letter, attempts=letter.attempts + (conflict is None))
        answer = self.carrier.status(letter.operation_id, timeout=self._timeout())
        self._note_trouble(answer)
        match answer.verdict:
            case Verdict.ACCEPTED:
                self._accept(letter)
            case Verdict.FAILED:
                _update(letter, error=answer.text)
                self.hopeless.append(letter.id)
            case Verdict.MISSING if conflict:
                self._fail(letter, conflict, is_unclear=False)
            case Verdict.MISSING:
                _update(letter, is_unclear=False)
                return True
            case Verdict.BUSY:
                self.is_asking_over = True
                _update(letter, due=to_millis(self.now + (answer.retry_after or MINUTE)))
            case _:
                self._fail(letter, answer, is_unclear=True)
        return False

    def _begin_send(self, letter: Any) -> str:
        """Seal the letter, note the call and that its outcome is unknown; return the bytes to send."""
        with database.atomic():
            if letter.sealed is None:
                self._seal(letter)
            note_call("send", self.now)
            _update(letter, attempts=letter.attempts + 1, is_unclear=True)
        payload: str = letter.payload
        return payload

    def _seal(self, letter: Any) -> None:
        """Settle who sends it, and whether the admin gets a copy. From now on its bytes stay as they are."""
        message = json.loads(letter.payload)
        wants_copy = bool(message["recipients"]["cc"])
        has_copy = wants_copy and self._copies_this_hour() < COPIES_PER_HOUR
        if not has_copy:
            message["recipients"]["cc"] = []
        _update(
            letter,
            payload=json.dumps({"senderAddress": self.mail.sender, **message}),
            sealed=to_millis(self.began),
            has_copy=has_copy,
            wants_digest=wants_copy and not has_copy,
        )

    def _copies_this_hour(self) -> int:
        first = to_millis(_hour(self.began))
        within = LetterRow.sealed.between(first, first + HOUR // timedelta(milliseconds=1) - 1)
        count: int = LetterRow.select().where(LetterRow.has_copy & within).count()
        return count

    def _accept(self, letter: Any) -> None:
        _update(letter, accepted=to_millis(self.now), is_unclear=False, error=None)
        self.accepted += 1
        log.info("letter %s accepted: %s", letter.operation_id, letter.subject)

    def _hold(self, letter: Any, answer: Answer) -> None:
        """Too many letters: none is tried before the service is ready again. This is waiting, not failing."""
        until = to_millis(self.now + min(answer.retry_after or MINUTE, DAY))
        with database.atomic():
            queries.write_note(HELD, str(until))
            _update(letter, due=until, is_unclear=False, error=answer.text)
        self.is_sending_over = True

    def _fail(self, letter: Any, answer: Answer, *, is_unclear: bool) -> None:
        now = self.now
        gap = now - to_instant(letter.last_failure) if letter.last_failure else timedelta()
        failing = timedelta(milliseconds=letter.failing) + min(max(gap, timedelta()), LONGEST_GAP)
        pause = min(MINUTE * 2 ** min(letter.attempts - 1, 10), HOUR)
        _update(
            letter,
            is_unclear=is_unclear,
            last_failure=to_millis(now),
            failing=failing // timedelta(milliseconds=1),
            due=to_millis(now + min(answer.retry_after or pause, DAY)),
            error=answer.text,
        )
        if failing >= DAY:
            self.hopeless.append(letter.id)
        else:
            self.failures.append(f'the letter "{letter.subject}" was not sent: {answer.text}')

    def give_up(self) -> None:
        """Mark the hopeless letters and queue a note about them, both or neither."""
        if not self.hopeless:
            return
        with database.atomic():
            rows = list(LetterRow.select().where(LetterRow.id.in_(self.hopeless)).order_by(LetterRow.id))
            LetterRow.update(given_up=to_millis(self.now)).where(LetterRow.id.in_(self.hopeless)).execute()
            self.failures += [f'the letter "{row.subject}" was given up: {row.error}' for row in rows]
            # Of a note that cannot be sent there is no further note.
            told = [row for row in rows if row.kind != Kind.GIVEN_UP.value]
            if self.settings.admin and told:
                note = messages.given_up(
                    [_unsent(row) for row in told],
                    at=self.began,
                    admin=self.settings.admin,
                    folder=self.settings.letters,
                )
                outbox.queue(Kind.GIVEN_UP, told[0].operation_id, note, now=self.began)

    def queue_digests(self) -> None:
        """One letter for each past hour in which the admin had too many copies."""
        this_hour = to_millis(_hour(self.began))
        rows = list(
            LetterRow.select(LetterRow.id, LetterRow.sealed, LetterRow.subject)
            .where(LetterRow.wants_digest & (LetterRow.sealed < this_hour))
            .order_by(LetterRow.sealed, LetterRow.id)
        )
        hours: dict[datetime, list[Any]] = {}
        for row in rows:
            hours.setdefault(_hour(to_instant(row.sealed)), []).append(row)
        for hour, told in hours.items():
            with database.atomic():
                if self.settings.admin:
                    subjects = [(to_instant(row.sealed), row.subject) for row in told]
                    digest = messages.digest(
                        subjects, hour=hour, admin=self.settings.admin, folder=self.settings.letters
                    )
                    outbox.queue(Kind.DIGEST, f"copies {told[0].id}", digest, now=self.began, first=hour.isoformat())
                ids = [row.id for row in told]
                LetterRow.update(wants_digest=False).where(LetterRow.id.in_(ids)).execute()

    def _may_send(self) -> bool:
        """Once the budget is used up, sending is over for this run."""
        budget = self.mail.budget
        if not self.is_sending_over:
            self.is_sending_over = self._is_used_up("send", budget.sends_per_minute, budget.sends_per_hour)
        return not self.is_sending_over

    def _may_ask(self) -> bool:
        budget = self.mail.budget
        if not self.is_asking_over:
            self.is_asking_over = self._is_used_up("status", budget.status_per_minute, budget.status_per_hour)
        return not self.is_asking_over

    def _is_used_up(self, kind: str, a_minute: int, an_hour: int) -> bool:
        return self._calls(kind, MINUTE) >= a_minute or self._calls(kind, HOUR) >= an_hour

    def _calls(self, kind: str, span: timedelta) -> int:
        since = to_millis(self.now - span)
        count: int = MailCallRow.select().where((MailCallRow.kind == kind) & (MailCallRow.at > since)).count()
        return count

    def _timeout(self) -> timedelta:
        return min(CALL_TIMEOUT, self.deadline.left)

    def _note_trouble(self, answer: Answer) -> None:
        if answer.concerns_all:
            self.troubles = TROUBLES
        elif answer.verdict is Verdict.UNKNOWN:
            self.troubles += 1
        else:
            self.troubles = 0


def note_call(kind: str, at: datetime) -> None:
    """A call that the service counts; `kind` is `send` or `status`."""
    MailCallRow.create(at=to_millis(at), kind=kind)


def _update(letter: Any, **changes: object) -> None:
    """In the ledger and in the row at hand."""
    LetterRow.update(changes).where(LetterRow.id == letter.id).execute()
    for name, value in changes.items():
        setattr(letter, name, value)


def _forget_calls(now: datetime) -> None:
    """Calls that no budget counts any more, and those of a clock that was ahead."""
    old, ahead = to_millis(now - HOUR), to_millis(now + HOUR)
    MailCallRow.delete().where((MailCallRow.at <= old) | (MailCallRow.at > ahead)).execute()


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _unsent(row: Any) -> messages.Unsent:
    recipients = json.loads(row.payload)["recipients"]["to"]
    to = tuple(one["address"] for one in recipients)
    return messages.Unsent(row.subject, to, to_instant(row.queued), row.error or "")
