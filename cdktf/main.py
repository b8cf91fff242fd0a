"""Synthesizes the one stack of the chosen target: `lab.toml` and its rosters become Terraform's JSON.

Run by cdktf (see cdktf.json). LAB_CONFIG names another settings file, LAB_TARGET another target.
"""

import gc
import os
import sys
from collections.abc import MutableMapping
from importlib import metadata
from pathlib import Path

# Started by path: the project's root is added, so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

if __name__ == "__main__":
    # Imports and synthesis take two seconds, and a fifth more where garbage is looked for meanwhile.
    gc.disable()

try:
    # Importing the framework would start its Node process, too early for a mistake in the settings to be said at once.
    metadata.version("constructs")
    from preflight.course_input import read_course_input
except ImportError:
    from reexec import reexec_in_venv

    reexec_in_venv(Path(__file__).resolve(), environ=os.environ)


from lab_settings import LabSettingsError
from labkit import exit_status
from labkit.files import make_private, make_private_folder
from labkit.text import escaped
from labkit.version import handle_version_option
from preflight import provider_lock
from preflight.target_access import deploying_service_principal, target_variables
from roster.model import RosterError
from stack.programs import PackageCommand, ScriptCommand

HERE = Path(__file__).resolve().parent


def main(environ: MutableMapping[str, str]) -> None:
    """Write the stack to cdktf's output folder. Raise `LabSettingsError` or `RosterError` for invalid input."""
    course = read_course_input(environ)
    state = course.folder / "state"
    make_output_private(state)
    # The Node process under cdktf would announce, on every run, that its Node release is no longer maintained.
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", ",".join(map(str, range(20, 40))))
    # A Node.js that `make` installed is beside the interpreter, which is not always a folder of PATH.
    if (node := Path(current_interpreter().parent, "node")).exists():
        os.environ.setdefault("JSII_NODE", str(node))
    from stack.course import Course
    from stack.framework import App

    app = App()
    # What an earlier version wrote there would keep its mode.
    stack = Path(app.outdir, "stacks", course.stack)
    make_output_private(stack)
    Course(
        app,
        lab=course.lab,
        target_name=course.target_name,
        target=course.target,
        rosters=course.rosters,
        guard=script_command("check_workspace.py"),
        stop=script_command("stop_new_cluster.py", environment=target_variables(course.target)),
        restricted=PackageCommand(current_interpreter(), "enforcer", "restricted", str(HERE.parent)),
        state_folder=state,
        deployer=deploying_service_principal(course.choice, environ),
    )
    app.synth()
    try:
        provider_lock.copy_to_stack(course.folder, stack)
    except provider_lock.LockFileError as error:
        raise LabSettingsError([str(error)]) from None


def make_output_private(folder: Path) -> None:
    """Make the folder, and take the rights of others on it and on the files directly in it away: they name people."""
    make_private_folder(folder, enforce=True)
    for path in folder.iterdir():
        if path.is_file():
            make_private(path)


def script_command(script: str, environment: dict[str, str] | None = None) -> ScriptCommand:
    """One of our scripts, run by the interpreter that runs this."""
    return ScriptCommand(current_interpreter(), HERE / script, str(HERE.parent), environment or {})


def current_interpreter() -> Path:
    """The interpreter that runs this, by its absolute path."""
    return Path(os.path.abspath(sys.executable))


if __name__ == "__main__":
    handle_version_option("main.py", sys.argv[1:])
    # The framework's own process writes the stack, with the mode that this one leaves it.
    os.umask(0o077)
    try:
        main(os.environ)
    except (LabSettingsError, RosterError) as error:
        for problem in error.problems:
            print(escaped(problem), file=sys.stderr)
        sys.exit(exit_status.BAD_INPUT)
