"""`user-groups`: lists the memberships of users in groups."""

import click

from enforcer.commands._listing import admin_listing, show
from enforcer.workspace.directory_rows import membership_rows
from labkit.extras import cli


@click.command(
    "user-groups",
    epilog="""
    \b
    Examples:
      python -m enforcer user-groups
      python -m enforcer user-groups --json
    """,
)
@cli.json_option
def command(as_json: bool) -> None:
    """List all memberships, one row per user and group."""
    with admin_listing() as held:
        rows = membership_rows(held.users(), held.groups())
    show(rows, ["user", "group"], nothing="no user in the workspace is in a group", as_json=as_json)
