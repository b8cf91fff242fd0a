"""Runs cdktf with the lab's defaults: `pipenv run cdktf deploy | diff | destroy | synth`.

Passes the command line to cdktf unchanged. Sets Terraform's parallelism and suppresses irrelevant output. Before cdktf
starts, reports in one line what is missing on this machine or wrong with settings or workspace, and prints the guard's
warnings: cdktf and Terraform would print longer blocks for each.
"""

import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

# Run as a script: the project's root is added to sys.path so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

try:
    from labkit.extras import dotenv
except ImportError:
    from reexec import reexec_in_venv

    reexec_in_venv(Path(__file__).resolve(), environ=os.environ)

from labkit import exit_status
from labkit.terraform import VARIABLE, terraform_program
from labkit.text import escaped
from labkit.workspace.choice import WORKSPACE_NOT_CONFIGURED, WorkspaceNotConfigured, apply_choice
from node_process import NO_WARNINGS, SILENCE_VARIABLE, SILENCED_RELEASES
from preflight import provider_lock
from preflight.deploy_lock import deploy_lock
from preflight.identity import WARNINGS_SHOWN, GuardError
from preflight.providers import (
    has_provider_installation,
    is_registry_reachable,
    mirror_folders,
    missing_from_mirrors,
    missing_providers_error,
)

ROOT = Path(__file__).resolve().parent.parent

# A lab has many small, independent resources. cdktf reads this from CDKTF_TERRAFORM_PARALLELISM.
PARALLELISM = "50"

_WORKSPACE_VERBS = {"deploy", "apply", "diff", "plan", "destroy"}
_SETTINGS_VERBS = {*_WORKSPACE_VERBS, "synth", "synthesize", "list", "output", "outputs", "watch"}
_CHANGING_VERBS = {"deploy", "apply", "destroy"}
_PLAN_VERBS = ("plan", "apply", "destroy", "refresh")


class PreflightError(Exception):
    """The reasons why cdktf is not started, one per line, each with what to do."""


@dataclass(frozen=True)
class PreflightResult:
    """The result of the checks before cdktf is started."""

    warnings: tuple[str, ...] = ()
    settings_folder: Path | None = None
    """The folder that contains the settings file; None if the command needs no settings."""
    stack: str = ""


def cdktf_environment(
    environ: Mapping[str, str], *, root: Path, skips_lock: bool, is_coloured: bool, is_locked: bool = False
) -> dict[str, str]:
    """Return the environment for cdktf. Variables that are set are kept, except the path of a missing CLI
    configuration.

    With `is_locked` the providers come from a stored lock file, which `terraform init` may not change.
    """
    defaults = {
        "CDKTF_TERRAFORM_PARALLELISM": PARALLELISM,
        "CHECKPOINT_DISABLE": "1",
        # cdktf-cli is pinned, so a check for a newer version only prints npm's messages.
        "DISABLE_VERSION_CHECK": "true",
        # Terraform rewrites a local state for each resource; even with this value, a quarter of its time is garbage
        # collection.
        "GOGC": "400",
        # cdktf draws each of Terraform's lines with React; its development build takes a second longer for 30 groups.
        "NODE_ENV": "production",
        SILENCE_VARIABLE: SILENCED_RELEASES,
        **NO_WARNINGS,
    }
    if skips_lock:
        # `terraform providers lock` queries the registry even for providers that a mirror holds.
        defaults["CDKTF_SKIP_PROVIDER_LOCK"] = "true"
    if not is_coloured:
        # With CI set, cdktf prints plain lines instead of an animated display.
        defaults |= {"CI": "true", "NO_COLOR": "1", "FORCE_COLOR": "0"}
        defaults |= {f"TF_CLI_ARGS_{verb}": "-no-color" for verb in _PLAN_VERBS}
    variables = dict(environ)
    config_file = variables.get("TF_CLI_CONFIG_FILE")
    if config_file is not None and not Path(config_file).is_file():
        # Terraform would print an error about it before every output.
        del variables["TF_CLI_CONFIG_FILE"]
    if is_locked:
        variables["TF_CLI_ARGS_init"] = (
            f"{variables.get('TF_CLI_ARGS_init', '')} {provider_lock.READ_ONLY_OPTION}".strip()
        )
    folders = [str(Path(sys.executable).parent), str(root / "node_modules" / ".bin"), variables.get("PATH", os.defpath)]
    return {**defaults, **variables, "PATH": os.pathsep.join(folders)}


def run_preflight(verb: str, environ: MutableMapping[str, str]) -> PreflightResult:
    """Check settings and workspace as far as the command needs them. Raise `PreflightError` if a check fails.

    For Terraform, the environment keeps only the workspace variables that were chosen for the target, and gets
    additional ones from `.env`.
    """
    if verb not in _SETTINGS_VERBS:
        try:
            dotenv.load(environ)
        except dotenv.DotenvError as error:
            raise PreflightError(str(error)) from None
        return PreflightResult()
    # `cdktf --help` needs none of these imports. Garbage collection would take a fifth of their time.
    gc.disable()
    from lab_settings import LabSettingsError
    from preflight.course_input import read_course_input
    from roster.model import RosterError

    try:
        course = read_course_input(environ)
    except (LabSettingsError, RosterError) as error:
        raise PreflightError("\n".join(error.problems)) from None
    choice = course.choice
    if not isinstance(choice, WorkspaceNotConfigured):
        apply_choice(choice, environ)
    if verb not in _WORKSPACE_VERBS:
        return PreflightResult((), course.folder, course.stack)
    if isinstance(choice, WorkspaceNotConfigured):
        message = str(choice)
        raise PreflightError(
            message if message == WORKSPACE_NOT_CONFIGURED else f"Target {course.target_name}: {message}"
        )

    from preflight.guard import inspect_workspace
    from preflight.guard_query import WARNINGS, guard_query
    from preflight.target_access import deploying_service_principal
    from stack.course_document import course_text

    groups = course.rosters[0].active_groups
    text = course_text(
        course.lab,
        groups,
        deployer=deploying_service_principal(choice, environ),
        imported_calendar=course.imported_calendar,
    )
    try:
        answer = inspect_workspace(
            guard_query(course.lab, course.target_name, course.target, groups, course_file=text), choice
        )
    except GuardError as error:
        raise PreflightError(str(error)) from None
    environ[WARNINGS_SHOWN] = "1"
    warning_names = ("unguarded",) if verb == "destroy" else WARNINGS
    return PreflightResult(tuple(answer[name] for name in warning_names if answer[name]), course.folder, course.stack)


