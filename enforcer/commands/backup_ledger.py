"""`backup-ledger`: makes a verified copy of the ledger and deletes old copies."""

import sys
from pathlib import Path

import click

from enforcer.commands import context
from enforcer.ledger.copies import KEPT, DamagedError, copy_ledger
from labkit import exit_status
from labkit.addresses import is_database_url
from labkit.extras import cli
from labkit.text import escaped


@click.command(
    "backup-ledger",
    epilog="""
    \b
    Examples:
      python -m enforcer backup-ledger /var/backups/teaching-lab
      deploy/backup-ledger /var/backups/teaching-lab     # from cron

        A ledger in PostgreSQL is copied with pg_dump.
    """,
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path) -> None:
    """Copy the ledger to FOLDER, even while a poll writes, and print the path of the newest copy.

    A copy is good if it passes SQLite's integrity check. If the ledger is damaged, no copy is made or deleted. The last
    14 good copies with different contents are kept, and the last good copy of each ledger. Exits 1 if the ledger or a
    copy is damaged.
    """
    place = context.ledger_place()
    if is_database_url(place):
        cli.fail("the ledger is in PostgreSQL; use pg_dump.")
    ledger = Path(place).expanduser()
    if not ledger.exists():
        cli.fail(f"there is no ledger at {ledger}; check CLUSTER_UPTIMES_DB.")
    try:
        copies = copy_ledger(ledger, folder, now=cli.now())
    except DamagedError as error:
        text = f"the ledger {ledger} is damaged ({error}); no copy was made or deleted; restore the last copy."
        print(escaped(text), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED) from None
    except OSError as error:
        print(escaped(f"the ledger could not be copied into {folder}: {error}"), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED) from None
    print(escaped(copies.newest))
    if not copies.is_new:
        print("the ledger has not changed since that copy", file=sys.stderr)
    for path, reason in copies.damaged:
        text = f"{path} is damaged ({reason}) and does not count as one of the {KEPT} copies; delete it."
        print(escaped(text), file=sys.stderr)
    raise SystemExit(exit_status.PARTLY_FAILED if copies.damaged else exit_status.DONE)
