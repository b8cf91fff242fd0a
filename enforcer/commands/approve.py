"""`approve`: gives a group the time that it asks for."""

from datetime import date

import click

from enforcer.commands import context
from enforcer.commands._entries import write_once
from enforcer.commands._take_effect import take_effect
from enforcer.commands._time_requests import current_requests, find
from enforcer.domain.allowances import Allowance
from enforcer.operations.allowance_files import allowance_json, path_of
from enforcer.time_requests.answers import approval
from enforcer.time_requests.model import GIVEN, State, TimeRequest
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped


@click.command(
    "approve",
    epilog="""
    \b
    Examples:
      python -m enforcer requests                                    # lists the ids
      python -m enforcer approve 20261102T083000Z-5f0c91aa3e
      python -m enforcer approve 20261102 --minutes 30               # the only one whose id begins with this
      python -m enforcer approve 20261102 --until 2026-11-05         # on each day up to this one
    """,
)
@click.argument("id")
@click.option(
    "--minutes",
    type=cli.IntParamType(1, 1440, unit="minutes"),
    help="Minutes instead of those that the group asks for.",
)
@click.option(
    "--until", type=cli.DateParamType(), metavar="DAY", help="Last day; each day from today on gets the minutes."
)
@cli.json_option
@cli.dry_run_option
def command(id: str, minutes: int | None, until: date | None, as_json: bool, dry_run: bool) -> None:
    """Approve the time request ID: give the group its minutes.

    The first characters of an id suffice if they are unique. The resulting allowance is for today unless --until is
    given, and is in effect when this command returns. It is stored in the workspace under an id derived from the time
    request, so that no machine gives the time twice. `revoke` ends it.
    """
    settings = context.settings(needs_workspace=True)
    now = cli.now()
    found = current_requests(settings, now=now)
    request = find(id, found.requests)
    earlier = next(
        (one for one in found.lab.entries if isinstance(one, Allowance) and one.time_request == request.id), None
    )
    today = now.astimezone(found.lab.course.calendar.tz).date()
    _check(request, minutes, until, today=today, is_answered=earlier is not None)
    allowance = earlier or approval(
        request,
        minutes or request.minutes or 0,
        first_day=today,
        last_day=until or today,
        given_by=found.workspace.caller,
        now=now,
    )
    is_new = earlier is None
    if is_new and not dry_run:
        is_new = write_once(found.workspace, found.lab, allowance, failed="nothing was approved")
    status = exit_status.DONE if dry_run else take_effect(settings)
    if as_json:
        cli.print_json(allowance_json(allowance) | {"path": path_of(found.lab, allowance.id)})
    else:
        span = f"{allowance.first_day}" + (
            f" to {allowance.last_day}" if allowance.last_day > allowance.first_day else ""
        )
        result = (
            "was already approved"
            if not is_new
            else "dry run: nothing was written"
            if dry_run
            else f"to undo it: python -m enforcer revoke {allowance.id}"
        )
        print(escaped(f"{request.group}, {span}: {allowance} ({result})"))
    raise SystemExit(status)


def _check(request: TimeRequest, minutes: int | None, until: date | None, *, today: date, is_answered: bool) -> None:
    """Print a message and exit if the time request cannot be approved with these options."""
    if until and until < today:
        raise click.UsageError(f"--until {until} is in the past; past days do not change")
    if is_answered and request.state in GIVEN:
        return
    if request.state is State.DENIED:
        cli.fail(f"the time request {request.id} was denied; use `allow` to give {request.group} more time.")
    if request.state is State.WITHDRAWN:
        cli.fail(
            f"{request.group} has changed its file since the time request {request.id}; `requests` lists the new one."
        )
    if minutes is None and request.minutes is None:
        cli.fail(f"the time request {request.id} has no readable number of minutes; add --minutes.")
