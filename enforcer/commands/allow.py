"""`allow`: a dated, reasoned change of limits."""

import sys
from datetime import date, datetime, timedelta, tzinfo

import click

from enforcer.commands import context
from enforcer.commands._take_effect import take_effect
from enforcer.commands.workspace_context import course_of
from enforcer.domain.allowances import Allowance, AllowanceError, Freedom, Window, parse_window
from enforcer.operations.allowance_files import (
    UnknownGroup,
    allowance_json,
    find_group,
    new_id,
    path_of,
    write_entry,
)
from enforcer.workspace.errors import WorkspaceError
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped

LONGEST_REASON = 300


@click.command(
    "allow",
    epilog="""
    \b
    Examples:
      python -m enforcer allow group_03 --minutes +60 --reason "project deadline"       # today
      python -m enforcer allow 3 --minutes -30 --day 2026-11-08 --reason "away"
      python -m enforcer allow all --unlimited --from 2026-12-01 --to 2026-12-03 --reason "hackathon"
      python -m enforcer allow all --window "Mon 10:00-12:00" --from 2026-11-02 --to 2027-01-25 --reason "lesson"
      python -m enforcer allow 7 --none --reason "the group asked for it"
    """,
)
@click.argument("group")
@click.option(
    "--minutes",
    type=cli.IntParamType(-1440, 1440, unit="minutes"),
    metavar="±M",
    help="Move soft and hard of each day by M.",
)
@click.option("--unlimited", is_flag=True, help="No limit on these days; their time still counts for week and term.")
@click.option("--none", "forbidden", is_flag=True, help="No use at all on these days.")
@click.option("--window", metavar="W", help='Time inside does not count: "Mon 10:00-12:00", or each day "10:00-12:00".')
@cli.day_option
@cli.from_option
@cli.to_option
@click.option("--reason", required=True, help="Why; letters, usage and report say it.")
@cli.json_option
@cli.dry_run_option
def command(
    group: str,
    minutes: int | None,
    unlimited: bool,
    forbidden: bool,
    window: str | None,
    day: date | None,
    first: date | None,
    last: date | None,
    reason: str,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Change the limits of GROUP, its display name or number, or of all groups: today, on one day or on each of a span.

    The allowance is a file in the workspace, so that every machine sees it; it is in effect when this returns.
    Exits 1 when it was written and something of the tick that puts it into effect failed.
    """
    change = _change(minutes, unlimited, forbidden, window)
    why = " ".join(reason.split())
    if not why or len(why) > LONGEST_REASON:
        raise click.UsageError(f"--reason is a sentence of 1 to {LONGEST_REASON} characters")
    settings = context.settings(needs_workspace=True)
    now = cli.now()
    workspace, lab = course_of(settings, now=now)
    days = cli.date_range(day, first, last, today=_today(lab.course.calendar.tz, now))
    _check_days(*days, change, today=_today(lab.course.calendar.tz, now))
    try:
        name = find_group(group, lab)
    except UnknownGroup as error:
        cli.fail(str(error))
    allowance = Allowance(new_id(now), name, *days, change, why, workspace.caller, now)
    if not dry_run:
        try:
            write_entry(workspace, lab, allowance)
        except WorkspaceError as error:
            print(escaped(f"nothing was allowed: {error}"), file=sys.stderr)
            raise SystemExit(exit_status.PARTLY_FAILED) from None
    status = exit_status.DONE if dry_run else take_effect(settings)
    if as_json:
        cli.print_json(allowance_json(allowance) | {"path": path_of(lab, allowance.id)})
    else:
        span = f"{allowance.first}" + (f" to {allowance.last}" if allowance.last > allowance.first else "")
        said = "would be allowed" if dry_run else f"allowed, and revoked by: revoke {allowance.id}"
        print(escaped(f"{name or 'all groups'}, {span}: {allowance} ({said})"))
    raise SystemExit(status)


def _change(minutes: int | None, unlimited: bool, forbidden: bool, window: str | None) -> timedelta | Freedom | Window:
    given = [minutes is not None, unlimited, forbidden, window is not None]
    if sum(given) != 1:
        raise click.UsageError("give one of --minutes ±M, --unlimited, --none and --window W")
    if minutes == 0:
        raise click.UsageError("--minutes 0 changes nothing; write +60 or -30")
    if minutes is not None:
        return timedelta(minutes=minutes)
    if window is None:
        return Freedom.UNLIMITED if unlimited else Freedom.NONE
    try:
        return parse_window(window)
    except AllowanceError as error:
        raise click.UsageError(str(error)) from None


def _today(tz: tzinfo, now: datetime) -> date:
    return now.astimezone(tz).date()


def _check_days(first: date, last: date, change: timedelta | Freedom | Window, *, today: date) -> None:
    if first < today:
        raise click.UsageError(f"{first} is past; days that are over stay as they were, so begin with {today} or later")
    if isinstance(change, Window) and change.weekday is not None:
        days = (first + timedelta(days=number) for number in range(min(7, (last - first).days + 1)))
        if change.weekday not in {day.weekday() for day in days}:
            raise click.UsageError(
                f"the window {change} never opens: {first} is a {first:%A}; name a span with its day"
            )
