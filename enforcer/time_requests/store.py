"""Loads and stores time requests in the ledger."""

from collections.abc import Iterable
from datetime import datetime

from enforcer.domain.course import Course
from enforcer.ledger import time_request_rows
from enforcer.ledger.database import Ledger
from enforcer.ledger.time_request_rows import StoredTimeRequest
from enforcer.time_requests.model import State, TimeRequest


def load(
    ledger: Ledger, course: Course, *, since: datetime | None = None, ids: Iterable[str] = ()
) -> tuple[TimeRequest, ...]:
    """Return the time requests of a course, oldest first: all, or those since an instant and those with these ids."""
    return tuple(
        TimeRequest(
            row.id,
            row.group,
            row.asked_at,
            row.minutes,
            row.reason,
            State(row.state),
            row.answer,
            row.answered_at,
            row.minutes_given,
        )
        for row in time_request_rows.requests(ledger, course.id, course.term, since=since, ids=ids)
    )


def save(ledger: Ledger, course: Course, requests: Iterable[TimeRequest]) -> None:
    """Store these time requests, each in place of the one with the same id."""
    with ledger.atomic():
        for one in requests:
            row = StoredTimeRequest(
                one.id,
                one.group,
                one.asked_at,
                one.minutes,
                one.reason,
                one.state.value,
                one.answer,
                one.answered_at,
                one.minutes_given,
            )
            time_request_rows.put_request(ledger, course.id, course.term, row)
