"""Runs cdktf as the lab wants it: `pipenv run cdktf deploy | diff | destroy | synth`.

Takes the command line of cdktf unchanged. Sets Terraform's parallelism and leaves out what would only be noise. Before
cdktf starts, it says in one sentence what is missing on this machine, or wrong with settings or workspace, and shows
the guard's warnings: cdktf and Terraform would each show it in a block of their own.
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

# Started by path: the project's root is added, so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

try:
    from labkit.extras import dotenv
except ImportError:
    from reexec import reenter

    reenter(Path(__file__).resolve(), environ=os.environ)

from labkit import exit_status
from labkit.terraform import VARIABLE, terraform_of
from labkit.text import escaped
from labkit.workspace.choice import NO_WORKSPACE, NoWorkspace, leave_only
from preflight import provider_lock
from preflight.identity import WARNINGS_SHOWN, GuardError
from preflight.providers import has_own_installation, mirror_folders, not_mirrored, problem, registry_answers

ROOT = Path(__file__).resolve().parent.parent

# Resources are many, small and independent; cdktf takes every flag from a variable of this prefix too.
PARALLELISM = "50"

_ASKS_WORKSPACE = {"deploy", "apply", "diff", "plan", "destroy"}
_READS_SETTINGS = {*_ASKS_WORKSPACE, "synth", "synthesize", "list", "output", "outputs", "watch"}
_PRINTS_PLANS = ("plan", "apply", "destroy", "refresh")


class NotReady(Exception):
    """Why cdktf is not started: one sentence a line, with what to do."""


@dataclass(frozen=True)
class Asked:
    """What was found out before cdktf is started."""

    warnings: tuple[str, ...] = ()
    settings: Path | None = None
    """The folder of the settings file; None: the verb needs no settings."""
    stack: str = ""


def environment_for(
    environ: Mapping[str, str], *, root: Path, skips_lock: bool, colours: bool, is_locked: bool = False
) -> dict[str, str]:
    """The environment for cdktf. What is set already stays, but for a CLI configuration that does not exist.

    `is_locked`: the providers are those of a lock file that is kept, and an init may not change it.
    """
    defaults = {
        "CDKTF_TERRAFORM_PARALLELISM": PARALLELISM,
        "CHECKPOINT_DISABLE": "1",
        # cdktf-cli is locked; asking npm whether there is a newer one only prints what npm wants to say.
        "DISABLE_VERSION_CHECK": "true",
        # Terraform writes a local state anew for each resource; a quarter of its time goes into clearing up after that.
        "GOGC": "400",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": ",".join(map(str, range(20, 40))),
        "NODE_NO_WARNINGS": "1",
    }
    if skips_lock:
        # `terraform providers lock` asks the registry even for what a mirror holds.
        defaults["CDKTF_SKIP_PROVIDER_LOCK"] = "true"
    if not colours:
        # CI: lines instead of a moving picture.
        defaults |= {"CI": "true", "NO_COLOR": "1", "FORCE_COLOR": "0"}
        defaults |= {f"TF_CLI_ARGS_{verb}": "-no-color" for verb in _PRINTS_PLANS}
    kept = dict(environ)
    named = kept.get("TF_CLI_CONFIG_FILE")
    if named is not None and not Path(named).is_file():
        # Terraform would complain of it before every answer.
        del kept["TF_CLI_CONFIG_FILE"]
    if is_locked:
        kept["TF_CLI_ARGS_init"] = f"{kept.get('TF_CLI_ARGS_init', '')} {provider_lock.READ_ONLY}".strip()
    folders = [str(Path(sys.executable).parent), str(root / "node_modules" / ".bin"), kept.get("PATH", os.defpath)]
    return {**defaults, **kept, "PATH": os.pathsep.join(folders)}


def ask_first(verb: str, environ: MutableMapping[str, str]) -> Asked:
    """Check settings and workspace as far as the verb needs them.

    Of the workspace only what was chosen for the target is left in the environment, with what `.env` adds: Terraform
    reads it. Raises `NotReady`.
    """
    if verb not in _READS_SETTINGS:
        try:
            dotenv.load(environ)
        except dotenv.DotenvError as error:
            raise NotReady(str(error)) from None
        return Asked()
    # `cdktf --help` needs none of this. Looking for garbage meanwhile would take a fifth of the time.
    gc.disable()
    from lab_settings import LabError
    from preflight.course_input import read_input
    from roster.model import RosterError

    try:
        course = read_input(environ)
    except (LabError, RosterError) as error:
        raise NotReady("\n".join(error.problems)) from None
    choice = course.choice
    if not isinstance(choice, NoWorkspace):
        leave_only(choice, environ)
    if verb not in _ASKS_WORKSPACE:
        return Asked((), course.folder, course.stack)
    if isinstance(choice, NoWorkspace):
        sentence = str(choice)
        raise NotReady(sentence if sentence == NO_WORKSPACE else f"Target {course.target_name}: {sentence}")

    from preflight.guard import look
    from preflight.guard_query import WARNINGS, expectations
    from preflight.target_access import service_principal_of
    from stack.course_document import course_text

    groups = course.rosters[0].active_groups
    text = course_text(course.lab, groups, deployer=service_principal_of(choice, environ))
    try:
        answer = look(expectations(course.lab, course.target_name, course.target, groups, course_file=text), choice)
    except GuardError as error:
        raise NotReady(str(error)) from None
    environ[WARNINGS_SHOWN] = "1"
    shown = ("unguarded",) if verb == "destroy" else WARNINGS
    return Asked(tuple(answer[name] for name in shown if answer[name]), course.folder, course.stack)


def program_of(root: Path, path: str | None = None, *, terraform: str = "terraform") -> Path:
    """The cdktf of the project. Raise `NotReady` where it or what it needs is missing.

    `path` is searched for programs; by default it is that of the environment.
    """
    program = root / "node_modules" / ".bin" / "cdktf"
    if not program.exists():
        raise NotReady(f"cdktf-cli is not installed; run `npm ci` in {root}.")
    if shutil.which("node", path=path) is None:
        raise NotReady("Node.js is not installed; cdktf needs version 20 or newer, from https://nodejs.org.")
    if shutil.which(terraform, path=path) is None:
        missing = "Terraform is not installed" if terraform == "terraform" else f"{VARIABLE}: there is no {terraform}"
        raise NotReady(
            f"{missing}; the lab needs 1.5 or newer, from https://developer.hashicorp.com/terraform/install."
        )
    return program


def needs_lock_skipped(environ: Mapping[str, str], home: Path, verb: str) -> bool:
    """Whether the providers come from a local mirror. Raise `NotReady` where Terraform could not get them at all."""
    if has_own_installation(environ, home):
        return True
    missing = not_mirrored(mirror_folders(home))
    if missing and verb in _ASKS_WORKSPACE and not registry_answers():
        raise NotReady(problem(missing))
    return not missing


def output_folder(arguments: Sequence[str], environ: Mapping[str, str]) -> Path:
    """Where cdktf puts the synthesized stacks."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, separator, value = word.partition("=")
        if name in ("--output", "-o"):
            return Path(value if separator else following)
    return Path(environ.get("CDKTF_OUTPUT") or "cdktf.out")


