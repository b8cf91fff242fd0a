"""Reads the file `.env` in the working directory, which all programs use; the environment takes precedence.

Programs that Terraform starts do not read it, because Terraform's providers do not, either.
"""

import io
from collections.abc import MutableMapping
from pathlib import Path

from dotenv.main import DotEnv

from labkit.workspace.choice import WORKSPACE_VARIABLES

NAME = ".env"


class DotenvError(ValueError):
    """The file exists but cannot be used; the message is a sentence with its path."""


def load(environ: MutableMapping[str, str], folder: Path = Path()) -> dict[str, str]:
    """Add the file's variables that the environment lacks, and return the workspace variables.

    Workspace variables are not put into the environment: `labkit.workspace.choice` uses either all or none. A variable
    that is set but empty in the environment stays empty. Raises DotenvError.
    """
    variables = read(folder / NAME)
    for name, value in variables.items():
        if name not in WORKSPACE_VARIABLES:
            environ.setdefault(name, value)
    return {name: value for name, value in variables.items() if name in WORKSPACE_VARIABLES}


def read(path: Path) -> dict[str, str]:
    """Return the variables in the file; an empty dict if it does not exist. Raises DotenvError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DotenvError(f"{path} is not UTF-8 text (line {line}); save it as UTF-8.") from None
    except OSError as error:
        raise DotenvError(f"{path} cannot be read ({error.strerror}).") from None
    if "\0" in text:
        raise DotenvError(f"{path} contains a NUL character; save it as plain text.")
    values = DotEnv(None, stream=io.StringIO(text), override=False).dict()
    return {name: value for name, value in values.items() if value is not None}
