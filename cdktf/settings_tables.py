"""Settings files in TOML as typed tables. Errors contain each invalid key and the allowed values."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

MAX_VALUE_LENGTH = 60

Label = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", max_length=40, description="letters, digits and hyphens")
]
NonEmptyText = Annotated[str, Field(min_length=1, description="a non-empty string")]
Boolean = Annotated[bool, Field(description="true or false")]
TextTable = Annotated[
    dict[str, Annotated[str, Field(description="a string in quotes")]], Field(description="a table of strings")
]


class SettingsError(Exception):
    """A settings file is unusable. `problems` contains one message per invalid value."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class SettingsTable(BaseModel):
    """A table in the file: unknown keys are errors, values are not converted, and instances are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Settings = TypeVar("Settings", bound=SettingsTable)


def load(path: Path, settings: type[Settings], *, advice: str) -> Settings:
    """Read a settings file. Raise `SettingsError` with all invalid values.

    `advice` is what to do if the file cannot be read.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), path.name, settings)
    except OSError as error:
        raise SettingsError([f"{path} cannot be read ({error.strerror}); {advice}."]) from error
    except UnicodeDecodeError as error:
        raise SettingsError([f"{path}: not valid UTF-8; save it as UTF-8."]) from error


def parse(text: str, name: str, settings: type[Settings]) -> Settings:
    """Parse the content of a settings file with this name. Raise `SettingsError` with all invalid values."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{name}: invalid TOML: {error}."]) from error
    try:
        return settings.model_validate(tables)
    except ValidationError as error:
        raise SettingsError(
            [f"{name}: {_error_message(problem, settings)}" for problem in error.errors(include_url=False)]
        ) from error


def _error_message(problem: Mapping[str, Any], settings: type[SettingsTable]) -> str:
    """Return what is wrong in this settings file, with the key and what is allowed there."""
    loc: tuple[int | str, ...] = problem["loc"]
    place = _path(loc)
    if loc and loc[-1] == "[key]":
        return f"{_path(loc[:-1])}: a name here must consist of letters, digits and hyphens."
    if problem["type"] == "extra_forbidden":
        # The value is omitted: it may be a credential that does not belong here.
        table, _ = _type_at(loc[:-1], settings)
        allowed_keys = table.model_fields if _is_table(table) else ()
        return f"{place} is not a known key; allowed here: {', '.join(allowed_keys)}."
    type_here, allowed = _type_at(loc, settings)
    if problem["type"] == "value_error" and _is_table(type_here):
        return f"{place}: {problem['ctx']['error']}." if place else f"{problem['ctx']['error']}."
    if problem["type"] == "missing":
        return f"{place} is missing; it must be {allowed}."
    return f"{place} must be {allowed}, not {_shown_value(problem['input'])}."


def _path(loc: Sequence[int | str]) -> str:
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _shown_value(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= MAX_VALUE_LENGTH else text[:MAX_VALUE_LENGTH] + "…"


def _type_at(loc: Sequence[int | str], settings: type[SettingsTable]) -> tuple[object, str]:
    """Return the settings type at this location (None if unknown) and a description of the allowed values."""
    here: object = settings
    allowed = ""
    for part in loc:
        if _is_table(here):
            field = here.model_fields.get(str(part))
            here, allowed = _unwrapped(field.annotation, field.description or "") if field else (None, "")
        elif get_origin(here) in (list, dict):
            here, allowed = _unwrapped(get_args(here)[-1], allowed)
        else:
            here = None
    return here, allowed or "a table"


def _unwrapped(annotation: object, allowed: str) -> tuple[object, str]:
    """Return a type stripped of Annotated and `| None`, and its description, by default `allowed`."""
    if get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        descriptions = (extra.description for extra in extras if isinstance(extra, FieldInfo))
        return _unwrapped(inner, next((text for text in descriptions if text), allowed))
    if get_origin(annotation) in (Union, UnionType):
        return _unwrapped(get_args(annotation)[0], allowed)
    return annotation, allowed


def _is_table(annotation: object) -> TypeGuard[type[SettingsTable]]:
    return isinstance(annotation, type) and issubclass(annotation, SettingsTable)
