"""The settings of a course, `lab.toml`, as typed values; each mistake in it becomes a sentence with key and choice."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from labkit.course_file import GroupLimits

MAX_FOUND = 60
MAX_PINNED = 100


class LabError(Exception):
    """`lab.toml` cannot be used. `problems` holds one sentence for each mistake."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("unknown zone") from error
    return name


Label = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", max_length=40, description="letters, digits and hyphens")
]
Text = Annotated[str, Field(min_length=1, description="a text that is not empty")]
Switch = Annotated[bool, Field(description="true or false")]
DayMinutes = Annotated[int, Field(ge=0, le=1440, description="a whole number of minutes from 0 to 1440")]
LongMinutes = Annotated[int, Field(ge=1, description="a whole number of minutes, at least 1")]
Workers = Annotated[int, Field(ge=1, le=1000, description="a whole number from 1 to 1000")]
Day = Annotated[date, Field(description="a date without quotes, such as 2026-10-18")]
Domain = Annotated[
    str, Field(pattern=r"^[^@\s]+\.[^@\s.]+$", description='a domain such as "campus.example.ac.il", without @')
]
Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$", description="the e-mail address of an account")]
ApplicationId = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        description="an application id such as 6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d",
    ),
]
Host = Annotated[
    str, Field(pattern=r"^https?://[^/\s]+/?$", description='an address such as "https://adb-….azuredatabricks.net"')
]
Texts = Annotated[
    dict[str, Annotated[str, Field(description="a text in quotes")]], Field(description="a table of texts")
]


class Table(BaseModel):
    """A table of the file: only the keys named here, values exactly of their type, never changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CourseSettings(Table):
    id: Label
    term: Label
    title: Text
    first_day: Day
    last_day: Day
    timezone: Annotated[
        str, AfterValidator(known_zone), Field(description='the name of an IANA zone, such as "Asia/Jerusalem"')
    ]
    first_weekday: Annotated[
        Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
        Field(description='the English name of a day of the week, such as "Sunday"'),
    ] = "Sunday"
    rosters: Annotated[list[Text], Field(min_length=1, description="a list of at least one roster file")]
    email_domains: Annotated[
        list[Domain], Field(description='a list of domains such as "campus.example.ac.il", without @')
    ] = []
    strict_domains: Switch = False
    max_group_size: Annotated[int, Field(ge=0, description="a whole number, 0 for no limit")] = 0
    name_prefix: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_-]*$", max_length=40, description="letters, digits, hyphens and underscores, or empty"
        ),
    ] = ""
    owns_workspace_settings: Switch = True
    owns_accounts: Switch = True

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "CourseSettings":
        if self.last_day < self.first_day:
            raise ValueError(f"last_day {self.last_day} is before first_day {self.first_day}")
        return self


class StudentSettings(Table):
    workspace_access: Switch = True
    sql_access: Switch = False


class StaffSettings(Table):
    addresses: Annotated[list[Address], Field(description="a list of e-mail addresses of existing accounts")] = []
    service_principals: Annotated[
        list[ApplicationId],
        Field(description="a list of application ids, such as 6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"),
    ] = []


class ClusterSettings(Table):
    spark_version: Text
    node_type_id: Text
    driver_node_type_id: Annotated[str, Field(description="a node type, or empty for the same as node_type_id")] = ""
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
    pin: Switch = True
    allow_jobs: Switch = False
    spark_conf: Texts = {}
    spark_env_vars: Texts = {}

    @model_validator(mode="after")
    def _grows_from_small_to_large(self) -> "ClusterSettings":
        if self.max_workers < self.min_workers:
            raise ValueError(f"max_workers {self.max_workers} is less than min_workers {self.min_workers}")
        return self

    @property
    def driver(self) -> str:
        """The node type of the driver."""
        return self.driver_node_type_id or self.node_type_id


class Library(Table):
    """One library: exactly one of `pypi`, `maven`, `jar` and `whl`."""

    pypi: Text | None = None
    maven: Annotated[str | None, Field(pattern=r"^[^:\s]+:[^:\s]+:[^:\s]+$", description="group:artifact:version")] = (
        None
    )
    jar: Text | None = None
    whl: Text | None = None
    repo: Annotated[str, Field(description="the address of a repository, or empty for the usual one")] = ""
    exclusions: Annotated[list[Text], Field(description="a list of group:artifact")] = []

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Library":
        kinds = [kind for kind in ("pypi", "maven", "jar", "whl") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"needs exactly one of pypi, maven, jar and whl, not {' and '.join(kinds) or 'none'}")
        if self.repo and kinds[0] not in ("pypi", "maven"):
            raise ValueError("repo goes with pypi or maven only")
        if self.exclusions and kinds[0] != "maven":
            raise ValueError("exclusions go with maven only")
        return self


class GroupQuota(Table):
    """What one group has instead of the course's limits; what is left out is as for all."""

    soft_minutes: DayMinutes | None = None
    hard_minutes: DayMinutes | None = None
    week_minutes: LongMinutes | None = None
    term_minutes: LongMinutes | None = None


