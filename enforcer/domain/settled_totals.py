"""`settled.json`: what each group had used when a day was settled, for whoever has no ledger. Pure.

`end-of-day` writes it beside the course file. With it week and term limits can be judged from the events of the days
since, without reading a term of them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from enforcer.domain.quota import Calendar, Period
from enforcer.domain.snapshot import Picture
from enforcer.domain.timestamps import to_instant, to_millis
from enforcer.domain.uptime import Session, counted_from

VERSION = 1
SETTLED_FILE = "settled.json"
_MS = timedelta(milliseconds=1)
MOST_MS = 10**12
"""More than thirty years."""


class SettledError(ValueError):
    """A sentence that says what is wrong with the file."""


@dataclass(frozen=True)
class GroupTotals:
    """Counted time of all clusters of the group, as its limits count it: without windows and sessions shown apart."""

    week: timedelta
    """In the week of the last settled day, up to its end."""
    term: timedelta


@dataclass(frozen=True)
class GoneCluster:
    """What a cluster used that is gone."""

    group: str
    stretches: tuple[tuple[datetime, datetime], ...] = ()
    """Its sessions as far as they count."""

    @property
    def sessions(self) -> list[Session]:
        return [Session(start, end) for start, end in self.stretches]


@dataclass(frozen=True)
class Settled:
    """Totals up to the end of a local day."""

    up_to: date
    groups: Mapping[str, GroupTotals] = field(default_factory=dict)
    """By display name."""
    gone: Mapping[str, GoneCluster] = field(default_factory=dict)
    """Clusters that ran after that day and are gone, by id: their events can no longer be read."""

    def used_before(self, group: str, period: Period, day: date, calendar: Calendar) -> timedelta:
        """What the period that `day` belongs to already held at the end of `up_to`."""
        totals = self.groups.get(group)
        # By their first days: a term that is over its end lasts on.
        if totals is None or calendar.days(period, day)[0] != calendar.days(period, self.up_to)[0]:
            return timedelta()
        return {Period.DAY: timedelta(), Period.WEEK: totals.week, Period.TERM: totals.term}[period]


def format_settled(settled: Settled) -> str:
    """The content of the file, JSON; the same text for the same totals."""
    groups = {
        name: {"week_ms": totals.week // _MS, "term_ms": totals.term // _MS}
        for name, totals in sorted(settled.groups.items())
    }
    told: dict[str, Any] = {"version": VERSION, "up_to": settled.up_to.isoformat(), "groups": groups}
    if settled.gone:
        told["gone"] = {
            id: {
                "group": cluster.group,
                "stretches": [[to_millis(start), to_millis(end)] for start, end in cluster.stretches],
            }
            for id, cluster in sorted(settled.gone.items())
        }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def parse_settled(text: str, place: str) -> Settled:
    """The content of a file; `place` names it in errors. Raises SettledError."""
    try:
        told = json.loads(text)
        if told["version"] != VERSION or isinstance(told["version"], bool):
            raise SettledError(f"{place} has version {told['version']!r}, this program knows {VERSION}; update it")
        groups = {str(name): _totals(totals) for name, totals in told["groups"].items()}
        gone = {str(id): _gone(cluster) for id, cluster in told.get("gone", {}).items()}
        return Settled(date.fromisoformat(told["up_to"]), groups, gone)
    except SettledError:
        raise
    except KeyError as error:
        raise SettledError(f"{place}: {error.args[0]} is missing; end-of-day writes it again") from None
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise SettledError(f"{place} is no file of settled totals ({error}); end-of-day writes it again") from None


def _totals(told: dict[str, Any]) -> GroupTotals:
    return GroupTotals(_duration(told["week_ms"]), _duration(told["term_ms"]))


def _duration(told: Any) -> timedelta:
    if not isinstance(told, int) or isinstance(told, bool) or not 0 <= told <= MOST_MS:
        raise ValueError(f"{told!r} is no time that a group can have used")
    return told * _MS


def _gone(told: dict[str, Any]) -> GoneCluster:
    stretches = tuple((to_instant(int(start)), to_instant(int(end))) for start, end in told["stretches"])
    return GoneCluster(str(told["group"]), stretches)


def gone_clusters(picture: Picture, since: datetime) -> dict[str, GoneCluster]:
    """What the clusters that are no longer there used after an instant, as far as it counts; those that did, by id."""
    found = {}
    for id, group in picture.former.items():
        stretches = tuple(
            (max(start, since), session.end or picture.now)
            for session in picture.sessions.get(id, [])
            if (start := counted_from(session, count_all=picture.count_all)) is not None
            and (session.end or picture.now) > max(start, since)
        )
        if stretches:
            found[id] = GoneCluster(group, stretches)
    return found
