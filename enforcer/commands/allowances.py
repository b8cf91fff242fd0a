"""`allowances`: lists allowances and blocks."""

import sys

import click

from enforcer.commands import context
from enforcer.commands.workspace_context import course_of
from enforcer.domain.allowances import Allowance, Revocation
from enforcer.operations.allowance_files import allowance_json, revoked_by
from labkit import exit_status
from labkit.extras import cli
from labkit.extras.table import print_table
from labkit.text import escaped


@click.command(
    "allowances",
    epilog="""
    \b
    Examples:
      python -m enforcer allowances           # from today on
      python -m enforcer allowances --all     # also past and revoked ones
      python -m enforcer allowances --json
    """,
)
@click.option("--all", "everything", is_flag=True, help="Also show past and revoked allowances.")
@cli.json_option
def command(everything: bool, as_json: bool) -> None:
    """List the allowances and blocks of the course, oldest first."""
    settings = context.settings(needs_workspace=True)
    now = cli.now()
    _, lab = course_of(settings, now=now)
    today = now.astimezone(lab.course.calendar.tz).date()
    revoked = revoked_by(lab.entries)
    given = {entry.id: entry for entry in lab.entries if isinstance(entry, Allowance)}
    shown = [a for a in given.values() if everything or (a.last_day >= today and a.id not in revoked)]
    shown.sort(key=lambda allowance: (allowance.given_at, allowance.id))
    if as_json:
        cli.print_json([allowance_json(a) | {"revoked_by": _who(revoked.get(a.id))} for a in shown])
    elif not shown:
        print(
            "there are no allowances"
            if not given
            else "no allowance is in force today or later; --all also lists past and revoked ones"
        )
    else:
        headings = ["id", "group", "from", "to", "allowed", "given by", "given at", "revoked by"]
        rows = [
            (
                a.id,
                a.group or "all",
                a.first_day,
                a.last_day,
                a,
                a.given_by,
                f"{a.given_at:%Y-%m-%d %H:%M} UTC",
                _who(revoked.get(a.id)),
            )
            for a in shown
        ]
        print_table(headings, rows)
    for problem in lab.problems:
        print(escaped(problem), file=sys.stderr)
    raise SystemExit(exit_status.PARTLY_FAILED if lab.problems else exit_status.DONE)


def _who(revocation: Revocation | None) -> str | None:
    return revocation.given_by if revocation else None
