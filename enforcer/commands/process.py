"""What every command begins and ends with: its environment, the time, sentences and an exit status."""

from collections.abc import MutableMapping
from datetime import datetime

import click

from labkit import clock
from labkit.extras import cli


def environment() -> MutableMapping[str, str]:
    """The environment of this run, as the program was given it."""
    environ: MutableMapping[str, str] = click.get_current_context().obj
    return environ


def now() -> datetime:
    """The one clock reading of this run."""
    try:
        return clock.now(environment())
    except clock.ClockError as error:
        cli.fail(str(error))
