"""Terraform's data script: is this the workspace that is meant, and what should a person know of it?

Reads a JSON object of texts from stdin and writes one to stdout, as the provider "external" wants it. Exits 1 with a
sentence on stderr where nothing may be planned against this workspace.
"""

import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

# Started by path: the project's root is added, so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from labkit import exit_status
from labkit.text import escaped
from labkit.version import answer_version
from labkit.workspace.access import choice_of
from labkit.workspace.choice import Choice, ChoiceError, Flags, leave_only, would_mix
from preflight.identity import WARNINGS_SHOWN, GuardError

_TIMEOUT_SECONDS = 45


def main(query: Mapping[str, str]) -> dict[str, str]:
    """The live workspace and its warnings. Raise `GuardError` where it is not the one to work on."""
    # The SDK is slow to import, so nothing above this line needs it; looking for garbage meanwhile costs a fifth of it.
    gc.disable()
    from preflight.guard import inspect_workspace

    return inspect_workspace(query, provider_choice(query), warns=not os.environ.get(WARNINGS_SHOWN))


def provider_choice(query: Mapping[str, str]) -> Choice:
    """Host and credential as Terraform's provider has them. Raise `GuardError` where it would choose otherwise."""
    name = query["target"]
    flags = Flags(query["host"] or None, profile=query["profile"] or None, url_name=f"host of target {name}")
    try:
        # Not .env: Terraform, which starts this, does not read it either.
        choice = choice_of(os.environ, flags)
        problem = would_mix(choice, os.environ, flags)
    except ChoiceError as error:
        raise GuardError(f"Target {name}: {error}") from None
    if problem:
        raise GuardError(f"Target {name}: {problem}")
    leave_only(choice, os.environ)
    return choice


def raise_timeout(signum: int, frame: FrameType | None) -> None:
    raise GuardError(
        f"The workspace or its login did not answer within {_TIMEOUT_SECONDS} seconds; check network and login."
    )


if __name__ == "__main__":
    answer_version("check_workspace.py", sys.argv[1:])
    signal.signal(signal.SIGALRM, raise_timeout)
    signal.alarm(_TIMEOUT_SECONDS)
    try:
        result = main(json.load(sys.stdin))
    except GuardError as error:
        print(escaped(error), file=sys.stderr)
        sys.exit(exit_status.PARTLY_FAILED)
    json.dump(result, sys.stdout)
