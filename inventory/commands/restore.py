"""`restore`: put what was saved back into a workspace."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from inventory.backup.backup_index import BackupError, newest_complete_backup
from inventory.backup.target import TargetError
from inventory.commands import options
from inventory.commands.signals import stoppable
from inventory.restore import report
from inventory.restore.destination import parse_map
from inventory.restore.restore_work import ExistingPolicy
from inventory.restore.run import RestoreRequest, prepare_restore, preview_restore
from inventory.scan.checkpoint import CheckpointError
from inventory.transport.workspace import WorkspaceApi, WorkspaceError
from labkit import exit_status
from labkit.extras import cli

log = logging.getLogger(__name__)


@click.command(
    "restore",
    epilog="""
    \b
    Examples:
      python -m inventory restore /media/lab --dry-run
      python -m inventory restore /media/lab dana@example.org --into /Shared/returned
      python -m inventory restore /media/lab --map dana@old.example=dana@new.example --skip-existing
      python -m inventory restore /media/lab --resume              # after an interruption, or to retry failures
    """,
)
@click.argument("target")
@options.users
@click.option("--map", "maps", multiple=True, metavar="OLD=NEW", help="This user has another name there.")
@click.option("--into", default="", metavar="/PATH", help="Below this folder, a folder a user, not into their homes.")
@click.option("--skip-existing", is_flag=True, help="Leave what is there already; without this it is a failure.")
@click.option("--overwrite", is_flag=True, help="Replace what is there already.")
@click.option(
    "--into-workspace",
    metavar="ID",
    help="The id of the workspace to restore into; refuse any other. Replaces LAB_EXPECTED_WORKSPACE_ID and _HOST.",
)
@click.option("--git", "with_git", is_flag=True, help="Clone git folders from where they came, instead of their files.")
@click.option("--resume", is_flag=True, help="Go on with a restore that was stopped, and retry what failed.")
@cli.dry_run_option
@options.access
@cli.json_option
def command(
    target: str,
    users: tuple[str, ...],
    maps: tuple[str, ...],
    into: str,
    skip_existing: bool,
    overwrite: bool,
    into_workspace: str | None,
    with_git: bool,
    resume: bool,
    dry_run: bool,
    access: options.Access,
    as_json: bool,
) -> None:
    """Put the newest backup in TARGET back: folders, notebooks in their language, files, DBFS.

    TARGET may also be one backup, <host>/<date>. Without users, everybody's; into this workspace or another one. What
    is there is not touched unless asked, and what was changed since the restore began never is: what was saved goes
    beside it, as NAME (restored DATE). Exit status: 0 complete; 1 something could not be restored or lies beside its
    place, or it was stopped; 2 bad input, or no access at all.
    """
    if skip_existing and overwrite:
        raise cli.CommandError("--skip-existing and --overwrite are two wishes; give only one of them.")
    if into and not into.startswith("/"):
        raise cli.CommandError(f"--into {into}: expected an absolute path such as /Shared/returned.")
    existing: ExistingPolicy = "skip" if skip_existing else "overwrite" if overwrite else "refuse"
    expected = options.expectation(into_workspace)
    client = options.make_client(access)
    with refusing_errors():
        identity, _ = WorkspaceApi(client).identity()
        options.require_expected(identity, expected)
        backup, index, reader, unfinished = newest_complete_backup(target, options.environment())
        for later in unfinished:
            log.warning("%s was never finished, so the one before it is taken: %s", later.address, backup.address)
        if reader.end is None:
            log.warning("%s was never finished; what it has is restored", backup.address)
        log.info("restoring %s into %s as %s", backup.address, client.host, identity.caller)
        request = RestoreRequest(backup, users, _new_usernames(maps), into, existing, with_git)
        if dry_run:
            with stoppable() as stop:
                result = preview_restore(client, request, index, stop)
        else:
            with (
                options.write_errors(Path()),
                stoppable() as stop,
                prepare_restore(client, request, index, resume=resume, now=cli.now(options.environment())) as run,
                report.RestoreReporter(terminal=sys.stderr.isatty()) as reporter,
            ):
                result = run.restore(stop, reporter)
    if not result.complete:
        click.echo("Stopped. To go on: the same command with --resume.", err=True)
        sys.exit(exit_status.PARTLY_FAILED)
    document: dict[str, Any] = report.restore_document(result, dry_run=dry_run)
    if as_json:
        cli.print_json(document)
    else:
        click.echo(report.restore_text(document))
    sys.exit(exit_status.PARTLY_FAILED if result.failures or result.beside else exit_status.DONE)


@contextmanager
def refusing_errors() -> Iterator[None]:
    try:
        yield
    except (BackupError, TargetError, WorkspaceError, CheckpointError) as error:
        raise cli.CommandError(str(error)) from None


def _new_usernames(maps: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in maps:
        try:
            old, new = parse_map(text)
        except ValueError as error:
            raise cli.CommandError(str(error)) from None
        if old in found or new in found.values():
            raise cli.CommandError(f"--map {text}: {old} or {new} is in another --map, too.")
        found[old] = new
    return found
