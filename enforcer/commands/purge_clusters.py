"""`purge-clusters`: deletes the clusters of a term permanently."""

import click

from enforcer.commands import _removal
from enforcer.commands._listing import admin_listing_and_lab
from enforcer.domain.snapshot import group_of
from enforcer.retention.term_end import clusters_to_remove


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
@_removal.options
def command(options: _removal.RemovalOptions) -> int:
    """Permanently delete the clusters of the groups listed in the course file, and no others.

    Lists them first and asks for a typed confirmation. An interrupted run can be repeated. Exits 1 if a cluster could
    not be deleted.
    """
    with admin_listing_and_lab() as (held, lab):
        of_lab = {cluster.id: group_of(cluster) for cluster in lab.clusters}
        named = lab.course.groups
        selection = clusters_to_remove(held.clusters(), of_lab, named, keep=options.keep, everything=options.everything)
        refusal = _removal.without_course_file(lab.course, "clusters")
        return _removal.remove(
            selection, "clusters", held.purge_cluster, workspace=held.identity, options=options, refusal=refusal
        )
