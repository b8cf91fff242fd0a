"""`backup`: save the files in the homes."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import click

from inventory.backup import report
from inventory.backup.backup_index import BackupError
from inventory.backup.preview import BackupPreview, preview_backup
from inventory.backup.run import BackupRequest, BackupRun, prepare_backup
from inventory.backup.target import TIERS, TargetError
from inventory.commands import options
from inventory.commands.signals import stop_on_signals
from inventory.results.users_file import UsersFileError
from inventory.scan.checkpoint import CheckpointError
from inventory.scan.homes import NothingToScan
from inventory.scan.users import list_users
from inventory.transport.client import Client
from inventory.transport.workspace import WorkspaceApi, WorkspaceError
from labkit import exit_status
from labkit.extras import cli

log = logging.getLogger(__name__)
FORMATS = {"source": ("source",), "jupyter": ("jupyter",), "both": ("source", "jupyter")}
VOLUME = re.compile(r"/Volumes(/(?!\.{1,2}(/|\Z))[^/\0]+){3,}")


@click.command(
    "backup",
    epilog="""
    \b
    Examples:
      python -m inventory backup --output /media/lab                  # everybody
      python -m inventory backup dana@example.org --output saved --dry-run
      python -m inventory backup --all-homes --shared --tier cold \\
          --output abfss://term@account.dfs.core.windows.net/lab
      python -m inventory backup --output /media/lab --since /media/lab/<host>/2026-10-18/manifest.jsonl
      python -m inventory backup --output /media/lab --resume         # after an interruption, or to retry failures
    """,
)
@options.users
@options.users_file
@click.option("--group", metavar="NAME", help="Save the direct and nested members of this group.")
@options.all_homes
@options.shared
@click.option("-o", "--output", required=True, metavar="TARGET", help="A folder, or a URL such as abfss://….")
@options.workspace_only
@options.dbfs_only
@click.option("--volumes", multiple=True, metavar="/Volumes/…", help="Also save this volume or a folder in it.")
@click.option(
    "--notebook-format",
    type=click.Choice(list(FORMATS)),
    default="source",
    show_default=True,
    help="Notebook format.",
)
@click.option(
    "--max-file-size", type=cli.IntParamType(0, unit="bytes"), metavar="N", help="Skip files larger than N bytes."
)
@click.option(
    "--tier", type=click.Choice(TIERS), help="Access tier in Azure storage; the account's default if not given."
)
@click.option(
    "--since",
    metavar="MANIFEST",
    help="Only download objects changed since the backup with this manifest, which must be in TARGET.",
)
@click.option(
    "--retain-until", metavar="DATE", help="Day until which to keep the backup; `delete-old-files` lists it afterwards."
)
@click.option("--resume", is_flag=True, help="Continue a stopped backup, and retry failures.")
@cli.dry_run_option
@options.access
@cli.json_option
def command(
    users: tuple[str, ...],
    users_file: Path | None,
    group: str | None,
    all_homes: bool,
    shared: bool,
    output: str,
    workspace_only: bool,
    dbfs_only: bool,
    volumes: tuple[str, ...],
    notebook_format: str,
    max_file_size: int | None,
    tier: str | None,
    since: str | None,
    retain_until: str | None,
    resume: bool,
    dry_run: bool,
    access: options.Access,
    as_json: bool,
) -> None:
    """Save every user's home, in DBFS and in the Workspace, below TARGET/<host>/<date>/<user>.

    A manifest in TARGET/<host>/<date> records every object with its path and checksum, or why it could not be saved.
    Progress is stored, so that --resume continues a backup that was stopped or killed. Exit status: 0 complete; 1 an
    object could not be saved, or the backup was stopped; 2 bad input, or no access at all.
    """
    for volume in volumes:
        if not VOLUME.fullmatch(volume):
            raise cli.CommandError(
                f"--volumes {volume}: expected /Volumes/<catalog>/<schema>/<volume> or a folder in it."
            )
    client = options.make_client(access)
    request = BackupRequest(
        output=output,
        users=_selected_users(client, options.selected_users(users, users_file), group),
        sources=options.selected_sources(dbfs_only, workspace_only),
        all_homes=all_homes,
        shared=shared,
        volumes=volumes,
        formats=FORMATS[notebook_format],
        max_size=max_file_size,
        tier=tier,
        since=since,
        retain_until=_retention_date(retain_until),
    )
    if dry_run:
        preview = _preview(client, request)
        if as_json:
            cli.print_json(report.preview_document(preview))
        else:
            click.echo(report.preview_text(preview))
        sys.exit(exit_status.PARTLY_FAILED if preview.failures else exit_status.DONE)
    run = _prepare(client, request, resume=resume)
    with (
        options.write_errors(Path(run.backup.address)),
        _resumable(),
        stop_on_signals() as stop,
        run,
        report.BackupReporter(terminal=sys.stderr.isatty()) as reporter,
    ):
        result = run.save(stop, reporter)
    if not result.complete:
        click.echo("Stopped. To continue, run the same command with --resume.", err=True)
        sys.exit(exit_status.PARTLY_FAILED)
    document: dict[str, Any] = report.backup_document(result)
    if as_json:
        cli.print_json(document)
    else:
        click.echo(report.backup_text(document))
    if result.failed:
        click.echo(f"{result.failed} objects could not be saved; --resume retries them.", err=True)
    sys.exit(exit_status.PARTLY_FAILED if result.failed else exit_status.DONE)


def _selected_users(client: Client, named: tuple[str, ...], group: str | None) -> tuple[str, ...]:
    if group is None:
        return named
    try:
        members = [user.username for user in list_users(WorkspaceApi(client), group=group)]
    except WorkspaceError as error:
        raise cli.CommandError(str(error)) from None
    if not members:
        raise cli.CommandError(f"the group {group} has no members, so there is nothing to save.")
    return tuple(dict.fromkeys([*named, *members]))


def _retention_date(text: str | None) -> str | None:
    try:
        return text and date.fromisoformat(text).isoformat()
    except ValueError:
        raise cli.CommandError(f"--retain-until {text}: expected a date such as 2027-03-31.") from None


def _preview(client: Client, request: BackupRequest) -> BackupPreview:
    try:
        with stop_on_signals() as stop:
            return preview_backup(client, request, stop)
    except (WorkspaceError, NothingToScan, UsersFileError) as error:
        raise cli.CommandError(str(error)) from None


def _prepare(client: Client, request: BackupRequest, *, resume: bool) -> BackupRun:
    try:
        # Checked first: with an invalid credential, every home would fail.
        name, _ = WorkspaceApi(client).caller()
        log.info("saving %s as %s", client.host, name)
        with options.write_errors(Path(request.output)):
            environ = options.environment()
            return prepare_backup(client, request, resume=resume, now=cli.now(environ), environ=environ)
    except (CheckpointError, WorkspaceError, NothingToScan, UsersFileError, TargetError, BackupError) as error:
        raise cli.CommandError(str(error)) from None


@contextmanager
def _resumable() -> Iterator[None]:
    """Raise CommandError for errors that end a running backup."""
    try:
        yield
    except CheckpointError as error:
        raise cli.CommandError(str(error)) from None
    except (TargetError, BackupError) as error:
        raise cli.CommandError(f"{error} Saved objects are kept; use --resume to continue.") from None
