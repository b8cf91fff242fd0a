"""`block`: no use on these days."""

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
    """Allow GROUP, its display name or number, or all groups no use: today, on one day or on each day of a span.

    Its cluster is stopped and cannot be started on these days. `revoke` takes it back. The block is stored like an
    allowance: in a file in the workspace, which every machine sees. It is in effect when this returns.
    Exits 1 if it was written and part of the tick that puts it into effect failed.
    """
    return _give_allowance.give(group, LimitOverride.BLOCKED, options)
