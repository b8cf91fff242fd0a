"""The file `settled.json`: each group's usage when a day was settled, for programs without the ledger. Pure.

`end-of-day` writes it beside the course file. With it, the usage of week and term limits can be computed from the
events since that day instead of the whole term.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from enforcer.domain.quota import Calendar, Period
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.timestamps import from_millis, to_millis
from enforcer.domain.uptime import Session, counted_from

VERSION = 1
SETTLED_FILE = "settled.json"
_MS = timedelta(milliseconds=1)
MOST_MS = 10**12
"""Maximum total in milliseconds, more than thirty years."""


class SettledTotalsError(ValueError):
    """An invalid file; the message contains the problem."""


@dataclass(frozen=True)
class GroupTotals:
    """Counted time of all clusters of a group, excluding windows and sessions that do not count."""

    week: timedelta
    """Total of the week that contains the last settled day, up to the end of that day."""
    term: timedelta


@dataclass(frozen=True)
class GoneCluster:
    """Usage of a cluster that no longer exists."""

    group: str
    intervals: tuple[tuple[datetime, datetime], ...] = ()
    """The counted parts of its sessions."""

    @property
    def sessions(self) -> list[Session]:
        return [Session(start, end) for start, end in self.intervals]


@dataclass(frozen=True)
class SettledTotals:
    """Totals of all groups up to the end of a local day."""

    up_to: date
    groups: Mapping[str, GroupTotals] = field(default_factory=dict)
    """Totals by the group's display name."""
    gone: Mapping[str, GoneCluster] = field(default_factory=dict)
    """Clusters that ran after that day and no longer exist, by id: their events can no longer be read."""

    def used_before(self, group: str, period: Period, day: date, calendar: Calendar) -> timedelta:
        """Return the time used by the end of `up_to` in the period that contains `day`."""
        totals = self.groups.get(group)
        # First days are compared, because a term continues after its last day.
        if totals is None or calendar.days(period, day)[0] != calendar.days(period, self.up_to)[0]:
            return timedelta()
        return {Period.DAY: timedelta(), Period.WEEK: totals.week, Period.TERM: totals.term}[period]


def format_settled(settled: SettledTotals) -> str:
    """Return the content of the file, JSON; it is the same for the same totals."""
    groups = {
        name: {"week_ms": totals.week // _MS, "term_ms": totals.term // _MS}
        for name, totals in sorted(settled.groups.items())
    }
    document: dict[str, Any] = {"version": VERSION, "up_to": settled.up_to.isoformat(), "groups": groups}
    if settled.gone:
        document["gone"] = {
            id: {
                "group": cluster.group,
                "stretches": [[to_millis(start), to_millis(end)] for start, end in cluster.intervals],
            }
            for id, cluster in sorted(settled.gone.items())
        }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def parse_settled(text: str, path: str) -> SettledTotals:
    """Parse the content of the file `path`. Raises SettledTotalsError."""
    try:
        document = json.loads(text)
        if document["version"] != VERSION or isinstance(document["version"], bool):
            raise SettledTotalsError(
                f"{path} has version {document['version']!r}, but this program supports only {VERSION}; upgrade it"
            )
        groups = {str(name): _totals(totals) for name, totals in document["groups"].items()}
        gone = {str(id): _gone(cluster) for id, cluster in document.get("gone", {}).items()}
        return SettledTotals(date.fromisoformat(document["up_to"]), groups, gone)
    except SettledTotalsError:
        raise
    except KeyError as error:
        raise SettledTotalsError(f"{path}: {error.args[0]} is missing; end-of-day writes it again") from None
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise SettledTotalsError(
            f"{path} is not a file of settled totals ({error}); end-of-day writes it again"
        ) from None


def _totals(document: dict[str, Any]) -> GroupTotals:
    return GroupTotals(_duration(document["week_ms"]), _duration(document["term_ms"]))


def _duration(document: Any) -> timedelta:
    if not isinstance(document, int) or isinstance(document, bool) or not 0 <= document <= MOST_MS:
        raise ValueError(f"{document!r} is not a valid time in milliseconds")
    return document * _MS


def _gone(document: dict[str, Any]) -> GoneCluster:
    stretches = tuple((from_millis(int(start)), from_millis(int(end))) for start, end in document["stretches"])
    return GoneCluster(str(document["group"]), stretches)


def gone_clusters(snapshot: Snapshot, since: datetime) -> dict[str, GoneCluster]:
    """Return the counted usage after `since` of each cluster that no longer exists, by id, if there is any."""
    found = {}
    for id, group in snapshot.former_groups.items():
        stretches = tuple(
            (max(start, since), session.end or snapshot.now)
            for session in snapshot.sessions.get(id, [])
            if (start := counted_from(session, count_all=snapshot.count_all)) is not None
            and (session.end or snapshot.now) > max(start, since)
        )
        if stretches:
            found[id] = GoneCluster(group, stretches)
    return found
