"""The file with the labs of a fleet, `labs.toml`: one `[[lab]]` table each, and never a secret."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.addresses import DATABASE_FORMAT, database_parameters, is_database_url
from labkit.text import first_line, quoted, redact_secrets

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
KEYS = ("name", "env", "profile", "course", "term", "database", "mail_subscription")
_SECRET_KEY = re.compile(r"token|secret|password|access.?key|connection|credential|apikey|client_id", re.IGNORECASE)
_TABLE = re.compile(r"\s*\[\[\s*[\"']?lab[\"']?\s*\]\]")


class LabsFileError(ValueError):
    """The file cannot be used; `problems` has one sentence for each reason, without the values of secrets."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class LabEntry:
    """One lab in the file. A value that is None comes from the lab's `.env`."""

    name: str
    place: str
    """For messages: the file, the number of the table and its line."""
    env: Path | None
    """The lab's `.env`."""
    profile: str | None
    """A profile in the Databricks configuration file."""
    course: str | None = None
    term: str | None = None
    database: str | None = None
    """Absolute path or URL of the ledger."""
    mail_subscription: str | None = None
    """Labs with the same value share the limits of the mail service."""


def read_labs(path: Path) -> tuple[LabEntry, ...]:
    """Read the file. Raises LabsFileError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise LabsFileError([f"{path} is not UTF-8 text; save it as UTF-8."]) from None
    except OSError as error:
        raise LabsFileError([f"{path} cannot be read ({error.strerror}); check --labs."]) from None
    return parse_labs(text, path)


def parse_labs(text: str, path: Path) -> tuple[LabEntry, ...]:
    """Return the labs in the text of the file at `path`, to whose folder paths are relative. Raises LabsFileError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LabsFileError([f"{path} is not valid TOML: {redact_secrets(first_line(error))}."]) from None
    except RecursionError:
        raise LabsFileError([f"{path} is not valid TOML: it is nested too deeply."]) from None
    problems = [_unknown_key(str(path), key, ("[[lab]]",)) for key in document if key != "lab"]
    tables = document.get("lab")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        problems.append(f"{path} has no lab; write a table [[lab]] with a name for each.")
        raise LabsFileError(problems)
    lines = [number for number, line in enumerate(text.splitlines(), 1) if _TABLE.match(line)]
    entries = []
    for number, table in enumerate(tables, 1):
        line = f", line {lines[number - 1]}" if len(lines) == len(tables) else ""
        place = f"{path}, lab {number}{line}"
        found = _table_problems(table, place)
        if found:
            problems += found
        else:
            entries.append(_entry(table, place, path))
    for position, entry in enumerate(entries):
        first = next(other for other in entries if other.name.casefold() == entry.name.casefold())
        if first is not entries[position]:
            problems.append(f"{entry.place}: the name {quoted(entry.name)} is also the name of {first.place}.")
    if problems:
        raise LabsFileError(problems)
    return tuple(entries)


def _table_problems(table: dict[str, Any], place: str) -> list[str]:
    problems = [_unknown_key(place, key, KEYS) for key in table if key not in KEYS]
    for key in KEYS:
        value = table.get(key)
        if value is None:
            continue
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            problems.append(f"{place}: {key} must be text in quotes.")
        elif key == "database":
            problems += _database_problems(value, place)
        elif redact_secrets(value) != value:
            problems.append(_secret(place, key))
    if problems:
        return problems
    if "name" not in table:
        problems.append(f"{place}: the name is missing.")
    elif not NAME.fullmatch(table["name"]):
        problems.append(
            f"{place}: the name {quoted(table['name'])} must have 1 to 40 letters, digits, dots, dashes or underscores."
        )
    if "env" not in table and "profile" not in table:
        problems.append(f"{place}: env or profile is missing: the lab's .env, or a profile of the Databricks CLI.")
    if ("course" in table) != ("term" in table):
        problems.append(f"{place}: course and term belong together; write both or neither.")
    return problems


def _database_problems(location: str, place: str) -> list[str]:
    if not is_database_url(location):
        return [f"{place}: database must be {DATABASE_FORMAT}."] if "://" in location or "@" in location else []
    try:
        has_password = "password" in database_parameters(location)
    except ValueError:
        return [f"{place}: database must be {DATABASE_FORMAT}; its value is not shown."]
    return [_secret(place, "the password in database", "CLUSTER_UPTIMES_DB")] if has_password else []


def _unknown_key(place: str, key: str, known: tuple[str, ...]) -> str:
    if _SECRET_KEY.search(key):
        return _secret(place, key)
    return f"{place}: the key {quoted(key)} is unknown; known: {', '.join(known)}."


def _secret(place: str, key: str, variable: str = "it") -> str:
    shown = key if key.startswith("the password") else quoted(key)
    return (
        f"{place}: {shown} is or contains a secret, which this file must not have; its value is not shown."
        f" Put {variable} into the lab's .env."
    )


def _entry(table: dict[str, str], place: str, path: Path) -> LabEntry:
    database = table.get("database")
    if database and not is_database_url(database):
        database = str(path.absolute().parent / Path(database).expanduser())
    return LabEntry(
        table["name"],
        place,
        path.absolute().parent / Path(table["env"]).expanduser() if "env" in table else None,
        table.get("profile"),
        table.get("course"),
        table.get("term"),
        database,
        table.get("mail_subscription"),
    )
