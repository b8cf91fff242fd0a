"""What a command works with: settings and ledger, or a sentence and an exit status. Imports no SDK."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dotenv import load_dotenv
from peewee import DatabaseError

from enforcer.ledger.database import Ledger, open_copy, open_ledger
from enforcer.process import environment, refuse
from enforcer.settings import Settings, SettingsError, load_settings

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
