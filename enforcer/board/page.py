"""Makes the page of the board from a ledger: gathers, assembles and renders."""

from datetime import datetime
from pathlib import Path

from enforcer.board.assemble import make_board
from enforcer.board.facts import gather
from enforcer.board.html import render_board
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings
from labkit.files import atomic_binary_file


class NoCourseError(Exception):
    """The ledger has no course, or not the one in the settings."""


def board_page(ledger: Ledger, settings: Settings, *, now: datetime, with_names: bool = False) -> str:
    """Return the page for the course of the last poll. Changes nothing. Raises NoCourseError."""
    facts = gather(ledger, settings, now=now)
    if not facts.snapshot.clusters:
        raise NoCourseError
    return render_board(make_board(facts, with_names=with_names))


def write_page(path: Path, page: str) -> None:
    """Replace the file atomically; only its owner can read it. Raises OSError."""
    with atomic_binary_file(path) as file:
        file.write(page.encode())
