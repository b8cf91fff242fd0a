"""Shared by the commands for the end of a term: list, ask for confirmation, delete one by one, report each."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeVar, cast

import click

from enforcer.domain.course import Course
from enforcer.retention.term_end import Selection
from enforcer.workspace.errors import WorkspaceError
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped
from labkit.workspace.expected import WorkspaceIdentity

_ALL = "Also list objects outside the lab, which are kept. Delete managed accounts even if they are in other groups."

Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass(frozen=True)
class RemovalOptions:
    """Options of the commands that delete objects."""

    keep: tuple[str, ...]
    """Names of objects to keep."""
    everything: bool
    """List all objects in the workspace, and also delete managed accounts that are in other groups."""
    yes: bool
    as_json: bool
    dry_run: bool


def options(verb: Verb) -> Verb:
    """Add these options to a command, which receives them as `options` and returns the exit status."""

    @functools.wraps(verb)
    def with_options(**values: Any) -> None:
        own = {field.name: values.pop(field.name) for field in fields(RemovalOptions)}
        raise SystemExit(verb(options=RemovalOptions(**own), **values))

    for option in reversed(
        (
            click.option("--keep", multiple=True, metavar="NAME", help="Name of an object to keep; may be repeated."),
            click.option("--all", "everything", is_flag=True, help=_ALL),
            cli.yes_option,
            cli.json_option,
            cli.dry_run_option,
        )
    ):
        with_options = option(with_options)
    return cast(Verb, with_options)


def remove(
    selection: Selection,
    what: str,
    delete: Callable[[str], None],
    *,
    workspace: WorkspaceIdentity,
    options: RemovalOptions,
    refusal: str = "",
) -> int:
    """Show the selection, ask for confirmation unless `--yes` is given, delete, and return the exit status.

    `what` is the plural noun of the objects. Objects that no longer exist count as deleted, so that an interrupted run
    can be repeated. If `refusal` is given, the selection is only shown, and `refusal` says what is missing.
    """
    _show(selection, what, workspace, to_stderr=options.as_json)
    asks = bool(selection.remove) and not options.dry_run and not options.yes
    if asks and not cli.is_confirmed(f"delete {len(selection.remove)} {what} in {workspace}"):
        print("nothing was deleted", file=sys.stderr)
        return exit_status.PARTLY_FAILED
    rows = [{"id": None, "name": name, "result": "kept", "message": reason} for name, reason in selection.keep]
    for item in selection.remove:
        error = None
        if not options.dry_run:
            try:
                delete(item.id)
            except WorkspaceError as failure:
                error = str(failure)
        result = "would be deleted" if options.dry_run else "failed" if error else "deleted"
        rows.append({"id": item.id, "name": item.name, "result": result, "message": error or item.description})
        if not options.as_json and not options.dry_run:
            # Printed at once, so that an interrupted run has reported each deletion.
            print(escaped(f"{item.name}: {result}{f' ({error})' if error else ''}"), flush=True)
    if options.as_json:
        cli.print_json(rows)
    if refusal:
        print(escaped(refusal), file=sys.stderr)
        return exit_status.DONE if options.dry_run else exit_status.BAD_INPUT
    failed = sum(row["result"] == "failed" for row in rows)
    if failed:
        print(
            f"{failed} of {len(selection.remove)} {what} could not be deleted; run the command again", file=sys.stderr
        )
    return exit_status.PARTLY_FAILED if failed else exit_status.DONE


def without_course_file(course: Course, what: str) -> str:
    """Return why nothing can be deleted if no course file lists the groups; else an empty string."""
    if course.groups:
        return ""
    which = f" of {course.id} {course.term}" if course.id else ""
    return (
        f"no {what} are deleted: there is no course file{which} that lists the groups, neither in the workspace nor in "
        "the ledger; set LAB_COURSE and LAB_TERM, and check the file with enforcer doctor"
    )


def _show(selection: Selection, what: str, workspace: WorkspaceIdentity, *, to_stderr: bool) -> None:
    number = len(selection.remove)
    lines = [
        f"{number} {what} to delete in {workspace}:" if number else f"there are no {what} to delete in {workspace}"
    ]
    lines += [f"  {item.name}  {item.id}  {item.description}" for item in selection.remove]
    lines += [f"kept: {name}, {reason}" for name, reason in selection.keep]
    for line in lines:
        print(escaped(line), file=sys.stderr if to_stderr else sys.stdout)
