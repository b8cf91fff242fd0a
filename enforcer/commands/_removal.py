"""What the term-end tools share: showing what would go, asking, removing one by one, and reporting each."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import click

from enforcer.retention.term_end import Selection, lab_groups
from enforcer.tick.collect import Lab
from enforcer.workspace.admin_listing import Holdings
from enforcer.workspace.directory import HeldGroup
from enforcer.workspace.errors import WorkspaceError
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped
from labkit.workspace.expected import Identity

Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass(frozen=True)
class RemovalOptions:
    """What the command line says of a removal."""

    keep: tuple[str, ...]
    """Names to be left alone."""
    everything: bool
    """Not only what belongs to the lab."""
    yes: bool
    as_json: bool
    dry_run: bool


def options(verb: Verb) -> Verb:
    """Add the options of a removal; the verb gets the one argument `options`, and its result is the exit status."""

    @functools.wraps(verb)
    def with_options(**values: Any) -> None:
        raise SystemExit(verb(options=RemovalOptions(**values)))

    for option in reversed(
        (
            click.option("--keep", multiple=True, metavar="NAME", help="Leave this one alone; may be repeated."),
            click.option("--all", "everything", is_flag=True, help="Not only what belongs to the lab."),
            cli.yes,
            cli.as_json,
            cli.dry_run,
        )
    ):
        with_options = option(with_options)
    return cast(Verb, with_options)


def remove(
    selection: Selection, what: str, delete: Callable[[str], None], *, workspace: Identity, options: RemovalOptions
) -> int:
    """Show the selection, ask unless told not to, remove one by one; return the exit status.

    `what` is the plural of what is removed. What is gone already counts as removed, so that a run that was broken off
    can be repeated.
    """
    _show(selection, what, to_stderr=options.as_json)
    asks = bool(selection.remove) and not options.dry_run and not options.yes
    if asks and not cli.is_confirmed(f"delete {len(selection.remove)} {what}", workspace=str(workspace)):
        print("nothing was deleted", file=sys.stderr)
        return exit_status.PARTLY_FAILED
    rows = [{"id": None, "name": name, "result": "kept", "says": reason} for name, reason in selection.keep]
    for item in selection.remove:
        error = None
        if not options.dry_run:
            try:
                delete(item.id)
            except WorkspaceError as refusal:
                error = str(refusal)
        result = "would be deleted" if options.dry_run else "failed" if error else "deleted"
        rows.append({"id": item.id, "name": item.name, "result": result, "says": error or item.about})
        if not options.as_json and not options.dry_run:
            # At once, so that a run that is broken off has told what it did.
            print(escaped(f"{item.name}: {result}{f' ({error})' if error else ''}"), flush=True)
    if options.as_json:
        cli.print_json(rows)
    failed = sum(row["result"] == "failed" for row in rows)
    if failed:
        print(f"{failed} of {len(selection.remove)} {what} could not be deleted; run it again", file=sys.stderr)
    return exit_status.PARTLY_FAILED if failed else exit_status.DONE


def _show(selection: Selection, what: str, *, to_stderr: bool) -> None:
    lines = [f"{len(selection.remove)} {what} to delete:" if selection.remove else f"there are no {what} to delete"]
    lines += [f"  {item.name}  {item.id}  {item.about}" for item in selection.remove]
    lines += [f"kept: {name}, {reason}" for name, reason in selection.keep]
    for line in lines:
        print(escaped(line), file=sys.stderr if to_stderr else sys.stdout)


def lab_groups_of(held: Holdings, groups: list[HeldGroup], lab: Lab) -> frozenset[str]:
    """The names of the lab's groups."""
    return lab_groups(held.clusters(), groups, lab.course.groups, lab.chosen)
