"""A pytest plugin that keeps `make quick` fast: a test without the marker `process` fails if it leaves this process.

Leaving the process means starting a new one, or binding or connecting a socket. Python's audit events report it in
tests, fixtures, threads and libraries. A socket pair, as event loops use it, causes no event.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

FIXTURES = frozenset(
    {"start_emulator", "shared_emulator", "frozen_emulator", "postgresql", "spark_server", "example_stack"}
)
"""Fixtures that start a process. Tests that use one of them, also indirectly, get the marker here."""
IMPLYING_MARKERS = ("terraform", "spark")
"""Markers for tests that always start a process."""
QUICK = "not process and not waits"
AUDIT_EVENTS = frozenset(
    {
        "subprocess.Popen",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "socket.bind",
        "socket.connect",
    }
)
MARKED_MODULE = re.compile(r"^pytestmark = .*\bpytest\.mark\.(process|waits)\b", re.MULTILINE)
"""Marks a whole module, on one line, so that `make quick` need not import it."""


STARTED_BY_IMPORT = frozenset({"matplotlib.font_manager"})
"""Modules that start a process during their package's first import, in whichever test that happens."""


class ProcessNotMarked(Exception):
    """A test without the marker `process` starts a process or uses a socket."""


class _Guard:
    """The running test, and its calls that need the marker."""

    def __init__(self) -> None:
        self.test: pytest.Item | None = None
        self.older_threads: frozenset[int | None] = frozenset()
        """Threads left behind by an earlier test, which may still wait for a response."""
        self.violations: list[str] = []

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in AUDIT_EVENTS or self.test is None or self.test.get_closest_marker("process"):
            return
        if threading.get_ident() in self.older_threads or _is_of_an_import(sys._getframe()):
            return
        violation = f"{event}({', '.join(map(repr, arguments[:2]))})"
        self.violations.append(violation)
        raise ProcessNotMarked(f"{self.test.nodeid} calls {violation[:300]}: mark it with pytest.mark.process")


def _is_of_an_import(frame: FrameType | None) -> bool:
    """Return whether the frame belongs to one of `STARTED_BY_IMPORT` during an import."""
    names = set()
    while frame is not None:
        names.add(frame.f_globals.get("__name__"))
        frame = frame.f_back
    return "importlib._bootstrap" in names and not STARTED_BY_IMPORT.isdisjoint(names)


_guard = _Guard()


def pytest_configure(config: pytest.Config) -> None:
    """Install the audit hook. It stays installed until the interpreter exits and ignores everything outside a test."""
    sys.addaudithook(_guard.audit)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip the import of a module if `make quick` selects none of its tests."""
    if config.getoption("markexpr") == QUICK and collection_path.suffix == ".py":
        return bool(MARKED_MODULE.search(collection_path.read_text(encoding="utf-8"))) or None
    return None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Any:
    """Fail a module whose import starts the framework's process: it would start in every worker."""
    is_running = "jsii" in sys.modules
    report: pytest.CollectReport = yield
    if "jsii" in sys.modules and not is_running and report.outcome == "passed":
        report.outcome = "failed"
        report.longrepr = (
            f"{collector.nodeid} imports the framework, which starts Node.js in every worker: "
            "import it lazily, as tests/cdktf/test_course_stack.py does"
        )
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start a process through a fixture or are marked to do so."""
    for item in items:
        by_fixture = not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
        if by_fixture or any(item.get_closest_marker(name) for name in IMPLYING_MARKERS):
            item.add_marker(pytest.mark.process)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Watch one test, from its first fixture's setup to its last fixture's teardown."""
    _guard.test = item
    _guard.older_threads = frozenset(one.ident for one in threading.enumerate()) - {threading.get_ident()}
    try:
        return (yield)
    finally:
        _guard.test = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """Ignore that servers shared by the whole session are stopped: this is not part of the last test."""
    if nextitem is None:
        _guard.test = None
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Fail the phase with the violation, even if the program caught the error."""
    report: pytest.TestReport = yield
    violations = [*_guard.violations]
    _guard.violations.clear()
    if violations and report.outcome != "failed":
        report.outcome = "failed"
        report.longrepr = f"not marked `process`, but calls {'; '.join(violations)[:600]}"
    return report
