"""A course's settings, `lab.toml`, as typed values. Errors contain each invalid key and the allowed values."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

import settings_tables
from labkit.course_file import (
    BLOCKED,
    FREE,
    LIMITS,
    UNLIMITED,
    USUAL,
    WHOLE_DAY,
    CalendarEntry,
    GroupLimits,
    Hours,
    WorkingHours,
    parse_hours,
)
from settings_tables import Boolean, Label, NonEmptyText, SettingsError, SettingsTable, TextTable

MAX_PINNED_CLUSTERS = 100
MAX_CALENDAR_ROWS = 1000
_DEFAULT_PATH = Path(__file__).resolve().parents[1] / "lab.toml"


class LabSettingsError(SettingsError):
    """`lab.toml` is unusable. `problems` contains one message per invalid value."""


def validated_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("unknown zone") from error
    return name


def validated_hours(text: str) -> str:
    parse_hours(text)
    return text


DayMinutes = Annotated[int, Field(ge=0, le=1440, description="a whole number of minutes from 0 to 1440")]
LongMinutes = Annotated[int, Field(ge=1, description="a whole number of minutes, at least 1")]
Workers = Annotated[int, Field(ge=1, le=1000, description="a whole number from 1 to 1000")]
Date = Annotated[date, Field(description="an unquoted date, such as 2026-10-18")]
Domain = Annotated[
    str, Field(pattern=r"^[^@\s]+\.[^@\s.]+$", description='a domain such as "campus.example.ac.il", without @')
]
Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$", description="an account's e-mail address")]
ApplicationId = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        description="an application id such as 6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d",
    ),
]
Host = Annotated[
    str, Field(pattern=r"^https?://[^/\s]+/?$", description='a URL such as "https://adb-….azuredatabricks.net"')
]


PartOfDay = Annotated[str, AfterValidator(validated_hours), Field(description='a part of a day such as "10:00-12:00"')]
Weekday = Annotated[
    Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    Field(description='an English weekday name, such as "Sunday"'),
]
CalendarKind = Annotated[
    Literal["class", "exam", "holiday", "blackout"], Field(description='"class", "exam", "holiday" or "blackout"')
]
DEFAULT_EFFECTS = {"class": FREE, "exam": UNLIMITED, "holiday": USUAL, "blackout": BLOCKED}


class CourseSettings(SettingsTable):
    id: Label
    term: Label
    title: NonEmptyText
    first_day: Date
    last_day: Date
    timezone: Annotated[
        str, AfterValidator(validated_zone), Field(description='an IANA time zone name, such as "Asia/Jerusalem"')
    ]
    first_weekday: Weekday = "Sunday"
    rosters: Annotated[list[NonEmptyText], Field(min_length=1, description="a list of one or more roster files")]
    email_domains: Annotated[
        list[Domain], Field(description='a list of domains such as "campus.example.ac.il", without @')
    ] = []
    strict_domains: Boolean = False
    max_group_size: Annotated[int, Field(ge=0, description="a whole number; 0 means no limit")] = 0
    name_prefix: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_-]*$", max_length=40, description="letters, digits, hyphens and underscores, or empty"
        ),
    ] = ""
    owns_workspace_settings: Boolean = True
    owns_accounts: Boolean = True
    weekly_digest: Boolean = True

    @model_validator(mode="after")
    def _check_days(self) -> "CourseSettings":
        if self.last_day < self.first_day:
            raise ValueError(f"last_day {self.last_day} is before first_day {self.first_day}")
        return self


class StudentSettings(SettingsTable):
    workspace_access: Boolean = True
    sql_access: Boolean = False


class StaffSettings(SettingsTable):
    addresses: Annotated[list[Address], Field(description="a list of e-mail addresses of existing accounts")] = []
    service_principals: Annotated[
        list[ApplicationId],
        Field(description="a list of application ids, such as 6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"),
    ] = []


class ClusterSettings(SettingsTable):
    spark_version: NonEmptyText
    node_type_id: NonEmptyText
    driver_node_type_id: Annotated[str, Field(description="a node type, or empty to use node_type_id")] = ""
    min_workers: Workers = 1
    max_workers: Workers = 2
    autotermination_minutes: Annotated[
        int, Field(ge=10, le=10000, description="a whole number of minutes from 10 to 10000")
    ] = 20
    data_security_mode: Annotated[
        Literal["USER_ISOLATION", "NONE"], Field(description='"USER_ISOLATION" or "NONE"')
    ] = "USER_ISOLATION"
    log_destination: Annotated[
        str, Field(pattern=r"^$|^/Volumes/.|^dbfs:/.", description='"/Volumes/…", "dbfs:/…" or empty')
    ] = ""
    pin: Boolean = True
    allow_jobs: Boolean = False
    spark_conf: TextTable = {}
    spark_env_vars: TextTable = {}

    @model_validator(mode="after")
    def _check_workers(self) -> "ClusterSettings":
        if self.max_workers < self.min_workers:
            raise ValueError(f"max_workers {self.max_workers} is less than min_workers {self.min_workers}")
        return self

    @property
    def driver(self) -> str:
        """Return the node type of the driver."""
        return self.driver_node_type_id or self.node_type_id


class LibrarySettings(SettingsTable):
    """One library: exactly one of `pypi`, `maven`, `jar` and `whl`."""

    pypi: NonEmptyText | None = None
    maven: Annotated[str | None, Field(pattern=r"^[^:\s]+:[^:\s]+:[^:\s]+$", description="group:artifact:version")] = (
        None
    )
    jar: NonEmptyText | None = None
    whl: NonEmptyText | None = None
    repo: Annotated[str, Field(description="a repository URL, or empty for the default one")] = ""
    exclusions: Annotated[list[NonEmptyText], Field(description="a list of group:artifact")] = []

    def __str__(self) -> str:
        """Return the name for people; of a file, the part after the last slash."""
        return self.pypi or self.maven or (self.jar or self.whl or "").rpartition("/")[2]

    @model_validator(mode="after")
    def _check_kind(self) -> "LibrarySettings":
        kinds = [kind for kind in ("pypi", "maven", "jar", "whl") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"needs exactly one of pypi, maven, jar and whl, not {' and '.join(kinds) or 'none'}")
        if self.repo and kinds[0] not in ("pypi", "maven"):
            raise ValueError("repo is allowed only with pypi or maven")
        if self.exclusions and kinds[0] != "maven":
            raise ValueError("exclusions are allowed only with maven")
        return self


class GroupQuota(SettingsTable):
    """Limits of one group that override the course's; omitted ones stay the course's."""

    soft_minutes: DayMinutes | None = None
    hard_minutes: DayMinutes | None = None
    week_minutes: LongMinutes | None = None
    term_minutes: LongMinutes | None = None


class QuotaSettings(SettingsTable):
    soft_minutes: DayMinutes
    hard_minutes: DayMinutes
    count_all_sessions: Boolean = False
    week_minutes: LongMinutes | None = None
    term_minutes: LongMinutes | None = None
    groups: Annotated[dict[str, GroupQuota], Field(description="one table per group with its own limits")] = {}

    @model_validator(mode="after")
    def _check_soft_limits(self) -> "QuotaSettings":
        wrong = [
            f"{place}soft_minutes {limits.soft_minutes} is above hard_minutes {limits.hard_minutes}"
            for place, limits in [
                ("", self.limits_of("")),
                *((f"groups.{name}: ", self.limits_of(name)) for name in self.groups),
            ]
            if limits.soft_minutes > limits.hard_minutes
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def limits_of(self, group: str) -> GroupLimits:
        """Return the limits that apply to the group with this display name."""
        overrides = self.groups.get(group, GroupQuota())
        hard = self.hard_minutes if overrides.hard_minutes is None else overrides.hard_minutes
        soft = self.soft_minutes if overrides.soft_minutes is None else overrides.soft_minutes
        return GroupLimits(
            # A group that may not use its cluster at all gets no warning, so lab.toml needs only its hard limit.
            soft_minutes=0 if overrides.hard_minutes == 0 and overrides.soft_minutes is None else soft,
            hard_minutes=hard,
            week_minutes=self.week_minutes if overrides.week_minutes is None else overrides.week_minutes,
            term_minutes=self.term_minutes if overrides.term_minutes is None else overrides.term_minutes,
        )


class CalendarSettings(SettingsTable):
    """Days that differ from the others. Without a weekday, `first_day` is required."""

    kind: CalendarKind
    title: Annotated[str, Field(max_length=100, description="a string of at most 100 characters")] = ""
    weekday: Weekday | None = None
    first_day: Date | None = None
    last_day: Date | None = None
    hours: PartOfDay | None = None
    groups: Annotated[list[NonEmptyText], Field(description="a list of groups' names, or empty for all groups")] = []
    effect: Annotated[
        Literal["usual", "free", "unlimited", "blocked"] | None,
        Field(description='"usual", "free", "unlimited" or "blocked"'),
    ] = None
    soft_minutes: DayMinutes | None = None
    hard_minutes: DayMinutes | None = None

    @model_validator(mode="after")
    def _check_keys(self) -> "CalendarSettings":
        if self.weekday is None and self.first_day is None:
            raise ValueError("needs weekday, first_day or both")
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValueError(f"last_day {self.last_day} is before first_day {self.first_day}")
        if self.hard_minutes is None and self.soft_minutes is not None:
            raise ValueError("soft_minutes is allowed only with hard_minutes")
        if self.hard_minutes is not None and self.effect is not None:
            raise ValueError("has both effect and hard_minutes; keep one")
        if self.hard_minutes is not None and (self.soft_minutes or 0) > self.hard_minutes:
            raise ValueError(f"soft_minutes {self.soft_minutes} is above hard_minutes {self.hard_minutes}")
        if self.hours and self.chosen_effect != FREE:
            raise ValueError(f'hours are allowed only with the effect "free"; {self.chosen_effect!r} is for whole days')
        return self

    @property
    def chosen_effect(self) -> str:
        """Return the effect, by default the usual one of the kind."""
        return LIMITS if self.hard_minutes is not None else self.effect or DEFAULT_EFFECTS[self.kind]

    def entry(self, course: CourseSettings) -> CalendarEntry:
        """Return the entry for the course file. A weekly entry is for the whole term unless it has its own days."""
        first = self.first_day or course.first_day
        return CalendarEntry(
            self.kind,
            self.title,
            first,
            self.last_day or (first if self.weekday is None else max(first, course.last_day)),
            self.chosen_effect,
            self.weekday,
            parse_hours(self.hours) if self.hours else WHOLE_DAY,
            tuple(self.groups),
            self.soft_minutes,
            self.hard_minutes,
        )


class WorkingHoursSettings(SettingsTable):
    weekdays: Annotated[list[Weekday], Field(min_length=1, description="a list of one or more English weekday names")]
    hours: PartOfDay

    @model_validator(mode="after")
    def _check_hours(self) -> "WorkingHoursSettings":
        if self._hours.ends <= self._hours.begins:
            raise ValueError(f"hours {self.hours} must end on the day on which they begin")
        return self

    @property
    def _hours(self) -> Hours:
        return parse_hours(self.hours)

    def for_course_file(self) -> WorkingHours:
        """Return the working hours for the course file, without duplicate weekdays."""
        return WorkingHours(tuple(dict.fromkeys(self.weekdays)), self._hours)


class PageSettings(SettingsTable):
    """The groups' pages in the workspace."""

    language: Annotated[Literal["en", "he"], Field(description='"en" or "he"')] = "en"


