"""Queries on time requests and the groups' files. The states are the values of `time_requests.model.State`."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from enforcer.domain.timestamps import from_millis, from_millis_or_none, to_millis
from enforcer.ledger.database import Ledger
from enforcer.ledger.models import TimeRequestFileRow, TimeRequestRow


class StoredTimeRequest(NamedTuple):
    """A time request as the ledger has it."""

    id: str
    group: str
    asked_at: datetime
    minutes: int | None
    reason: str
    state: str
    answer: str
    answered_at: datetime | None
    minutes_given: int | None


class RequestFile(NamedTuple):
    """What was done with a group's file."""

    path: str
    version: str = ""
    """The version that was handled; empty if none was."""
    object_id: str = ""
    """The object on which the group was given its permission; empty if it was not."""
    principal: str = ""
    """The workspace's group that was given the permission."""
    read_day: str = ""
    reads: int = 0
    """Number of changes that were handled on `read_day`, an ISO date."""


def requests(
    ledger: Ledger, course: str, term: str, *, since: datetime | None = None, ids: Iterable[str] = ()
) -> list[StoredTimeRequest]:
    """Return the time requests of a course, oldest first: all, or those since an instant and those with these ids."""
    matches = (TimeRequestRow.course == course) & (TimeRequestRow.term == term)
    if since is not None:
        matches &= (TimeRequestRow.asked_at >= to_millis(since)) | TimeRequestRow.id.in_(list(ids))
    rows = ledger.select(TimeRequestRow).where(matches).order_by(TimeRequestRow.asked_at, TimeRequestRow.id)
    return [
        StoredTimeRequest(
            row.id,
            row.group_name,
            from_millis(row.asked_at),
            row.minutes,
            row.reason,
            row.state,
            row.answer,
            from_millis_or_none(row.answered_at),
            row.minutes_given,
        )
        for row in rows
    ]


def put_request(ledger: Ledger, course: str, term: str, request: StoredTimeRequest) -> None:
    """Store a time request, or replace the one with the same id."""
    ledger.put(
        TimeRequestRow,
        id=request.id,
        course=course,
        term=term,
        group_name=request.group,
        asked_at=to_millis(request.asked_at),
        minutes=request.minutes,
        reason=request.reason,
        state=request.state,
        answer=request.answer,
        answered_at=None if request.answered_at is None else to_millis(request.answered_at),
        minutes_given=request.minutes_given,
    )


def files(ledger: Ledger, folder: str) -> dict[str, RequestFile]:
    """Return what was done with the files below a folder, by path."""
    rows = ledger.select(TimeRequestFileRow).where(TimeRequestFileRow.path.startswith(f"{folder}/"))
    return {
        row.path: RequestFile(row.path, row.version, row.object_id, row.principal, row.read_day, row.reads)
        for row in rows
    }


def put_files(ledger: Ledger, files: Iterable[RequestFile]) -> None:
    with ledger.atomic():
        for file in files:
            ledger.put(TimeRequestFileRow, **file._asdict())


def remove_texts(ledger: Ledger, before: datetime) -> int:
    """Remove the texts of the group and of staff from the time requests before an instant; return their number."""
    has_text = (TimeRequestRow.reason != "") | (TimeRequestRow.answer != "")
    which = (TimeRequestRow.asked_at < to_millis(before)) & has_text
    return int(ledger.update(TimeRequestRow, reason="", answer="").where(which).execute())
