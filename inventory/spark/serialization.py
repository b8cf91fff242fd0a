"""Visits as lines of text, for the way from an executor. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from inventory.results.folder_summary import Counted, count
from inventory.scan.visit import Visit
from inventory.tree.listing import Failure, File, Folder, Listing


@dataclass(frozen=True)
class End:
    """The last line of a task."""

    requests: Mapping[str, int] = field(default_factory=dict)
    """By API, as the two below."""
    refusals: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    """What its limiters permitted at the end, requests a second."""


def line(visit: Visit, *, with_files: bool) -> str:
    """One visit; its single files only where somebody wants them."""
    found = visit.found
    if isinstance(found, Listing):
        found = found if with_files else count(visit.folder.source, found)
    kind = type(found).__name__
    content: Any = (
        [found.folders, [_file(file) for file in found.files], [asdict(failure) for failure in found.failures]]
        if isinstance(found, Listing)
        else asdict(found)
    )
    folder = (visit.folder.user, visit.folder.source, visit.folder.path)
    cost = (visit.requests, visit.refusals, visit.seconds)
    return json.dumps([kind, *folder, *cost, content], ensure_ascii=False, separators=(",", ":"))


def last_line(end: End) -> str:
    """What is to be known of the task itself."""
    return json.dumps(["End", asdict(end)])


def read(text: str) -> Visit | End:
    """What a line says."""
    kind, *rest = json.loads(text)
    if kind == "End":
        return End(**rest[0])
    user, source, path, requests, refusals, seconds, content = rest
    return Visit(Folder(user, source, path), _found(kind, content), requests, refusals, seconds)


def _file(file: File) -> list[object]:
    return [file.path, file.type, file.size, file.modified_at, file.language, file.measured]


def _found(kind: str, content: Any) -> Listing | Counted | Failure:
    if kind == "Listing":
        folders, files, failures = content
        return Listing(
            tuple(folders), tuple(File(*file) for file in files), tuple(Failure(**failure) for failure in failures)
        )
    if kind == "Failure":
        return Failure(**content)
    return Counted(**{**content, "folders": tuple(content["folders"])})
