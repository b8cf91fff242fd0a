"""Runs cdktf as the lab wants it: `pipenv run cdktf deploy | diff | destroy | synth`.

Takes the command line of cdktf unchanged. Sets Terraform's parallelism, leaves out what would only be noise, and says
in one sentence what is missing on this machine.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# Started by path: the project's root is added, so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

try:
    from lab_settings import LabError, load_lab
    from labkit.extras import dotenv
except ImportError:
    from reexec import reenter

    reenter(Path(__file__).resolve(), environ=os.environ)

from labkit import exit_status
from labkit.terraform import VARIABLE, terraform_of
from labkit.workspace.choice import leave_only
from preflight.providers import has_own_installation, mirror_folders, not_mirrored, problem, registry_answers
from preflight.target_access import target_choice

ROOT = Path(__file__).resolve().parent.parent

# Resources are many, small and independent; cdktf takes every flag from a variable of this prefix too.
PARALLELISM = "50"

_NEEDS_PROVIDERS = {"deploy", "apply", "diff", "plan", "destroy"}
_PRINTS_PLANS = ("plan", "apply", "destroy", "refresh")


class NotReady(Exception):
    """Something that cdktf needs is not on this machine; the text says how to get it."""


def environment_for(environ: Mapping[str, str], *, root: Path, skips_lock: bool, colours: bool) -> dict[str, str]:
    """The environment for cdktf. What is set already stays, but for a CLI configuration that does not exist."""
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
    folders = [str(Path(sys.executable).parent), str(root / "node_modules" / ".bin"), kept.get("PATH", os.defpath)]
    return {**defaults, **kept, "PATH": os.pathsep.join(folders)}


def with_choice(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with `.env`, and of the workspace only what was chosen for the target: Terraform reads it.

    Raise `NotReady` where sources contradict each other. What else is wrong with the settings, `main.py` says.
    """
    ours = dict(environ)
    try:
        told = dotenv.load(ours)
    except dotenv.DotenvError as error:
        raise NotReady(str(error)) from None
    try:
        lab = load_lab(Path(ours.get("LAB_CONFIG") or ROOT / "lab.toml").absolute())
        name, target = lab.target(ours.get("LAB_TARGET"))
    except LabError:
        return ours
    try:
        choice = target_choice(name, target, ours, told)
    except LabError as error:
        raise NotReady(str(error)) from None
    if choice:
        leave_only(choice, ours)
    return ours


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
    if missing and verb in _NEEDS_PROVIDERS and not registry_answers():
        raise NotReady(problem(missing))
    return not missing


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Become cdktf. Raise `NotReady` where that is not possible."""
    environ = with_choice(environ)
    colours = sys.stdout.isatty() and not environ.get("NO_COLOR")
    folders = [str(Path(sys.executable).parent), environ.get("PATH", os.defpath)]
    program = program_of(ROOT, os.pathsep.join(folders), terraform=terraform_of(environ))
    verb = next((word for word in arguments if not word.startswith("-")), "")
    skips_lock = needs_lock_skipped(environ, Path.home(), verb)
    # The state and what is synthesized name people.
    os.umask(0o077)
    os.execve(
        program,
        [str(program), *arguments],
        environment_for(environ, root=ROOT, skips_lock=skips_lock, colours=colours),
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1:], os.environ)
    except NotReady as error:
        print(error, file=sys.stderr)
        sys.exit(exit_status.BAD_INPUT)
