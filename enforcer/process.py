"""What every command begins and ends with: its environment, the time, sentences and an exit status."""

import sys
from collections.abc import MutableMapping
from datetime import datetime
from typing import NoReturn

import click

from labkit import clock, exit_status
from labkit.text import escaped


def environment() -> MutableMapping[str, str]:
    """The environment of this run, as the program was given it."""
    environ: MutableMapping[str, str] = click.get_current_context().obj
    return environ


def refuse(*problems: str) -> NoReturn:
    """End with status 2 after these sentences."""
    for problem in problems:
        print(escaped(problem), file=sys.stderr)
    raise SystemExit(exit_status.BAD_INPUT)


def now() -> datetime:
    """The one clock reading of this run."""
    try:
        return clock.now(environment())
    except clock.ClockError as error:
        refuse(str(error))
