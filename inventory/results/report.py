"""The figures in a report. Pure: the time is an argument."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from inventory.results.folder_summary import UNKNOWN_MONTH
from inventory.results.result_csv import ResultRow
from inventory.results.summary import Summary
from inventory.tree.listing import SOURCES

SOURCE_NAMES = {"dbfs": "DBFS", "workspace": "Workspace"}
AGES = ((1, "this month"), (3, "1 to 2 months"), (6, "3 to 5 months"), (12, "6 to 11 months"), (24, "1 to 2 years"))
"""Upper bounds in months since the last change, and their labels."""
TYPE_NAMES = {"FILE": "files", "NOTEBOOK": "notebooks", "LIBRARY": "libraries", "DASHBOARD": "dashboards"}
MAX_KINDS = 8
OLDEST, NO_DATE = "over 2 years", "no date"


@dataclass(frozen=True)
class Amount:
    """A number of files and their size."""

    name: str
    files: int
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Report:
    """A result with optional further data; unknown data is None."""

    subject: str
    """The workspace or file that the page is about."""
    made_at: datetime
    rows: Sequence[ResultRow]
    summary: Summary | None = None
    """Types, ages, and the largest files and folders; from the scan or from file rows."""

    @property
    def total(self) -> Amount:
        return Amount("all", sum(entry.files for entry in self.rows), sum(entry.size for entry in self.rows))

    @property
    def statuses(self) -> Mapping[str, int]:
        """Number of homes by status."""
        return Counter(entry.status for entry in self.rows)

    @property
    def estimated(self) -> int | None:
        """Number of estimated sizes."""
        known = [entry.estimated for entry in self.rows if entry.estimated is not None]
        return sum(known) if len(known) == len(self.rows) else None

    @property
    def directories(self) -> int | None:
        known = [entry.directories for entry in self.rows if entry.directories is not None]
        return sum(known) if len(known) == len(self.rows) else None

    @property
    def largest(self) -> list[ResultRow]:
        """All homes, the largest first."""
        return sorted(self.rows, key=lambda entry: (-entry.size, -entry.files, entry.user))

    @property
    def failures(self) -> list[ResultRow]:
        """The incomplete homes, sorted by name."""
        return sorted((entry for entry in self.rows if entry.error), key=lambda entry: entry.user)

    @property
    def sources(self) -> list[Amount] | None:
        """Amounts by file system."""
        amounts: list[tuple[str, int, int]]
        if self.summary:
            amounts = [(source, files, size) for (source, _), (files, size) in self.summary.kinds.items()]
        elif all(amounts_by_source(entry) for entry in self.rows):
            amounts = [(name, *both) for entry in self.rows for name, both in (amounts_by_source(entry) or {}).items()]
        else:
            return None
        return [
            Amount(
                SOURCE_NAMES[source],
                sum(files for name, files, _ in amounts if name == source),
                sum(size for name, _, size in amounts if name == source),
            )
            for source in SOURCES
        ]

    @property
    def kinds(self) -> list[Amount] | None:
        """Amounts by type and file system, the largest first; the smallest are combined into the last one."""
        if self.summary is None:
            return None
        found = [
            Amount(f"{TYPE_NAMES.get(kind, kind.lower())} in {SOURCE_NAMES.get(source, source)}", *amount)
            for (source, kind), amount in self.summary.kinds.items()
        ]
        found.sort(key=lambda amount: (-amount.size, -amount.files, amount.name))
        if len(found) <= MAX_KINDS:
            return found
        rest = found[MAX_KINDS - 1 :]
        others = Amount("others", sum(amount.files for amount in rest), sum(amount.size for amount in rest))
        return [*found[: MAX_KINDS - 1], others]

    @property
    def ages(self) -> list[Amount] | None:
        """Amounts by time since the last change, the most recent first."""
        if self.summary is None:
            return None
        found = {name: [0, 0] for name in (*(name for _, name in AGES), OLDEST, NO_DATE)}
        for month, (files, size) in self.summary.months.items():
            amount = found[_age(month, self.made_at)]
            amount[0] += files
            amount[1] += size
        return [Amount(name, *amount) for name, amount in found.items() if name != NO_DATE or amount[0]]


def amounts_by_source(entry: ResultRow) -> Mapping[str, tuple[int, int]] | None:
    """Return files and bytes of a home by file system; None if unknown."""
    if entry.by_source is not None:
        return entry.by_source
    if entry.file_source == "both":
        return None
    return {source: (entry.files, entry.size) if source == entry.file_source else (0, 0) for source in SOURCES}


def _age(month: str, now: datetime) -> str:
    if month == UNKNOWN_MONTH:
        return NO_DATE
    year, number = map(int, month.split("-"))
    months = (now.year - year) * 12 + now.month - number
    return next((name for limit, name in AGES if months < limit), OLDEST)
