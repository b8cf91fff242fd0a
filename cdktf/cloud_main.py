"""Synthesizes the Azure resources under the lab's workspaces, and fills the lab's settings with their outputs.

A second app with its own output folder, stack and state; docs/azure.md describes each step.
"""

import gc
import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

# Run as a script: the project's root is added to sys.path so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

try:
    import click

    from cloud.settings import CloudSettings, load_cloud_settings
except ImportError:
    from reexec import reexec_in_venv

    reexec_in_venv(Path(__file__).resolve(), environ=os.environ)

from cloud.lab_files import PUBLIC_VARIABLES, Change, LabFilesError, diff_lines, fill_settings, fill_variables
from cloud.outputs import CloudOutputs, OutputsError, parse_outputs
from lab_settings import LabSettings, load_settings, parse_settings, settings_path
from labkit import exit_status
from labkit.extras import cli, dotenv
from labkit.files import atomic_path, make_contents_private, write_private
from labkit.terraform import terraform_program
from labkit.text import escaped, first_line
from node_process import prepare_node
from settings_tables import SettingsError

ROOT = Path(__file__).resolve().parent.parent
OUTPUT_VARIABLE = "CDKTF_OUTDIR"
BINDINGS = "cdktf_cdktf_provider_azurerm"
SECONDS = 120
"""Timeout of `terraform output`, which may read a state in a storage account."""


class CloudError(Exception):
    """The program cannot continue; the message is a sentence."""


