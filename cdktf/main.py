"""Synthesizes the stack of the chosen target: reads `lab.toml` and its rosters and writes Terraform's JSON.

cdktf runs it (see cdktf.json). LAB_CONFIG selects a different settings file, LAB_TARGET a different target.
"""

import gc
import os
import sys
from collections.abc import MutableMapping
from importlib import metadata
from pathlib import Path

# Run as a script: the project's root is added to sys.path so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

if __name__ == "__main__":
    # Imports and synthesis take two seconds, or a fifth longer with garbage collection.
    gc.disable()

try:
    # Importing the framework here would start its Node process before invalid settings are reported.
    metadata.version("constructs")
    from preflight.course_input import read_course_input
except ImportError:
    from reexec import reexec_in_venv

    reexec_in_venv(Path(__file__).resolve(), environ=os.environ)


from lab_settings import LabSettingsError
from labkit import exit_status
from labkit.files import make_contents_private, write_private
from labkit.text import escaped
from labkit.version import handle_version_option
from node_process import prepare_node
from preflight import provider_lock
from preflight.target_access import deploying_service_principal, target_variables
from roster.model import RosterError
from stack.programs import PackageCommand, ScriptCommand
from synthesized.metadata import without_resource_metadata

HERE = Path(__file__).resolve().parent


def main(environ: MutableMapping[str, str]) -> None:
    """Write the stack to cdktf's output folder. Raise `LabSettingsError` or `RosterError` for invalid input."""
    course = read_course_input(environ)
    state = course.folder / "state"
    # The state and the stack contain people's names.
    make_contents_private(state)
    prepare_node(os.environ, current_interpreter())
    from stack.course import Course
    from stack.framework import App

    app = App()
    # Files that an earlier version wrote there would otherwise keep their mode.
    stack = Path(app.outdir, "stacks", course.stack)
    make_contents_private(stack)
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
        imported_calendar=course.imported_calendar,
    )
    app.synth()
    synthesized = stack / "cdk.tf.json"
    write_private(synthesized, without_resource_metadata(synthesized.read_text(encoding="utf-8")), durable=False)
    try:
        provider_lock.copy_to_stack(course.folder, stack)
    except provider_lock.LockFileError as error:
        raise LabSettingsError([str(error)]) from None


def script_command(script: str, environment: dict[str, str] | None = None) -> ScriptCommand:
    """Return the command for one of our scripts, with the current interpreter."""
    return ScriptCommand(current_interpreter(), HERE / script, str(HERE.parent), environment or {})


def current_interpreter() -> Path:
    """Return the absolute path of the interpreter that runs this program."""
    return Path(os.path.abspath(sys.executable))


if __name__ == "__main__":
    handle_version_option("main.py", sys.argv[1:])
    # The framework's Node process writes the stack and inherits this umask.
    os.umask(0o077)
    try:
        main(os.environ)
    except (LabSettingsError, RosterError) as error:
        for problem in error.problems:
            print(escaped(problem), file=sys.stderr)
        sys.exit(exit_status.BAD_INPUT)
