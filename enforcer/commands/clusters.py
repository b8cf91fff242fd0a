"""`clusters`: lists the clusters in the workspace."""

import click

from enforcer.commands._listing import admin_listing, show
from enforcer.workspace.directory_rows import cluster_rows
from labkit.extras import cli


@click.command(
    "clusters",
    epilog="""
    \b
    Examples:
      python -m enforcer clusters
      python -m enforcer clusters --json
    """,
)
@cli.json_option
def command(as_json: bool) -> None:
    """List the clusters in the workspace, with the group of each lab cluster."""
    with admin_listing() as held:
        rows = cluster_rows(held.clusters())
    show(
        rows,
        ["cluster_id", "cluster", "state", "group", "course", "term", "started", "terminated", "pinned"],
        nothing="the workspace has no clusters",
        as_json=as_json,
    )
