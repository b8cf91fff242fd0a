"""Re-executes a script with the project's virtual environment."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from labkit import exit_status

_REEXECUTED = "LAB_REENTERED"


def venv_interpreter(root: Path) -> Path | None:
    """Return the interpreter of the project's virtual environment: in `.venv` beside the Pipfile, or in Pipenv's
    folder.

    Return None if there is no virtual environment.
    """
    local = root / ".venv" / "bin" / "python"
    if local.exists():
        return local
    pipenv = shutil.which("pipenv")
    if pipenv is None:
        return None
    result = subprocess.run([pipenv, "--venv"], cwd=root, capture_output=True, text=True, timeout=60, check=False)
    managed = Path(result.stdout.strip() or "/nonexistent") / "bin" / "python"
    return managed if result.returncode == 0 and managed.exists() else None


def reexec_in_venv(script: Path, *, environ: Mapping[str, str]) -> NoReturn:
    """Restart the script with the project's interpreter; exit with status 2 and a message if it is missing."""
    interpreter = None if environ.get(_REEXECUTED) else venv_interpreter(script.parent.parent)
    if interpreter is None:
        print(
            "The Python packages of the lab are missing; run `pipenv install` in the project folder.", file=sys.stderr
        )
        sys.exit(exit_status.BAD_INPUT)
    os.execve(interpreter, [str(interpreter), str(script), *sys.argv[1:]], {**environ, _REEXECUTED: "1"})
