"""The project's files are found without git, too."""

import shutil

import pytest

from tracked_files import ROOT, tracked_files


@pytest.mark.process
def test_the_same_files_are_found_without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("git is not installed, or this is not a clone: there is nothing to compare with")
    files = {pattern: tracked_files(pattern) for pattern in ("*", "*.py")}
    monkeypatch.setenv("PATH", "/nonexistent")
    assert {pattern: tracked_files(pattern) for pattern in files} == files
