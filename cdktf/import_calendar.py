"""Imports a calendar program's events into the course's normalised calendar, which the deployment reads.

Reads LAB_CONFIG (default: lab.toml) and, without FILE, the address LAB_CALENDAR_URL.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from zoneinfo import ZoneInfo

# Run as a script: the project's root is added to sys.path so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

try:
    import click
except ImportError:
    from reexec import reexec_in_venv

    reexec_in_venv(Path(__file__).resolve(), environ=os.environ)

from course_calendar.download import MAX_BYTES, VARIABLE, download
from course_calendar.events import CalendarError, read_occurrences
from course_calendar.rules import Classified, classify
from course_calendar.table import CalendarRow, TableError, format_table, parse_table, table_name
from lab_settings import MAX_CALENDAR_ROWS, LabSettings, LabSettingsError, load_settings, settings_path
from labkit import exit_status
from labkit.extras import cli, dotenv
from labkit.files import write_private
from labkit.text import escaped


@click.command(
    context_settings={"max_content_width": 110, "help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  python cdktf/import_calendar.py course.ics             # a file that a calendar program exported
  python cdktf/import_calendar.py --dry-run              # from the address LAB_CALENDAR_URL, for example in .env

\b
Exit status: 0 done, 2 refused (nothing written). [calendar_rules] in lab.toml maps events to kinds.""",
)
@click.argument("file", required=False)
@click.option("--dry-run", is_flag=True, help="Show the changes and write nothing.")
@cli.version_option
def main(file: str | None, dry_run: bool) -> None:
    """Write the events of an iCalendar file, or of the address LAB_CALENDAR_URL, to the table beside lab.toml, and show
    what changes. The next deploy puts them into the course file.

    The table has kinds, days and hours: titles, people and addresses are dropped. Events that no rule matches are
    listed and ignored.
    """
    try:
        address = address_in(os.environ)
        settings = settings_path(os.environ)
        lab = load_settings(settings)
        if not lab.calendar_rules:
            raise CalendarError(f'{settings.name}: add [calendar_rules] first, such as "Lecture*" = "class".')
        path = settings.parent / table_name(lab.course.id, lab.course.term)
        before = read_table(path)
        found = classified(read_calendar(file, address), lab)
    except LabSettingsError as error:
        cli.fail(*error.problems)
    except (CalendarError, TableError, dotenv.DotenvError) as error:
        cli.fail(str(error))
    for line in report_lines(before, found):
        print(escaped(line))
    if dry_run or frozenset(before or ()) == found.rows and before is not None:
        print("nothing was written" if dry_run else f"{path} is up to date")
        return
    try:
        write_private(path, format_table(found.rows))
    except OSError as error:
        cli.fail(f"{path} cannot be written: {error.strerror}.")
    print(f"wrote {path}; deploy the course to put it into effect")
    sys.exit(exit_status.DONE)


def address_in(environ: MutableMapping[str, str]) -> str:
    """Return LAB_CALENDAR_URL from the environment or `.env`, and remove it; empty without one. Raises DotenvError."""
    dotenv.load(environ)
    return environ.pop(VARIABLE, "")


def read_calendar(file: str | None, address: str) -> bytes:
    """Return the content of the file or, without one, of the address. Raises CalendarError."""
    if file is None:
        if not address:
            raise CalendarError(f"give the file that a calendar program exported, or set {VARIABLE}.")
        return download(address)
    if "://" in file:
        raise CalendarError(f"set {VARIABLE} to the address: other users can see the arguments of a command.")
    try:
        with open(file, "rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise CalendarError(f"{file} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise CalendarError(f"{file} has more than {MAX_BYTES // 1_000_000} MB; export only the course's calendar.")
    return data


def read_table(path: Path) -> tuple[CalendarRow, ...] | None:
    """Return the rows of the last import; None before the first. Raises TableError or CalendarError."""
    try:
        return parse_table(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CalendarError(f"{path} cannot be read ({error}); delete it and import again.") from None


def classified(data: bytes, lab: LabSettings) -> Classified:
    """Return the rows for the course's term. Raises CalendarError, also if no event matches a rule."""
    course = lab.course
    days = {"first": course.first_day, "last": course.last_day}
    events = read_occurrences(data, tz=ZoneInfo(course.timezone), **days)
    found = classify(events, lab.calendar_rules, **days)
    if not found.rows:
        titles = "; ".join(_ignored_lines(found.ignored)) or "it has no event in the term"
        raise CalendarError(f"no event of the calendar matches [calendar_rules], so nothing was written: {titles}.")
    if len(found.rows) > MAX_CALENDAR_ROWS:
        raise CalendarError(
            f"{len(found.rows)} events match [calendar_rules], but a course has at most {MAX_CALENDAR_ROWS}."
        )
    return found


def report_lines(before: tuple[CalendarRow, ...] | None, found: Classified) -> list[str]:
    """Return the added and removed rows, and the ignored events."""
    old, new = set(before or ()), found.rows
    changes = [f"{'+' if row in new else '-'} {row}" for row in sorted(old ^ new)]
    return [
        *changes,
        f"{len(new)} rows: {len(new - old)} new, {len(old - new)} removed",
        *_ignored_lines(found.ignored),
    ]


def _ignored_lines(ignored: Mapping[tuple[str, ...], int]) -> list[str]:
    lines = []
    for (title, *categories), number in ignored.items():
        named = f" ({', '.join(categories)})" if categories else ""
        lines.append(f'ignored: "{title}"{named}, {number} times')
    return lines


if __name__ == "__main__":
    # The table and what is printed are for the course's staff.
    os.umask(0o077)
    main()
