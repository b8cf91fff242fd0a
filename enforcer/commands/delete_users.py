"""`delete-users`: deletes the accounts of a term."""

from functools import reduce
from operator import or_
from pathlib import Path

import click

from enforcer.commands import _removal
from enforcer.commands._listing import admin_listing_and_lab
from enforcer.retention.term_end import users_to_remove
from labkit.extras import cli
from labkit.formats.roster_file import RosterAccounts, RosterFileError, parse_accounts

_NO_ROSTER = (
    "no account is deleted: a roster has to mark the accounts of the lab; add --roster rosters/<course>-<term>.csv, "
    "once for each roster in lab.toml"
)


@click.command(
    "delete-users",
    epilog="""
    \b
    Examples:
      python -m enforcer delete-users
      python -m enforcer delete-users --roster rosters/94290-2026w.csv --dry-run
      python -m enforcer delete-users --roster rosters/94290-2026w.csv --keep assistant@example.ac.il
      python -m enforcer delete-users --roster rosters/94290-2026w.csv --yes --json
    """,
)
@click.option(
    "--roster",
    "rosters",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A normalised roster; only accounts that it marks as managed are deleted. May be repeated.",
)
@_removal.options
def command(options: _removal.RemovalOptions, rosters: tuple[Path, ...]) -> int:
    """Delete the accounts that a roster marks as managed, except your own, administrators, staff, --keep, and accounts
    that existed before the lab.

    Lists them first and asks for a typed confirmation. Without --roster, it only lists the members of the lab's groups.
    An interrupted run can be repeated. Exits 1 if an account could not be deleted.
    """
    accounts = reduce(or_, map(_accounts_in, rosters)) if rosters else None
    with admin_listing_and_lab() as (held, lab):
        course = lab.course
        selection = users_to_remove(
            held.users(),
            held.groups(),
            course.principals,
            accounts,
            is_staff=course.is_staff if course.groups else None,
            keep=options.keep,
            caller=held.caller()[0],
            everything=options.everything,
        )
        return _removal.remove(
            selection,
            "users",
            held.delete_user,
            workspace=held.identity,
            options=options,
            refusal=_removal.without_course_file(course, "users") if rosters else _NO_ROSTER,
        )


def _accounts_in(path: Path) -> RosterAccounts:
    """Return the accounts in a roster; if it cannot be read, print a message and exit with status 2."""
    try:
        return parse_accounts(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as error:
        cli.fail(f"{path} cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        cli.fail(f"{path}: not valid UTF-8; import it again with cdktf/import_roster.py")
    except RosterFileError as error:
        cli.fail(str(error))
