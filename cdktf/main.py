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

try:
    # Importing the framework would start its Node process, too early for a mistake in the settings to be said at once.
    metadata.version("constructs")
    from lab_settings import LabError, load_lab
    from labkit.extras import dotenv
except ImportError:
    from reexec import reenter

    reenter(Path(__file__).resolve(), environ=os.environ)


from labkit import exit_status
from labkit.files import private_folder
from labkit.version import answer_version
from preflight.target_access import credentials_of, service_principal_of, target_choice
from roster.model import Roster, RosterError, parse_roster
from stack.programs import Program, Verb

HERE = Path(__file__).resolve().parent


def main(environ: MutableMapping[str, str]) -> None:
    """Write the stack to cdktf's output folder. Raise `LabError` or `RosterError` for what a person must mend."""
    try:
        told = dotenv.load(environ)
    except dotenv.DotenvError as error:
        raise LabError([str(error)]) from None
    settings = Path(environ.get("LAB_CONFIG") or HERE.parent / "lab.toml").absolute()
    lab = load_lab(settings)
    name, target = lab.target(environ.get("LAB_TARGET"))
    choice = target_choice(name, target, environ, told)  # what mixes is said before a plan needs it
    rosters = [read_roster(settings.parent / roster, shown=roster) for roster in lab.course.rosters]
    own = rosters[0]
    if problems := lab.problems_with([group.key for group in own.groups], [group.key for group in own.active_groups]):
        raise LabError([f"{settings.name}: {problem}" for problem in problems])

    state = settings.parent / "state"
    make_private(state)
    # The Node process under cdktf would announce, on every run, that its Node release is no longer maintained.
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", ",".join(map(str, range(20, 40))))
    # A Node.js that `make` installed is beside the interpreter, which is not always a folder of PATH.
    if (node := Path(interpreter().parent, "node")).exists():
        os.environ.setdefault("JSII_NODE", str(node))
    # These take two seconds, and a fifth more where garbage is looked for meanwhile.
    gc.disable()
    from stack.course import Course
    from stack.framework import App

    app = App()
    # What an earlier version wrote there would keep its mode.
    make_private(Path(app.outdir, "stacks", lab.stack_id(name)))
    Course(
        app,
        lab=lab,
        target_name=name,
        target=target,
        rosters=rosters,
        guard=program("check_workspace.py"),
        stop=program("stop_new_cluster.py", environment=credentials_of(target)),
        restricted=Verb(interpreter(), "enforcer", "restricted", str(HERE.parent)),
        state_folder=state,
        deployer=service_principal_of(choice, environ),
    )
    app.synth()


def read_roster(path: Path, *, shown: str) -> Roster:
    """The roster of this normalised file."""
    try:
        return parse_roster(path.read_text(encoding="utf-8-sig"), shown)
    except OSError as error:
        raise LabError(
            [
                f"{shown}: cannot be read ({error.strerror}); "
                f"python cdktf/import_roster.py EXPORT --out {shown} makes it from Moodle's export."
            ]
        ) from error
    except UnicodeDecodeError as error:
        raise LabError([f"{shown}: is not UTF-8 text; import it again with cdktf/import_roster.py."]) from error


def make_private(folder: Path) -> None:
    """Make the folder, and take the rights of others on it and on the files directly in it away: they name people."""
    private_folder(folder, enforce=True)
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink():
            path.chmod(0o600)


def program(script: str, environment: dict[str, str] | None = None) -> Program:
    """One of our scripts, run by the interpreter that runs this."""
    return Program(interpreter(), HERE / script, str(HERE.parent), environment or {})


def interpreter() -> Path:
    """The interpreter that runs this, by its absolute path."""
    return Path(os.path.abspath(sys.executable))


if __name__ == "__main__":
    answer_version("main.py", sys.argv[1:])
    # The framework's own process writes the stack, with the mode that this one leaves it.
    os.umask(0o077)
    try:
        main(os.environ)
    except (LabError, RosterError) as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        sys.exit(exit_status.BAD_INPUT)