class RequestsSettings(SettingsTable):
    """Whether groups can ask for more time in a file."""

    expire_days: Annotated[int, Field(ge=1, le=365, description="a whole number from 1 to 365")] = 7


class ExtensionsSettings(SettingsTable):
    """What the lab grants at once to a group that asks for more time."""

    minutes: Annotated[int, Field(ge=1, le=1440, description="a whole number from 1 to 1440")]
    per_week: Annotated[int, Field(ge=1, le=50, description="a whole number from 1 to 50")]
    not_in: Annotated[list[CalendarKind], Field(description='a list of kinds of the calendar, such as ["exam"]')] = []


class BackendSettings(SettingsTable):
    """The Terraform backend in which the state of a target is stored."""

    type: Annotated[Literal["local", "azurerm"], Field(description='"local" or "azurerm"')] = "local"
    resource_group_name: NonEmptyText | None = None
    storage_account_name: NonEmptyText | None = None
    container_name: NonEmptyText | None = None
    key: NonEmptyText | None = None
    use_azuread_auth: Annotated[
        bool | None, Field(description="true (log in as the caller) or false (use the account's key)")
    ] = None

    @model_validator(mode="after")
    def _check_keys(self) -> "BackendSettings":
        required = ("resource_group_name", "storage_account_name", "container_name", "key")
        given = [name for name in (*required, "use_azuread_auth") if getattr(self, name) is not None]
        missing = [name for name in required if name not in given]
        if self.type == "azurerm" and missing:
            raise ValueError(f"type azurerm also needs {', '.join(missing)}")
        if self.type == "local" and given:
            raise ValueError(f"type local does not allow {', '.join(given)}")
        return self


