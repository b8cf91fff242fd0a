"""What the command lines of the programs share: verbs, options, confirmation, JSON, and how a command fails."""

import importlib
import json
import math
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import date, datetime
from typing import Any, NoReturn, TypeVar

import click

from labkit import __version__, clock, exit_status
from labkit.text import escaped, is_displayable, quoted

Command = TypeVar("Command", bound=Callable[..., Any])

version_option = click.version_option(__version__, message="%(prog)s %(version)s")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON; docs/json.md defines its fields.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Print what would be done and change nothing.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


class CommandError(click.ClickException):
    """Bad input or no access: a sentence, which ends the process with status 2."""

    exit_code = exit_status.BAD_INPUT

    def format_message(self) -> str:
        return escaped(self.message)


def environment() -> MutableMapping[str, str]:
    """The environment of this run, as the program was given it."""
    environ: MutableMapping[str, str] = click.get_current_context().find_root().obj
    return environ


def now(environ: Mapping[str, str] | None = None) -> datetime:
    """The one clock reading of this run, by its environment or by the one that is given. Raises CommandError."""
    try:
        return clock.now(environment() if environ is None else environ)
    except clock.ClockError as error:
        raise CommandError(str(error)) from None


class LazyGroup(click.Group):
    """Commands that are imported when they are called: the Databricks SDK alone takes two seconds.

    `verbs` maps each verb to its line in the help. Its module in `package` has the same name with underscores, and
    defines `command`.
    """

    def __init__(self, *arguments: Any, package: str, verbs: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._package, self._verbs = package, verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._verbs:
            return None
        command: click.Command = importlib.import_module(f"{self._package}.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._verbs.items()))


YEARS = range(1970, 3000)


class DateParamType(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A day as 2026-11-01, local to the course."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            found = date.fromisoformat(str(value))
        except ValueError:
            self.fail(f'"{escaped(value)}" is not a date; use YYYY-MM-DD', param, ctx)
        if found.year not in YEARS:
            # Beyond them a day has no begin or end that can be computed in every zone.
            self.fail(f"{found} is not a day from {YEARS[0]} to {YEARS[-1]}", param, ctx)
        return found


class FloatParamType(click.FloatRange):
    """A finite number in a range, such as `FloatParamType(1, 3600, unit="seconds")`."""

    def __init__(self, low: float, high: float | None = None, *, unit: str = "", min_open: bool = False) -> None:
        super().__init__(low, high, min_open=min_open)
        self._what = f"a number of {unit}" if unit else "a number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        return float(_in_range(super().convert, self._what, self, value, param, ctx))


class IntParamType(click.IntRange):
    """A whole number in a range, such as `IntParamType(1)`."""

    def __init__(self, low: int, high: int | None = None, *, unit: str = "") -> None:
        super().__init__(low, high)
        self._what = f"a whole number of {unit}" if unit else "a whole number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        return int(_in_range(super().convert, self._what, self, value, param, ctx))


def _in_range(
    convert: Callable[[Any, click.Parameter | None, click.Context | None], Any],
    what: str,
    bounds: click.FloatRange | click.IntRange,
    value: Any,
    param: click.Parameter | None,
    ctx: click.Context | None,
) -> float:
    """What `convert` makes of the value; otherwise the usage error names value and range."""
    try:
        number: float = convert(value, param, ctx)
        if math.isfinite(number):
            return number
    except click.BadParameter:
        pass
    low = "" if bounds.min is None else f" {'above' if bounds.min_open else 'from'} {bounds.min:g}"
    high = "" if bounds.max is None else f" to {bounds.max:g}"
    bounds.fail(f"{quoted(str(value))} is not {what}{low}{high}", param, ctx)


day_option = click.option("--day", type=DateParamType(), metavar="DAY", help="One day, such as 2026-11-01.")
from_option = click.option("--from", "first", type=DateParamType(), metavar="DAY", help="The first day of a span.")
to_option = click.option("--to", "last", type=DateParamType(), metavar="DAY", help="The last day of a span, included.")


def date_range(day: date | None, first: date | None, last: date | None, *, today: date) -> tuple[date, date]:
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


def prompt_for_secret(name: str) -> str:
    """What a person types at the terminal; it is not shown."""
    return str(click.prompt(name, hide_input=True, err=True))


def is_confirmed(sentence: str, *, workspace: str = "") -> bool:
    """Whether somebody types the sentence when asked for it. `workspace` names what is changed and its host."""
    where = f"This changes {escaped(workspace)}. " if workspace else ""
    question = f'{where}Type "{escaped(sentence)}" to go on'
    try:
        return bool(click.prompt(question, default="", show_default=False, err=True) == sentence)
    except click.Abort:
        return False


def print_json(value: Any) -> None:
    """Print the value as JSON. A character that steers a terminal is escaped, so that it reaches programs alone."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    print(
        "".join(
            character if character == "\n" or is_displayable(character) else _json_escape(character)
            for character in text
        )
    )


def fail(*problems: str) -> NoReturn:
    """End the process with status 2 after these sentences."""
    for problem in problems:
        print(escaped(problem), file=sys.stderr)
    raise SystemExit(exit_status.BAD_INPUT)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
