"""`groups`: lists the groups in the workspace."""

import click

from enforcer.commands._listing import admin_listing, show
from enforcer.workspace.directory_rows import group_rows
from labkit.extras import cli


@click.command(
    "groups",
    epilog="""
    \b
    Examples:
      python -m enforcer groups
      python -m enforcer groups --json
    """,
)
@cli.json_option
def command(as_json: bool) -> None:
    """List the groups in the workspace with their members."""
    with admin_listing() as held:
        rows = group_rows(held.groups(), held.users())
    show(rows, ["group", "members", "others", "entitlements"], nothing="the workspace has no groups", as_json=as_json)
