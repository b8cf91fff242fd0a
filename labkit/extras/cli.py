"""Shared parts of the programs' command lines: commands, options, parameter types, confirmation, JSON and errors."""

import importlib
import json
import math
from collections.abc import Callable, Mapping, MutableMapping
from datetime import date, datetime
from typing import Any, NoReturn, TypeVar

import click

from labkit import __version__, clock, exit_status
from labkit.logs import print_problem
from labkit.text import escaped, is_displayable, quoted

Command = TypeVar("Command", bound=Callable[..., Any])

version_option = click.version_option(__version__, message="%(prog)s %(version)s")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON; docs/json.md defines its fields.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Print what would be done and change nothing.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


class CommandError(click.ClickException):
    """Bad input, or no access to the workspace: the program exits with status 2 and one sentence on stderr."""

    exit_code = exit_status.BAD_INPUT

    def format_message(self) -> str:
        return escaped(self.message)


def environment() -> MutableMapping[str, str]:
    """Return the environment that the program was started with."""
    environ: MutableMapping[str, str] = click.get_current_context().find_root().obj
    return environ


def now(environ: Mapping[str, str] | None = None) -> datetime:
    """Return the current time according to `environ`, by default this run's environment. Raises CommandError."""
    try:
        return clock.now(environment() if environ is None else environ)
    except clock.ClockError as error:
        raise CommandError(str(error)) from None


OLD_NAMES_UNTIL = "0.3.0"
"""The first version that no longer accepts the old names of commands, options and settings."""


def warn_renamed(old: str, new: str) -> None:
    """Print to standard error that a command, option or setting has a new name."""
    print_problem(f"{old} is now {new}; the old name works until version {OLD_NAMES_UNTIL}")


def old_flag(old: str, parameter: str, *, new: str) -> Callable[[Command], Command]:
    """Accept a flag's old name, which is hidden from the help, with a warning that gives the new name."""

    def warn(context: click.Context, option: click.Parameter, value: bool) -> bool:
        if value:
            warn_renamed(old, new)
        return value

    return click.option(old, parameter, is_flag=True, hidden=True, callback=warn)


def use_old_variable(environ: MutableMapping[str, str], old: str, new: str) -> None:
    """Accept a setting's old name, with a warning. If both are set, the new name takes precedence."""
    value = environ.pop(old, "")
    if value:
        warn_renamed(old, new)
        environ[new] = environ.get(new) or value


class LazyGroup(click.Group):
    """A click group that imports a command when it is called: the Databricks SDK alone takes two seconds.

    `verbs` maps each command's name to its line in the help. The command's module in `package` has the same name, with
    underscores, and defines `command`. `renamed` maps old names, which are hidden from the help, to new ones.
    """

    def __init__(
        self,
        *arguments: Any,
        package: str,
        verbs: Mapping[str, str],
        renamed: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._package, self._verbs, self._renamed = package, verbs, renamed or {}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        verb, *rest = args
        if verb in self._renamed:
            warn_renamed(verb, self._renamed[verb])
            verb = self._renamed[verb]
        return super().resolve_command(ctx, [verb, *rest])

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
"""Dates in these years are accepted."""


class DateParamType(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A date such as 2026-11-01, in the course's time zone."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            found = date.fromisoformat(str(value))
        except ValueError:
            self.fail(f'"{escaped(value)}" is not a date; use YYYY-MM-DD', param, ctx)
        if found.year not in YEARS:
            # Outside these years the start or end of a day cannot be computed in every zone.
            self.fail(f"{found} is not a date from {YEARS[0]} to {YEARS[-1]}", param, ctx)
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
    """Return the value converted by `convert`. Otherwise raise a usage error that contains the value and the range."""
    try:
        number: float = convert(value, param, ctx)
        if math.isfinite(number):
            return number
    except click.BadParameter:
        pass
    if bounds.max is None and not bounds.min_open:
        allowed = f"{what}, {bounds.min:g} or greater"
    else:
        high = "" if bounds.max is None else f" to {bounds.max:g}"
        allowed = f"{what} {'above' if bounds.min_open else 'from'} {bounds.min:g}{high}"
    bounds.fail(f"{quoted(str(value))} is not {allowed}", param, ctx)


day_option = click.option("--day", type=DateParamType(), metavar="DAY", help="A single day, such as 2026-11-01.")
from_option = click.option("--from", "first", type=DateParamType(), metavar="DAY", help="First day of a date range.")
to_option = click.option("--to", "last", type=DateParamType(), metavar="DAY", help="Last day of the range (inclusive).")


def date_range(day: date | None, first: date | None, last: date | None, *, today: date) -> tuple[date, date]:
    """Return the first and last day from --day, or from --from and --to; today by default. Raises click.UsageError."""
    if day and (first or last):
        raise click.UsageError("use either --day, or --from and --to")
    if (first is None) != (last is None):
        raise click.UsageError("--from and --to must be used together; use --day for one day")
    if first and last:
        if last < first:
            raise click.UsageError(f"--to {last} is before --from {first}")
        return first, last
    return day or today, day or today


def prompt_for_secret(name: str) -> str:
    """Return what the user types at the terminal, without echoing it."""
    return str(click.prompt(name, hide_input=True, err=True))


def is_confirmed(sentence: str, *, workspace: str = "") -> bool:
    """Ask the user to type the sentence, and return whether they did. `workspace` identifies the workspace that
    changes.
    """
    where = f"This changes {escaped(workspace)}. " if workspace else ""
    question = f'{where}Type "{escaped(sentence)}" to continue'
    try:
        return bool(click.prompt(question, default="", show_default=False, err=True) == sentence)
    except click.Abort:
        return False


def print_json(value: Any) -> None:
    """Print the value as JSON, with terminal control characters escaped; a JSON parser restores them."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    print(
        "".join(
            character if character == "\n" or is_displayable(character) else _json_escape(character)
            for character in text
        )
    )


def fail(*problems: str) -> NoReturn:
    """Print these sentences on stderr and exit with status 2."""
    for problem in problems:
        print_problem(problem)
    raise SystemExit(exit_status.BAD_INPUT)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
