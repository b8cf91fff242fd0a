"""`backup`: save what lies in the homes."""

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
from inventory.backup.backup_index import CatalogError
from inventory.backup.preview import Preview, preview
from inventory.backup.run import Run, Wish, prepare
from inventory.backup.target import TIERS, TargetError
from inventory.commands import options
from inventory.commands.signals import stoppable
from inventory.results.users_file import UsersFileError
from inventory.scan.checkpoint import CheckpointError
from inventory.scan.homes import NothingToScan
from inventory.scan.users import everybody
from inventory.transport.client import Client
from inventory.transport.workspace import Workspace, WorkspaceError
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
@click.option("--group", metavar="NAME", help="The members of this group, and of the groups in it.")
@options.all_homes
@options.shared
@click.option("-o", "--output", required=True, metavar="TARGET", help="A folder, or an address such as abfss://….")
@options.workspace_only
@options.dbfs_only
@click.option("--volumes", multiple=True, metavar="/Volumes/…", help="Also this volume, or a folder in it.")
@click.option(
    "--notebook-format", type=click.Choice(list(FORMATS)), default="source", show_default=True, help="Of notebooks."
)
@click.option(
    "--max-file-size", type=cli.IntParamType(0, unit="bytes"), metavar="N", help="Leave out files of more bytes."
)
@click.option("--tier", type=click.Choice(TIERS), help="Of Azure's storage; without it the account's own.")
@click.option("--since", metavar="MANIFEST", help="Of an earlier backup there: what did not change is not read again.")
@click.option("--retain-until", metavar="DATE", help="Written down; afterwards `purge` names the backup.")
@click.option("--resume", is_flag=True, help="Go on with a backup that was stopped, and retry what failed.")
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
    """Save what lies in every user's home, in DBFS and in the Workspace, below TARGET/<host>/<date>/<user>.

    Everything is written down in a manifest there: where it lies, its checksum, or why it could not be saved. What is
    done is kept, so that a backup that was stopped, or killed, goes on with --resume. Exit status: 0 complete; 1
    something could not be saved, or it was stopped; 2 bad input, or no access at all.
    """
    for volume in volumes:
        if not VOLUME.fullmatch(volume):
            raise cli.CommandError(f"--volumes {volume}: expected /Volumes/<catalog>/<schema>/<volume>, or more.")
    client = options.client(access)
    wish = Wish(
        output=output,
        users=_users(client, options.names(users, users_file), group),
        sources=options.sources(dbfs_only, workspace_only),
        all_homes=all_homes,
        shared=shared,
        volumes=volumes,
        formats=FORMATS[notebook_format],
        max_size=max_file_size,
        tier=tier,
        since=since,
        retain_until=_date(retain_until),
    )
    if dry_run:
        found = _previewed(client, wish)
        if as_json:
            cli.print_json(report.preview_document(found))
        else:
            click.echo(report.preview_text(found))
        sys.exit(exit_status.PARTLY_FAILED if found.failures else exit_status.DONE)
    run = _prepared(client, wish, resume=resume)
    with (
        options.writing(Path(run.backup.address)),
        _resumable(),
        stoppable() as stop,
        run,
        report.Reporter(terminal=sys.stderr.isatty()) as reporter,
    ):
        outcome = run.save(stop, reporter)
    if not outcome.complete:
        click.echo("Stopped. To go on: the same command with --resume.", err=True)
        sys.exit(exit_status.PARTLY_FAILED)
    document: dict[str, Any] = report.document(outcome)
    if as_json:
        cli.print_json(document)
    else:
        click.echo(report.text(document))
    if outcome.failed:
        click.echo(f"{outcome.failed} objects could not be saved; --resume tries them again.", err=True)
    sys.exit(exit_status.PARTLY_FAILED if outcome.failed else exit_status.DONE)


def _users(client: Client, named: tuple[str, ...], group: str | None) -> tuple[str, ...]:
    if group is None:
        return named
    try:
        members = [user.username for user in everybody(Workspace(client), group=group)]
    except WorkspaceError as error:
        raise cli.CommandError(str(error)) from None
    if not members:
        raise cli.CommandError(f"nobody is in the group {group}, so there is nothing to save.")
    return tuple(dict.fromkeys([*named, *members]))


def _date(text: str | None) -> str | None:
    try:
        return text and date.fromisoformat(text).isoformat()
    except ValueError:
        raise cli.CommandError(f"--retain-until {text}: expected a date such as 2027-03-31.") from None


def _previewed(client: Client, wish: Wish) -> Preview:
    try:
        with stoppable() as stop:
            return preview(client, wish, stop)
    except (WorkspaceError, NothingToScan, UsersFileError) as error:
        raise cli.CommandError(str(error)) from None


def _prepared(client: Client, wish: Wish, *, resume: bool) -> Run:
    try:
        # Asked first: with a credential that is not accepted, every home would be a failure.
        name, _ = Workspace(client).caller()
        log.info("saving %s as %s", client.host, name)
        with options.writing(Path(wish.output)):
            environ = options.environment()
            return prepare(client, wish, resume=resume, now=cli.now(environ), environ=environ)
    except (CheckpointError, WorkspaceError, NothingToScan, UsersFileError, TargetError, CatalogError) as error:
        raise cli.CommandError(str(error)) from None


@contextmanager
def _resumable() -> Iterator[None]:
    """Raises CommandError for what ends a backup that has begun."""
    try:
        yield
    except CheckpointError as error:
        raise cli.CommandError(str(error)) from None
    except (TargetError, CatalogError) as error:
        raise cli.CommandError(f"{error} What is saved so far is kept: go on with --resume.") from None
