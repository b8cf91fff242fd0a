"""`python -m enforcer`: the command line. Each verb is a module of `enforcer.commands`, imported when it is used."""

import logging
import os

import click

from labkit.extras.cli import LazyGroup, version_option
from labkit.logs import log_to_stderr

VERBS = {
    "poll": "Run one tick: warn, stop, restrict and restore what is due.",
    "watch": "Run ticks as a service: no cluster runs more than a minute past a limit.",
    "end-of-day": "Settle past days and send their reports.",
    "report": "Make the report of a day: a page, mail, table or chart.",
    "usage": "Show used and remaining time per cluster, for day, week and term.",
    "allow": "Change the limits of a group or of all, for a day, a range or a lesson.",
    "block": "Forbid a group or all to use their clusters, for a day or a range.",
    "allowances": "List allowances and blocks, with group and reason.",
    "revoke": "Revoke an allowance or a block.",
    "import-history": "Import the earlier system's days into the ledger.",
    "restore-permissions": "Let every group of the lab start its cluster again, at once.",
    "restricted": "For Terraform: print the groups that are restricted because of a limit.",
    "clusters": "List every cluster of the workspace.",
    "groups": "List every group with its members.",
    "users": "List every user with their groups.",
    "user-groups": "List every membership of a user in a group.",
    "allocations": "List clusters with groups, permissions and members.",
    "test-email": "Send one test message and wait for its final status.",
    "doctor": "Check settings, permissions, mail, ledger, clock, course, and what the quota cannot cover.",
    "archive": "At the end of a term: export history, actions and messages as CSV and Parquet, and reports.",
    "backup-ledger": "Make a checked copy of the ledger; the last 14 good copies are kept.",
    "anonymise": "Remove the names of people from everything older than a day; totals stay.",
    "delete-users": "At the end of a term: delete the students' accounts.",
    "delete-groups": "At the end of a term: delete the lab's groups.",
    "purge-clusters": "At the end of a term: delete the lab's clusters permanently.",
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
      python -m enforcer poll --dry-run    # print what would be done
      python -m enforcer usage --json

    Settings come from the environment and from .env in the working directory; see .env.example.
    """,
)
@version_option
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def main(verbose: bool) -> None:
    """Keep every group's cluster within its quota, and inform the people concerned."""
    log_to_stderr("enforcer", logging.DEBUG if verbose else logging.INFO)


if __name__ == "__main__":
    os.umask(0o077)
    main(prog_name="python -m enforcer", obj=os.environ)
