"""The marker `process`: a test that starts a process or uses a socket without it fails, whatever the program does."""

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


def outcomes(folder: Path, text: str, *words: str) -> tuple[dict[str, int], str]:
    """What becomes of the tests of a module, and what pytest prints."""
    (folder / "test_it.py").write_text(HEAD + text)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    process\n    waits\n    terraform\n    spark\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "process_guard", "-p", "no:cacheprovider", *words]
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    sums = re.findall(r"(\d+) (\w+)", done.stdout.strip().splitlines()[-1].split(" in ")[0])
    return {what: int(number) for number, what in sums}, done.stdout


DEEDS = [
    ONE,
    "os.system('true')",
    "os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)",
    "os.fork() or os._exit(0)",
    "socket.socket().bind(('127.0.0.1', 0))",
    "socket.create_server(('127.0.0.1', 0))",
    "socket.socket().connect_ex(('127.0.0.1', 9))",
    "socket.socket(socket.AF_UNIX).bind('here')",
]


def test_what_leaves_the_process_needs_the_marker(tmp_path: Path) -> None:
    tests = [f"def test_{n}():\n    {deed}\n" for n, deed in enumerate(DEEDS)]
    marked = [f"@pytest.mark.process\n{test.replace('test_', 'test_marked_')}" for test in tests]

    found, said = outcomes(tmp_path, "".join([*tests, *marked]))

    assert found == {"failed": len(DEEDS), "passed": len(DEEDS)}, said
    assert [n for n in range(len(DEEDS)) if f"FAILED test_it.py::test_{n} " not in said] == []
    assert "mark it with pytest.mark.process" in said


def test_what_a_known_package_starts_when_it_is_imported_is_no_deed_of_a_test(tmp_path: Path) -> None:
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

    found, said = outcomes(tmp_path, text)

    assert found == {"failed": 2, "passed": 1}, said
    assert [name in said for name in ("FAILED test_it.py::test_calls", "test_imports_another")] == [True, True]


def test_wherever_it_comes_from_it_counts_for_the_test_that_runs(tmp_path: Path) -> None:
    text = (
        f"def test_caught():\n    try:\n        {ONE}\n    except Exception:\n        pass\n"
        f"@pytest.fixture\ndef own():\n    {ONE}\ndef test_own(own):\n    pass\n"
        f"@pytest.fixture(scope='session')\ndef shared():\n    {ONE}\ndef test_shared(shared):\n    pass\n"
        f"def test_thread():\n    it = threading.Thread(target=lambda: {ONE})\n    it.start()\n    it.join()\n"
    )

    found, said = outcomes(tmp_path, text, "-p", "no:threadexception")

    assert found == {"failed": 2, "errors": 2}, said
    assert "not marked `process`, but calls subprocess.Popen(" in said


def test_a_socket_pair_and_an_event_loop_stay_in_the_process(tmp_path: Path) -> None:
    text = "def test_one():\n    socket.socketpair()\n    asyncio.run(asyncio.sleep(0))\n"

    assert outcomes(tmp_path, text)[0] == {"passed": 1}


def test_fixtures_and_markers_that_start_processes_imply_it(tmp_path: Path) -> None:
    text = (
        f"@pytest.fixture\ndef postgresql():\n    {ONE}\n"
        "@pytest.fixture\ndef ledger(postgresql):\n    pass\n"
        "def test_one(ledger):\n    pass\n"
        f"@pytest.mark.terraform\ndef test_two():\n    {ONE}\n"
        "def test_three():\n    pass\n"
    )

    assert outcomes(tmp_path, text)[0] == {"passed": 3}
    assert outcomes(tmp_path, text, "-m", "not process")[0] == {"passed": 1, "deselected": 2}


def test_a_module_that_is_marked_as_a_whole_is_not_imported_without_need(tmp_path: Path) -> None:
    text = "pytestmark = pytest.mark.process\nraise SystemExit('imported')\n"

    assert outcomes(tmp_path, text, "-m", "not process and not waits")[0] == {}


def test_the_last_test_is_not_blamed_for_the_end_of_a_shared_server(tmp_path: Path) -> None:
    text = (
        f"@pytest.fixture(scope='session')\ndef server():\n    yield\n    {ONE}\n"
        "@pytest.mark.process\ndef test_one(server):\n    pass\n"
        "def test_two():\n    pass\n"
    )

    assert outcomes(tmp_path, text)[0] == {"passed": 2}
