"""`requests`: lists the groups' requests for more time."""

import sys

import click

from enforcer.commands import context
from enforcer.commands._time_requests import current_requests, request_json
from enforcer.time_requests.model import State
from labkit import exit_status
from labkit.extras import cli
from labkit.extras.table import print_table
from labkit.text import escaped


@click.command(
    "requests",
    epilog="""
    \b
    Examples:
      python -m enforcer requests           # those that wait for an answer
      python -m enforcer requests --all     # also answered and expired ones
      python -m enforcer requests --json
    """,
)
@click.option("--all", "everything", is_flag=True, help="Also list answered, expired and withdrawn time requests.")
@cli.json_option
def command(everything: bool, as_json: bool) -> None:
    """List the groups' requests for more time that wait for an answer, oldest first."""
    settings = context.settings(needs_workspace=True)
    found = current_requests(settings, now=cli.now())
    shown = [one for one in found.requests if everything or one.state is State.WAITING]
    if as_json:
        cli.print_json([request_json(one) for one in shown])
    elif not shown:
        print(
            "no group has asked for more time yet"
            if not found.requests
            else "no time request waits for an answer; --all also lists the others"
        )
    else:
        headings = ["id", "group", "asked at", "minutes", "reason", "state", "answer"]
        rows = [
            (
                one.id,
                one.group,
                f"{one.asked_at:%Y-%m-%d %H:%M} UTC",
                one.minutes,
                one.reason,
                one.state.value,
                one.answer,
            )
            for one in shown
        ]
        print_table(headings, rows)
    for problem in found.problems:
        print(escaped(problem), file=sys.stderr)
    raise SystemExit(exit_status.PARTLY_FAILED if found.problems else exit_status.DONE)
