"""Libraries of clusters and how far their installation is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

Status = Literal["PENDING", "RESOLVING", "INSTALLING", "INSTALLED", "SKIPPED", "FAILED", "UNINSTALL_ON_RESTART"]
KINDS = ("pypi", "maven", "cran", "jar", "whl", "egg", "requirements")


@dataclass
class Installation:
    """One library on one cluster."""

    library: dict[str, Any]
    """Exactly as it was sent: clients recognise it by that."""
    status: Status = "PENDING"
    messages: list[str] = field(default_factory=list)


@dataclass
class LibraryFailure:
    """The next installations of some libraries fail, or never get beyond PENDING."""

    library: str
    """Package, coordinates or path, with wildcards, such as `pandas*`."""
    outcome: Literal["FAILED", "stuck"] = "FAILED"
    count: int | None = 1
    """So many; None: all."""
    message: str = ""
    """What the failed library tells; empty: a sentence that names it."""
    met: int = 0


@dataclass
class Libraries:
    by_cluster: dict[str, list[Installation]] = field(default_factory=dict)
    """In the order in which they were installed."""
    failures: list[LibraryFailure] = field(default_factory=list)

    def on_cluster(self, cluster_id: str) -> list[Installation]:
        return self.by_cluster.get(cluster_id, [])

    def find(self, cluster_id: str, library: dict[str, Any]) -> Installation | None:
        wanted = library_key(library)
        return next((found for found in self.on_cluster(cluster_id) if library_key(found.library) == wanted), None)

    def set_failures(self, failures: Sequence[LibraryFailure]) -> None:
        """Put these in the place of those in force; none means that every installation succeeds."""
        self.failures = list(failures)

    def next_failure(self, library: dict[str, Any]) -> LibraryFailure | None:
        """The failure that this installation meets, if any; it is counted as met."""
        for failure in self.failures:
            spent = failure.count is not None and failure.met >= failure.count
            if not spent and fnmatchcase(library_name(library), failure.library):
                failure.met += 1
                return failure
        return None


def library_key(library: dict[str, Any]) -> str:
    """Equal for equal libraries."""
    return json.dumps(library, sort_keys=True)


def library_name(library: dict[str, Any]) -> str:
    """Package, coordinates or path of the library."""
    for kind in KINDS:
        value = library.get(kind)
        if isinstance(value, dict):
            return str(value.get("package") or value.get("coordinates") or "")
        if value:
            return str(value)
    return ""


def is_library(value: Any) -> bool:
    """Whether this is one library of a known kind."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in KINDS and library_name(value) != ""
