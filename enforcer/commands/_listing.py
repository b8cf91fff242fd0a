"""Shared by the listing commands: connecting, printing, and handling workspace errors."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from enforcer.commands import context
from enforcer.commands.workspace_context import lab_of, workspace_of
from enforcer.tick.collect import LabState
from enforcer.workspace.admin_listing import AdminListing
from enforcer.workspace.directory_rows import Row
from enforcer.workspace.errors import WorkspaceError
from labkit import exit_status
from labkit.extras import cli
from labkit.extras.table import print_table
from labkit.text import escaped


@contextmanager
def admin_listing() -> Iterator[AdminListing]:
    """Yield the admin listing. On a workspace error in the block, print a message and exit with status 1."""
    settings = context.settings(needs_workspace=True)
    try:
        yield AdminListing(workspace_of(settings))
    except WorkspaceError as error:
        print(escaped(error), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED) from None


@contextmanager
def admin_listing_and_lab() -> Iterator[tuple[AdminListing, LabState]]:
    """Yield the admin listing and the state of the lab, with the same error handling."""
    settings = context.settings(needs_workspace=True)
    workspace, lab = lab_of(settings, now=cli.now())
    try:
        yield AdminListing(workspace), lab
    except WorkspaceError as error:
        print(escaped(error), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED) from None


def show(rows: Sequence[Row], columns: Sequence[str], *, nothing: str, as_json: bool) -> None:
    """Print all fields as JSON, or these columns as a table. Without rows, print the message `nothing`."""
    if as_json:
        cli.print_json(list(rows))
        return
    if not rows:
        print(nothing)
        return

    def cell(value: object) -> object:
        if isinstance(value, list):
            return ", ".join(map(str, value))
        return {True: "yes", False: ""}[value] if isinstance(value, bool) else value

    print_table([column.replace("_", " ") for column in columns], [[cell(row[c]) for c in columns] for row in rows])
