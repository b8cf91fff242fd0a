"""The usage of each group on each day of the term: settled totals, or else the sum of the sessions. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from enforcer.domain.allowances import Interval, windows_between
from enforcer.domain.quota import counted
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import Session, counted_from, day_bounds

ZERO = timedelta()


@dataclass(frozen=True)
class DailyUsage:
    """Usage by group and local day; days without usage are absent."""

    by_group: Mapping[str, Mapping[date, timedelta]]

    def on(self, group: str, day: date) -> timedelta:
        return self.by_group.get(group, {}).get(day, ZERO)

    def between(self, group: str, first_day: date, last_day: date) -> timedelta:
        """Return the usage from the first to the last day."""
        days = self.by_group.get(group, {})
        return sum((days.get(first_day + timedelta(n), ZERO) for n in range((last_day - first_day).days + 1)), ZERO)


def daily_usage(snapshot: Snapshot, settled: Mapping[tuple[str, date], timedelta], *, first_day: date) -> DailyUsage:
    """Return the usage from `first_day` to today. `settled` has the settled totals by cluster id and day."""
    found: defaultdict[str, defaultdict[date, timedelta]] = defaultdict(lambda: defaultdict(timedelta))
    groups = snapshot.group_by_cluster
    for (cluster_id, day), used in settled.items():
        if used and cluster_id in groups and day >= first_day:
            found[groups[cluster_id]][day] += used
    open_days = _unsettled(snapshot, settled, first_day)
    begins_of: dict[str, date] = {}
    for cluster_id, day in open_days:
        begins_of[groups[cluster_id]] = min(day, begins_of.get(groups[cluster_id], day))
    windows: dict[str, tuple[Interval, ...]] = {}
    bounds: dict[date, tuple[datetime, datetime]] = {}
    tz, now, count_all = snapshot.course.calendar.tz, snapshot.now, snapshot.count_all
    for (cluster_id, day), sessions in open_days.items():
        group = groups[cluster_id]
        if day not in bounds:
            bounds[day] = day_bounds(day, tz)
        if group not in windows:
            first, _ = day_bounds(begins_of[group], tz)
            windows[group] = windows_between(first, now, group, snapshot.in_force, tz)
        begins, ends = bounds[day]
        used = counted(begins, min(ends, now), sessions, windows[group], now=now, count_all=count_all)
        if used:
            found[group][day] += used
    return DailyUsage(found)


def _unsettled(
    snapshot: Snapshot, settled: Mapping[tuple[str, date], timedelta], first_day: date
) -> dict[tuple[str, date], list[Session]]:
    """Return the sessions that count on each day of a cluster that is not settled."""
    tz, now, count_all = snapshot.course.calendar.tz, snapshot.now, snapshot.count_all
    found: dict[tuple[str, date], list[Session]] = {}
    for cluster_id in snapshot.group_by_cluster:
        for session in snapshot.sessions.get(cluster_id, ()):
            start, end = counted_from(session, count_all=count_all), session.end or now
            if start is None or end < start:
                continue
            day, last = max(start.astimezone(tz).date(), first_day), end.astimezone(tz).date()
            while day <= last:
                if (cluster_id, day) not in settled:
                    found.setdefault((cluster_id, day), []).append(session)
                day += timedelta(days=1)
    return found
