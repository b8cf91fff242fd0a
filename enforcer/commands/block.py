"""`block`: forbids the use of a cluster for some days."""

import click

from enforcer.commands import _give_allowance
from enforcer.domain.allowances import LimitOverride


@click.command(
    "block",
    epilog="""
    \b
    Examples:
      python -m enforcer block 7 --reason "the group asked for it"                         # today
      python -m enforcer block all --from 2026-12-24 --to 2026-12-26 --reason "maintenance"
    """,
)
@click.argument("group")
@_give_allowance.options
def command(group: str, options: _give_allowance.AllowanceOptions) -> int:
    """Forbid GROUP (display name, number or `all`) to use its cluster today, on another day or in a date range.

    The cluster is stopped and cannot be started on these days. `revoke` ends the block. Like an allowance, the block is
    stored in the workspace, so that every machine sees it. It is in effect when this command returns. Exits 1 if it was
    stored, but part of putting it into effect failed.
    """
    return _give_allowance.give(group, LimitOverride.BLOCKED, options)