@click.command(
    help=__doc__,
    context_settings={"max_content_width": 110, "help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  python cdktf/cloud_main.py
  terraform -chdir=cdktf.cloud.out/stacks/cloud-de-lab apply
  python cdktf/cloud_main.py --write --dry-run
  python cdktf/cloud_main.py --write --target production

Exit status: 0 done, 1 only one of the two files was written, 2 refused (nothing written).""",
)
@click.option(
    "--settings",
    "cloud_path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=ROOT / "cloud.toml",
    help="The settings file (default: cloud.toml of the project).",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("cdktf.cloud.out"),
    show_default=True,
    help="The folder for the stack; another one than the lab's.",
)
@click.option(
    "--write",
    "writes",
    is_flag=True,
    help="Fill lab.toml (or LAB_CONFIG) and .env in the working directory with the outputs of the applied stack.",
)
@click.option(
    "--target",
    default="production",
    show_default=True,
    metavar="NAME",
    help="With --write: the table [targets.NAME] of lab.toml to fill.",
)
@cli.dry_run_option
@cli.version_option
def main(cloud_path: Path, output: Path, writes: bool, target: str, dry_run: bool) -> None:
    """Synthesize the stack, or fill the lab's settings."""
    if dry_run and not writes:
        raise click.UsageError("--dry-run needs --write.")
    environ = os.environ
    try:
        dotenv.load(environ)
        settings = load_cloud_settings(cloud_path.absolute())
        if not writes:
            made = synthesize(settings, output, cloud_path.absolute().parent / "state", environ)
            print(f"Wrote {escaped(made)}")
            return
        lab_path = settings_path(environ)
        lab = load_settings(lab_path)
        if target not in lab.targets:
            raise CloudError(
                f"{lab_path.name} has no [targets.{target}]; --target must be one of {', '.join(lab.targets)}."
            )
        outputs = read_outputs(stack_folder(settings, output), environ)
        changes = plan_changes(lab_path, lab, target, outputs)
    except SettingsError as error:
        cli.fail(*error.problems)
    except (CloudError, OutputsError, LabFilesError, dotenv.DotenvError) as error:
        cli.fail(str(error))
    except OSError as error:
        cli.fail(f"{error.filename} cannot be written ({error.strerror}); choose another --output or folder.")
    show(changes)
    if not dry_run:
        sys.exit(write(changes))


def synthesize(settings: CloudSettings, output: Path, state_folder: Path, environ: MutableMapping[str, str]) -> Path:
    """Write the stack to the output folder, and return its file. Raise CloudError if the bindings are missing."""
    if importlib.util.find_spec(BINDINGS) is None:
        raise CloudError(
            "The bindings of the Azure provider are not installed; run `make azure` or "
            "`pipenv sync --categories azure` in the project folder."
        )
    # Imports and synthesis take a fifth longer with garbage collection.
    gc.disable()
    # The framework's Node process writes the stack and inherits this umask.
    os.umask(0o077)
    prepare_node(environ, Path(sys.executable).absolute())
    # The framework would prefer this folder, which may be the lab's.
    environ.pop(OUTPUT_VARIABLE, None)
    stack = stack_folder(settings, output)
    # The state contains the mail service's key.
    for folder in (state_folder, stack):
        make_contents_private(folder)
    from cloud.framework import App
    from cloud.stack import CloudStack

    app = App(outdir=str(output))
    CloudStack(app, settings=settings, state_folder=state_folder)
    app.synth()
    return stack / "cdk.tf.json"


def stack_folder(settings: CloudSettings, output: Path) -> Path:
    """Return the folder in which Terraform runs."""
    return output / "stacks" / settings.stack_id


def read_outputs(folder: Path, environ: Mapping[str, str]) -> CloudOutputs:
    """Return the outputs of the stack that is applied from this folder. Raise CloudError or OutputsError."""
    program = terraform_program(environ)
    if not folder.is_dir():
        raise CloudError(f"{folder} does not exist; synthesize and apply the stack first (docs/azure.md).")
    if shutil.which(program, path=environ.get("PATH")) is None:
        raise CloudError("Terraform is not installed; get it from https://developer.hashicorp.com/terraform/install.")
    command = [program, f"-chdir={folder}", "output", "-json", "-no-color"]
    try:
        done = subprocess.run(
            command, env={**environ, "CHECKPOINT_DISABLE": "1"}, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise CloudError(f"terraform output did not finish within {SECONDS} seconds; try again.") from None
    if done.returncode:
        found = re.search(r"Error: (.*)", done.stderr)
        reason = first_line(found[1]) if found else f"exit status {done.returncode}"
        raise CloudError(f"terraform output failed in {folder} ({reason}); run `terraform init` there.")
    try:
        document = json.loads(done.stdout)
    except ValueError:
        raise CloudError("terraform output did not print JSON.") from None
    return parse_outputs(document)


def plan_changes(lab_path: Path, lab: LabSettings, target: str, outputs: CloudOutputs) -> list[Change]:
    """Return the changes of `lab.toml` and `.env`, verified. Raise CloudError, LabFilesError or SettingsError."""
    settings = fill_settings(
        read_text(lab_path), str(lab_path), target, outputs, state_key=f"{lab.stack_id(target)}.tfstate"
    )
    parse_settings(settings.after, lab_path.name)
    env_path = Path(dotenv.NAME).absolute()
    # A new file starts as the commented example.
    text = read_text(env_path if env_path.exists() else ROOT / ".env.example")
    return [settings, fill_variables(text, str(env_path), outputs)]


def read_text(path: Path) -> str:
    """Return a file's text with its line ends. Raise CloudError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CloudError(f"{path} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise CloudError(f"{path} is not UTF-8 text; save it as UTF-8.") from None


def show(changes: list[Change]) -> None:
    """Print the diffs, without values that may be secrets, and the notes."""
    settings, variables = changes
    for change, shown in ((settings, None), (variables, PUBLIC_VARIABLES)):
        if change.is_empty:
            print(escaped(f"{change.name} is up to date."))
        for line in diff_lines(change, shown=shown):
            print(escaped(line))
        for note in change.notes:
            print(escaped(f"Note: {note}"), file=sys.stderr)


def write(changes: list[Change]) -> int:
    """Write the changed files and return the exit status. `.env` becomes private; `lab.toml` keeps its mode."""
    settings, variables = changes
    name, is_partly_written = settings.name, False
    try:
        if not settings.is_empty:
            path = Path(settings.name).resolve()
            with atomic_path(path) as draft:
                draft.write_bytes(settings.after.encode())
                draft.chmod(stat.S_IMODE(path.stat().st_mode))
            is_partly_written = True
        name = variables.name
        # Also an unchanged file becomes private.
        write_private(Path(variables.name), variables.after)
    except OSError as error:
        print(escaped(f"{name} cannot be written ({error.strerror})."), file=sys.stderr)
        return exit_status.PARTLY_FAILED if is_partly_written else exit_status.BAD_INPUT
    return exit_status.DONE


if __name__ == "__main__":
    main()
