"""`restore`: restore a backup into a workspace."""

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
from inventory.commands.signals import stop_on_signals
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
@click.option("--map", "maps", multiple=True, metavar="OLD=NEW", help="Restore user OLD as user NEW.")
@click.option(
    "--into",
    default="",
    metavar="/PATH",
    help="Restore into this folder, with a subfolder per user, instead of into the homes.",
)
@click.option("--skip-existing", is_flag=True, help="Keep existing objects; without this option they are failures.")
@click.option("--overwrite", is_flag=True, help="Replace existing objects.")
@click.option(
    "--into-workspace",
    metavar="ID",
    help="Id of the only permitted workspace. Overrides LAB_EXPECTED_WORKSPACE_ID and LAB_EXPECTED_HOST.",
)
@click.option(
    "--git", "with_git", is_flag=True, help="Clone git folders from their URL instead of restoring their files."
)
@click.option("--resume", is_flag=True, help="Continue a stopped restore, and retry failures.")
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
    """Restore the newest backup in TARGET: folders, notebooks in their language, files, DBFS.

    TARGET may also be one backup, <host>/<date>. Without users, all users are restored, into the same or a different
    workspace. Existing objects are kept unless --overwrite is given. Objects changed since the restore started are
    always kept; the saved object is then restored beside the changed one, as NAME (restored DATE). Exit status: 0
    complete; 1 an object could not be restored or got another name, or the restore was stopped; 2 bad input, or no
    access at all.
    """
    if skip_existing and overwrite:
        raise cli.CommandError("--skip-existing and --overwrite cannot be combined.")
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
            log.warning("%s was never finished; restoring the backup before it: %s", later.address, backup.address)
        if reader.end is None:
            log.warning("%s was never finished; restoring what it contains", backup.address)
        log.info("restoring %s into %s as %s", backup.address, client.host, identity.caller)
        request = RestoreRequest(backup, users, _new_usernames(maps), into, existing, with_git)
        if dry_run:
            with stop_on_signals() as stop:
                result = preview_restore(client, request, index, stop)
        else:
            with (
                options.write_errors(Path()),
                stop_on_signals() as stop,
                prepare_restore(client, request, index, resume=resume, now=cli.now(options.environment())) as run,
                report.RestoreReporter(terminal=sys.stderr.isatty()) as reporter,
            ):
                result = run.restore(stop, reporter)
    if not result.complete:
        click.echo("Stopped. To continue, run the same command with --resume.", err=True)
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
            raise cli.CommandError(f"--map {text}: {old} or {new} is also in a different --map.")
        found[old] = new
    return found
