"""What commands print: a table for people, JSON for programs. Nothing in it can steer a terminal."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from labkit.text import escaped, is_plain

WIDE = 100_000


def print_json(value: Any) -> None:
    """Print the value as JSON. A steering character is escaped, so that it reaches programs and not the terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    print("".join(character if character == "\n" or is_plain(character) else _json(character) for character in text))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """Print rows below headings; numbers to the right, None as nothing. On a terminal it is ruled and fits its width,
    elsewhere every row is one line."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

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
        # As Text, so that nothing in it is taken for markup.
        table.add_row(*(Text("" if cell is None else escaped(cell)) for cell in row))
    console = Console(width=None if on_terminal else WIDE, highlight=False)
    with console.capture() as captured:
        console.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
