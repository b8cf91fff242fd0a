"""`delete-users`: take the accounts of a term out of the workspace."""

import click

from enforcer.commands import _removal
from enforcer.commands._listing import holdings_and_lab
from enforcer.retention.term_end import users_to_remove


@click.command(
    "delete-users",
    epilog="""
    \b
    Examples:
      python -m enforcer delete-users --dry-run
      python -m enforcer delete-users --keep assistant@example.ac.il
      python -m enforcer delete-users --yes --json
    """,
)
@_removal.options
def command(options: _removal.RemovalOptions) -> int:
    """Delete the users who are in groups of the lab, or with --all every user; never you, an administrator or --keep.

    Lists them first and asks for a typed confirmation. A run that was broken off can be repeated. Exits 1 when one
    could not be deleted.
    """
    with holdings_and_lab() as (held, lab):
        groups = held.groups()
        selection = users_to_remove(
            held.people(),
            groups,
            _removal.lab_groups_of(held, groups, lab),
            keep=options.keep,
            caller=held.caller()[0],
            everything=options.everything,
        )
        return _removal.remove(selection, "users", held.delete_user, workspace=held.identity, options=options)
