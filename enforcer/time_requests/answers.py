"""Answers to time requests. The allowances' files record them, so that all machines find the same answers. Pure.

An approval is an allowance whose id is derived from the time request. A denial is the revocation of this allowance: if
one machine approves and another denies, the group gets no time on either.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from enforcer.domain.allowances import Allowance, Revocation
from enforcer.time_requests.model import State, TimeRequest
from labkit.text import one_line

ASKED = "asked"
"""First part of the reason for an allowance that answers a time request."""
WITHOUT_REASON = f"{ASKED} for more time"
APPROVED_PREFIX, DENIED_PREFIX, EXTENSION_PREFIX = "asked-", "denied-", "extension-"
"""Beginnings of the ids of allowances and revocations."""
MINUTE = timedelta(minutes=1)
_ID_TIME = "%Y%m%dT%H%M%SZ"


def allowance_id(request_id: str) -> str:
    """Return the id of the allowance with which staff approve a time request."""
    return f"{APPROVED_PREFIX}{request_id}"


def approval(
    request: TimeRequest, minutes: int, *, first_day: date, last_day: date, given_by: str, now: datetime
) -> Allowance:
    """Return the allowance that approves a time request."""
    return Allowance(
        allowance_id(request.id),
        request.group,
        first_day,
        last_day,
        minutes * MINUTE,
        reason_for(request),
        given_by,
        now,
        time_request=request.id,
    )


def denial(request: TimeRequest, reason: str, *, given_by: str, now: datetime) -> Revocation:
    """Return the entry that denies a time request."""
    return Revocation(f"{DENIED_PREFIX}{request.id}", allowance_id(request.id), reason, given_by, now, request.id)


def reason_for(request: TimeRequest) -> str:
    """Return the reason for an allowance: the group's own words."""
    return f"{ASKED}: {request.reason}" if request.reason else WITHOUT_REASON


def with_answers(
    requests: Iterable[TimeRequest],
    entries: Iterable[Allowance | Revocation],
    *,
    now: datetime,
    expires_after: timedelta,
    expired: str,
) -> tuple[TimeRequest, ...]:
    """Return the time requests with the answers in the allowances' files, and with the answer `expired` if they waited
    too long.

    If another machine read a time request, so that it is not among `requests`, its answer adds it.
    """
    entries = tuple(entries)
    given, revoked, denied = _answers(entries)
    found = {one.id: _answered(one, given, revoked, denied) for one in requests}
    for id, allowance in given.items():
        if id not in found and allowance.group is not None:
            found[id] = _answered(_request_of(allowance), given, revoked, denied)
    return tuple(
        replace(one, state=State.EXPIRED, answer=expired, answered_at=one.asked_at + expires_after)
        if one.is_expired(now, expires_after)
        else one
        for one in found.values()
    )


def _answers(
    entries: Iterable[Allowance | Revocation],
) -> tuple[dict[str, Allowance], dict[str, Revocation], dict[str, Revocation]]:
    """Return the first allowance of each time request, the revocations by the id of the allowance, and the denials by
    time request.
    """
    given: dict[str, Allowance] = {}
    revoked: dict[str, Revocation] = {}
    denied: dict[str, Revocation] = {}
    for entry in sorted(entries, key=lambda entry: (entry.given_at, entry.id)):
        if isinstance(entry, Revocation):
            revoked.setdefault(entry.revokes, entry)
            if entry.time_request:
                denied.setdefault(entry.time_request, entry)
        elif entry.time_request:
            given.setdefault(entry.time_request, entry)
    return given, revoked, denied


def _answered(
    request: TimeRequest,
    given: dict[str, Allowance],
    revoked: dict[str, Revocation],
    denied: dict[str, Revocation],
) -> TimeRequest:
    allowance = given.get(request.id)
    refusal = revoked.get(allowance.id) if allowance else denied.get(request.id)
    if refusal:
        answer = one_line(refusal.reason)
        return replace(request, state=State.DENIED, answer=answer, answered_at=refusal.given_at, minutes_given=None)
    if allowance is None:
        return request
    state = State.GRANTED if allowance.id.startswith(EXTENSION_PREFIX) else State.APPROVED
    minutes = round(allowance.change / MINUTE) if isinstance(allowance.change, timedelta) else None
    return replace(request, state=state, answer="", answered_at=allowance.given_at, minutes_given=minutes)


def _request_of(allowance: Allowance) -> TimeRequest:
    """Return the time request that another machine read, as far as its allowance shows it."""
    try:
        asked_at = datetime.strptime(allowance.time_request.partition("-")[0], _ID_TIME).replace(tzinfo=UTC)
    except ValueError:
        asked_at = allowance.given_at
    minutes = round(allowance.change / MINUTE) if isinstance(allowance.change, timedelta) else None
    reason = "" if allowance.reason == WITHOUT_REASON else one_line(allowance.reason.removeprefix(f"{ASKED}: "))
    return TimeRequest(allowance.time_request, allowance.group or "", asked_at, minutes, reason)
