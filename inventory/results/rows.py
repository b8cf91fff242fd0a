"""Sums up folder rows into one row per user, and makes a table of these. Pure: no files, no network, no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from inventory.tree.listing import Folder, Source

COLUMNS = ("username", "file_count", "total_size", "total_size_gb", "status", "file_source", "error")
DETAILS = (
    "dbfs_files dbfs_size workspace_files workspace_size estimated_files directories failed_directories"
    " largest_path largest_size last_modified seconds requests retries"
).split()
EXACT_SIZE = "exact_size"
BYTES_PER_GB = 2**30
FolderState = Literal["listed", "missing", "failed", "partial", "refused"]
"""`partial`: listed, but some entries cannot be used; `refused`: a home that no request can address."""
HomeStatus = Literal["success", "empty", "partial", "error"]
AmountsByName = Mapping[str, Sequence[int]]
"""Name → number of files, bytes."""


class FileRow(NamedTuple):
    """A row of `--files`: an object that is not a folder."""

    user: str
    source: str
    path: str
    type: str
    language: str
    size: int
    size_is_estimate: bool
    modified_at: int | None
    """Milliseconds since 1970, UTC; an ISO date and time in CSV and JSON."""


@dataclass(frozen=True)
class FolderRow:
    """One listed folder with the totals of its direct content."""

    folder: Folder
    state: FolderState
    """Only homes can be `missing`."""
    reason: str
    files: int
    size: int
    estimated: int
    largest_path: str | None
    largest_size: int | None
    last_modified: int | None
    requests: int
    rate_limited: int
    """Number of requests that were rate limited."""
    seconds: float
    kinds: AmountsByName = field(default_factory=dict)
    """By the API's type."""
    months: AmountsByName = field(default_factory=dict)
    """By month of the last change, such as `2026-10`; empty if the API does not report it."""
    exact: int | None = None
    """Size in bytes without estimates; None if any size is unknown."""


@dataclass
class Home:
    """The totals of one user."""

    user: str
    files: dict[Source, int] = field(default_factory=lambda: {"dbfs": 0, "workspace": 0})
    sizes: dict[Source, int] = field(default_factory=lambda: {"dbfs": 0, "workspace": 0})
    """Size in bytes, including estimates."""
    estimated: int = 0
    exact: int | None = 0
    """Size in both file systems in bytes, without estimates; None if any size is unknown."""
    directories: int = 0
    """Number of listed folders, including the homes."""
    failures: int = 0
    first_failure: tuple[str, str] | None = None
    """Path and reason of the failure whose path sorts first."""
    roots_listed: int = 0
    """Number of file systems whose home could be listed."""
    largest_path: str | None = None
    largest_size: int = -1
    last_modified: int | None = None
    seconds: float = 0.0
    requests: int = 0
    retries: int = 0

    def add(self, row: FolderRow, *, is_root: bool) -> None:
        """Add a folder. A home that does not exist is empty."""
        source = row.folder.source
        self.seconds += row.seconds
        self.requests += row.requests
        self.retries += max(0, row.requests - 1)
        if row.state in ("failed", "partial", "refused"):
            self.failures += 1
            failure = (f"{'dbfs:' if source == 'dbfs' else ''}{row.folder.path}", row.reason)
            self.first_failure = min(self.first_failure or failure, failure)
        if row.state in ("failed", "refused"):
            return
        is_listed = row.state in ("listed", "partial")
        self.roots_listed += is_root and is_listed
        self.directories += is_listed
        self.files[source] += row.files
        self.sizes[source] += row.size
        self.estimated += row.estimated
        self.exact = None if self.exact is None or row.exact is None else self.exact + row.exact
        if row.largest_path is not None and row.largest_size is not None:
            # For equal sizes the path decides, so that every scan has the same result.
            largest = max((self.largest_size, self.largest_path or ""), (row.largest_size, row.largest_path))
            self.largest_size, self.largest_path = largest
        if row.last_modified is not None:
            self.last_modified = max(self.last_modified or 0, row.last_modified)

    @property
    def file_count(self) -> int:
        return sum(self.files.values())

    @property
    def total_size(self) -> int:
        return sum(self.sizes.values())

    @property
    def status(self) -> HomeStatus:
        """`partial`: some folders could not be listed; `error`: none of the existing homes could be listed."""
        if self.failures:
            return "partial" if self.roots_listed else "error"
        return "success" if self.file_count else "empty"

    @property
    def file_source(self) -> str:
        """Which file systems have files: both, dbfs, workspace or none."""
        found = [source for source, number in self.files.items() if number]
        return "both" if len(found) == 2 else found[0] if found else "none"

    @property
    def error(self) -> str:
        """The failure whose path sorts first, and the number of others."""
        if self.first_failure is None:
            return ""
        more = f" (and {self.failures - 1} more)" if self.failures > 1 else ""
        return f"{self.first_failure[0]}: {self.first_failure[1]}{more}"


def summarize_homes(roots: Sequence[Folder], rows: Iterable[FolderRow]) -> list[Home]:
    """Return the totals of every user in `roots`, sorted by name."""
    root_keys = {root.key for root in roots}
    found = {root.user: Home(root.user) for root in roots}
    for row in rows:
        found[row.folder.user].add(row, is_root=row.folder.key in root_keys)
    return [found[user] for user in sorted(found)]


def result_table(homes: Iterable[Home], *, details: bool = False, with_exact_size: bool = False) -> list[list[object]]:
    """Return header and rows of the result; `with_exact_size` adds a last column after the details."""
    header: list[object] = [
        *COLUMNS,
        *(DETAILS if details else ()),
        *([EXACT_SIZE] if details and with_exact_size else ()),
    ]
    return [header, *(_cells(home, details, with_exact_size) for home in homes)]


def _cells(home: Home, details: bool, with_exact_size: bool) -> list[object]:
    return [*_row(home), *(_details(home) if details else ()), *([home.exact] if details and with_exact_size else ())]


def _row(home: Home) -> list[object]:
    gigabytes = f"{home.total_size / BYTES_PER_GB:.6f}"
    return [home.user, home.file_count, home.total_size, gigabytes, home.status, home.file_source, home.error]


def _details(home: Home) -> list[object]:
    return [
        home.files["dbfs"],
        home.sizes["dbfs"],
        home.files["workspace"],
        home.sizes["workspace"],
        home.estimated,
        home.directories,
        home.failures,
        home.largest_path,
        home.largest_size if home.largest_path is not None else None,
        format_milliseconds(home.last_modified),
        f"{home.seconds:.3f}",
        home.requests,
        home.retries,
    ]


def format_milliseconds(milliseconds: int | None) -> str | None:
    """Format as `2026-10-18T07:00:00Z`; None if there is no valid date."""
    try:
        instant = None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ") if instant else None
