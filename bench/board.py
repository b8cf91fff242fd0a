"""Measures the staff's board: 100 groups and a whole term, from a ledger in a file to a page.

    python bench/board.py [--groups 100] [--json]

The lab is the invented one of `board --demo` on the last day of its term; its sessions, settled days and polls are in a
ledger.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from board_ledger import fill  # noqa: E402
from enforcer.board.assemble import make_board  # noqa: E402
from enforcer.board.facts import gather  # noqa: E402
from enforcer.board.html import render_board  # noqa: E402
from enforcer.ledger.database import open_copy, open_ledger  # noqa: E402
from enforcer.settings import Settings, load_settings  # noqa: E402

LAST_DAY = datetime(2027, 1, 31, 14, 20, tzinfo=UTC)
MAX_SECONDS, MAX_BYTES = 1.0, 500_000
RUNS = 5


@dataclass(frozen=True)
class BoardMeasurement:
    groups: int
    sessions: int
    copy_seconds: float
    """To copy the ledger into memory; a watch uses the ledger itself."""
    gather_seconds: float
    assemble_seconds: float
    render_seconds: float
    page_bytes: int

    @property
    def seconds(self) -> float:
        """The time for gathering and rendering."""
        return self.gather_seconds + self.assemble_seconds + self.render_seconds


def measure(groups: int) -> BoardMeasurement:
    """Return the fastest of several runs: other programs on the machine only add time."""
    settings = load_settings({"LAB_COURSE": "94290", "LAB_TERM": "2026w"})
    with tempfile.TemporaryDirectory() as folder:
        place = f"{folder}/uptimes.db"
        with closing(open_ledger(place)) as ledger:
            facts = fill(ledger, groups, now=LAST_DAY)
        runs = [_run(place, settings, facts.made_at) for _ in range(RUNS)]
    sessions = sum(map(len, facts.snapshot.sessions.values()))
    (copy, gathered, assembled, rendered), size = min(runs, key=lambda run: sum(run[0]))
    return BoardMeasurement(groups, sessions, copy, gathered, assembled, rendered, size)


def _run(place: str, settings: Settings, now: datetime) -> tuple[tuple[float, float, float, float], int]:
    """Return the seconds of each step, and the size of the page."""
    moments = [time.perf_counter()]
    with closing(open_copy(place)) as ledger:
        moments.append(time.perf_counter())
        facts = gather(ledger, settings, now=now)
    moments.append(time.perf_counter())
    board = make_board(facts)
    moments.append(time.perf_counter())
    page = render_board(board)
    moments.append(time.perf_counter())
    a, b, c, d, e = moments
    return (b - a, c - b, d - c, e - d), len(page.encode())


@click.command()
@click.option("--groups", default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(groups: int, as_json: bool) -> None:
    """Print the measurement; exit with status 1 if it exceeds a limit."""
    found = measure(groups)
    if as_json:
        print(json.dumps(asdict(found) | {"seconds": found.seconds}))
    else:
        print(
            f"board of {found.groups} groups and {found.sessions:,} sessions: {found.seconds:.2f} s "
            f"(gather {found.gather_seconds:.2f}, assemble {found.assemble_seconds:.2f}, render "
            f"{found.render_seconds:.2f}; copy of the ledger {found.copy_seconds:.2f}), {found.page_bytes:,} bytes"
        )
    if found.seconds > MAX_SECONDS or found.page_bytes > MAX_BYTES:
        raise SystemExit(f"expected at most {MAX_SECONDS} s and {MAX_BYTES:,} bytes")


if __name__ == "__main__":
    main()
