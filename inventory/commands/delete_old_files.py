"""`delete-old-files`: deletes files from past scans that contain people's names."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click

from inventory.backup.backup_index import BackupError, list_backups
from inventory.backup.target import TargetError
from inventory.commands import options
from inventory.output.retention import ExpiredFile, find_expired, record_totals, remove_expired
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped


@dataclass(frozen=True)
class ExpiredBackup:
    """A backup past its --retain-until date, to be deleted by hand."""

    backup: str
    retain_until: str
    needed_by: tuple[str, ...]
    """Later backups that refer to objects stored in it."""


@click.command(
    "delete-old-files",
    epilog="""
    \b
    Examples:
      python -m inventory delete-old-files --before 2027-03-01 --dry-run
      python -m inventory delete-old-files results users.txt --before 2027-03-01 --yes
      python -m inventory delete-old-files --before 2027-03-01 --backups /media/lab
    """,
)
@click.argument("places", nargs=-1, metavar="[FOLDER|FILE]...", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--before", type=cli.DateParamType(), metavar="DAY", required=True, help="The first day whose files are kept."
)
@click.option(
    "--backups", "targets", multiple=True, metavar="TARGET", help="List backups in TARGET that are past --retain-until."
)
@cli.yes_option
@cli.dry_run_option
@cli.json_option
def command(
    places: tuple[Path, ...], before: date, targets: tuple[str, ...], yes: bool, dry_run: bool, as_json: bool
) -> None:
    """Delete results, user lists, file rows, reports and checkpoints that are older than the --before date.

    Checks the files directly in the given folders, or in the working directory, and recognises them by content. The
    totals in a result are kept in inventory-totals.csv beside it. Backups are never deleted: expired ones are only
    listed. Exit status: 0 done; 1 a file could not be deleted; 2 bad input.
    """
    today = cli.now(options.environment()).astimezone().date()
    if before > today:
        raise cli.CommandError(f"--before {before} is in the future.")
    try:
        found = [file for place in places or (Path(),) for file in find_expired(place, before=before)]
        backups = [backup for target in targets for backup in expired_backups(target, today)]
    except (BackupError, TargetError) as error:
        raise cli.CommandError(str(error)) from None
    except OSError as error:
        raise cli.CommandError(f"{error.filename} cannot be read: {error.strerror}.") from None
    for line in _lines(found, backups):
        click.echo(escaped(line), err=as_json)
    failures: list[str] = []
    if found and not dry_run:
        if not yes and not cli.is_confirmed(f"delete files before {before}"):
            click.echo("Nothing was deleted.", err=True)
            sys.exit(exit_status.PARTLY_FAILED)
        failures = _remove(found)
    if as_json:
        cli.print_json(_document(found, backups, failures, is_done=not dry_run))
    for failure in failures:
        click.echo(escaped(failure), err=True)
    sys.exit(exit_status.PARTLY_FAILED if failures else exit_status.DONE)


def expired_backups(target: str, today: date) -> list[ExpiredBackup]:
    """Return the backups in a target whose --retain-until date is before `today`. Raises BackupError, TargetError."""
    found = list_backups(target, options.environment())
    expired = [
        (backup, until)
        for backup in found
        if (until := backup.read_header().retain_until) and until < today.isoformat()
    ]
    needed: dict[str, list[str]] = {backup.base: [] for backup, _ in expired}
    for later in found if expired else ():
        entries, _ = later.read_manifest()
        for base in {"/".join(place.split("/")[:2]) for place in entries.places()}:
            if base != later.base and base in needed:
                needed[base].append(later.base)
        entries.close()
    return [ExpiredBackup(backup.address, until, tuple(needed[backup.base])) for backup, until in expired]


def _remove(found: Sequence[ExpiredFile]) -> list[str]:
    """Delete the files; return a message for each file that could not be deleted."""
    failures = []
    for file in found:
        try:
            if file.kind == "result":
                record_totals(file)
            remove_expired(file)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            failures.append(f"{file.path} was not deleted: {reason}.")
    return failures


def _lines(found: Sequence[ExpiredFile], backups: Sequence[ExpiredBackup]) -> list[str]:
    lines = [f"{file.kind}: {file.path} of {file.modified}" for file in found]
    for expired in backups:
        needed = f"; {', '.join(expired.needed_by)} need its unchanged objects" if expired.needed_by else ""
        lines.append(f"backup to delete by hand: {expired.backup}, to be kept until {expired.retain_until}{needed}")
    return lines or ["There is nothing to delete."]


def _document(
    found: Sequence[ExpiredFile], backups: Sequence[ExpiredBackup], failures: Sequence[str], *, is_done: bool
) -> dict[str, Any]:
    return {
        "deleted": is_done,
        "files": [{"kind": each.kind, "path": str(each.path), "changed": each.modified.isoformat()} for each in found],
        "backups_over": [vars(expired) for expired in backups],
        "failures": list(failures),
    }
