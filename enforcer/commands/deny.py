"""`deny`: denies a group's request for more time."""

from dataclasses import replace

import click

from enforcer.commands import context
from enforcer.commands._entries import write_once
from enforcer.commands._give_allowance import LONGEST_REASON
from enforcer.commands._take_effect import take_effect
from enforcer.commands._time_requests import current_requests, find, request_json
from enforcer.operations.allowance_files import path_of
from enforcer.time_requests.answers import denial
from enforcer.time_requests.model import GIVEN, State
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped


@click.command(
    "deny",
    epilog="""
    \b
    Examples:
      python -m enforcer requests                                    # lists the ids
      python -m enforcer deny 20261102T083000Z-5f0c91aa3e --reason "not before the exam"
    """,
)
@click.argument("id")
@click.option("--reason", required=True, help="Reason, which the group reads on its page.")
@cli.json_option
@cli.dry_run_option
def command(id: str, reason: str, as_json: bool, dry_run: bool) -> None:
    """Deny the time request ID.

    The first characters of an id suffice if they are unique. The answer is stored in the workspace, so
    that no machine approves the time request afterwards.
    """
    why = " ".join(reason.split())
    if not why or len(why) > LONGEST_REASON:
        raise click.UsageError(f"--reason must have 1 to {LONGEST_REASON} characters")
    settings = context.settings(needs_workspace=True)
    now = cli.now()
    found = current_requests(settings, now=now)
    request = find(id, found.requests)
    if request.state in GIVEN:
        cli.fail(f"the time request {request.id} was approved; `allowances` shows the id for `revoke`.")
    if request.state is State.WITHDRAWN:
        cli.fail(f"{request.group} has changed its file since the time request {request.id}; there is nothing to deny.")
    entry = denial(request, why, given_by=found.workspace.caller, now=now)
    is_new = request.state is not State.DENIED
    if is_new and not dry_run:
        is_new = write_once(found.workspace, found.lab, entry, failed="nothing was denied")
    status = exit_status.DONE if dry_run else take_effect(settings)
    if as_json:
        denied = replace(request, state=State.DENIED, answer=why, answered_at=now, minutes_given=None)
        cli.print_json(request_json(denied if is_new else request) | {"path": path_of(found.lab, entry.id)})
    else:
        result = "was already denied" if not is_new else "would be denied" if dry_run else "denied"
        print(escaped(f"{request.group}, {request.minutes or '?'} minutes: {result}"))
    raise SystemExit(status)
