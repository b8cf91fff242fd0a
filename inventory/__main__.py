"""The command line, `python -m inventory`. Each command is a module in `inventory.commands`, imported when needed."""

import gc
import os

import click

from labkit.extras.cli import LazyGroup, version_option
from labkit.lazy_package import defer_init

VERBS = {
    "users": "List the users of the workspace, for `scan --users-file`.",
    "scan": "Count the files in every user's home, in DBFS and in the Workspace.",
    "report": "Make an HTML page from a result.",
    "diff": "Compare two results.",
    "backup": "Save every user's home into a folder or cloud storage.",
    "verify": "Check that a backup is complete, and compare it with the workspace.",
    "restore": "Restore a backup into the same or a different workspace.",
    "delete-old-files": "Delete old files from past scans that contain people's names.",
    "doctor": "Check that everything a scan needs is available.",
}
"""Command → its line in the help; the module has the same name with underscores."""
RENAMED_VERBS = {"purge": "delete-old-files"}
"""Old name of a command → new name."""


@click.command(
    cls=LazyGroup,
    package="inventory.commands",
    verbs=VERBS,
    renamed=RENAMED_VERBS,
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

    Exit status: 0 done; 1 finished with failures; 2 bad input, or no access at all.
    """,
)
@version_option
def main() -> None:
    """Count, save and restore every user's files. A failure is never counted as an empty home."""


if __name__ == "__main__":
    os.umask(0o077)
    gc.set_threshold(50_000)  # with Python's default, a tenth of the start is garbage collection during imports
    defer_init("databricks.sdk")
    main(prog_name="python -m inventory", obj=os.environ)