def run_to_its_end(command: Sequence[str], environment: Mapping[str, str], afterwards: Callable[[], None]) -> int:
    """Run a program and then the function; the exit status for ours.

    A Ctrl-C reaches the program by itself, and Terraform has to end in order; other requests to end are passed on.
    """
    child = subprocess.Popen(command, env=environment)
    signal.signal(signal.SIGINT, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: child.send_signal(number))
    status = child.wait()
    afterwards()
    return status if status >= 0 else 128 - status


def main(arguments: Sequence[str], environ: MutableMapping[str, str]) -> int:
    """Become cdktf, or run it where something is to be done afterwards: its exit status.

    The environment is changed to what cdktf gets. Raise `NotReady` where cdktf cannot be started or would fail.
    """
    verb = next((word for word in arguments if not word.startswith("-")), "")
    asked = ask_first(verb, environ)
    colours = sys.stdout.isatty() and not environ.get("NO_COLOR")
    folders = [str(Path(sys.executable).parent), environ.get("PATH", os.defpath)]
    program = program_of(ROOT, os.pathsep.join(folders), terraform=terraform_of(environ))
    skips_lock = needs_lock_skipped(environ, Path.home(), verb)
    for warning in asked.warnings:
        print(f"Warning: {escaped(warning)}", file=sys.stderr, flush=True)
    # The state and what is synthesized name people.
    os.umask(0o077)
    is_locked = asked.settings is not None and (asked.settings / provider_lock.NAME).exists()
    environment = environment_for(environ, root=ROOT, skips_lock=skips_lock, colours=colours, is_locked=is_locked)
    command = [str(program), *arguments]
    if asked.settings is None or is_locked or skips_lock or verb not in _ASKS_WORKSPACE:
        os.execve(program, command, environment)
    stack = output_folder(arguments, environ) / "stacks" / asked.stack
    return run_to_its_end(command, environment, partial(provider_lock.keep, stack, asked.settings))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:], os.environ))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except NotReady as error:
        for sentence in str(error).splitlines():
            print(escaped(sentence), file=sys.stderr)
        sys.exit(exit_status.BAD_INPUT)
