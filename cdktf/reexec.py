"""How a program of the lab gets into the virtual environment when it was started outside of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from labkit import exit_status

_MARK = "LAB_REENTERED"


def interpreter_of(root: Path) -> Path | None:
    """The interpreter of the project's virtual environment: `.venv` beside the Pipfile, or wherever Pipenv keeps it."""
    beside = root / ".venv" / "bin" / "python"
    if beside.exists():
        return beside
    pipenv = shutil.which("pipenv")
    if pipenv is None:
        return None
    answer = subprocess.run([pipenv, "--venv"], cwd=root, capture_output=True, text=True, timeout=60, check=False)
    kept = Path(answer.stdout.strip() or "/nonexistent") / "bin" / "python"
    return kept if answer.returncode == 0 and kept.exists() else None


def reenter(script: Path, *, environ: Mapping[str, str]) -> NoReturn:
    """Start the script again with the project's interpreter; exit 2 with a sentence where there is none."""
    interpreter = None if environ.get(_MARK) else interpreter_of(script.parent.parent)
    if interpreter is None:
        print(
            "The Python packages of the lab are missing; run `pipenv install` in the project's folder.", file=sys.stderr
        )
        sys.exit(exit_status.BAD_INPUT)
    os.execve(interpreter, [str(interpreter), str(script), *sys.argv[1:]], {**environ, _MARK: "1"})
