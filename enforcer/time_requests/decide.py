"""Decides which time requests are granted at once, by the course's rule for extensions. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from enforcer.domain.allowances import Allowance, LimitOverride, overrides_on
from enforcer.domain.quota import MINUTE, Period, limit_on
from enforcer.domain.snapshot import Snapshot
from enforcer.time_requests.answers import EXTENSION_PREFIX, reason_for
from enforcer.time_requests.model import State, TimeRequest
from enforcer.time_requests.sentences import Reason, ask_again, kinds_in_words, language_of, sentence
from labkit.course_file import ExtensionSettings

AT_ONCE = timedelta(hours=12)
"""Maximum age of a time request about which the rule decides; staff decide about older ones, such as those that a new
ledger reads late."""
GIVEN_BY = "the course's rule for extensions"
LONGEST_SEARCH = timedelta(days=60)
"""Maximum distance of the day on which a group can ask again."""


@dataclass(frozen=True)
class Granted:
    allowance: Allowance


@dataclass(frozen=True)
class Refused:
    sentence: str
    """The reason, and when the group can ask again."""


@dataclass(frozen=True)
class ForStaff:
    """The rule does not decide about the time request."""


Decision = Granted | Refused | ForStaff


def decide_extension(request: TimeRequest, snapshot: Snapshot) -> Decision:
    """Return whether the course's rule grants a waiting time request now.

    The rule is the number of minutes at once and the number of extensions in a week, counted from the allowances; it
    does not grant more than week and term have left, and nothing on blocked days and in the excluded parts of the
    calendar.
    """
    rule, group, today = snapshot.course.extensions, request.group, snapshot.today
    if rule is None or request.minutes is None or request.minutes > rule.minutes or request.state is not State.WAITING:
        return ForStaff()
    if snapshot.now - request.asked_at > AT_ONCE:
        return ForStaff()
    quota, calendar = snapshot.quota(group), snapshot.course.calendar
    tomorrow = today + timedelta(days=1)
    language = language_of(snapshot.course)
    if kinds := _excluded_kinds(rule, snapshot, group, today):
        words = kinds_in_words(kinds, language)
        return _refused(sentence(Reason.EXCLUDED_DAY, language, kinds=words), snapshot, group, tomorrow)
    if _is_blocked(snapshot, group, today):
        return _refused(sentence(Reason.BLOCKED, language), snapshot, group, tomorrow)
    if limit_on(today, Period.DAY, group, quota, calendar, snapshot.in_force) is None:
        return Refused(sentence(Reason.UNLIMITED, language))
    first_day, last_day = calendar.days(Period.WEEK, today)
    next_week = last_day + timedelta(days=1)
    id = _free_id(rule, snapshot, group, first_day)
    if id is None:
        return _refused(sentence(Reason.USED_UP, language, number=rule.per_week), snapshot, group, next_week)
    for usage in snapshot.limit_usages_of(group):
        if usage.limit.period is Period.DAY or usage.left >= request.minutes * MINUTE:
            continue
        is_week = usage.limit.period is Period.WEEK
        reason = Reason.WEEK_LEFT if is_week else Reason.TERM_LEFT
        answer = sentence(reason, language, left=usage.left // MINUTE)
        return _refused(answer, snapshot, group, next_week if is_week else None)
    return Granted(
        Allowance(
            id,
            group,
            today,
            today,
            request.minutes * MINUTE,
            reason_for(request),
            GIVEN_BY,
            snapshot.now,
            time_request=request.id,
            only_day=True,
        )
    )


def extension_id(group: str, week: date, number: int) -> str:
    """Return the id of a group's extension in a week that begins on this day.

    Machines that decide at the same time use the same id, so that only one of them can create the file.
    """
    return f"{EXTENSION_PREFIX}{week}-{number}-{hashlib.sha256(group.encode()).hexdigest()[:12]}"


def _free_id(rule: ExtensionSettings, snapshot: Snapshot, group: str, week: date) -> str | None:
    used = {entry.id for entry in snapshot.entries}
    ids = (extension_id(group, week, number) for number in range(1, rule.per_week + 1))
    return next((id for id in ids if id not in used), None)


def _excluded_kinds(rule: ExtensionSettings, snapshot: Snapshot, group: str, day: date) -> frozenset[str]:
    return snapshot.course.kinds_on(day, group).intersection(rule.not_in)


def _is_blocked(snapshot: Snapshot, group: str, day: date) -> bool:
    """Return whether the group may not use its cluster on a day, whatever it has used."""
    overrides = overrides_on(day, group, snapshot.in_force)
    if overrides:
        return overrides[0].change is LimitOverride.BLOCKED
    return snapshot.quota(group).hard <= timedelta()


def _refused(why: str, snapshot: Snapshot, group: str, first: date | None) -> Refused:
    """Return the refusal with the first day, from `first` on, on which the group can ask again."""
    rule = snapshot.course.extensions
    if rule is None or first is None:
        return Refused(why)
    last = min(first + LONGEST_SEARCH, max(first, snapshot.course.calendar.last_day))
    for day in _days(first, last):
        if not _excluded_kinds(rule, snapshot, group, day) and not _is_blocked(snapshot, group, day):
            return Refused(f"{why} {ask_again(day, language_of(snapshot.course))}")
    return Refused(why)


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
