"""The demo's output: headings, tables, and progress as a bar in a terminal or as occasional lines in a pipe."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from terraform_output import Progress

PIPE_WIDTH = 110
SECONDS_BETWEEN_LINES = 5.0
SECONDS_OF_SILENCE = 30.0
SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "replace": ("±", "magenta"), "destroy": ("-", "red")}


@dataclass(frozen=True)
class GroupRow:
    """One group's state in the workspace."""

    name: str
    title: str
    students: int
    cluster: str
    state: str
    libraries: str
    permission: str


class Screen:
    """Prints human-readable output, with escape codes only in a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        if not self.console.is_terminal:
            self.console = Console(highlight=False, width=PIPE_WIDTH)
        self._steps = 0
        self._began = time.monotonic()

    def step(self, title: str) -> None:
        """Print the heading of the next step."""
        self._steps += 1
        self.console.print()
        self.console.print(f"[bold]{self._steps}. {escape(title)}[/bold]")

    def end(self, text: str) -> None:
        """Print the final message."""
        self.console.print(f"\n[bold]{escape(text)}[/bold]")

    def print_text(self, text: str, style: str = "") -> None:
        """Print a message."""
        for line in textwrap.wrap(text, self.console.width - 4):
            self.console.print(f"   {line}", style=style, markup=False)

    def print_output(self, line: str) -> None:
        """Print a line of a command's output unchanged."""
        self.console.print(f"   {line}".rstrip(), style="dim", markup=False, soft_wrap=True)

    def elapsed_seconds(self) -> float:
        """Return the seconds since the screen was created."""
        return time.monotonic() - self._began

    @contextmanager
    def show_progress(self, progress: Progress, label: str) -> Iterator[ProgressDisplay]:
        """Show the progress of `cdktf deploy` or `destroy` while the `with` block lasts."""
        if not self.console.is_terminal:
            yield ProgressDisplay(self, progress, label)
            return
        columns = (
            TextColumn("   {task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[stage]}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[latest]}"),
        )
        with Bar(*columns, console=self.console, transient=True) as bar:
            yield ProgressDisplay(self, progress, label, bar)

    def lab(self, rows: Iterable[GroupRow]) -> None:
        """Print the groups and their clusters as a table."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        # The Moodle name is the last column: right-to-left text would reverse the columns after it.
        for heading in ("Group", "Students", "Cluster", "State", "Libraries", "Students may", "Name in Moodle"):
            table.add_column(heading, justify="right" if heading == "Students" else "left", no_wrap=True)
        for row in rows:
            cells = (row.name, str(row.students), row.cluster, row.state, row.libraries, row.permission, row.title)
            table.add_row(*map(escape, cells))
        self._table(table)

    def plan(self, planned: Mapping[str, str]) -> None:
        """Print the actions of a plan."""
        for address, verb in sorted(planned.items(), key=lambda item: (list(SIGNS).index(item[1]), item[0])):
            sign, colour = SIGNS[verb]
            self.console.print(f"   [{colour}]{sign} {verb:<8}[/{colour}] {escape(address)}", soft_wrap=True)

    def compare(self, before: Mapping[str, int], during: Mapping[str, int], after: Mapping[str, int]) -> None:
        """Print the number of objects per kind before, during and after the term."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("In the workspace")
        for heading in ("before", "during", "after"):
            table.add_column(heading, justify="right")
        for name in before:
            table.add_row(escape(name), str(before[name]), str(during[name]), str(after[name]))
        self._table(table)

    def _table(self, table: Table) -> None:
        if self.console.is_terminal:
            self.console.print(Padding(table, (0, 0, 0, 3), expand=False))
            return
        # Lines in a pipe get no trailing blanks.
        with self.console.capture() as captured:
            self.console.print(table)
        self.console.print("\n".join(f"   {line}".rstrip() for line in captured.get().splitlines()), markup=False)


class ProgressDisplay:
    """Shows the state of a `Progress`, often in a terminal and rarely in a pipe."""

    def __init__(self, screen: Screen, progress: Progress, label: str, bar: Bar | None = None) -> None:
        self._screen = screen
        self._progress = progress
        self._label = label
        self._bar = bar
        self._task = bar.add_task(label, total=None, stage="", latest="") if bar else None
        self._last_printed = time.monotonic()
        self._last_stage = ""

    def update(self) -> None:
        """Show the current progress."""
        progress = self._progress
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task,
                completed=progress.finished,
                total=progress.total or None,
                stage=progress.stage,
                latest=escape(progress.latest),
            )
            return
        silent = time.monotonic() - self._last_printed
        if silent > (SECONDS_OF_SILENCE if progress.stage == self._last_stage else SECONDS_BETWEEN_LINES):
            self._last_printed, self._last_stage = time.monotonic(), progress.stage
            self._screen.print_text(f"{self._label}: {self._last_stage}")
