"""What changed between two results. Pure: texts in, values out."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from inventory.results import COLUMNS

Change = Literal["new", "gone", "grown", "shrunk", "unknown"]
CHANGES: tuple[Change, ...] = ("grown", "shrunk", "new", "gone", "unknown")


class NotAnInventory(ValueError):
    """The text is not a result of a scan; a sentence with the line in it."""


@dataclass(frozen=True)
class Counted:
    """One user in one result."""

    files: int
    size: int
    """Bytes."""
    complete: bool
    """Whether everything could be listed; otherwise the counts are of the rest."""


@dataclass(frozen=True)
class Difference:
    """One user whose files changed; a count is None where the user is not in that result."""

    user: str
    change: Change
    files: tuple[int | None, int | None]
    size: tuple[int | None, int | None]


def read_inventory(text: str, name: str) -> dict[str, Counted]:
    """A result by user. Raises NotAnInventory."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    header = next(rows, [])
    if tuple(header[: len(COLUMNS)]) != COLUMNS:
        raise NotAnInventory(f"{name} is not an inventory: expected the columns {','.join(COLUMNS)}.")
    found: dict[str, Counted] = {}
    for row in rows:
        try:
            user, files, size, _, status = row[:5]
            found[user] = Counted(int(files), int(size), status in ("success", "empty"))
        except ValueError:
            raise NotAnInventory(f"{name} line {rows.line_num}: this is no row of an inventory.") from None
    return found


def compare(old: dict[str, Counted], new: dict[str, Counted]) -> Iterator[Difference]:
    """Who changed, sorted by name. Nothing is said to have grown or shrunk that was not counted whole both times."""
    for user in sorted(old.keys() | new.keys()):
        before, after = old.get(user), new.get(user)
        change = _change(before, after)
        if change:
            files = (before.files if before else None, after.files if after else None)
            yield Difference(user, change, files, (before.size if before else None, after.size if after else None))


def _change(before: Counted | None, after: Counted | None) -> Change | None:
    if before is None:
        return "new"
    if after is None:
        return "gone"
    if not (before.complete and after.complete):
        return "unknown"
    earlier, later = (before.size, before.files), (after.size, after.files)
    return None if earlier == later else "grown" if later > earlier else "shrunk"
