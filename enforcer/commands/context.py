"""Settings and ledger of a command; on an error, these functions print a message and exit. Imports no SDK."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from peewee import DatabaseError

from enforcer.ledger.database import Ledger, empty_copy, open_copy, open_ledger
from enforcer.ledger.lock import LedgerUnavailable, is_temporary
from enforcer.settings import Settings, SettingsError, ledger_location_in, load_settings
from labkit.extras import cli, dotenv
from labkit.workspace.access import choose_and_apply, choose_from
from labkit.workspace.choice import WorkspaceChoice, WorkspaceChoiceError, WorkspaceOptions


def settings(*, needs_workspace: bool = False) -> Settings:
    """Return the settings of this process; for invalid settings, print one message each and exit with status 2."""
    try:
        return read_settings(needs_workspace=needs_workspace)
    except SettingsError as error:
        cli.fail(*error.problems)


def read_settings(*, needs_workspace: bool = False) -> Settings:
    """Return the settings of this process. Raises SettingsError.

    With `needs_workspace`, a missing or ambiguous workspace is a problem, too.
    """
    problems: list[str] = []
    of_workspace = of_dotenv()
    cli.use_old_variable(cli.environment(), "LAB_LETTERS", "LAB_MAIL_TEMPLATES")
    try:
        settings = load_settings(cli.environment())
    except SettingsError as error:
        problems += error.problems
    if needs_workspace:
        try:
            choose_from(cli.environment(), WorkspaceOptions(), of_workspace)
        except WorkspaceChoiceError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError(problems)
    return settings


def ledger_place() -> str:
    """Return the location of the ledger without checking other settings; exit with status 2 if it is invalid."""
    try:
        of_dotenv()
        return ledger_location_in(cli.environment())
    except SettingsError as error:
        cli.fail(*error.problems)


def of_dotenv() -> dict[str, str]:
    """Load `.env` into the environment, except its variables about the workspace, which are returned."""
    try:
        return dotenv.load(cli.environment())
    except dotenv.DotenvError as error:
        raise SettingsError([str(error)]) from None


def access() -> WorkspaceChoice:
    """Return host and credential for this process, chosen as in all programs. Raises SettingsError."""
    try:
        return choose_and_apply(cli.environment(), WorkspaceOptions(), of_dotenv())
    except WorkspaceChoiceError as error:
        raise SettingsError([str(error)]) from None


def ledger_of(settings: Settings) -> AbstractContextManager[Ledger]:
    """Open the ledger for the block and migrate it to the current schema."""
    return _open(open_ledger, settings, "opened")


@contextmanager
def empty_ledger() -> Iterator[Ledger]:
    """Yield an empty ledger in memory."""
    ledger = empty_copy()
    try:
        yield ledger
    finally:
        ledger.close()


def copy_of(settings: Settings) -> AbstractContextManager[Ledger]:
    """Open a copy of the ledger for the block; writes to it are discarded."""
    return _open(open_copy, settings, "read")


@contextmanager
def _open(opener: Callable[[str], Ledger], settings: Settings, verb: str) -> Iterator[Ledger]:
    """Yield the opened ledger; if it cannot be opened, print a message and exit with status 2.

    Raises LedgerUnavailable for temporary failures.
    """
    try:
        ledger = opener(settings.ledger_location)
    except (OSError, DatabaseError) as error:
        if is_temporary(error):
            raise LedgerUnavailable(error) from None
        cli.fail(f"the ledger cannot be {verb} ({error}); check CLUSTER_UPTIMES_DB.")
    try:
        yield ledger
    finally:
        ledger.close()
