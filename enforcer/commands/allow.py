"""`allow`: changes limits on given days, for a reason."""

from datetime import timedelta

import click

from enforcer.commands import _give_allowance
from enforcer.domain.allowances import AllowanceError, LimitOverride, parse_window
from labkit.extras import cli


@click.command(
    "allow",
    epilog="""
    \b
    Examples:
      python -m enforcer allow group_03 --minutes +60 --reason "project deadline"       # today
      python -m enforcer allow 3 --minutes -30 --day 2026-11-08 --reason "away"
      python -m enforcer allow all --unlimited --from 2026-12-01 --to 2026-12-03 --reason "hackathon"
      python -m enforcer allow all --window "Mon 10:00-12:00" --from 2026-11-02 --to 2027-01-25 --reason "lesson"
    """,
)
@click.argument("group")
@click.option(
    "--minutes",
    type=cli.IntParamType(-1440, 1440, unit="minutes"),
    metavar="±MINUTES",
    help="Raise or lower each day's soft and hard limits by this many minutes.",
)
@click.option(
    "--unlimited", is_flag=True, help="No limits on these days; the time still counts towards the week and term limits."
)
@click.option(
    "--window",
    metavar="WINDOW",
    help='Time window that does not count: "Mon 10:00-12:00", or "10:00-12:00" for every day.',
)
@cli.old_flag("--none", "blocked", new="the command block")
@_give_allowance.options
def command(
    group: str,
    minutes: int | None,
    unlimited: bool,
    window: str | None,
    blocked: bool,
    options: _give_allowance.AllowanceOptions,
) -> int:
    """Change the limits of GROUP (display name, number or `all`) for today, another day or a date range.

    The allowance is stored in the workspace, so that every machine sees it. It is in effect when this command returns.
    Exits 1 if it was stored, but part of putting it into effect failed.
    """
    return _give_allowance.give(group, _change(minutes, unlimited, blocked, window), options)


def _change(minutes: int | None, unlimited: bool, blocked: bool, window: str | None) -> _give_allowance.Change:
    given = [minutes is not None, unlimited, blocked, window is not None]
    if sum(given) != 1:
        raise click.UsageError("specify exactly one of --minutes, --unlimited and --window")
    if minutes == 0:
        raise click.UsageError("--minutes 0 changes nothing; use a number such as +60 or -30")
    if minutes is not None:
        return timedelta(minutes=minutes)
    if window is None:
        return LimitOverride.UNLIMITED if unlimited else LimitOverride.BLOCKED
    try:
        return parse_window(window)
    except AllowanceError as error:
        raise click.UsageError(str(error)) from None