class TargetSettings(SettingsTable):
    """A workspace to which the course can be deployed. Without profile and host, both come from the environment."""

    profile: NonEmptyText | None = None
    host: Host | None = None
    expected_host: Annotated[
        str, Field(pattern=r"^$|^https?://[^/\s]+/?$", description='a URL such as "https://adb-…", or empty')
    ] = ""
    expected_workspace_id: Annotated[str, Field(pattern=r"^[0-9]*$", description="digits in quotes, or empty")] = ""
    requests_per_second: Annotated[int, Field(ge=1, le=1000, description="a whole number from 1 to 1000")] = 100
    backend: BackendSettings = BackendSettings()

    @model_validator(mode="after")
    def _check_address(self) -> "TargetSettings":
        if self.profile and self.host:
            raise ValueError("has both profile and host; keep one")
        return self


class RosterSettings(SettingsTable):
    """Where the nightly update gets the roster from, and what it may change in the workspace without a person."""

    moodle: Annotated[
        str,
        Field(pattern=r"^$|^https?://[^\s?#@]+$", description='a URL such as "https://moodle.example.ac.il", or empty'),
    ] = ""
    moodle_course: Annotated[str, Field(description="a course's id, ID number or short name in Moodle, or empty")] = ""
    grouping: Annotated[str, Field(description="the id or name of a grouping in Moodle, or empty")] = ""
    apply: Annotated[Literal["nothing", "joins", "all"], Field(description='"nothing", "joins" or "all"')] = "nothing"


