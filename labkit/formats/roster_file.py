"""The columns of a normalised roster, and the accounts that it lists as managed or existing. Pure: text in, values out.

`cdktf/roster` reads and writes whole rosters. This module is for programs that need only the accounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from labkit.addresses import is_address, normalised_address
from labkit.csv_cells import unescape_formula
from labkit.tables import TableError, read_table
from labkit.text import quoted

COLUMNS = ("number", "moodle_group_id", "moodle_group_name", "email", "status", "account")
PRINCIPAL = "principal"
"""The last column, only in a roster with groups of a directory: the group's name in the workspace."""
MANAGED = "managed"
"""The value of `account` for an account that the deployment creates and deletes."""
EXISTING_PREFIX = "existing:"
"""The prefix of `account` before a list of targets on which the account existed before the deployment."""


class RosterFileError(ValueError):
    """A roster cannot be used; the message is a sentence with file, line and reason."""


@dataclass(frozen=True)
class RosterAccounts:
    """The addresses of managed and existing accounts, in lower case."""

    managed: frozenset[str] = frozenset()
    existing: frozenset[str] = frozenset()
    """Accounts that existed before the deployment on at least one target."""

    def __or__(self, other: "RosterAccounts") -> "RosterAccounts":
        """Return the accounts in both rosters; an account that either roster marks as existing is existing."""
        return RosterAccounts(self.managed | other.managed, self.existing | other.existing)


def is_normalised_header(cells: Sequence[str]) -> bool:
    """Return whether these are the columns of a normalised roster. Empty columns are ignored."""
    return tuple(cell.strip().lower() for cell in cells if cell.strip()) in (COLUMNS, (*COLUMNS, PRINCIPAL))


def parse_accounts(text: str, file_name: str) -> RosterAccounts:
    """Return the accounts in a normalised roster, including those of members who left.

    `file_name` is for error messages. Raises RosterFileError for the first malformed line.
    """
    try:
        table = read_table(text)
    except TableError as error:
        raise RosterFileError(f"{file_name} line {error.line}: {error.sentence}") from None
    if not is_normalised_header(table.header.cells):
        raise RosterFileError(
            f"{file_name} line {table.header.line}: not the header of a normalised roster ({','.join(COLUMNS)})."
        )
    managed: set[str] = set()
    existing: set[str] = set()
    for row in table.rows:
        if row.is_blank:
            continue
        cells = [unescape_formula(cell) for cell in row.cells[: len(COLUMNS)]]
        if len(cells) < len(COLUMNS):
            raise RosterFileError(f"{file_name} line {row.line}: {len(row.cells)} cells; a roster has {len(COLUMNS)}.")
        address, account = normalised_address(cells[COLUMNS.index("email")]), cells[COLUMNS.index("account")].strip()
        if not address:
            continue  # such a row stores the status of a group without members
        if not is_address(address):
            raise RosterFileError(f"{file_name} line {row.line}: invalid e-mail address: {quoted(address)}.")
        if account != MANAGED and not account.startswith(EXISTING_PREFIX):
            raise RosterFileError(
                f"{file_name} line {row.line}: account must be managed or existing:<target>[,<target>…], not "
                f"{quoted(account)}."
            )
        (managed if account == MANAGED else existing).add(address.casefold())
    return RosterAccounts(frozenset(managed), frozenset(existing))
