"""Prints tables on a terminal or into a pipe. Imports rich, which takes a tenth of a second."""

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from labkit.text import escaped

PIPE_WIDTH = 100_000
"""Width in characters: no row in a pipe is ever wrapped."""


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """Print rows under headings, with numbers right-aligned and None as an empty cell.

    On a terminal the table has rules and fits the width; elsewhere each row is one line.
    """
    rows = [list(row) for row in rows]
    on_terminal = sys.stdout.isatty()
    table = Table(
        title=Text(escaped(title)) if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD if on_terminal else None,
        pad_edge=False,
    )
    for number, heading in enumerate(headings):
        are_numbers = bool(rows) and all(isinstance(row[number], int | float) for row in rows)
        table.add_column(heading, justify="right" if are_numbers else "left", overflow="fold")
    for row in rows:
        # `Text` is used because rich would interpret a plain string as markup.
        table.add_row(*(Text("" if cell is None else escaped(cell)) for cell in row))
    console = Console(width=None if on_terminal else PIPE_WIDTH, highlight=False)
    with console.capture() as captured:
        console.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))
