"""Queues the message to staff about time requests that wait for an answer, at most once an hour."""

import json
import logging
from collections.abc import Iterable
from datetime import timedelta

from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.timestamps import from_millis, to_millis
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.mail import messages, outbox
from enforcer.settings import Settings
from enforcer.time_requests.model import State, TimeRequest

log = logging.getLogger(__name__)

MAILED = "time requests mailed"
"""Name of the note with the time of the last message and the time requests in it."""
EVERY = timedelta(hours=1)


def queue_staff_message(
    ledger: Ledger, settings: Settings, snapshot: Snapshot, requests: Iterable[TimeRequest]
) -> list[str]:
    """Queue a message that lists all waiting time requests, if one of them is new and the last message is an hour old.

    Returns an error if the message could not be rendered, and never raises: it must not prevent later stops.
    """
    waiting = [one for one in requests if one.state is State.WAITING]
    mailed_at, mailed = json.loads(queries.note(ledger, MAILED) or "[0, []]")
    is_recent = timedelta() <= snapshot.now - from_millis(mailed_at) < EVERY
    if not settings.report_recipients or is_recent or {one.id for one in waiting} <= set(mailed):
        return []
    course = snapshot.course
    listed = [
        messages.AskedTime(
            one.id,
            one.group,
            course.groups[one.group].title if one.group in course.groups else one.group,
            one.minutes or 0,
            one.reason,
            one.asked_at,
        )
        for one in waiting
    ]
    try:
        message = messages.time_requests(
            listed,
            course=course.title or course.id,
            tz=course.calendar.tz,
            to=settings.report_recipients,
            folder=settings.mail_templates,
        )
        topic = f"{course.id} {course.term} {snapshot.now:%Y-%m-%dT%H:%M}"
        outbox.queue(ledger, MessageKind.TIME_REQUESTS, topic, message, now=snapshot.now, period_start=snapshot.today)
        queries.write_note(ledger, MAILED, json.dumps([to_millis(snapshot.now), [one.id for one in waiting]]))
    except Exception as error:  # noqa: BLE001 - see above
        log.exception("the message about time requests cannot be rendered")
        return [f"the message about time requests cannot be rendered: {error}"]
    return []
