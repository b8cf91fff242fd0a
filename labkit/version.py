"""`--version` for programs that have no other options."""

import sys
from collections.abc import Sequence

from labkit import __version__, exit_status


def handle_version_option(program: str, arguments: Sequence[str]) -> None:
    """Print the version and exit if `--version` is the only argument."""
    if list(arguments) == ["--version"]:
        print(f"{program} {__version__}")
        sys.exit(exit_status.DONE)
