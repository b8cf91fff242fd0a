"""Updates the roster from Moodle at night: imports it, applies the change as far as lab.toml permits, and mails it.

Reads LAB_CONFIG (default: lab.toml), LAB_TARGET and MOODLE_TOKEN. Runs the lab's other programs and Terraform as
processes.
"""

from __future__ import annotations

import os
import sys
import tempfile
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
from labkit.extras import cli
from labkit.text import escaped
from moodle.options import TOKEN
from nightly.mail_text import Night, Outcome, subject_of, text_of
from nightly.update import UpdateRequest, send_mail, update_roster
from preflight.course_input import select_target
from preflight.deploy_lock import deploy_lock
from preflight.target_access import apply_target


@click.command(
    context_settings={"max_content_width": 110, "help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  python cdktf/update_roster.py                                # by the timer or cron, with MOODLE_TOKEN in .env
  python cdktf/update_roster.py --token-file moodle.token
  python cdktf/update_roster.py --no-mail                      # print what the mail would contain

\b
Exit status: 0 updated, or changes wait for you; 1 refused or failed, 2 invalid settings (nothing was done).
docs/roster.md describes [roster] in lab.toml, which permits changes of the workspace.""",
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"File with Moodle's token, readable only by you. [default: {TOKEN}]",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default="cdktf.out",
    show_default=True,
    help="Folder with the synthesized stacks, as for cdktf.",
)
@click.option("--no-mail", is_flag=True, help="Print the result and send no mail.")
@cli.version_option
def main(token_file: Path | None, output: Path, no_mail: bool) -> None:
    """Import the course's groups from Moodle, apply the change to the workspace as far as `apply` under [roster] in
    lab.toml permits, and mail it to the staff if anything changed or failed.

    With "nothing" (the default) only the roster is updated. With "joins" a saved plan is applied if it only creates
    accounts and memberships; with "all" also if it removes memberships, at most 20 percent of them.
    """
    try:
        selected = select_target(os.environ)
        apply_target(selected.name, selected.target, os.environ, selected.dotenv_variables)
    except LabSettingsError as error:
        cli.fail(*error.problems)
    settings, lab, name = selected.settings_path, selected.lab, selected.name
    if not lab.roster.moodle:
        cli.fail(f'{settings.name}: set moodle under [roster], such as moodle = "https://moodle.example.ac.il".')
    token = os.environ.pop(TOKEN, "")
    environment = {**os.environ, "LAB_CONFIG": str(settings), "LAB_TARGET": name}
    request = UpdateRequest(lab, settings, name, output.absolute(), environment, token_file, token)
    sys.exit(run(request, sends_mail=not no_mail))


def run(request: UpdateRequest, *, sends_mail: bool) -> int:
    """Update the roster, print and mail the result; return the exit status."""
    try:
        with deploy_lock(request.settings.parent, request.stack) as is_alone:
            night = update_roster(request) if is_alone else Night(Outcome.FAILED, failure=(_busy(request.stack),))
    except OSError as error:
        night = Night(Outcome.FAILED, failure=(f"The update could not run: {error}.",))
    text = text_of(night, roster=str(request.roster))
    subject = subject_of(night, course=request.lab.course.id, term=request.lab.course.term)
    print(escaped(subject))
    for line in text.splitlines():
        print(escaped(line))
    status = exit_status.DONE if night.outcome.is_success else exit_status.PARTLY_FAILED
    if not sends_mail or night.outcome is Outcome.UNCHANGED:
        return status
    # The file is private: it contains people's addresses.
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.write(text)
        file.flush()
        problem = send_mail(request, subject=subject, text=Path(file.name))
    for line in problem.lines if problem else ():
        print(escaped(line), file=sys.stderr)
    return exit_status.PARTLY_FAILED if problem else status


def _busy(stack: str) -> str:
    return (
        f"Nothing was done, because {stack} is being deployed or updated on this machine; the next night tries again."
    )


if __name__ == "__main__":
    # The files that it writes contain people's names.
    os.umask(0o077)
    main()
