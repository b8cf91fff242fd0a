"""Closes a term as a checklist: looks, says what is done, to do and not possible, and acts once somebody confirms it.

Reads LAB_CONFIG (default: lab.toml) and LAB_TARGET. It calls the other programs of the lab as processes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

# Started by path: the project's root is added, so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

try:
    import click
except ImportError:
    from reexec import reenter

    reenter(Path(__file__).resolve(), environ=os.environ)

from databricks.sdk import WorkspaceClient

from lab_settings import LabError, load_lab
from labkit import exit_status
from labkit.clock import ClockError, now
from labkit.extras import cli, dotenv
from labkit.text import escaped
from labkit.workspace.choice import Choice
from preflight.facts import configure, verify_workspace
from preflight.identity import GuardError
from preflight.target_access import enter_target, target_choice
from teardown.checklist import checklist, report, step_lines
from teardown.close_request import Wanted
from teardown.purge import purge_steps, put_away, remove
from teardown.steps import Status, Step, is_closed
from teardown.steps import as_json as step_json
from teardown.term import Term, programs_of, read_state
from teardown.workspace_contents import remains_of

ROOT = Path(__file__).resolve().parent.parent


@click.command(
    context_settings={"max_content_width": 110, "help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  python cdktf/close_term.py --target production --backup abfss://homes@lab.dfs.core.windows.net/2026w --dry-run
  python cdktf/close_term.py --target production --backup /srv/backups/2026w
  python cdktf/close_term.py --target rehearsal --no-backup --no-archive --yes --json
  python cdktf/close_term.py --target production --purge        # when names may no longer be kept

\b
Exit status: 0 every step is done, 1 something is left to do or not possible, 2 refused (nothing was done).
docs/term-end.md is the semester's calendar, docs/json.md tells what --json prints.""",
)
@click.option("--target", metavar="NAME", help="A target of lab.toml; without it LAB_TARGET, or default_target.")
@click.option("--backup", metavar="TARGET", help="Where `inventory backup` saved the homes, or is to.")
@click.option("--no-backup", is_flag=True, help="Nothing of the homes is to be kept.")
@click.option("--no-archive", is_flag=True, help="There is no enforcer's ledger to be kept.")
@click.option(
    "--archive",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where ledger, reports and state go. [default: archive/<stack> beside lab.toml]",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default="cdktf.out",
    show_default=True,
    help="The folder of the synthesized stacks, as cdktf has it.",
)
@cli.version
@click.option("--purge", is_flag=True, help="Remove roster, synthesized stack, archived state and archived people.")
@cli.yes
@cli.dry_run
@cli.as_json
def main(
    target: str | None,
    backup: str | None,
    no_backup: bool,
    no_archive: bool,
    archive: Path | None,
    output: Path,
    purge: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Close a term: homes backed up and proven, the last poll archived, clusters stopped, the lab destroyed, its state
    put away; and say what stays, what still costs money, and what only an administrator can do.

    It looks first and acts only after a typed confirmation, step by step, and stops where one stays undone: without a
    verified backup nothing is destroyed. It can be repeated at any time.
    """
    if backup and no_backup:
        raise click.UsageError("--backup and --no-backup exclude each other")
    try:
        told = dotenv.load(os.environ)
        settings = Path(os.environ.get("LAB_CONFIG") or ROOT / "lab.toml").absolute()
        lab = load_lab(settings)
        name, found = lab.target(target or os.environ.get("LAB_TARGET"))
        choice = None
        # To remove names no workspace is needed; the term may be over for long.
        if not purge or isinstance(target_choice(name, found, os.environ, told), Choice):
            choice = enter_target(name, found, os.environ, told)
    except LabError as error:
        cli.fail(*error.problems)
    except dotenv.DotenvError as error:
        cli.fail(str(error))
    folder = (archive or settings.parent / "archive" / lab.stack_id(name)).absolute()
    wanted = Wanted(lab, settings, name, found, backup, no_backup, no_archive, folder, output.absolute())
    if purge or choice is None:
        sys.exit(purge_names(wanted, choice, yes=yes, dry_run=dry_run, in_json=as_json))
    sys.exit(close(wanted, choice, yes=yes, dry_run=dry_run, in_json=as_json))


def close(wanted: Wanted, choice: Choice, *, yes: bool, dry_run: bool, in_json: bool) -> int:
    """Look, ask, act, and say how it is; the exit status."""
    try:
        began = now(os.environ)
        client = WorkspaceClient(config=configure(choice))
        identity = verify_workspace(client, wanted.target_name, wanted.target)
    except (ClockError, GuardError) as error:
        cli.fail(str(error))
    term = Term(wanted, client, os.environ, now=began)
    steps = term.look()
    managed = term.state.managed
    if not in_json or not (yes or dry_run or is_closed(steps)):
        show(checklist(wanted, identity, steps, managed, term.inventory), to_stderr=in_json)
    hindered = [step.name for step in steps if step.status is Status.NOT_POSSIBLE]
    if not dry_run and hindered:
        print(f"\nNothing was begun, because this is not possible: {', '.join(hindered)}.", file=sys.stderr)
    elif not dry_run and not is_closed(steps):
        if not yes and not cli.is_confirmed(f"close {wanted.stack}", workspace=str(identity)):
            cli.fail("Nothing was done.")
        steps = term.act(steps)
        if in_json:
            term.look_around()
        if not in_json:
            print()
            show(step_lines(steps))
    if in_json:
        cli.print_json(report(wanted, identity, steps, managed, term.inventory))
    return exit_status.DONE if is_closed(steps) else exit_status.PARTLY_FAILED


def purge_names(wanted: Wanted, choice: Choice | None, *, yes: bool, dry_run: bool, in_json: bool) -> int:
    """Remove what names people; the exit status.

    The workspace may be gone by then. It is asked only if no state shows that the term was closed.
    """
    # Once: where it is in a storage account, it is reached by the stack and the roster that go.
    state, _ = read_state(wanted, programs_of(wanted, os.environ))

    def look() -> list[Step]:
        return purge_steps(
            wanted.lab,
            stack=wanted.stack,
            settings_folder=wanted.settings.parent,
            output=wanted.output,
            archive=wanted.archive,
            state=state,
        )

    steps, failures = look(), []
    has_evidence = not state.is_empty or bool(put_away(wanted.archive, wanted.stack)) or is_closed(steps)
    if not has_evidence and (doubt := doubt_about(wanted, choice)):
        steps = [Step("names", Status.NOT_POSSIBLE, doubt)]
    show(step_lines(steps), to_stderr=in_json)
    if not dry_run and any(step.status is Status.TO_DO for step in steps):
        if not yes and not cli.is_confirmed(f"purge {wanted.stack}"):
            cli.fail("Nothing was removed.")
        failures = [failure for step in steps if step.status is Status.TO_DO for failure in remove(step)]
        steps = look()
    if in_json:
        cli.print_json({"stack": wanted.stack, "steps": [step_json(step) for step in steps]})
    for failure in failures:
        print(escaped(failure), file=sys.stderr)
    return exit_status.DONE if is_closed(steps) else exit_status.PARTLY_FAILED


def doubt_about(wanted: Wanted, choice: Choice | None) -> str:
    """Why the lab may still be there although no state says so; empty if the workspace has nothing of it."""
    without = f"no state of {wanted.stack} is there, and none was put away"
    if choice is None:
        return f"{without}; name the workspace, so that it can be looked at"
    try:
        client = WorkspaceClient(config=configure(choice))
        verify_workspace(client, wanted.target_name, wanted.target)
    except GuardError as error:
        return f"{without}; whether the lab is gone is unknown. {error}"
    course = wanted.lab.course
    remains = remains_of(client, course=course.id, term=course.term, groups=wanted.group_names)
    if remains.found:
        return f"{without}, but the workspace still has the lab; close the term first"
    return f"{without}; {', '.join(remains.unread)} could not be looked at" if remains.unread else ""


def show(lines: Iterable[str], *, to_stderr: bool = False) -> None:
    """Print lines, in which nothing may steer a terminal."""
    for line in lines:
        print(escaped(line), file=sys.stderr if to_stderr else sys.stdout)


if __name__ == "__main__":
    # What it writes names people.
    os.umask(0o077)
    main()
