"""`usage`: shows the used and the remaining time."""

import sys
from collections.abc import Iterable
from datetime import date, datetime, timedelta

import click

from enforcer.commands import context
from enforcer.commands.ledger_context import no_course
from enforcer.commands.workspace_context import connected
from enforcer.domain.quota import Period
from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import day_bounds
from enforcer.domain.usage import (
    ClusterUsage,
    allowance_reasons,
    hours,
    usage_json,
    usage_of,
    with_group_totals,
    with_settled_total,
)
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings, SettingsError
from enforcer.tick.collect import collect
from enforcer.tick.history import load_past_snapshot
from enforcer.workspace.errors import WorkspaceError
from labkit import exit_status
from labkit.extras import cli
from labkit.extras.table import print_table
from labkit.text import escaped

LONGEST = timedelta(days=366)


@click.command(
    "usage",
    epilog="""
    \b
    Examples:
      python -m enforcer usage                                     # today
      python -m enforcer usage --day 2026-11-01
      python -m enforcer usage --from 2026-11-01 --to 2026-11-07 --json
    """,
)
@cli.day_option
@cli.from_option
@cli.to_option
@cli.json_option
def command(day: date | None, first: date | None, last: date | None, as_json: bool) -> None:
    """Show the time used by each cluster and the time left for its group, for day, week and term. Changes nothing.

    The limits of a group count all its clusters, including deleted ones. Sessions started by staff or a deployment are
    shown as uncounted. Sessions of unknown accounts count, and are marked. If the workspace does not respond, the
    figures are from the last poll, and the exit status is 1.
    """
    settings = context.settings(needs_workspace=True)
    now = cli.now()
    with context.copy_of(settings) as ledger:
        snapshot, problems = _look(ledger, settings, now)
        days = cli.date_range(day, first, last, today=snapshot.today)
        if days[1] - days[0] > LONGEST:
            raise click.UsageError(f"the range has more than {LONGEST.days} days")
        if days[1] > snapshot.today:
            raise click.UsageError(f"{days[1]} is in the future")
        if not snapshot.clusters:
            problems.append(no_course(settings))
        usages = usages_of(ledger, snapshot, *days)
        if snapshot.clusters and _is_unknown(ledger, snapshot, days[1], usages):
            problems.append(
                f"the ledger has no data for {days[1]}: no poll ran before the day ended, and no cluster ran"
            )
            usages = []
    if usages or as_json:
        _print(usages, as_json=as_json)
    for problem in problems:
        print(escaped(problem), file=sys.stderr)
    raise SystemExit(exit_status.PARTLY_FAILED if problems else exit_status.DONE)


def _look(ledger: Ledger, settings: Settings, now: datetime) -> tuple[Snapshot, list[str]]:
    """Return the snapshot from workspace and ledger, and a message for everything that could not be read."""
    problems: list[str] = []
    try:
        problems += collect(ledger, connected(settings), settings, now=now).problems
    except SettingsError as error:
        cli.fail(*error.problems)
    except WorkspaceError as error:
        seen = queries.last_poll(ledger)
        shown = f"; these figures are from the last poll ({seen:%Y-%m-%d %H:%M} UTC)" if seen else ""
        problems.append(f"{str(error).rstrip('.')}{shown}.")
    # Loaded from the ledger, because it also has deleted clusters.
    return load_past_snapshot(ledger, settings, now=now), problems


def _is_unknown(ledger: Ledger, snapshot: Snapshot, last: date, usages: list[ClusterUsage]) -> bool:
    """Return whether no poll ran before the end of the last day, and no cluster is known to have run until then."""
    polled = queries.first_poll(ledger) or snapshot.now
    is_before = polled >= day_bounds(last, snapshot.course.calendar.tz)[1]
    return is_before and not any(usage.used or usage.session_usages for usage in usages)


def usages_of(ledger: Ledger, snapshot: Snapshot, first: date, last: date) -> list[ClusterUsage]:
    """Return the usage of every cluster on every day; deleted clusters only on days on which they ran."""
    found: list[tuple[bool, ClusterUsage]] = []
    latest = max((cluster.observation.at for cluster in snapshot.clusters), default=snapshot.now)
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        settled = queries.settled(ledger, day)
        for cluster in snapshot.clusters:
            usage = usage_of(snapshot, cluster, day)
            if cluster.id in settled:
                usage = with_settled_total(usage, settled[cluster.id].used, settled[cluster.id].reason)
            found.append((cluster.observation.at == latest, usage))
    every = with_group_totals(usage for _, usage in found)
    shown = [
        usage
        for (is_there, _), usage in zip(found, every, strict=True)
        if is_there or usage.session_usages or usage.used
    ]
    return sorted(shown, key=lambda usage: (usage.day, usage.group, usage.cluster_id))


def _print(usages: list[ClusterUsage], *, as_json: bool) -> None:
    if as_json:
        cli.print_json([usage_json(usage) for usage in usages])
        return
    headings = ["group", "day", "used", "left", "of the day", "of the week", "of the term", "sessions", "uncounted", ""]
    print_table(headings, [_row(usage) for usage in usages])
    for reason in allowance_reasons(usages):
        print(escaped(reason))
    for usage in usages:
        for estimate in usage.estimates:
            print(escaped(f"{usage.group}, {usage.day}: estimate: {estimate}"))
        for user in usage.unknown_users:
            print(escaped(f"{usage.group}, {usage.day}: {user} counts, not yet known to be a student or staff"))
    for group, day, used in _sums(usages):
        print(escaped(f"{group}, {day}: {hours(used)} on all clusters of the group"))


def _sums(usages: Iterable[ClusterUsage]) -> list[tuple[str, date, timedelta]]:
    """Return the time that each group used on a day, if it differs from the time of one of its clusters."""
    return list(dict.fromkeys((u.group, u.day, u.group_used) for u in usages if u.group_used != u.used))


def _row(usage: ClusterUsage) -> list[object]:
    def of(period: Period) -> str | None:
        limit_usage = usage.limit_usages.get(period)
        return f"{hours(limit_usage.used)} of {hours(limit_usage.limit.hard)}" if limit_usage else None

    return [
        usage.group,
        usage.day,
        hours(usage.used),
        "no limit" if usage.left is None else hours(usage.left),
        of(Period.DAY),
        of(Period.WEEK),
        of(Period.TERM),
        len(usage.session_usages),
        hours(usage.uncounted) if usage.uncounted else None,
        ", ".join([*(["estimate"] if usage.estimates else []), *(["unknown"] if usage.unknown_users else [])]) or None,
    ]
