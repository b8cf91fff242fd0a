"""`purge-clusters`: remove the clusters of a term for good."""

import click

from enforcer.commands import _removal
from enforcer.commands._listing import holdings_and_lab
from enforcer.retention.term_end import clusters_to_remove
from labkit.extras import cli


@click.command(
    "purge-clusters",
    epilog="""
    \b
    Examples:
      python -m enforcer purge-clusters --dry-run
      python -m enforcer purge-clusters --keep cluster_03
      python -m enforcer purge-clusters --yes --json
    """,
)
@_removal.keep
@_removal.everything
@cli.yes
@cli.as_json
@cli.dry_run
def command(keep: tuple[str, ...], everything: bool, yes: bool, as_json: bool, dry_run: bool) -> None:
    """Remove the clusters of the lab with their definitions, or with --all every cluster of the workspace.

    Lists them first and asks for a typed confirmation. A run that was broken off can be repeated. Exits 1 when one
    could not be deleted.
    """
    with holdings_and_lab() as (held, lab):
        selection = clusters_to_remove(held.clusters(), lab.chosen, keep=keep, everything=everything)
        status = _removal.remove(
            selection,
            "clusters",
            held.purge_cluster,
            workspace=held.identity,
            yes=yes,
            as_json=as_json,
            dry_run=dry_run,
        )
    raise SystemExit(status)
