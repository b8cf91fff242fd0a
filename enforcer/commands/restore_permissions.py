"""`restore-permissions`: lets every group start its cluster again immediately."""

import sys
from functools import partial

import click

from enforcer.commands import context
from enforcer.commands.workspace_context import lab_of
from enforcer.domain.observations import ObservedCluster
from enforcer.domain.quota import Level
from enforcer.domain.snapshot import group_of
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.tasks import in_parallel
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped


@click.command(
    "restore-permissions",
    epilog="""
    \b
    Examples:
      python -m enforcer restore-permissions --dry-run
      python -m enforcer restore-permissions
    """,
)
@cli.json_option
@cli.dry_run_option
def command(as_json: bool, dry_run: bool) -> None:
    """Give CAN_RESTART back to every restricted group in the lab, even if the enforcer did not restrict it.

    The next poll restricts a group over its limit again; to prevent that, use `allow GROUP --unlimited`. Only
    permissions granted to the groups themselves change. Exits 1 if a permission could not be read or changed.
    """
    settings = context.settings(needs_workspace=True)
    now = cli.now()
    workspace, lab = lab_of(settings, now=now)

    def restore(cluster: ObservedCluster) -> tuple[Level | None, str | None]:
        """Return the previous level, and the error."""
        level = None
        try:
            principal = lab.course.principal_of(group_of(cluster))
            level = workspace.level(cluster.id, principal)
            if level is Level.ATTACH and not dry_run:
                workspace.set_level(cluster.id, principal, Level.RESTART)
        except WorkspaceError as error:
            return level, str(error)
        return level, None

    done = in_parallel([partial(restore, cluster) for cluster in lab.clusters])
    rows = [
        {
            "cluster_id": cluster.id,
            "group": group_of(cluster),
            "previous_permission": level.value if level else None,
            "restored": level is Level.ATTACH and not error and not dry_run,
            "error": error,
        }
        for cluster, (level, error) in zip(lab.clusters, done, strict=True)
    ]
    if as_json:
        cli.print_json(rows)
    else:
        for row in rows:
            if row["previous_permission"] == Level.ATTACH.value and not row["error"]:
                print(escaped(f"{'would restore' if dry_run else 'restored'} {row['group']} ({row['cluster_id']})"))
        if not any(row["error"] or row["previous_permission"] == Level.ATTACH.value for row in rows):
            print("no group in the lab is restricted" if rows else "the lab has no clusters")
    errors = [str(row["error"]) for row in rows if row["error"]]
    for error in errors:
        print(escaped(error), file=sys.stderr)
    raise SystemExit(exit_status.PARTLY_FAILED if errors else exit_status.DONE)
