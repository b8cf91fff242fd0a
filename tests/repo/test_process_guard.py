"""A test that starts a process or uses a socket fails unless it has the marker `process`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

SUPPORT = Path(__file__).resolve().parents[1] / "support"
HEAD = "import asyncio, os, socket, subprocess, sys, threading\nimport pytest\n"
ONE = "subprocess.run([sys.executable, '-c', ''], check=True)"


def outcomes(folder: Path, text: str, *arguments: str) -> tuple[dict[str, int], str]:
    """Run the tests of a module and return the counts of their outcomes, and pytest's output."""
    (folder / "test_it.py").write_text(HEAD + text)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    process\n    waits\n    terraform\n    spark\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "process_guard", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    sums = re.findall(r"(\d+) (\w+)", done.stdout.strip().splitlines()[-1].split(" in ")[0])
    return {what: int(number) for number, what in sums}, done.stdout


VIOLATIONS = [
    ONE,
    "os.system('true')",
    "os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)",
    "os.fork() or os._exit(0)",
    "socket.socket().bind(('127.0.0.1', 0))",
    "socket.create_server(('127.0.0.1', 0))",
    "socket.socket().connect_ex(('127.0.0.1', 9))",
    "socket.socket(socket.AF_UNIX).bind('here')",
]


def test_starting_a_process_or_using_a_socket_needs_the_marker(tmp_path: Path) -> None:
    tests = [f"def test_{n}():\n    {violation}\n" for n, violation in enumerate(VIOLATIONS)]
    marked = [f"@pytest.mark.process\n{test.replace('test_', 'test_marked_')}" for test in tests]

    found, output = outcomes(tmp_path, "".join([*tests, *marked]))

    assert found == {"failed": len(VIOLATIONS), "passed": len(VIOLATIONS)}, output
    assert [n for n in range(len(VIOLATIONS)) if f"FAILED test_it.py::test_{n} " not in output] == []
    assert "mark it with pytest.mark.process" in output


def test_a_process_started_by_a_known_import_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib/__init__.py").touch()
    starts = f"import subprocess, sys\ndef start():\n    {ONE}\nstart()\n"
    (tmp_path / "matplotlib/font_manager.py").write_text(starts)
    (tmp_path / "another.py").write_text(starts)
    text = (
        "def test_imports():\n    import matplotlib.font_manager\n"
        "def test_calls():\n    import matplotlib.font_manager as known\n    known.start()\n"
        "def test_imports_another():\n    import another\n"
    )

    found, output = outcomes(tmp_path, text)

    assert found == {"failed": 2, "passed": 1}, output
    assert [name in output for name in ("FAILED test_it.py::test_calls", "test_imports_another")] == [True, True]


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_module_that_imports_the_framework_is_refused(tmp_path: Path, workers: str) -> None:
    (tmp_path / "jsii.py").touch()

    found, output = outcomes(tmp_path, "import jsii\ndef test_one():\n    pass\n", "-n", workers)

    assert found == {"error": 1}, output
    assert "test_it.py imports the framework, which starts Node.js in every worker: import it lazily" in output


def test_calls_in_threads_and_fixtures_count_for_the_running_test(tmp_path: Path) -> None:
    text = (
        f"def test_caught():\n    try:\n        {ONE}\n    except Exception:\n        pass\n"
        f"@pytest.fixture\ndef own():\n    {ONE}\ndef test_own(own):\n    pass\n"
        f"@pytest.fixture(scope='session')\ndef shared():\n    {ONE}\ndef test_shared(shared):\n    pass\n"
        f"def test_thread():\n    it = threading.Thread(target=lambda: {ONE})\n    it.start()\n    it.join()\n"
    )

    found, output = outcomes(tmp_path, text, "-p", "no:threadexception")

    assert found == {"failed": 2, "errors": 2}, output
    assert "not marked `process`, but calls subprocess.Popen(" in output


def test_socket_pairs_and_event_loops_are_allowed(tmp_path: Path) -> None:
    text = "def test_one():\n    socket.socketpair()\n    asyncio.run(asyncio.sleep(0))\n"

    assert outcomes(tmp_path, text)[0] == {"passed": 1}


def test_fixtures_and_markers_that_start_processes_imply_the_marker(tmp_path: Path) -> None:
    text = (
        f"@pytest.fixture\ndef postgresql():\n    {ONE}\n"
        "@pytest.fixture\ndef ledger(postgresql):\n    pass\n"
        "def test_one(ledger):\n    pass\n"
        f"@pytest.mark.terraform\ndef test_two():\n    {ONE}\n"
        "def test_three():\n    pass\n"
    )

    assert outcomes(tmp_path, text)[0] == {"passed": 3}
    assert outcomes(tmp_path, text, "-m", "not process")[0] == {"passed": 1, "deselected": 2}


def test_a_marked_module_is_not_imported_if_deselected(tmp_path: Path) -> None:
    text = "pytestmark = pytest.mark.process\nraise SystemExit('imported')\n"

    assert outcomes(tmp_path, text, "-m", "not process and not waits")[0] == {}


def test_stopping_a_shared_server_does_not_fail_the_last_test(tmp_path: Path) -> None:
    text = (
        f"@pytest.fixture(scope='session')\ndef server():\n    yield\n    {ONE}\n"
        "@pytest.mark.process\ndef test_one(server):\n    pass\n"
        "def test_two():\n    pass\n"
    )

    assert outcomes(tmp_path, text)[0] == {"passed": 2}