def find_cdktf(root: Path, path: str | None = None, *, terraform: str = "terraform") -> Path:
    """Return the project's cdktf. Raise `PreflightError` if it, Node.js or Terraform is missing.

    `path` is the search path for programs, by default PATH.
    """
    program = root / "node_modules" / ".bin" / "cdktf"
    if not program.exists():
        raise PreflightError(f"cdktf-cli is not installed; run `npm ci` in {root}.")
    if shutil.which("node", path=path) is None:
        raise PreflightError("Node.js is not installed; cdktf needs version 20 or newer, from https://nodejs.org.")
    if shutil.which(terraform, path=path) is None:
        missing = "Terraform is not installed" if terraform == "terraform" else f"{VARIABLE}: there is no {terraform}"
        raise PreflightError(
            f"{missing}; the lab needs 1.5 or newer, from https://developer.hashicorp.com/terraform/install."
        )
    return program


def must_skip_lock(environ: Mapping[str, str], home: Path, verb: str) -> bool:
    """Return whether the providers come from a local mirror. Raise `PreflightError` if Terraform cannot get them."""
    if has_provider_installation(environ, home):
        return True
    missing = missing_from_mirrors(mirror_folders(home))
    if missing and verb in _WORKSPACE_VERBS and not is_registry_reachable():
        raise PreflightError(missing_providers_error(missing))
    return not missing


def output_folder(arguments: Sequence[str], environ: Mapping[str, str]) -> Path:
    """Return the folder to which cdktf writes the synthesized stacks."""
    for argument, next_argument in zip(arguments, [*arguments[1:], ""], strict=True):
        name, separator, value = argument.partition("=")
        if name in ("--output", "-o"):
            return Path(value if separator else next_argument)
    return Path(environ.get("CDKTF_OUTPUT") or "cdktf.out")


def run_then(command: Sequence[str], environment: Mapping[str, str], on_exit: Callable[[], None]) -> int:
    """Run a program and then the function; return the exit status for this process.

    Ctrl-C reaches the program directly, and Terraform has to shut down in order; SIGTERM and SIGHUP are forwarded.
    """
    child = subprocess.Popen(command, env=environment)
    signal.signal(signal.SIGINT, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: child.send_signal(number))
    status = child.wait()
    on_exit()
    return status if status >= 0 else 128 - status


def main(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int:
    """Replace this process with cdktf, or run cdktf, hold the deploy's lock and store the providers' lock file
    afterwards; return its exit status.

    Updates `environ` for cdktf. Raise `PreflightError` if cdktf cannot be started or would fail.
    """
    verb = next((argument for argument in arguments if not argument.startswith("-")), "")
    preflight_result = run_preflight(verb, environ)
    is_coloured = sys.stdout.isatty() and not environ.get("NO_COLOR")
    folders = [str(Path(sys.executable).parent), environ.get("PATH", os.defpath)]
    program = find_cdktf(ROOT, os.pathsep.join(folders), terraform=terraform_program(environ))
    skips_lock = must_skip_lock(environ, Path.home(), verb)
    for warning in preflight_result.warnings:
        print(f"Warning: {escaped(warning)}", file=sys.stderr, flush=True)
    # The state and the synthesized stack contain people's names.
    os.umask(0o077)
    is_locked = (
        preflight_result.settings_folder is not None
        and (preflight_result.settings_folder / provider_lock.FILE_NAME).exists()
    )
    environment = cdktf_environment(
        environ, root=ROOT, skips_lock=skips_lock, is_coloured=is_coloured, is_locked=is_locked
    )
    command = [str(program), *arguments]
    folder = preflight_result.settings_folder
    if folder is None or verb not in _WORKSPACE_VERBS:
        os.execve(program, command, environment)
    on_exit = None
    if not is_locked and not skips_lock:
        stack = output_folder(arguments, environ) / "stacks" / preflight_result.stack
        on_exit = partial(provider_lock.save, stack, folder)
    if verb not in _CHANGING_VERBS:
        if on_exit is None:
            os.execve(program, command, environment)
        return run_then(command, environment, on_exit)
    try:
        with deploy_lock(folder, preflight_result.stack) as is_alone:
            if not is_alone:
                raise PreflightError(
                    f"{preflight_result.stack} is being deployed, or its roster updated, by another process on this "
                    "machine; wait until it is done."
                )
            return run_then(command, environment, on_exit or (lambda: None))
    except OSError as error:
        raise PreflightError(f"{program.name} cannot be started: {error}.") from None


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:], os.environ))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except PreflightError as error:
        for message in str(error).splitlines():
            print(escaped(message), file=sys.stderr)
        sys.exit(exit_status.BAD_INPUT)
