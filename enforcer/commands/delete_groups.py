"""`delete-groups`: deletes the groups of a term."""

import click

from enforcer.commands import _removal
from enforcer.commands._listing import admin_listing_and_lab
from enforcer.retention.term_end import groups_to_remove


@click.command(
    "delete-groups",
    epilog="""
    \b
    Examples:
      python -m enforcer delete-groups --dry-run
      python -m enforcer delete-groups --keep group_03
      python -m enforcer delete-groups --yes --json
    """,
)
@_removal.options
def command(options: _removal.RemovalOptions) -> int:
    """Delete the groups listed in the course file, and no others; their members' accounts stay, and so do a directory's
    groups.

    Lists them first and asks for a typed confirmation. An interrupted run can be repeated. Exits 1 if a group could not
    be deleted.
    """
    with admin_listing_and_lab() as (held, lab):
        named = lab.course.created_groups
        selection = groups_to_remove(held.groups(), named, keep=options.keep, everything=options.everything)
        refusal = _removal.without_course_file(lab.course, "groups")
        return _removal.remove(
            selection, "groups", held.delete_group, workspace=held.identity, options=options, refusal=refusal
        )
