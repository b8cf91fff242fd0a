"""Makes the board from the facts. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import cached_property
from itertools import accumulate, pairwise

from enforcer.board.model import (
    ActionEntry,
    Alert,
    AllowanceEntry,
    Board,
    BoardFacts,
    BurnDown,
    FailedMail,
    GroupName,
    GroupUsage,
    Health,
    HeatCell,
    HeatRow,
    PollGap,
    RunningCluster,
    State,
    TimeRequestEntry,
    Week,
)
from enforcer.domain.allowances import Allowance, DayLimits, LimitOverride, windows_between
from enforcer.domain.day_records import RecordedAction
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import LimitUsage, Period
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.domain.uptime import day_bounds
from enforcer.domain.usage import hours
from enforcer.reports.daily_usage import DailyUsage, daily_usage
from enforcer.reports.day_report import missed_polls
from enforcer.reports.forecast import forecast, marks_of
from enforcer.time_requests.model import State as TimeRequestState
from enforcer.time_requests.model import TimeRequest
from labkit.course_file import BLOCKED, FREE, LIMITS, UNLIMITED, WEEKDAYS, WHOLE_DAY, CalendarEntry
from labkit.text import one_line

SILENCE = timedelta(minutes=30)
"""Maximum time since the last poll for figures as of now; after a longer one they are as of the last poll."""
SHOWN_FOR = timedelta(days=7)
"""How long actions, failed messages and missed polls are shown."""
COUNTED_FOR = timedelta(days=1)
"""How far back polls and failed actions are counted."""
CALENDAR_DAYS = 14
"""Number of coming days whose calendar entries are shown."""
MOST_WEEKS = 26
"""Maximum number of weeks in the heat map: as many as fit on a printed page."""
TITLE_LENGTH, TEXT_LENGTH, NAME_LENGTH = 60, 200, 80
ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
HEAT_SHARES = (0.25, 0.5, 0.75, 1.0)
"""Shares of the whole at which the levels 2 to 5 of the heat map begin."""
ZERO = timedelta()


def moment_of(last_poll: datetime | None, now: datetime) -> datetime:
    """Return the moment for which the figures are computed: now or, if that was too long ago, the last poll."""
    return now if last_poll is None or now - last_poll <= SILENCE else last_poll


def make_board(facts: BoardFacts, *, with_names: bool = False, is_demo: bool = False) -> Board:
    """Return the board. Without `with_names` it contains no names of people."""
    return _Assembly(facts, with_names).board(is_demo=is_demo)


@dataclass(frozen=True)
class _Assembly:
    facts: BoardFacts
    with_names: bool

    def board(self, *, is_demo: bool) -> Board:
        snapshot, facts = self._snapshot, self.facts
        course, tz = snapshot.course, snapshot.course.calendar.tz
        health, gaps = self._health, self._gaps()
        failed_mails = self._failed_mails()
        return Board(
            title=one_line(course.title or course.id or "Teaching lab", TITLE_LENGTH),
            course=course.id,
            term=course.term,
            tz=tz,
            as_of=snapshot.now.astimezone(tz),
            made_at=facts.made_at.astimezone(tz),
            today=snapshot.today,
            first_day=course.calendar.first_day,
            last_day=course.calendar.last_day,
            alerts=tuple(self._alerts(health, gaps, failed_mails)),
            running=self._running(),
            groups=self._uses,
            weeks=self._weeks,
            heat=self._heat(),
            burn_down=self._burn_down(),
            stops=self._done("stop"),
            warnings=self._done("warn"),
            time_requests=self._time_requests,
            allowances=self._allowances(),
            calendar=self._calendar(),
            others=facts.others,
            users_without_group=facts.users_without_group,
            failed_mails=failed_mails,
            gaps=gaps,
            watched_from=self._watched_from,
            health=health,
            with_names=self.with_names,
            is_demo=is_demo,
        )

    @property
    def _snapshot(self) -> Snapshot:
        return self.facts.snapshot

    @property
    def _tz(self) -> tzinfo:
        return self._snapshot.course.calendar.tz

    # --- groups

    @cached_property
    def _names(self) -> Mapping[str, GroupName]:
        """Every group of the course file and of a cluster, in the order of their numbers."""
        groups = sorted(self._snapshot.course.groups.values(), key=lambda group: (group.number, group.name))
        found = {group.name: GroupName(group.name, one_line(group.title, TITLE_LENGTH)) for group in groups}
        others = sorted(set(self._snapshot.group_by_cluster.values()) - found.keys())
        return found | {name: GroupName(one_line(name, NAME_LENGTH), "") for name in others}

    def _name(self, group: str) -> GroupName:
        return self._names.get(group) or GroupName(one_line(group, NAME_LENGTH), "")

    @cached_property
    def _usages(self) -> Mapping[str, tuple[LimitUsage, ...]]:
        return {group: self._snapshot.limit_usages_of(group) for group in self._names}

    @cached_property
    def _use(self) -> DailyUsage:
        first, _ = self._snapshot.course.calendar.days(Period.WEEK, self._term_begins)
        return daily_usage(self._snapshot, self.facts.settled, first_day=first)

    @cached_property
    def _uses(self) -> tuple[GroupUsage, ...]:
        snapshot = self._snapshot
        restricted = {snapshot.group_by_cluster.get(id) for id in self.facts.restricted}
        running = {group_of(cluster) for cluster in snapshot.clusters if cluster.observation.running}
        found = []
        for group, name in self._names.items():
            usages = {usage.limit.period: usage for usage in self._usages[group]}
            term = usages.get(Period.TERM)
            found.append(
                GroupUsage(
                    name,
                    _state(usages),
                    group in running,
                    group in restricted,
                    self._use.on(group, snapshot.today),
                    usages.get(Period.DAY),
                    usages.get(Period.WEEK),
                    term,
                    term.used if term else self._use.between(group, self._term_begins, snapshot.today),
                    self._members(group),
                )
            )
        return tuple(found)

    def _members(self, group: str) -> tuple[str, ...]:
        if not self.with_names:
            return ()
        known = self._snapshot.members or {}
        addresses = known.get(self._snapshot.course.principal_of(group), frozenset())
        return tuple(one_line(address, NAME_LENGTH) for address in sorted(addresses))

    def _running(self) -> tuple[RunningCluster, ...]:
        clusters = [self._running_cluster(one) for one in self._snapshot.clusters if one.observation.running]
        latest = self._snapshot.now + timedelta(days=400)
        return tuple(sorted(clusters, key=lambda one: (one.stops_at or latest, one.group.name, one.cluster)))

    def _running_cluster(self, cluster: ObservedCluster) -> RunningCluster:
        snapshot, now, group = self._snapshot, self._snapshot.now, group_of(cluster)
        sessions = snapshot.sessions.get(cluster.id, [])
        session = sessions[-1] if sessions and sessions[-1].end is None else None
        windows = windows_between(now, now + timedelta(days=1), group, snapshot.in_force, self._tz)
        window_ends = windows[0][1] if windows and windows[0][0] <= now else None
        is_counting = snapshot.is_counting(cluster) and window_ends is None
        tightest = next(iter(self._usages[group]), None)
        stops_at = None
        if is_counting and tightest:
            reached = now + tightest.left / max(1, snapshot.running_count(group))
            # If the period ends first, its usage is reset before the limit is reached.
            is_in_time = reached < day_bounds(tightest.limit.last_day, self._tz)[1]
            stops_at = reached.astimezone(self._tz) if is_in_time else None
        return RunningCluster(
            self._name(group),
            one_line(cluster.name, NAME_LENGTH),
            (session.start if session else cluster.observation.at).astimezone(self._tz),
            is_counting,
            tightest,
            stops_at,
            window_ends and window_ends.astimezone(self._tz),
            one_line(session.started_by or "", NAME_LENGTH) if session and self.with_names else "",
        )

    # --- weeks and term

    @property
    def _term_begins(self) -> date:
        """The term's first day, or today if that is earlier."""
        return min(self._snapshot.course.calendar.first_day, self._snapshot.today)

    @cached_property
    def _first_known_day(self) -> date:
        """The first day of the term with known usage."""
        snapshot = self._snapshot
        starts = [sessions[0].start for sessions in snapshot.sessions.values() if sessions]
        starts += [self.facts.first_poll] if self.facts.first_poll else []
        days = [start.astimezone(self._tz).date() for start in starts] + [day for _, day in self.facts.settled]
        return max(self._term_begins, min([*days, snapshot.today]))

    @cached_property
    def _weeks(self) -> tuple[Week, ...]:
        calendar, today = self._snapshot.course.calendar, self._snapshot.today
        first, _ = calendar.days(Period.WEEK, self._term_begins)
        last = max(calendar.last_day, today)
        weeks = []
        while first <= last:
            ends = first + timedelta(days=6)
            weeks.append(Week(first, ends, first <= today, first <= today <= ends))
            first += timedelta(days=7)
        if len(weeks) <= MOST_WEEKS:
            return tuple(weeks)
        current = next(number for number, week in enumerate(weeks) if week.is_current)
        begin = min(max(0, current + 1 - MOST_WEEKS), len(weeks) - MOST_WEEKS)
        return tuple(weeks[begin : begin + MOST_WEEKS])

    def _heat(self) -> tuple[HeatRow, ...]:
        weeks = [week for week in self._weeks if week.has_begun]
        used = {
            group: [self._use.between(group, week.first_day, week.last_day) for week in weeks] for group in self._names
        }
        busiest = max((one for row in used.values() for one in row), default=ZERO)

        def level(group: str, one: timedelta) -> int:
            whole = self._snapshot.quota(group).week or busiest
            if not one:
                return 0
            return 1 + sum(one >= share * whole for share in HEAT_SHARES) if whole else 5

        return tuple(
            HeatRow(use, tuple(HeatCell(one, level(group, one)) for one in used[group]))
            for group, use in zip(self._names, self._uses, strict=True)
        )

    def _burn_down(self) -> BurnDown:
        snapshot, known_from = self._snapshot, self._first_known_day
        calendar, today = snapshot.course.calendar, snapshot.today
        last_day = max(calendar.last_day, today)
        known = [known_from + timedelta(days=number) for number in range((today - known_from).days + 1)]
        totals = {day: sum((self._use.on(group, day) for group in self._names), ZERO) for day in known}
        days = [known_from + timedelta(days=number) for number in range((last_day - known_from).days + 1)]
        marks = marks_of(snapshot.course, snapshot.allowances, days)
        limits = [self._term_limit(group) for group in self._names]
        has_limits = bool(limits) and all(limit is not None for limit in limits)
        return BurnDown(
            self._term_begins,
            last_day,
            tuple(zip(known, accumulate(totals.values()), strict=True)),
            forecast(totals, today=today, last_day=last_day, marks=marks),
            sum((limit for limit in limits if limit is not None), ZERO) if has_limits else None,
            self._groups_over(known, days, last_day) if any(limit is not None for limit in limits) else None,
        )

    def _term_limit(self, group: str) -> timedelta | None:
        usage = next((one for one in self._usages[group] if one.limit.period is Period.TERM), None)
        return usage.limit.hard if usage else self._snapshot.quota(group).term

    def _groups_over(self, known: Sequence[date], days: Sequence[date], last_day: date) -> int | None:
        """Return how many groups are expected to reach their limit for the term; None if one forecast is unknown."""
        snapshot = self._snapshot
        own = {one.group for one in snapshot.in_force if isinstance(one.change, LimitOverride | DayLimits)}
        own |= {group for entry in snapshot.course.entries for group in entry.groups}
        common = marks_of(snapshot.course, snapshot.allowances, days)
        over = 0
        for group in self._names:
            limit = self._term_limit(group)
            if limit is None:
                continue
            marks = marks_of(snapshot.course, snapshot.allowances, days, group) if group in own else common
            totals = {day: self._use.on(group, day) for day in known}
            found = forecast(totals, today=snapshot.today, last_day=last_day, marks=marks)
            if not found.is_known:
                return None
            over += found.first_day_over(limit) is not None
        return over

    # --- actions, allowances, messages

    def _entry(self, action: RecordedAction) -> ActionEntry:
        return ActionEntry(
            action.noted.astimezone(self._tz),
            self._name(action.group),
            action.kind,
            self._text(_limit_text(action.reason)),
            self._text(action.error or ""),
        )

    def _done(self, kind: str) -> tuple[ActionEntry, ...]:
        """Return the actions of a kind that succeeded, the latest first."""
        done = [one for one in self.facts.actions if one.kind == kind and one.done and not one.error]
        return tuple(self._entry(one) for one in reversed(done))

    @cached_property
    def _time_requests(self) -> tuple[TimeRequestEntry, ...] | None:
        found = self.facts.time_requests
        if self._snapshot.course.requests is None and not found:
            return None
        ended = [one for one in found if not self._is_waiting(one)]
        since = self.facts.made_at - SHOWN_FOR
        recent = sorted((one for one in ended if self._ended_at(one) >= since), key=self._ended_at, reverse=True)
        waiting = (one for one in found if self._is_waiting(one))
        return tuple(self._time_request(one) for one in (*waiting, *recent))

    @property
    def _expires_after(self) -> timedelta:
        options = self._snapshot.course.requests
        return timedelta(days=options.expire_days) if options else timedelta.max

    def _is_waiting(self, one: TimeRequest) -> bool:
        return one.state is TimeRequestState.WAITING and self.facts.made_at - one.asked_at < self._expires_after

    def _ended_at(self, one: TimeRequest) -> datetime:
        """Return when a time request was answered or expired."""
        is_unrecorded = one.state is TimeRequestState.WAITING
        return one.asked_at + self._expires_after if is_unrecorded else one.answered_at or one.asked_at

    def _time_request(self, one: TimeRequest) -> TimeRequestEntry:
        is_waiting = self._is_waiting(one)
        state = one.state
        if state is TimeRequestState.WAITING and not is_waiting:
            state = TimeRequestState.EXPIRED  # the next poll records it
        given = "" if one.minutes_given is None else f" {one.minutes_given} minutes"
        return TimeRequestEntry(
            one_line(one.id, NAME_LENGTH),
            self._name(one.group),
            one.asked_at.astimezone(self._tz),
            one.minutes,
            self._text(one.reason),
            is_waiting,
            f"{state.value}{given}",
            self._text(one.answer),
        )

    def _allowances(self) -> tuple[AllowanceEntry, ...]:
        today = self._snapshot.today
        coming = (self._allowance(one) for one in self._snapshot.allowances if one.last_day >= today)
        return tuple(sorted(coming, key=lambda entry: (entry.first_day, entry.last_day)))

    def _allowance(self, one: Allowance) -> AllowanceEntry:
        groups = () if one.group is None else (self._name(one.group),)
        is_today = one.first_day <= self._snapshot.today <= one.last_day
        by = one_line(one.given_by, NAME_LENGTH) if self.with_names else ""
        return AllowanceEntry(groups, one.first_day, one.last_day, one.effect, self._text(one.reason), is_today, by)

    def _calendar(self) -> tuple[AllowanceEntry, ...]:
        """Return the calendar's entries of the next days, with one entry for each day of a weekly one."""
        today = self._snapshot.today
        until = today + timedelta(days=CALENDAR_DAYS - 1)
        found = [
            AllowanceEntry(
                tuple(map(self._name, one.groups)),
                first,
                last,
                _effect_of(one),
                self._text(one.title or one.kind),
                first <= today <= last,
            )
            for one in self._snapshot.course.entries
            for first, last in _days_of(one, today, until)
        ]
        return tuple(sorted(found, key=lambda entry: (entry.first_day, entry.last_day, entry.reason)))

    def _failed_mails(self) -> tuple[FailedMail, ...]:
        groups = self._snapshot.group_by_cluster
        return tuple(
            FailedMail(
                one.kind.value,
                self._name(groups[one.about]) if one.about in groups else None,
                one.queued_at.astimezone(self._tz),
                one.attempts,
                one.is_given_up,
                self._text(one.error),
            )
            for one in reversed(self.facts.failed_messages)
        )

    # --- the enforcer

    @property
    def _watched_from(self) -> datetime | None:
        begins = self.facts.made_at - SHOWN_FOR
        return None if self.facts.first_poll is None else max(begins, self.facts.first_poll).astimezone(self._tz)

    def _gaps(self) -> tuple[PollGap, ...]:
        """Return the gaps between polls, the latest first."""
        began, made_at = self._watched_from, self.facts.made_at.astimezone(self._tz)
        if began is None:
            return ()
        moments = [began, *(poll.began.astimezone(self._tz) for poll in self.facts.polls if poll.began >= began)]
        gaps = [PollGap(a, b, missed_polls([], a, b)) for a, b in pairwise(moments)]
        gaps.append(PollGap(moments[-1], made_at, missed_polls([], moments[-1], made_at), is_open=True))
        return tuple(gap for gap in reversed(gaps) if gap.missed)

    @cached_property
    def _health(self) -> Health:
        facts, made_at = self.facts, self.facts.made_at
        last = facts.last_poll
        lag = made_at - last.began if last else None
        polls = [poll for poll in facts.polls if poll.began >= made_at - COUNTED_FOR]
        failed: dict[tuple[str, str], RecordedAction] = {}
        for action in facts.actions:
            if action.noted >= made_at - COUNTED_FOR:
                failed.pop((action.cluster_id, action.kind), None)
                if action.error:
                    failed[action.cluster_id, action.kind] = action
        return Health(
            last.began.astimezone(self._tz) if last else None,
            lag,
            lag is None or lag > SILENCE,
            last.ended - last.began if last else None,
            last.failed if last else 0,
            len(polls),
            sum(1 for poll in polls if poll.failed),
            tuple(self._entry(one) for one in failed.values()),
            self._held(),
            sum(1 for use in self._uses if use.is_restricted),
            facts.waiting_messages,
            tuple(map(self._text, self._snapshot.problems)),
        )

    def _held(self) -> tuple[GroupName, ...]:
        """Return the groups whose clusters still run although they reached a limit, because the stop is held."""
        held = (one for one in self._snapshot.clusters if one.id in self.facts.held and one.observation.running)
        groups = (group_of(one) for one in held)
        return tuple(self._name(one) for one in groups if any(usage.is_over for usage in self._usages[one]))

    def _alerts(self, health: Health, gaps: Sequence[PollGap], mails: Sequence[FailedMail]) -> Iterable[Alert]:
        if health.last_poll is None:
            yield Alert("No poll has run yet.", "enforcer")
        elif health.is_late and health.lag is not None:
            yield Alert(f"The last poll was {hours(health.lag)} h ago; the figures are from then.", "enforcer")
        if health.held:
            yield Alert(f"{_count(len(health.held), 'stop')} held until the next poll.", "enforcer")
        if health.failed_actions:
            yield Alert(f"{_count(len(health.failed_actions), 'action')} failed and will be retried.", "enforcer")
        if health.reading_problems:
            yield Alert("Course file or allowances could not be read completely.", "enforcer")
        if mails:
            yield Alert(f"{_count(len(mails), 'message')} not delivered.", "mails")
        if missed := sum(gap.missed for gap in gaps):
            yield Alert(f"{_count(missed, 'poll')} missed in the last seven days.", "polls")
        if waiting := sum(one.is_waiting for one in self._time_requests or ()):
            yield Alert(f"{_count(waiting, 'time request')} waiting for an answer.", "requests")
        if self.facts.others:
            number = _count(len(self.facts.others), "cluster")
            yield Alert(f"{number} running outside this lab.", "others")
        if self.facts.users_without_group:
            yield Alert(f"{_count(self.facts.users_without_group, 'user')} in no group.", "enforcer")

    def _text(self, text: str) -> str:
        """Return a text that people wrote as one line, without addresses unless the board has names."""
        line = one_line(text, TEXT_LENGTH)
        return line if self.with_names else ADDRESS.sub("(address)", line)


