"""`python -m inventory`: the command line. Each verb is a module of `inventory.commands`, imported when needed."""

import os

import click

from labkit.extras.cli import LazyGroup, version_option
from labkit.lazy_package import defer_init

VERBS = {
    "users": "Who has a home: the users of the workspace, for `scan --users-file`.",
    "scan": "Count what lies in every user's home, in DBFS and in the Workspace.",
    "report": "A result as a page for people.",
    "diff": "What changed between two results.",
    "backup": "Save what lies in every user's home, into a folder or a cloud storage.",
    "verify": "Whether a backup is whole, and whether it is what the workspace has.",
    "restore": "Put what was saved back into a workspace, this one or another.",
    "purge": "Delete what past scans have left that names people.",
    "doctor": "Whether everything is there that a scan needs.",
}
"""Verb → its line in the help; the module has the same name."""


@click.command(
    cls=LazyGroup,
    package="inventory.commands",
    verbs=VERBS,
    epilog="""
    \b
    Examples:
      python -m inventory doctor
      python -m inventory scan --output inventory.csv
      python -m inventory scan --resume
      python -m inventory report inventory.csv
      python -m inventory diff october.csv november.csv
      python -m inventory backup --output /media/lab
      python -m inventory verify /media/lab --live
      python -m inventory restore /media/lab dana@example.org

    Exit status: 0 done; 1 finished, but not with everything; 2 bad input, or no access at all.
    """,
)
@version_option
def main() -> None:
    """Count, save and put back every user's files, and never take a failure for an empty home."""


if __name__ == "__main__":
    os.umask(0o077)
    defer_init("databricks.sdk")
    main(prog_name="python -m inventory", obj=os.environ)
