"""Terraform's external data program: verifies the workspace and reports warnings about it.

Reads a JSON object of strings from stdin and writes one to stdout, as the provider "external" requires. If nothing may
be planned against this workspace, exits with status 1 and one message on stderr.
"""

import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

# Run as a script: the project's root is added to sys.path so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from labkit import exit_status
from labkit.text import escaped
from labkit.version import handle_version_option
from labkit.workspace.access import choose_from
from labkit.workspace.choice import (
    WorkspaceChoice,
    WorkspaceChoiceError,
    WorkspaceOptions,
    apply_choice,
    terraform_conflict,
)
from preflight.identity import WARNINGS_SHOWN, GuardError

_TIMEOUT_SECONDS = 45


def main(query: Mapping[str, str]) -> dict[str, str]:
    """Return the live workspace and its warnings. Raise `GuardError` if it is not the expected one."""
    # The SDK is slow to import, so nothing above this line needs it. Garbage collection adds a fifth to the import
    # time.
    gc.disable()
    from preflight.guard import inspect_workspace

    return inspect_workspace(query, provider_choice(query), warns=not os.environ.get(WARNINGS_SHOWN))


def provider_choice(query: Mapping[str, str]) -> WorkspaceChoice:
    """Return the host and credential that Terraform's provider uses. Raise `GuardError` if its choice would differ."""
    name = query["target"]
    flags = WorkspaceOptions(query["host"] or None, profile=query["profile"] or None, url_name=f"host of target {name}")
    try:
        # .env is ignored, because Terraform, which starts this program, does not read it either.
        choice = choose_from(os.environ, flags)
        problem = terraform_conflict(choice, os.environ, flags)
    except WorkspaceChoiceError as error:
        raise GuardError(f"Target {name}: {error}") from None
    if problem:
        raise GuardError(f"Target {name}: {problem}")
    apply_choice(choice, os.environ)
    return choice


def raise_timeout(signum: int, frame: FrameType | None) -> None:
    raise GuardError(
        f"The workspace or its login did not respond within {_TIMEOUT_SECONDS} seconds; check network and login."
    )


if __name__ == "__main__":
    handle_version_option("check_workspace.py", sys.argv[1:])
    signal.signal(signal.SIGALRM, raise_timeout)
    signal.alarm(_TIMEOUT_SECONDS)
    try:
        result = main(json.load(sys.stdin))
    except GuardError as error:
        print(escaped(error), file=sys.stderr)
        sys.exit(exit_status.PARTLY_FAILED)
    json.dump(result, sys.stdout)