def _state(usages: Mapping[Period, LimitUsage]) -> State:
    day = usages.get(Period.DAY)
    if day and not day.limit.hard:
        return State.BLOCKED
    if any(usage.is_over for usage in usages.values()):
        return State.OVER
    if any(usage.is_near for usage in usages.values()):
        return State.NEAR
    return State.USUAL if usages else State.UNLIMITED


def _days_of(one: CalendarEntry, first: date, last: date) -> Iterable[tuple[date, date]]:
    """Return the days of an entry between two days: each day of a weekly one, or the range of a dated one."""
    begins, ends = max(first, one.first_day), min(last, one.last_day)
    if one.weekday is None:
        return [(one.first_day, one.last_day)] if begins <= ends else []
    days = (begins + timedelta(days=number) for number in range((ends - begins).days + 1))
    return [(day, day) for day in days if WEEKDAYS[day.weekday()] == one.weekday]


def _effect_of(entry: CalendarEntry) -> str:
    """Return what an entry means for the limits: `10:00-12:00 does not count`."""
    if entry.effect == FREE:
        return f"{'the day' if entry.hours == WHOLE_DAY else entry.hours} does not count"
    if entry.effect == LIMITS and entry.hard_minutes is not None:
        return f"{entry.hard_minutes:g} minutes"
    return {UNLIMITED: "unlimited", BLOCKED: "blocked"}.get(entry.effect, "usual limits")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _limit_text(reason: str) -> str:
    """Return the limit in an action's reason: `180 + 60 minutes a day: test` for `day 180 + 60 minutes: test`."""
    period, _, limit = reason.partition(" ")
    if period not in [one.value for one in Period]:
        return reason
    amount, colon, why = limit.partition(": ")
    return f"{amount} a {period}{colon}{why}"
