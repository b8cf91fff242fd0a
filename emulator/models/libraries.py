"""Cluster libraries and their installation status."""

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
    """The library exactly as sent, since clients identify it by this value."""
    status: Status = "PENDING"
    messages: list[str] = field(default_factory=list)


@dataclass
class LibraryFailure:
    """A fault: the next installations of some libraries fail, or stay PENDING."""

    library: str
    """Package, coordinates or path, with wildcards, such as `pandas*`."""
    outcome: Literal["FAILED", "stuck"] = "FAILED"
    count: int | None = 1
    """Number of affected installations; None means all."""
    message: str = ""
    """Error message; empty means a default message with the library's name."""
    met: int = 0


@dataclass
class Libraries:
    by_cluster: dict[str, list[Installation]] = field(default_factory=dict)
    """Installations by cluster id, in order."""
    failures: list[LibraryFailure] = field(default_factory=list)

    def on_cluster(self, cluster_id: str) -> list[Installation]:
        return self.by_cluster.get(cluster_id, [])

    def find(self, cluster_id: str, library: dict[str, Any]) -> Installation | None:
        wanted = library_key(library)
        return next((found for found in self.on_cluster(cluster_id) if library_key(found.library) == wanted), None)

    def set_failures(self, failures: Sequence[LibraryFailure]) -> None:
        """Replace the active failures."""
        self.failures = list(failures)

    def next_failure(self, library: dict[str, Any]) -> LibraryFailure | None:
        """Return the failure for this installation, if any, and count it."""
        for failure in self.failures:
            spent = failure.count is not None and failure.met >= failure.count
            if not spent and fnmatchcase(library_name(library), failure.library):
                failure.met += 1
                return failure
        return None


def library_key(library: dict[str, Any]) -> str:
    """Return a key that is equal for equal libraries."""
    return json.dumps(library, sort_keys=True)


def library_name(library: dict[str, Any]) -> str:
    """Return the package, coordinates or path of the library."""
    for kind in KINDS:
        value = library.get(kind)
        if isinstance(value, dict):
            return str(value.get("package") or value.get("coordinates") or "")
        if value:
            return str(value)
    return ""


def is_library(value: Any) -> bool:
    """Return whether the value is one library of a known kind."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in KINDS and library_name(value) != ""
