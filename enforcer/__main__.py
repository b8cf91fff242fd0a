"""`python -m enforcer`: the command line. Each command is a module in `enforcer.commands`, imported on use."""

import gc
import logging
import os

import click

from labkit.extras.cli import LazyGroup, version_option
from labkit.logs import log_to_stderr

VERBS = {
    "poll": "Check all clusters once: warn, stop, restrict and restore as needed.",
    "watch": "Run polls as a service: no cluster runs more than a minute past a limit.",
    "end-of-day": "Settle past days and send their reports.",
    "report": "Create a daily report as a web page, email, table or chart.",
    "usage": "Show used and remaining time per cluster, for day, week and term.",
    "metrics": "Print usage, limits and the enforcer's health as Prometheus metrics.",
    "board": "Show staff the lab on one page: running clusters, time used and left, stops, the enforcer's health.",
    "allow": "Change the limits of one or all groups for a day, a date range or a lesson.",
    "block": "Forbid one or all groups to use their clusters for a day or a date range.",
    "allowances": "List allowances and blocks, with group and reason.",
    "revoke": "Revoke an allowance or a block.",
    "requests": "List the groups' requests for more time.",
    "approve": "Give a group the time that it asks for.",
    "deny": "Deny a group's request for more time.",
    "import-history": "Import daily totals from the legacy system into the ledger.",
    "restore-permissions": "Let every group in the lab start its cluster again immediately.",
    "restricted": "For Terraform: print the groups that are restricted because of a limit.",
    "clusters": "List all clusters in the workspace.",
    "groups": "List all groups with their members.",
    "users": "List all users with their groups.",
    "user-groups": "List all memberships of users in groups.",
    "allocations": "List clusters with groups, permissions and members.",
    "test-email": "Send one test message and wait for its final status.",
    "mail-staff": "Send a text to the staff, such as the changes of the roster.",
    "doctor": "Check settings, permissions, mail, ledger, clock and course; report usage that the quota cannot limit.",
    "archive": "At the end of a term: export history, actions and messages as CSV and Parquet, with daily reports.",
    "backup-ledger": "Make a verified copy of the ledger; the last 14 good copies are kept.",
    "anonymise": "Remove names of people from all data before a given date; totals stay.",
    "delete-users": "At the end of a term: delete the students' accounts.",
    "delete-groups": "At the end of a term: delete the lab's groups.",
    "purge-clusters": "At the end of a term: delete the lab's clusters permanently.",
}
"""Command → its line in the help; the module has the same name with underscores."""
RENAMED_VERBS = {"purge": "anonymise"}
"""Old command → new command."""


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
    """Keep every group's cluster within its quota, and send notifications."""
    log_to_stderr("enforcer", logging.DEBUG if verbose else logging.INFO)


if __name__ == "__main__":
    os.umask(0o077)
    gc.set_threshold(50_000)  # with Python's default, a tenth of the start is garbage collection during imports
    main(prog_name="python -m enforcer", obj=os.environ)
