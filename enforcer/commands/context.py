"""What a command works with: settings, ledger and workspace, or a sentence and an exit status."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import load_dotenv
from peewee import DatabaseError

from enforcer.ledger.database import Ledger, open_copy, open_ledger
from enforcer.process import environment, refuse
from enforcer.settings import Settings, SettingsError, load_settings
from labkit import exit_status
from labkit.text import escaped

if TYPE_CHECKING:
    from enforcer.tick.collect import Lab
    from enforcer.workspace.client import Workspace

DOTENV = Path(".env")


def settings() -> Settings:
    """The settings of this process; ends it with status 2 and all that is wrong with them."""
    try:
        return read_settings()
    except SettingsError as error:
        refuse(*error.problems)


def read_settings() -> Settings:
    """The settings of this process. Raises SettingsError."""
    # The SDK's unified authentication reads the environment itself.
    load_dotenv(DOTENV)
    return load_settings(environment())


@contextmanager
def ledger_of(settings: Settings) -> Iterator[Ledger]:
    """The ledger, open and up to date, while the block runs."""
    try:
        ledger = open_ledger(settings.ledger)
    except (OSError, DatabaseError) as error:
        refuse(f"the ledger cannot be opened ({error}); check CLUSTER_UPTIMES_DB.")
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def copy_of(settings: Settings) -> Iterator[Ledger]:
    """A copy of the ledger that takes whatever is written to it with it when the block ends."""
    try:
        ledger = open_copy(settings.ledger)
    except (OSError, DatabaseError) as error:
        refuse(f"the ledger cannot be read ({error}); check CLUSTER_UPTIMES_DB.")
    try:
        yield ledger
    finally:
        ledger.close()


def workspace_of(settings: Settings) -> "Workspace":
    """The workspace; ends the process with status 1 and a sentence where it does not answer."""
    # Two seconds of imports: only who holds the lock gets here.
    from enforcer.workspace.client import Unreachable, connect

    try:
        return connect(settings.host)
    except Unreachable as error:
        print(escaped(error), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED) from None


def lab_of(settings: Settings, *, now: datetime) -> "tuple[Workspace, Lab]":
    """The workspace, and what stands in it about the course; ends the process where that cannot be told."""
    from enforcer.tick.collect import read_lab
    from enforcer.workspace.client import WorkspaceError

    workspace = workspace_of(settings)
    with copy_of(settings) as ledger:
        try:
            lab = read_lab(ledger, workspace, settings, now=now)
        except SettingsError as error:
            refuse(*error.problems)
        except WorkspaceError as error:
            print(escaped(error), file=sys.stderr)
            raise SystemExit(exit_status.PARTLY_FAILED) from None
    return workspace, lab


def course_of(settings: Settings, *, now: datetime) -> "tuple[Workspace, Lab]":
    """As `lab_of`, for commands that need a course's folder."""
    workspace, lab = lab_of(settings, now=now)
    if lab.chosen is None:
        refuse("there is no course: no cluster has the tags of a lab; set LAB_COURSE and LAB_TERM, or deploy one.")
    return workspace, lab
