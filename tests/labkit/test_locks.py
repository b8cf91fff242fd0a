"""A lock between processes."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.locks import exclusive_lock

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from labkit.locks import exclusive_lock

with exclusive_lock(Path(sys.argv[1])) as is_ours:
    print(is_ours, flush=True)
    sys.stdin.read()
"""


def test_the_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    with exclusive_lock(tmp_path / "lock") as first, exclusive_lock(tmp_path / "lock") as second:
        held = (first, second)
    with exclusive_lock(tmp_path / "lock") as third:
        assert (*held, third) == (True, False, True)


def test_the_lock_is_a_private_file_that_is_not_deleted(tmp_path: Path) -> None:
    with exclusive_lock(tmp_path / "lock"):
        pass
    assert oct(stat.S_IMODE((tmp_path / "lock").stat().st_mode)) == "0o600"


def test_a_lock_that_others_can_open_becomes_private(tmp_path: Path) -> None:
    (tmp_path / "lock").touch(mode=0o666)
    (tmp_path / "lock").chmod(0o666)
    with exclusive_lock(tmp_path / "lock") as is_ours:
        assert is_ours
    assert oct(stat.S_IMODE((tmp_path / "lock").stat().st_mode)) == "0o600"


def test_a_lock_that_other_users_may_hold_causes_an_error(tmp_path: Path) -> None:
    """Another user opened the file for reading while that was possible, and holds the lock."""
    (tmp_path / "lock").touch()
    (tmp_path / "lock").chmod(0o644)
    with (tmp_path / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(PermissionError, match="other users could open it until now; delete it"):
            exclusive_lock(tmp_path / "lock").__enter__()


def test_a_link_is_not_accepted_as_a_lock(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("kept")
    (tmp_path / "other").chmod(0o644)
    (tmp_path / "lock").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="is a symbolic link"), exclusive_lock(tmp_path / "lock"):
        pass
    assert oct(stat.S_IMODE((tmp_path / "other").stat().st_mode)) == "0o644"


def test_another_users_file_is_not_accepted_as_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lock").touch(mode=0o600)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(PermissionError, match="belongs to another user"), exclusive_lock(tmp_path / "lock"):
        pass


def test_a_block_that_fails_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ValueError), exclusive_lock(tmp_path / "lock"):
        raise ValueError
    with exclusive_lock(tmp_path / "lock") as is_ours:
        assert is_ours


def test_a_missing_folder_causes_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), exclusive_lock(tmp_path / "missing" / "lock"):
        pass


@pytest.mark.process
def test_the_lock_of_a_killed_process_is_released(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    theirs = holder.stdout.readline().strip()
    with exclusive_lock(tmp_path / "lock") as meanwhile:
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with exclusive_lock(tmp_path / "lock") as afterwards:
        assert (theirs, meanwhile, afterwards) == ("True", False, True)
