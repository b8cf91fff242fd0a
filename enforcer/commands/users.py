"""`users`: lists the users in the workspace."""

import click

from enforcer.commands._listing import admin_listing, show
from enforcer.workspace.directory_rows import user_rows
from labkit.extras import cli


@click.command(
    "users",
    epilog="""
    \b
    Examples:
      python -m enforcer users
      python -m enforcer users --json
    """,
)
@cli.json_option
def command(as_json: bool) -> None:
    """List the users in the workspace with their groups."""
    with admin_listing() as held:
        rows = user_rows(held.users(), held.groups())
    show(rows, ["user", "name", "active", "groups"], nothing="the workspace has no users", as_json=as_json)
