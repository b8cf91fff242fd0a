"""`metrics`: prints the metrics for Prometheus."""

import sys

import click

from enforcer.commands import context
from enforcer.metrics.recorded import metrics_of
from labkit.extras import cli


@click.command(
    "metrics",
    epilog="""
    \b
    Examples:
      python -m enforcer metrics
      python -m enforcer metrics | promtool check metrics
    """,
)
def command() -> None:
    """Print usage, limits, messages and the last tick in Prometheus' text format, only from the ledger.

    The output contains no names of people, titles or reasons. If LAB_METRICS names a file, poll, watch and end-of-day
    write the same text to it after each tick, for the node exporter's textfile collector. Changes nothing.
    """
    settings = context.settings()
    with context.copy_of(settings) as ledger:
        sys.stdout.write(metrics_of(ledger, settings, now=cli.now()).decode())
