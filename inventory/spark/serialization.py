"""Encodes visits as lines of text, for transfer from executors. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from inventory.results.folder_summary import FolderSummary, summarize
from inventory.scan.visit import Visit
from inventory.tree.listing import Failure, File, Folder, Listing


@dataclass(frozen=True)
class TaskEnd:
    """The last line of a task."""

    requests: Mapping[str, int] = field(default_factory=dict)
    """By API, as are the next two fields."""
    rate_limited: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    """The final rates of the task's limiters, in requests per second."""


def visit_line(visit: Visit, *, with_files: bool) -> str:
    """Encode one visit, with its individual files only if `with_files`."""
    found = visit.result
    if isinstance(found, Listing):
        found = found if with_files else summarize(visit.folder.source, found)
    kind = type(found).__name__
    content: Any = (
        [found.folders, [_file(file) for file in found.files], [asdict(failure) for failure in found.failures]]
        if isinstance(found, Listing)
        else asdict(found)
    )
    folder = (visit.folder.user, visit.folder.source, visit.folder.path)
    cost = (visit.requests, visit.rate_limited, visit.seconds)
    return json.dumps([kind, *folder, *cost, content], ensure_ascii=False, separators=(",", ":"))


def task_end_line(end: TaskEnd) -> str:
    """Encode the last line of a task."""
    return json.dumps(["End", asdict(end)])


def parse_line(text: str) -> Visit | TaskEnd:
    """Decode a line."""
    kind, *rest = json.loads(text)
    if kind == "End":
        return TaskEnd(**rest[0])
    user, source, path, requests, rate_limited, seconds, content = rest
    return Visit(Folder(user, source, path), _parse_result(kind, content), requests, rate_limited, seconds)


def _file(file: File) -> list[object]:
    return [file.path, file.type, file.size, file.modified_at, file.language, file.measured_size]


def _parse_result(kind: str, content: Any) -> Listing | FolderSummary | Failure:
    if kind == "Listing":
        folders, files, failures = content
        return Listing(
            tuple(folders), tuple(File(*file) for file in files), tuple(Failure(**failure) for failure in failures)
        )
    if kind == "Failure":
        return Failure(**content)
    return FolderSummary(**{**content, "folders": tuple(content["folders"])})
