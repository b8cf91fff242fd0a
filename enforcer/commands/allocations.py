"""`allocations`: permissions of groups on clusters, with members."""

import sys
from functools import partial

import click

from enforcer.commands._listing import admin_listing, show
from enforcer.workspace.directory import Grant
from enforcer.workspace.directory_rows import allocation_rows
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.tasks import in_parallel
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped


@click.command(
    "allocations",
    epilog="""
    \b
    Examples:
      python -m enforcer allocations
      python -m enforcer allocations --json
    """,
)
@cli.json_option
def command(as_json: bool) -> None:
    """List clusters with groups, permissions and members in one table.

    Exits 1 if a cluster's permissions could not be read; the rows for all other clusters are still shown.
    """
    problems: list[str] = []
    with admin_listing() as held:
        clusters, groups, people = held.clusters(), held.groups(), held.users()

        def read(id: str) -> list[Grant] | None:
            try:
                return held.grants(id)
            except WorkspaceError as error:
                problems.append(str(error))
                return None

        grants = in_parallel([partial(read, cluster.id) for cluster in clusters])
    rows = allocation_rows(clusters, {c.id: g for c, g in zip(clusters, grants, strict=True)}, groups, people)
    show(rows, ["cluster", "group", "permission", "members"], nothing="the workspace has no clusters", as_json=as_json)
    for problem in sorted(problems):
        print(escaped(problem), file=sys.stderr)
    raise SystemExit(exit_status.PARTLY_FAILED if problems else exit_status.DONE)
