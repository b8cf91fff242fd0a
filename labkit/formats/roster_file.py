"""The columns of a normalised roster, and which accounts it calls the lab's own. Pure: text in, values out.

`cdktf/roster` reads and writes whole rosters. Programs that only need to know whose accounts a deploy made read this.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from labkit.addresses import is_address, normalised_address
from labkit.csv_cells import unescape_formula
from labkit.tables import TableError, read_table
from labkit.text import quoted

COLUMNS = ("number", "moodle_group_id", "moodle_group_name", "email", "status", "account")
MANAGED = "managed"
"""The account of a member that a deploy makes and removes."""
EXISTING_PREFIX = "existing:"
"""Before the targets on which the account of a member was there before the deploy."""


class RosterFileError(ValueError):
    """A sentence with place and line that says why a roster cannot be used."""


@dataclass(frozen=True)
class RosterAccounts:
    """Addresses, lower case, by what rosters say of their accounts."""

    managed: frozenset[str] = frozenset()
    existing: frozenset[str] = frozenset()
    """They were there before the lab on one target at least."""

    def __or__(self, other: "RosterAccounts") -> "RosterAccounts":
        """What several rosters say; an account that existed for one of them exists."""
        return RosterAccounts(self.managed | other.managed, self.existing | other.existing)


def is_normalised_header(cells: Sequence[str]) -> bool:
    """Whether these are the columns of a normalised roster; a spreadsheet may have added empty ones."""
    return tuple(cell.strip().lower() for cell in cells if cell.strip()) == COLUMNS


def parse_accounts(text: str, place: str) -> RosterAccounts:
    """What a normalised roster says of the accounts of its members, the retired ones included.

    `place` names the file in error messages. Raises RosterFileError for the first line that cannot be understood.
    """
    try:
        table = read_table(text)
    except TableError as error:
        raise RosterFileError(f"{place} line {error.line}: {error.sentence}") from None
    if not is_normalised_header(table.header.cells):
        raise RosterFileError(
            f"{place} line {table.header.line}: is not the header of a normalised roster ({','.join(COLUMNS)})."
        )
    managed: set[str] = set()
    existing: set[str] = set()
    for row in table.rows:
        if row.is_blank:
            continue
        cells = [unescape_formula(cell) for cell in row.cells[: len(COLUMNS)]]
        if len(cells) < len(COLUMNS):
            raise RosterFileError(f"{place} line {row.line}: has {len(row.cells)} cells; a roster has {len(COLUMNS)}.")
        address, account = normalised_address(cells[COLUMNS.index("email")]), cells[COLUMNS.index("account")].strip()
        if not address:
            continue  # stands for the status of a group without members
        if not is_address(address):
            raise RosterFileError(f"{place} line {row.line}: email is not an address: {quoted(address)}.")
        if account != MANAGED and not account.startswith(EXISTING_PREFIX):
            raise RosterFileError(
                f"{place} line {row.line}: account must be managed or existing:<target>[,<target>…], not "
                f"{quoted(account)}."
            )
        (managed if account == MANAGED else existing).add(address.casefold())
    return RosterAccounts(frozenset(managed), frozenset(existing))
