"""Facts about an invented lab, for `board --demo`, tests and measurements: equal arguments give equal facts.

It is a Monday afternoon in the eighth week of a winter term. Some groups run, one was stopped, one is blocked.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from enforcer.board.model import BoardFacts
from enforcer.domain.allowances import Allowance, LimitOverride, in_force
from enforcer.domain.course import course_from_file
from enforcer.domain.day_records import PollRecord, RecordedAction
from enforcer.domain.message_kinds import FailedMessage, MessageKind
from enforcer.domain.observations import ObservedCluster, OtherCluster
from enforcer.domain.quota import Quota
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import Observation, Role, Session
from enforcer.reports.daily_usage import daily_usage
from enforcer.time_requests.model import State as TimeRequestState
from enforcer.time_requests.model import TimeRequest
from labkit.course_file import (
    ORIGIN,
    CalendarEntry,
    CourseFile,
    GroupEntry,
    GroupLimits,
    Hours,
    TimeRequestSettings,
)

ZONE = ZoneInfo("Asia/Jerusalem")
NOW = datetime(2026, 12, 7, 14, 20, tzinfo=UTC)
FIRST_DAY, LAST_DAY = date(2026, 10, 18), date(2027, 1, 31)
GROUPS = 14
TITLES = (
    "Data Pirates",
    "Query & Sons",
    "צוות הענן",
    "Gradient Descent",
    "فريق البيانات",
    "The Lakehouse",
    "Shuffle Happens",
    "Spark Plugs",
    "לומדים בלילה",
    "Null Pointers",
    "Bayes Watch",
    "Team Parquet",
    "Out of Memory",
    "Overfitters",
)
LIMITS = GroupLimits(180, 210, 900, 6000)
BUSY_WEEKDAYS = (0.8, 0.75, 0.6, 0.5, 0.15, 0.05, 0.85)
"""Probability that a group works on a weekday, Monday first."""
M, HOUR = timedelta(minutes=1), timedelta(hours=1)
POLL_EVERY = timedelta(minutes=15)
STUDENT, STAFF_MEMBER = "ana@campus.example", "dana@campus.example"


def demo_facts(groups: int = GROUPS, *, titles: tuple[str, ...] = TITLES, now: datetime = NOW) -> BoardFacts:
    """Return facts about an invented lab with this many groups, at least ten. `titles` are used in turn."""
    course = course_from_file(demo_course_file(groups, titles), ZONE)
    names = list(course.groups)
    clusters = tuple(_cluster(name, number, now) for number, name in enumerate(names, 1))
    random = Random(20261207)
    sessions = {cluster.id: _sessions(random, number, now) for number, cluster in enumerate(clusters, 1)}
    members = {name: frozenset({f"student{number}@campus.example"}) for number, name in enumerate(names, 1)}
    quota = Quota(timedelta(minutes=LIMITS.soft_minutes), timedelta(minutes=LIMITS.hard_minutes))
    snapshot = Snapshot(now, course, quota, clusters, sessions, _allowances(names, now), members)
    use = daily_usage(snapshot, {}, first_day=FIRST_DAY)
    past = [FIRST_DAY + timedelta(days=number) for number in range((snapshot.today - FIRST_DAY).days)]
    polls = tuple(_polls(now))
    return BoardFacts(
        snapshot=snapshot,
        made_at=now,
        last_poll=polls[-1],
        first_poll=_at(FIRST_DAY, time(7)),
        settled={(c.id, day): use.on(name, day) for c, name in zip(clusters, names, strict=True) for day in past},
        actions=tuple(sorted(_actions(names, clusters, now), key=lambda action: action.noted)),
        polls=polls,
        restricted=frozenset({clusters[6].id, clusters[9].id}),
        held=frozenset(),
        failed_messages=(
            FailedMessage(
                MessageKind.WARNING, clusters[3].id, now - 3 * HOUR, 4, False, "429: too many requests; try again later"
            ),
        ),
        waiting_messages=1,
        others=(
            OtherCluster("1130-081504-x1", "a person's cluster", "", now - 26 * HOUR),
            OtherCluster("1207-110210-x2", "etl-nightly", "", now - 2 * HOUR, is_job=True),
            OtherCluster("1202-090000-x3", "cluster_04", "94310 2026w", now - 50 * M),
        ),
        users_without_group=2,
        time_requests=(
            TimeRequest(
                "demo-3",
                names[5],
                now - 27 * HOUR,
                30,
                "the cluster was slow to start",
                TimeRequestState.GRANTED,
                "",
                now - 27 * HOUR,
                30,
            ),
            TimeRequest("demo-1", names[6], now - 18 * M, 60, "project deadline tomorrow"),
            TimeRequest("demo-2", names[2], now - 3 * M, 45, "הרצה ארוכה"),
        ),
    )


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZONE).astimezone(UTC)


def demo_course_file(groups: int = GROUPS, titles: tuple[str, ...] = TITLES) -> CourseFile:
    """Return the course file of the invented lab."""
    entries = tuple(
        GroupEntry(f"group_{number:02}", number, str(number), titles[(number - 1) % len(titles)], LIMITS)
        for number in range(1, groups + 1)
    )
    calendar = (
        CalendarEntry("class", "Class", FIRST_DAY, LAST_DAY, "free", "Monday", Hours(time(10), time(12))),
        CalendarEntry("holiday", "Hanukkah", date(2026, 12, 11), date(2026, 12, 12), "usual"),
        CalendarEntry("exam", "Midterm exam", date(2026, 12, 14), date(2026, 12, 14), "unlimited"),
        CalendarEntry("blackout", "Network maintenance", date(2026, 12, 18), date(2026, 12, 18), "blocked"),
    )
    return CourseFile(
        "94290",
        "2026w",
        "Large-Scale Data Analysis",
        "Asia/Jerusalem",
        FIRST_DAY,
        LAST_DAY,
        "Sunday",
        False,
        entries,
        calendar=calendar,
        requests=TimeRequestSettings(7),
    )


def _cluster(group: str, number: int, now: datetime) -> ObservedCluster:
    observation = Observation(now, number in (1, 2, 4, 5, 8))
    return ObservedCluster(
        f"1018-0700{number:02}-c{number}", f"cluster_{number:02}", group, "94290", "2026w", ORIGIN, observation, "1"
    )


def _sessions(random: Random, number: int, now: datetime) -> list[Session]:
    """Return the sessions of the group with this number since the term began."""
    effort = 0.45 + random.random() * 0.9
    found = []
    for day in (FIRST_DAY + timedelta(days=n) for n in range((now.date() - FIRST_DAY).days)):
        if random.random() < BUSY_WEEKDAYS[day.weekday()] * effort:
            start = _at(day, time(9 + random.randrange(9), random.randrange(60)))
            length = min(210, round(random.randrange(25, 190) * effort)) * M
            found.append(_session(start, start + length))
    return found + _today(random, number, now)


def _today(random: Random, number: int, now: datetime) -> list[Session]:
    morning = _at(now.date(), time(8, 10))
    usual = [_session(morning + number * M, morning + (40 + 5 * number) * M)]
    match number:
        case 1:
            return [_session(now - 65 * M, None)]
        case 2:
            return [*usual, _session(now - 148 * M, None)]
        case 4:
            return [_session(now - 20 * M, None)]
        case 5:
            return [_session(now - 95 * M, None, Role.STAFF)]
        case 7:
            return [_session(now - 232 * M, now - 22 * M)]
        case 8:
            return [*usual, _session(now - 5 * M, None)]
        case 10:
            return []
    return usual if random.random() < 0.6 else []


def _session(start: datetime, end: datetime | None, role: Role = Role.STUDENT) -> Session:
    return Session(start, end, STUDENT if role is Role.STUDENT else STAFF_MEMBER, role=role)


def _allowances(names: list[str], now: datetime) -> tuple[Allowance, ...]:
    today = now.date()

    def given(group: str | None, days: tuple[int, int], change: timedelta | LimitOverride, reason: str) -> Allowance:
        first, last = (today + timedelta(days=number) for number in days)
        return Allowance(f"demo-{group}-{reason}", group, first, last, change, reason, STAFF_MEMBER, now - 30 * HOUR)

    return in_force(
        [
            given(names[1], (0, 1), 60 * M, "project deadline"),
            given(names[9], (0, 2), LimitOverride.BLOCKED, "lab rules"),
            given(None, (13, 13), 90 * M, "last tutorial before the exam"),
        ]
    )


def _polls(now: datetime) -> Iterator[PollRecord]:
    """Yield a poll every 15 minutes in the last eight days, with two gaps."""
    at = now - timedelta(days=8) - 4 * M
    while at <= now:
        is_missing = now - 52 * HOUR < at < now - 50 * HOUR or now - 20 * HOUR < at < now - 19.2 * HOUR
        if not is_missing:
            yield PollRecord(at, at + timedelta(seconds=3.2), 1 if at.hour == 9 and at.minute < 15 else 0)
        at += POLL_EVERY


def _actions(names: list[str], clusters: tuple[ObservedCluster, ...], now: datetime) -> Iterator[RecordedAction]:
    def done(kind: str, number: int, ago: timedelta, reason: str, error: str | None = None) -> RecordedAction:
        at = now - ago
        ended = None if error else at + timedelta(seconds=1)
        return RecordedAction(kind, clusters[number - 1].id, names[number - 1], reason, at, ended, error)

    yield done("warn", 7, 52 * M, "day 210 minutes")
    yield done("stop", 7, 22 * M, "day 210 minutes")
    yield done("restrict", 7, 22 * M, "day 210 minutes")
    yield done("warn", 2, 3 * HOUR, "day 210 + 60 minutes: project deadline")
    yield done("stop", 3, 47 * HOUR, "week 900 minutes")
    yield done("warn", 3, 50 * HOUR, "week 900 minutes")
    yield done("stop", 6, 118 * HOUR, "day 210 minutes")
    refusal = "403: the token may not manage permissions"
    yield done("restrict", 10, 5 * HOUR, "day 0 minutes: blocked: lab rules", refusal)
