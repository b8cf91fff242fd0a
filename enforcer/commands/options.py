"""Options that several commands share, and what they accept."""

from datetime import date
from typing import Any

import click


class Day(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A day as 2026-11-01, local to the course."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f'"{value}" is no day; write it as 2026-11-01', param, ctx)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON; docs/json.md defines its fields.")
dry_run = click.option("--dry-run", is_flag=True, help="Print what would be done and change nothing.")
day = click.option("--day", type=Day(), metavar="DAY", help="One day, such as 2026-11-01.")
first = click.option("--from", "first", type=Day(), metavar="DAY", help="The first day of a span.")
last = click.option("--to", "last", type=Day(), metavar="DAY", help="The last day of a span, included.")


def span(day: date | None, first: date | None, last: date | None, *, today: date) -> tuple[date, date]:
    """The days that --day, or --from and --to, name; today where none does. Raises click.UsageError."""
    if day and (first or last):
        raise click.UsageError("give --day, or --from and --to")
    if (first is None) != (last is None):
        raise click.UsageError("--from and --to go together; for one day there is --day")
    if first and last:
        if last < first:
            raise click.UsageError(f"the span ends ({last}) before it begins ({first})")
        return first, last
    return day or today, day or today
