"""Closes a term with a checklist: reports which steps are done, pending or blocked, and runs the pending steps after
confirmation.

Reads LAB_CONFIG (default: lab.toml) and LAB_TARGET. Runs the lab's other programs as processes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

# Run as a script: the project's root is added to sys.path so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

try:
    import click
except ImportError:
    from reexec import reexec_in_venv

    reexec_in_venv(Path(__file__).resolve(), environ=os.environ)

from lab_settings import LabSettingsError
from labkit import exit_status
from labkit.clock import ClockError, now
from labkit.extras import cli
from labkit.extras.sdk import whole_client
from labkit.text import escaped
from labkit.workspace.choice import WorkspaceChoice
from preflight.course_input import select_target
from preflight.facts import configure, verify_workspace
from preflight.identity import GuardError
from preflight.target_access import apply_target, target_choice
from teardown.anonymise import anonymise_steps, archived_states, remove
from teardown.checklist import checklist, report, step_lines
from teardown.close_request import CloseRequest
from teardown.steps import Status, Step, is_closed
from teardown.steps import as_json as step_json
from teardown.term import TermClosing, programs_of, read_state
from teardown.workspace_contents import find_lab_remains


@click.command(
    context_settings={"max_content_width": 110, "help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  python cdktf/close_term.py --target production --backup abfss://homes@lab.dfs.core.windows.net/2026w --dry-run
  python cdktf/close_term.py --target production --backup /srv/backups/2026w
  python cdktf/close_term.py --target rehearsal --no-backup --no-archive --yes --json
  python cdktf/close_term.py --target production --anonymise    # when personal names may no longer be kept

\b
Exit status: 0 every step is done, 1 a step is pending or blocked, 2 refused (nothing was done).
docs/term-end.md has the semester's calendar, docs/json.md describes the --json output.""",
)
@click.option("--target", metavar="NAME", help="A target in lab.toml. [default: LAB_TARGET, else default_target]")
@click.option("--backup", metavar="TARGET", help="Target for `inventory backup`; it need not contain a backup yet.")
@click.option("--no-backup", is_flag=True, help="Close without a backup of the homes.")
@click.option("--no-archive", is_flag=True, help="Close without an archive of the enforcer's ledger.")
@click.option(
    "--archive",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder for ledger, reports and state. [default: archive/<stack> beside lab.toml]",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default="cdktf.out",
    show_default=True,
    help="Folder with the synthesized stacks, as for cdktf.",
)
@cli.version_option
@click.option("--anonymise", is_flag=True, help="Remove roster, synthesized stack, archived state and personal data.")
@cli.old_flag("--purge", "old_anonymise", new="--anonymise")
@cli.yes_option
@cli.dry_run_option
@cli.json_option
def main(
    target: str | None,
    backup: str | None,
    no_backup: bool,
    no_archive: bool,
    archive: Path | None,
    output: Path,
    anonymise: bool,
    old_anonymise: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Close a term: stop its clusters, back up and verify the homes, archive the last poll, destroy the lab, and
    archive its state. Then list what remains, what still costs money, and what only an administrator can do.

    The program reports first and changes something only after a typed confirmation. It stops at the first failed step:
    without a verified backup nothing is destroyed. It can be repeated at any time.
    """
    if backup and no_backup:
        raise click.UsageError("--backup and --no-backup cannot be combined")
    anonymise = anonymise or old_anonymise
    try:
        selected = select_target(os.environ, target)
        name, found, dotenv_variables = selected.name, selected.target, selected.dotenv_variables
        choice = None
        # Anonymising needs no workspace: the term may have ended long ago.
        if not anonymise or isinstance(target_choice(name, found, os.environ, dotenv_variables), WorkspaceChoice):
            choice = apply_target(name, found, os.environ, dotenv_variables)
    except LabSettingsError as error:
        cli.fail(*error.problems)
    settings, lab = selected.settings_path, selected.lab
    folder = (archive or settings.parent / "archive" / lab.stack_id(name)).absolute()
    request = CloseRequest(lab, settings, name, found, backup, no_backup, no_archive, folder, output.absolute())
    if anonymise or choice is None:
        sys.exit(anonymise_term(request, choice, yes=yes, dry_run=dry_run, in_json=as_json))
    sys.exit(close(request, choice, yes=yes, dry_run=dry_run, in_json=as_json))


def close(request: CloseRequest, choice: WorkspaceChoice, *, yes: bool, dry_run: bool, in_json: bool) -> int:
    """Report the steps, ask for confirmation, carry them out and report again; return the exit status."""
    try:
        started_at = now(os.environ)
        client = whole_client(configure(choice))
        identity = verify_workspace(client, request.target_name, request.target)
    except (ClockError, GuardError) as error:
        cli.fail(str(error))
    term = TermClosing(request, client, os.environ, now=started_at)
    steps = term.assess()
    managed = term.state.managed
    if not in_json or not (yes or dry_run or is_closed(steps)):
        print_lines(checklist(request, identity, steps, managed, term.contents), to_stderr=in_json)
    blocked = [step.name for step in steps if step.status is Status.NOT_POSSIBLE]
    if not dry_run and blocked:
        print(f"\nNothing was started, because these steps are blocked: {', '.join(blocked)}.", file=sys.stderr)
    elif not dry_run and not is_closed(steps):
        if not yes and not cli.is_confirmed(f"close {request.stack}", workspace=str(identity)):
            cli.fail("Nothing was done.")
        steps = term.run_steps(steps)
        if in_json:
            term.read_workspace()
        if not in_json:
            print()
            print_lines(step_lines(steps))
    if in_json:
        cli.print_json(report(request, identity, steps, managed, term.contents))
    return exit_status.DONE if is_closed(steps) else exit_status.PARTLY_FAILED


def anonymise_term(
    request: CloseRequest, choice: WorkspaceChoice | None, *, yes: bool, dry_run: bool, in_json: bool
) -> int:
    """Delete files that contain people's names; return the exit status.

    The workspace may be gone by then. It is read only if no state shows that the term was closed.
    """
    # Read only once: a remote state is read through the stack and the roster, which are deleted below.
    state, _ = read_state(request, programs_of(request, os.environ))

    def current_steps() -> list[Step]:
        return anonymise_steps(
            request.lab,
            stack=request.stack,
            settings_folder=request.settings.parent,
            output=request.output,
            archive=request.archive,
            state=state,
        )

    steps, failures = current_steps(), []
    has_evidence = not state.is_empty or bool(archived_states(request.archive, request.stack)) or is_closed(steps)
    if not has_evidence and (obstacle := anonymise_obstacle(request, choice)):
        steps = [Step("names", Status.NOT_POSSIBLE, obstacle)]
    print_lines(step_lines(steps), to_stderr=in_json)
    if not dry_run and any(step.status is Status.TO_DO for step in steps):
        if not yes and not cli.is_confirmed(f"anonymise {request.stack}"):
            cli.fail("Nothing was removed.")
        failures = [failure for step in steps if step.status is Status.TO_DO for failure in remove(step)]
        steps = current_steps()
    if in_json:
        cli.print_json({"stack": request.stack, "steps": [step_json(step) for step in steps]})
    for failure in failures:
        print(escaped(failure), file=sys.stderr)
    return exit_status.DONE if is_closed(steps) else exit_status.PARTLY_FAILED


def anonymise_obstacle(request: CloseRequest, choice: WorkspaceChoice | None) -> str:
    """Return why the lab may still exist although there is no state; empty if the workspace has none of its objects."""
    no_state = f"there is no state of {request.stack}, and none was archived"
    if choice is None:
        return f"{no_state}; specify the workspace, so that it can be checked"
    try:
        client = whole_client(configure(choice))
        verify_workspace(client, request.target_name, request.target)
    except GuardError as error:
        return f"{no_state}; it is unknown whether the lab still exists. {error}"
    course = request.lab.course
    remains = find_lab_remains(client, course=course.id, term=course.term, groups=request.group_names)
    if remains.found:
        return f"{no_state}, but the workspace still has the lab; close the term first"
    return f"{no_state}; {', '.join(remains.unread)} could not be read" if remains.unread else ""


def print_lines(lines: Iterable[str], *, to_stderr: bool = False) -> None:
    """Print lines with terminal control characters escaped."""
    for line in lines:
        print(escaped(line), file=sys.stderr if to_stderr else sys.stdout)


if __name__ == "__main__":
    # The files that it writes contain people's names.
    os.umask(0o077)
    main()
