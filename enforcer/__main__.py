"""`python -m enforcer`: the command line. Each verb is a module of `enforcer.commands`, imported when it is needed."""

import logging
import os

import click

from labkit.extras.cli import LazyGroup, version_option
from labkit.logs import log_to_stderr

VERBS = {
    "poll": "One tick: warn, stop, restrict and restore what is due.",
    "watch": "The same as a service: nobody runs more than a minute past a limit.",
    "end-of-day": "Settle the days that are over and send their reports.",
    "report": "A day as a page, a mail, a table or a picture.",
    "usage": "Used and left per cluster, for day, week and term.",
    "allow": "Change the limits of a group or all, for a day, a span or a lesson.",
    "block": "Allow a group or all no use, for a day or a span.",
    "allowances": "What was allowed, to whom and why.",
    "revoke": "Take an allowance back.",
    "import-history": "Take the earlier system's days into the ledger.",
    "restore-permissions": "Let every lab group start its cluster again, now.",
    "restricted": "For Terraform: the groups that are lowered because of a limit.",
    "clusters": "Every cluster of the workspace.",
    "groups": "Every group, with its members.",
    "users": "Every user, with the groups they are in.",
    "user-groups": "Who is in which group.",
    "allocations": "Cluster, group, permission and members in one table.",
    "test-email": "Send one message and wait for the verdict of the mail service.",
    "doctor": "Check settings, rights, mail, ledger, clock, course and what the quota cannot cover.",
    "archive": "At the end of a term: its history, actions and messages as CSV and Parquet, and its reports.",
    "backup-ledger": "A checked copy of the ledger; the last 14 good ones are kept.",
    "anonymise": "Remove the names of people from everything older than a day; totals stay.",
    "delete-users": "At the end of a term: take the students out of the workspace.",
    "delete-groups": "At the end of a term: remove the lab's groups.",
    "purge-clusters": "At the end of a term: remove the lab's clusters for good.",
}
"""Verb → its line in the help; the module has the same name with underscores."""
RENAMED_VERBS = {"purge": "anonymise"}
"""Old verb → new verb."""


@click.command(
    cls=LazyGroup,
    package="enforcer.commands",
    verbs=VERBS,
    renamed=RENAMED_VERBS,
    epilog="""
    \b
    Examples:
      python -m enforcer poll              # from cron, every 15 minutes
      python -m enforcer poll --dry-run    # what would be done, and nothing else
      python -m enforcer usage --json

    Settings come from the environment and from .env in the working directory; see .env.example.
    """,
)
@version_option
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def main(verbose: bool) -> None:
    """Keep every group's cluster inside its quota and tell people about it."""
    log_to_stderr("enforcer", logging.DEBUG if verbose else logging.INFO)


if __name__ == "__main__":
    os.umask(0o077)
    main(prog_name="python -m enforcer", obj=os.environ)
