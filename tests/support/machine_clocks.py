"""Runs the tests that start processes with clocks near midnight and near changes of daylight saving time.

libfaketime shifts the machine's clock for pytest and all its processes. It is in the system package `faketime`; without
it, this program prints one sentence and runs nothing. Tests with Terraform, Spark and browsers are excluded.
"""

from __future__ import annotations

import glob
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
FOLDERS = ("tests/cdktf", "tests/emulator", "tests/enforcer")
LIMIT_SECONDS = 1200
"""Time limit for the tests under one clock."""
CLOCKS = {
    "the date in Jerusalem is about to change": datetime(2026, 11, 30, 19, 30, tzinfo=UTC),
    "the date in Jerusalem is about to change, or has": datetime(2026, 11, 30, 21, 58, tzinfo=UTC),
    "Jerusalem's clocks go forward": datetime(2027, 3, 25, 23, 52, tzinfo=UTC),
    "Berlin's clocks go forward": datetime(2027, 3, 28, 0, 52, tzinfo=UTC),
    "Jerusalem's clocks go back": datetime(2027, 10, 30, 22, 52, tzinfo=UTC),
    "Berlin's clocks go back": datetime(2027, 10, 31, 0, 52, tzinfo=UTC),
}
# A lock with a timeout waits, on the real clock, for a time on the shifted clock: for months.
PROBE = "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire(timeout=0.01)"


def shifted_environment(library: str, instant: datetime) -> dict[str, str]:
    """Return the environment for a process whose clock now shows `instant`. Later processes show a later time."""
    seconds = instant.timestamp() - time.time()
    return {**os.environ, "LD_PRELOAD": library, "FAKETIME": f"{seconds:+.0f}"}


def limits_hold(environment: dict[str, str]) -> bool:
    """Return whether timeouts of locks work under this clock. With libfaketime 0.9.10 they never end."""
    try:
        subprocess.run([sys.executable, "-c", PROBE], env=environment, timeout=10, check=True)
    except subprocess.TimeoutExpired:
        return False
    return True


def main(arguments: list[str]) -> int:
    """Run the tests under each clock, with further arguments for pytest. Return the first exit status other than 0."""
    libraries = glob.glob(LIBRARY)
    if not libraries:
        print("machine clocks: skipped, because libfaketime is not installed: run apt-get install faketime")
        return 0
    left_out = "terraform or spark"
    if not limits_hold(shifted_environment(libraries[0], next(iter(CLOCKS.values())))):
        left_out += " or timed_lock"
        print("machine clocks: tests marked timed_lock are excluded: with this libfaketime they never end")
    for what, instant in CLOCKS.items():
        print(f"machine clocks: {instant:%Y-%m-%d %H:%M} UTC, {what}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--dist", "loadgroup"]
        command += ["-m", f"process and not ({left_out})", *(arguments or ["-n", "2", *FOLDERS])]
        try:
            environment = shifted_environment(libraries[0], instant)
            status = subprocess.run(command, cwd=ROOT, env=environment, timeout=LIMIT_SECONDS, check=False).returncode
        except subprocess.TimeoutExpired:
            print(f"machine clocks: the tests took more than {LIMIT_SECONDS} seconds")
            return 1
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
