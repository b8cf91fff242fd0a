"""What became of a folder, and how far a scan is. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory.results.folder_summary import FolderSummary
from inventory.tree.listing import Failure, Folder, Listing


@dataclass(frozen=True)
class Visit:
    """What became of one folder, and what it cost."""

    folder: Folder
    result: Listing | FolderSummary | Failure
    requests: int = 0
    rate_limited: int = 0
    """How many of the requests were refused because of the rate."""
    seconds: float = 0.0
    """Spent waiting for answers."""


@dataclass
class ScanProgress:
    """How far the scan is. `waiting` folders are known and not listed; more may turn up."""

    visits: int = 0
    failures: int = 0
    files: int = 0
    waiting: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    """By source, as the two below."""
    rate_limited: Counter[str] = field(default_factory=Counter)
    rates: Mapping[str, float] = field(default_factory=dict)
    """What the limiters permit, requests a second."""
    unfinished_users: int = 0
    """Users of whom something is waiting."""
