"""`anonymise`: removes names of people from all data before a given date."""

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

import click
from peewee import DatabaseError

from enforcer.commands import context
from enforcer.ledger.database import Ledger, open_ledger, vacuum
from enforcer.ledger.lock import ledger_lock
from enforcer.retention import old_files
from enforcer.retention.anonymise import AnonymisedCounts, AnonymiseError, anonymise
from enforcer.settings import Settings
from enforcer.tick.history import load_past_snapshot
from labkit import exit_status
from labkit.addresses import is_database_url
from labkit.extras import cli
from labkit.text import escaped

DEMO_MESSAGES = Path(".lab/letters")
"""Folder in which the demo stores its messages."""


@click.command(
    "anonymise",
    epilog="""
    \b
    Examples:
      python -m enforcer anonymise --before 2027-03-01 --dry-run
      python -m enforcer anonymise --before 2027-03-01 --files reports --files /var/log/teaching-lab
      python -m enforcer anonymise --before 2027-03-01 --yes --json

    \b
    Archives are not changed; `cdktf/close_term.py --anonymise` removes names from the archives that it created. Copies
    of the ledger are not changed either: delete by hand the 14 copies that deploy/backup-ledger keeps.
    docs/term-end.md has the complete list.
    """,
)
@click.option(
    "--before", type=cli.DateParamType(), metavar="DAY", required=True, help="The first day to keep unchanged."
)
@click.option(
    "--files",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder in which to delete older reports, messages and logs that the lab's programs wrote; may be "
    f"repeated. {DEMO_MESSAGES} is always searched.",
)
@cli.yes_option
@cli.json_option
@cli.dry_run_option
def command(before: date, folders: tuple[Path, ...], yes: bool, as_json: bool, dry_run: bool) -> None:
    """Remove names of people from all data before the --before date: ledger, reports, messages and logs.

    Totals per group and day do not change. In the ledger, users who started a cluster become "a member of the group" or
    "somebody else", and messages lose recipients and text. The database file is rewritten, so that no names remain in
    free pages or the write-ahead log. Pending messages from that time are never sent. Exits 1 if names may remain.
    """
    settings = context.settings()
    now = cli.now()
    with context.copy_of(settings) as ledger:
        tz = _zone(ledger, settings, now)
        if before > now.astimezone(tz).date():
            raise click.UsageError(f"{before} is in the future")
        planned = _anonymise_open(ledger, before, tz, now)
    try:
        removals, kept = old_files.find([DEMO_MESSAGES, *folders], before=before, tz=tz)
    except OSError as error:
        cli.fail(f"{error.filename} cannot be read: {error.strerror}.")
    _show(before, planned, removals, kept, to_stderr=as_json)
    done, failures = planned, [f"{one.path}: {one.reason}" for one in kept]
    has_ledger = is_database_url(settings.ledger_location) or Path(settings.ledger_location).expanduser().exists()
    if not has_ledger:
        failures.append(f"there is no ledger at {settings.ledger_location}; check CLUSTER_UPTIMES_DB")
    if not dry_run:
        # The file is rewritten even if no row changed, because an earlier run may have failed to rewrite it.
        is_empty = not any(asdict(planned).values()) and not removals
        if not is_empty and not yes and not cli.is_confirmed(f"anonymise before {before}"):
            print("nothing was anonymised", file=sys.stderr)
            raise SystemExit(exit_status.PARTLY_FAILED)
        if has_ledger:
            done = _anonymise_ledger(settings, before, tz, now, failures)
        failures += _remove(removals)
    if as_json:
        cli.print_json(_json(before, done, removals, failures, is_done=not dry_run))
    for failure in failures:
        print(escaped(failure), file=sys.stderr)
    raise SystemExit(exit_status.PARTLY_FAILED if failures else exit_status.DONE)


def _zone(ledger: Ledger, settings: Settings, now: datetime) -> tzinfo:
    return load_past_snapshot(ledger, settings, now=now).course.calendar.tz


def _anonymise_open(ledger: Ledger, before: date, tz: tzinfo, now: datetime) -> AnonymisedCounts:
    """Anonymise this ledger; print a message and exit if an earlier day is not settled."""
    try:
        return anonymise(ledger, before=before, tz=tz, now=now)
    except AnonymiseError as error:
        print(escaped(error), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED) from None


def _anonymise_ledger(
    settings: Settings, before: date, tz: tzinfo, now: datetime, failures: list[str]
) -> AnonymisedCounts:
    with ledger_lock(settings.ledger_location) as alone:
        if not alone:
            print("a poll is running; nothing was anonymised, try again", file=sys.stderr)
            raise SystemExit(exit_status.PARTLY_FAILED)
        try:
            with closing(open_ledger(settings.ledger_location)) as ledger:
                done = _anonymise_open(ledger, before, tz, now)
                try:
                    vacuum(ledger)
                except DatabaseError as error:
                    failures.append(
                        f"the ledger may still contain names in free pages ({error}); run the command again"
                    )
        except (OSError, DatabaseError) as error:
            cli.fail(f"the ledger cannot be opened ({error}); check CLUSTER_UPTIMES_DB.")
    return done


def _remove(removals: Sequence[old_files.Removal]) -> list[str]:
    failures = []
    for removal in removals:
        try:
            old_files.remove(removal)
        except OSError as error:
            done = "deleted" if removal.keep_from is None else "shortened"
            failures.append(f"{removal.path} could not be {done}: {error.strerror}")
    return failures


def _show(
    before: date,
    counts: AnonymisedCounts,
    removals: Sequence[old_files.Removal],
    kept: Sequence[old_files.KeptFile],
    *,
    to_stderr: bool,
) -> None:
    lines = [f"the ledger: {count} {name.replace('_', ' ')}" for name, count in asdict(counts).items() if count]
    lines += [f"{one.path}: {'deleted' if one.keep_from is None else 'shortened'}" for one in removals]
    lines += [f"{one.path}: kept, {one.reason}" for one in kept]
    for line in lines or [f"there is nothing to anonymise before {before}"]:
        print(escaped(line), file=sys.stderr if to_stderr else sys.stdout)


def _json(
    before: date,
    counts: AnonymisedCounts,
    removals: Sequence[old_files.Removal],
    failures: Sequence[str],
    *,
    is_done: bool,
) -> dict[str, Any]:
    """Return the result as the JSON object defined in docs/json.md."""
    return {
        "before": before.isoformat(),
        "anonymised": is_done,
        **asdict(counts),
        "files": [str(removal.path) for removal in removals],
        "failures": list(failures),
    }