class QuotaSettings(Table):
    soft_minutes: DayMinutes
    hard_minutes: DayMinutes
    count_all_sessions: Switch = False
    week_minutes: LongMinutes | None = None
    term_minutes: LongMinutes | None = None
    groups: Annotated[dict[str, GroupQuota], Field(description="a table for each group that differs")] = {}

    @model_validator(mode="after")
    def _warns_before_it_stops(self) -> "QuotaSettings":
        wrong = [
            f"{place}soft_minutes {limits.soft_minutes} is above hard_minutes {limits.hard_minutes}"
            for place, limits in [
                ("", self.of("")),
                *((f"groups.{name}: ", self.of(name)) for name in self.groups),
            ]
            if limits.soft_minutes > limits.hard_minutes
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def of(self, group: str) -> GroupLimits:
        """The limits of the group with this display name."""
        own = self.groups.get(group, GroupQuota())
        hard = self.hard_minutes if own.hard_minutes is None else own.hard_minutes
        soft = self.soft_minutes if own.soft_minutes is None else own.soft_minutes
        return GroupLimits(
            # A group that may not work at all is not warned of it; only its hard limit needs to be written.
            soft_minutes=0 if own.hard_minutes == 0 and own.soft_minutes is None else soft,
            hard_minutes=hard,
            week_minutes=self.week_minutes if own.week_minutes is None else own.week_minutes,
            term_minutes=self.term_minutes if own.term_minutes is None else own.term_minutes,
        )


class Backend(Table):
    """Where the state of a target is kept."""

    type: Annotated[Literal["local", "azurerm"], Field(description='"local" or "azurerm"')] = "local"
    resource_group_name: Text | None = None
    storage_account_name: Text | None = None
    container_name: Text | None = None
    key: Text | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Backend":
        names = ("resource_group_name", "storage_account_name", "container_name", "key")
        given = [name for name in names if getattr(self, name) is not None]
        if self.type == "azurerm" and len(given) < len(names):
            raise ValueError(f"type azurerm also needs {', '.join(name for name in names if name not in given)}")
        if self.type == "local" and given:
            raise ValueError(f"type local takes no {', '.join(given)}")
        return self


class Target(Table):
    """One workspace the course can be deployed to. Neither profile nor host: both come from the environment."""

    profile: Text | None = None
    host: Host | None = None
    expected_host: Annotated[
        str, Field(pattern=r"^$|^https?://[^/\s]+/?$", description='an address such as "https://adb-…", or empty')
    ] = ""
    expected_workspace_id: Annotated[str, Field(pattern=r"^[0-9]*$", description="digits in quotes, or empty")] = ""
    requests_per_second: Annotated[int, Field(ge=1, le=1000, description="a whole number from 1 to 1000")] = 100
    backend: Backend = Backend()

    @model_validator(mode="after")
    def _is_one_workspace(self) -> "Target":
        if self.profile and self.host:
            raise ValueError("has both profile and host; keep one")
        return self

    @property
    def is_guarded(self) -> bool:
        """Whether the live workspace is compared with what is expected here."""
        return bool(self.expected_host or self.expected_workspace_id)


class Lab(Table):
    """All settings of one course."""

    default_target: Text
    course: CourseSettings
    students: StudentSettings = StudentSettings()
    staff: StaffSettings = StaffSettings()
    cluster: ClusterSettings
    libraries: Annotated[list[Library], Field(description="a list of [[libraries]] tables")] = []
    quota: QuotaSettings
    targets: Annotated[dict[Label, Target], Field(min_length=1, description="at least one [targets.NAME] table")]

    @model_validator(mode="after")
    def _has_its_default(self) -> "Lab":
        if self.default_target not in self.targets:
            raise ValueError(f"default_target {self.default_target!r} is not one of {', '.join(self.targets)}")
        return self

    def target(self, name: str | None) -> tuple[str, Target]:
        """The named target, or the default one. Raise `LabError` if there is none of that name."""
        chosen = name or self.default_target
        if chosen not in self.targets:
            raise LabError([f"LAB_TARGET is {chosen!r}; it must be one of {', '.join(self.targets)}."])
        return chosen, self.targets[chosen]

    def stack_id(self, target: str) -> str:
        """The name of the stack of a target, and of its state."""
        return f"{self.course.id}-{self.course.term}-{target}"

    def problems_with(self, groups: Sequence[str], active: Sequence[str]) -> list[str]:
        """What does not fit a roster with these groups, of which some are active, as sentences."""
        names = [self.course.name_prefix + group for group in groups]
        problems = [
            f"quota.groups.{name}: the roster has no group of this name."
            for name in self.quota.groups
            if name not in names
        ]
        if self.cluster.pin and len(active) > MAX_PINNED:
            problems.append(
                f"cluster.pin is true, but a workspace pins at most {MAX_PINNED} clusters and the roster has "
                f"{len(active)} groups; set it to false."
            )
        return problems


def load_lab(path: Path) -> Lab:
    """Read the settings file. Raise `LabError` with all mistakes found."""
    try:
        return parse_lab(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise LabError([f"{path}: cannot be read ({error.strerror}); LAB_CONFIG names the file to use."]) from error
    except UnicodeDecodeError as error:
        raise LabError([f"{path}: is not UTF-8 text; save it as UTF-8."]) from error


def parse_lab(text: str, name: str) -> Lab:
    """Settings from the text of a file of this name. Raise `LabError` with all mistakes found."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LabError([f"{name}: is not valid TOML: {error}."]) from error
    try:
        return Lab.model_validate(tables)
    except ValidationError as error:
        raise LabError([f"{name}: {_sentence(problem)}" for problem in error.errors(include_url=False)]) from error


def _sentence(problem: Mapping[str, Any]) -> str:
    """What is wrong, where, and what is allowed there."""
    loc: tuple[int | str, ...] = problem["loc"]
    place = _path(loc)
    if loc and loc[-1] == "[key]":
        return f"{_path(loc[:-1])}: a name here must be letters, digits and hyphens."
    if problem["type"] == "extra_forbidden":
        # The value is not shown: it may be a credential that does not belong here.
        table, _ = _at(loc[:-1])
        allowed_keys = table.model_fields if _is_table(table) else ()
        return f"{place} is not a known key; allowed here: {', '.join(allowed_keys)}."
    type_here, allowed = _at(loc)
    if problem["type"] == "value_error" and _is_table(type_here):
        return f"{place}: {problem['ctx']['error']}." if place else f"{problem['ctx']['error']}."
    if problem["type"] == "missing":
        return f"{place} is missing; it must be {allowed}."
    return f"{place} must be {allowed}, not {_found(problem['input'])}."


def _path(loc: Sequence[int | str]) -> str:
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _found(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= MAX_FOUND else text[:MAX_FOUND] + "…"


def _at(loc: Sequence[int | str]) -> tuple[object, str]:
    """The type that the settings have at this place (None where they know nothing) and what is allowed there."""
    here: object = Lab
    allowed = ""
    for part in loc:
        if _is_table(here):
            field = here.model_fields.get(str(part))
            here, allowed = _plain(field.annotation, field.description or "") if field else (None, "")
        elif get_origin(here) in (list, dict):
            here, allowed = _plain(get_args(here)[-1], allowed)
        else:
            here = None
    return here, allowed or "a table"


def _plain(annotation: object, allowed: str) -> tuple[object, str]:
    """A type without Annotated and `| None`, and the description that stood there, if any."""
    if get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        descriptions = (extra.description for extra in extras if isinstance(extra, FieldInfo))
        return _plain(inner, next((text for text in descriptions if text), allowed))
    if get_origin(annotation) in (Union, UnionType):
        return _plain(get_args(annotation)[0], allowed)
    return annotation, allowed


def _is_table(annotation: object) -> TypeGuard[type[Table]]:
    return isinstance(annotation, type) and issubclass(annotation, Table)