class LabSettings(SettingsTable):
    """All settings for one course."""

    default_target: NonEmptyText
    course: CourseSettings
    roster: RosterSettings = RosterSettings()
    students: StudentSettings = StudentSettings()
    staff: StaffSettings = StaffSettings()
    cluster: ClusterSettings
    libraries: Annotated[list[LibrarySettings], Field(description="a list of [[libraries]] tables")] = []
    quota: QuotaSettings
    calendar: Annotated[list[CalendarSettings], Field(description="a list of [[calendar]] tables")] = []
    # TOML has one type for a name: [[calendar]] is a list of tables, so it cannot also have the table [calendar.rules].
    calendar_rules: Annotated[
        dict[NonEmptyText, CalendarKind], Field(description='a table of titles or categories, such as "Lecture*"')
    ] = {}
    working_hours: WorkingHoursSettings | None = None
    pages: PageSettings | None = None
    requests: RequestsSettings | None = None
    extensions: ExtensionsSettings | None = None
    targets: Annotated[
        dict[Label, TargetSettings], Field(min_length=1, description="at least one [targets.NAME] table")
    ]

    @model_validator(mode="after")
    def _check_default_target(self) -> "LabSettings":
        if self.default_target not in self.targets:
            raise ValueError(f"default_target {self.default_target!r} is not one of {', '.join(self.targets)}")
        return self

    @model_validator(mode="after")
    def _check_extensions(self) -> "LabSettings":
        if self.extensions and self.requests is None:
            raise ValueError("[extensions] needs the table [requests], which lets groups ask for more time")
        return self

    def target(self, name: str | None) -> tuple[str, TargetSettings]:
        """Return the target with this name, or the default one. Raise `LabSettingsError` if the name is unknown."""
        chosen = name or self.default_target
        if chosen not in self.targets:
            raise LabSettingsError([f"LAB_TARGET is {chosen!r}; it must be one of {', '.join(self.targets)}."])
        return chosen, self.targets[chosen]

    def stack_id(self, target: str) -> str:
        """Return the name of the target's stack, which is also the name of its state."""
        return f"{self.course.id}-{self.course.term}-{target}"

    def roster_problems(self, groups: Sequence[str], active: Sequence[str]) -> list[str]:
        """Return a message for each setting that contradicts a roster with these groups and active groups."""
        names = [self.course.name_prefix + group for group in groups]
        problems = [
            f"quota.groups.{name}: the roster has no group with this name."
            for name in self.quota.groups
            if name not in names
        ]
        problems += [
            f"calendar[{number}].groups: the roster has no group {name}."
            for number, entry in enumerate(self.calendar)
            for name in entry.groups
            if name not in names
        ]
        if self.cluster.pin and len(active) > MAX_PINNED_CLUSTERS:
            problems.append(
                f"cluster.pin is true, but a workspace pins at most {MAX_PINNED_CLUSTERS} clusters and the roster has "
                f"{len(active)} groups; set it to false."
            )
        return problems


def settings_path(environ: Mapping[str, str]) -> Path:
    """Return the absolute path of the settings file: LAB_CONFIG, or `lab.toml` in this checkout."""
    return Path(environ.get("LAB_CONFIG") or _DEFAULT_PATH).absolute()


def load_settings(path: Path) -> LabSettings:
    """Read the settings file. Raise `LabSettingsError` with all invalid values."""
    try:
        return settings_tables.load(path, LabSettings, advice="set LAB_CONFIG to the settings file")
    except SettingsError as error:
        raise LabSettingsError(error.problems) from error


def parse_settings(text: str, name: str) -> LabSettings:
    """Parse the content of a settings file with this name. Raise `LabSettingsError` with all invalid values."""
    try:
        return settings_tables.parse(text, name, LabSettings)
    except SettingsError as error:
        raise LabSettingsError(error.problems) from error
