"""The result of visiting one folder, and the progress of a scan. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory.results.folder_summary import FolderSummary
from inventory.tree.listing import Failure, Folder, Listing


@dataclass(frozen=True)
class Visit:
    """The result of listing one folder, and its cost."""

    folder: Folder
    result: Listing | FolderSummary | Failure
    requests: int = 0
    rate_limited: int = 0
    """Number of requests that were rate limited."""
    seconds: float = 0.0
    """Seconds spent waiting for responses."""


@dataclass
class ScanProgress:
    """The progress of a scan. `waiting` counts known folders that are not listed yet; more may be found."""

    visits: int = 0
    failures: int = 0
    files: int = 0
    waiting: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    """By file system, as are the next two fields."""
    rate_limited: Counter[str] = field(default_factory=Counter)
    rates: Mapping[str, float] = field(default_factory=dict)
    """Permitted rates in requests per second."""
    unfinished_users: int = 0
    """Number of users with unfinished folders."""
