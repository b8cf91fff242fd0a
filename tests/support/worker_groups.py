"""Assigns tests to the workers of pytest-xdist and puts slow files first.

A worker gets whole files, so that module fixtures are created once. Files with the same `xdist_group` get the same
worker. (The scheduler of xdist's `loadgroup` receives no groups from current versions of pytest.)
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[2]
SLOW_MARKS = ("spark", "terraform", "process", "waits")
"""Markers for slow tests. Their files start first, in this order."""


class FileGroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """A unit of work is a file, or the files in a group."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid.partition("::")[0])


@cache
def group_of(path: str) -> str:
    """Return a test file's group, or the file itself if it has none."""
    names = set(re.findall(r'xdist_group\("([^"]+)"\)', (ROOT / path).read_text(encoding="utf-8")))
    return names.pop() if len(names) == 1 else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    """Replace xdist's scheduler for `--dist loadgroup`."""
    return FileGroupScheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first, then those that read the whole project: no worker may run alone at the end."""
    rank: dict[Path, int] = {}
    for item in items:
        own = min(
            (number for number, name in enumerate(SLOW_MARKS) if item.get_closest_marker(name)), default=len(SLOW_MARKS)
        )
        rank[item.path] = min(own, rank.get(item.path, own))
    items.sort(key=lambda item: (rank[item.path], item.path.parent.name != "repo"))
