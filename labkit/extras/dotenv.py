"""The file `.env` of the working directory: read in one way by all programs, and never stronger than the environment.

Programs that Terraform starts do not read it, because Terraform's providers do not either.
"""

import io
from collections.abc import MutableMapping
from pathlib import Path

from dotenv.main import DotEnv

from labkit.workspace.choice import WORKSPACE_VARIABLES

NAME = ".env"


class DotenvError(ValueError):
    """The file is there and cannot be used; a sentence with its path."""


def load(environ: MutableMapping[str, str], folder: Path = Path()) -> dict[str, str]:
    """Put what the environment lacks into it, and return the variables of the file that concern a workspace.

    Those are not put into the environment: `labkit.workspace.choice` takes them all or not at all. A variable that is
    set but empty in the environment stays empty. Raises DotenvError.
    """
    told = read(folder / NAME)
    for name, value in told.items():
        if name not in WORKSPACE_VARIABLES:
            environ.setdefault(name, value)
    return {name: value for name, value in told.items() if name in WORKSPACE_VARIABLES}


def read(path: Path) -> dict[str, str]:
    """The variables of the file; none if it does not exist. Raises DotenvError."""
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
