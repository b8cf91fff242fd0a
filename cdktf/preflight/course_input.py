"""A course's input, which is read without a workspace: settings, target, choice of host and credential, rosters."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from course_calendar.table import TableError, parse_table, table_name
from lab_settings import (
    DEFAULT_EFFECTS,
    MAX_CALENDAR_ROWS,
    LabSettings,
    LabSettingsError,
    TargetSettings,
    load_settings,
    settings_path,
)
from labkit.course_file import CalendarEntry
from labkit.extras import dotenv
from labkit.workspace.choice import WorkspaceChoice, WorkspaceNotConfigured
from preflight.target_access import target_choice
from roster.model import Roster, parse_roster


@dataclass(frozen=True)
class SelectedTarget:
    """The settings file and the target in it, as environment and `.env` select them."""

    settings_path: Path
    """Absolute path of the settings file."""
    lab: LabSettings
    name: str
    target: TargetSettings
    dotenv_variables: Mapping[str, str]
    """The workspace variables in `.env`, which are not in the environment."""


def select_target(environ: MutableMapping[str, str], name: str | None = None) -> SelectedTarget:
    """Read the settings file in LAB_CONFIG and select the target `name`, by default LAB_TARGET or the file's default.

    Variables of `.env` that are not set are added to `environ`, except those that choose a workspace. Raise
    LabSettingsError.
    """
    try:
        dotenv_variables = dotenv.load(environ)
    except dotenv.DotenvError as error:
        raise LabSettingsError([str(error)]) from None
    path = settings_path(environ)
    lab = load_settings(path)
    return SelectedTarget(path, lab, *lab.target(name or environ.get("LAB_TARGET")), dotenv_variables)


@dataclass(frozen=True)
class CourseInput:
    """A course's settings, target and rosters, parsed and checked against each other."""

    settings_path: Path
    """Absolute path of the settings file."""
    lab: LabSettings
    target_name: str
    target: TargetSettings
    choice: WorkspaceChoice | WorkspaceNotConfigured
    """The host and credential, or why no workspace is configured."""
    rosters: tuple[Roster, ...]
    """The course's own roster is the first."""
    imported_calendar: tuple[CalendarEntry, ...] = ()
    """The entries in the table that `import_calendar.py` wrote."""

    @property
    def folder(self) -> Path:
        """Return the folder that contains the settings file, rosters and state."""
        return self.settings_path.parent

    @property
    def stack(self) -> str:
        return self.lab.stack_id(self.target_name)


def read_course_input(environ: MutableMapping[str, str]) -> CourseInput:
    """Read the settings file and target selected by LAB_CONFIG and LAB_TARGET; `.env` adds variables that are not set.

    Raise LabSettingsError or RosterError with all problems in the first file that has any.
    """
    selected = select_target(environ)
    path, lab, name, target = selected.settings_path, selected.lab, selected.name, selected.target
    choice = target_choice(name, target, environ, selected.dotenv_variables)
    rosters = tuple(_read_roster(path.parent / roster, name=roster) for roster in lab.course.rosters)
    own = rosters[0]
    if problems := lab.roster_problems([group.key for group in own.groups], [group.key for group in own.active_groups]):
        raise LabSettingsError([f"{path.name}: {problem}" for problem in problems])
    imported = _read_calendar(path, lab)
    return CourseInput(path, lab, name, target, choice, rosters, imported)


def _read_calendar(path: Path, lab: LabSettings) -> tuple[CalendarEntry, ...]:
    """Return the entries of the imported calendar; none if lab.toml has no rules for it."""
    if not lab.calendar_rules:
        return ()
    name = table_name(lab.course.id, lab.course.term)
    try:
        rows = parse_table((path.parent / name).read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not valid UTF-8"
        raise LabSettingsError(
            [
                f"{name} cannot be read ({reason}), but {path.name} has [calendar_rules]; "
                "python cdktf/import_calendar.py FILE creates it from a calendar program's export."
            ]
        ) from error
    except TableError as error:
        raise LabSettingsError([str(error)]) from error
    if len(rows) > MAX_CALENDAR_ROWS:
        raise LabSettingsError([f"{name} has {len(rows)} rows; a course has at most {MAX_CALENDAR_ROWS}."])
    return tuple(
        CalendarEntry(
            row.kind, "", row.first_day, row.last_day, DEFAULT_EFFECTS[row.kind], hours=row.part, is_imported=True
        )
        for row in rows
    )


def _read_roster(path: Path, *, name: str) -> Roster:
    try:
        return parse_roster(path.read_text(encoding="utf-8-sig"), name)
    except OSError as error:
        raise LabSettingsError(
            [
                f"{name} cannot be read ({error.strerror}); "
                f"python cdktf/import_roster.py EXPORT --out {name} creates it from Moodle's export."
            ]
        ) from error
    except UnicodeDecodeError as error:
        raise LabSettingsError([f"{name}: not valid UTF-8; import it again with cdktf/import_roster.py."]) from error
