"""The environment of one lab of a fleet: its own `.env` and its table in `labs.toml`, and nothing of another lab.

Of the process's environment, a lab sees only the variables for the whole machine.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enforcer.fleet.labs_file import LabEntry
from enforcer.settings import Settings, SettingsError, load_settings
from labkit.addresses import database_parameters, is_database_url
from labkit.extras import cli, dotenv
from labkit.workspace.access import choose_from
from labkit.workspace.choice import (
    CONFIG_FILE,
    DOTENV,
    WORKSPACE_NOT_CONFIGURED,
    WORKSPACE_VARIABLES,
    WorkspaceChoice,
    WorkspaceChoiceError,
    WorkspaceOptions,
    apply_choice,
)

MACHINE_VARIABLES = ("LAB_CLOCK", CONFIG_FILE)
"""Variables of the process that every lab sees."""
PROCESS_VARIABLES = (
    "LAB_CLOCK",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "DATABRICKS_OIDC_TOKEN_ENV",
)
"""Variables that libraries read from the environment of the process, so that a lab cannot have its own."""
OUTPUT_VARIABLES = ("LAB_BOARD", "LAB_METRICS")
"""Variables that name files which a lab writes."""
PATH_VARIABLES = ("CLUSTER_UPTIMES_DB", "LAB_MAIL_TEMPLATES", *OUTPUT_VARIABLES)
"""Variables with paths, which are relative to the folder of the `.env`."""

_OWN_ENV = re.compile(rf"(?<!\S){re.escape(DOTENV)}(?![\w.])")


@dataclass(frozen=True)
class LabEnvironment:
    """The settings of one lab, and the variables that choose its workspace."""

    entry: LabEntry
    settings: Settings
    variables: Mapping[str, str]
    """All variables except those of the workspace. May contain secrets."""
    choice: WorkspaceChoice

    def __repr__(self) -> str:
        return f"LabEnvironment({self.entry.name!r})"

    @property
    def sdk_variables(self) -> Mapping[str, str]:
        """The variables that the SDK sees instead of the environment of the process."""
        visible = dict(self.variables)
        apply_choice(self.choice, visible)
        return visible

    @property
    def ledger_key(self) -> str:
        """A string that two labs have in common only if they have the same ledger."""
        return ledger_key(self.settings.ledger_location)

    @property
    def outputs(self) -> Mapping[str, str]:
        """The files that the lab writes by variable, so that two spellings of a path are equal."""
        found = {name: self.variables.get(name) for name in OUTPUT_VARIABLES}
        return {name: str(Path(path).expanduser().resolve()) for name, path in found.items() if path}

    @property
    def mail_key(self) -> str:
        """A string that labs have in common if they share the limits of the mail service; empty without mail."""
        if self.settings.mail is None:
            return ""
        return (
            f"subscription {self.entry.mail_subscription}"
            if self.entry.mail_subscription
            else (f"endpoint {self.settings.mail.endpoint}")
        )


def read_environment(entry: LabEntry, process: Mapping[str, str]) -> LabEnvironment:
    """Return the environment of a lab; `process` is the environment of the process. Raises SettingsError."""
    shared = {name: process[name] for name in MACHINE_VARIABLES if process.get(name)}
    try:
        own = dotenv.read(entry.env) if entry.env else {}
    except dotenv.DotenvError as error:
        raise SettingsError([str(error)]) from None
    if entry.env and not entry.env.exists():
        raise SettingsError([f"{entry.env} does not exist; check env of {entry.place}."])
    problems = [
        f"{name} in {entry.env} is for the whole process; set it in the environment of the watch instead."
        for name in own
        if name.upper() in PROCESS_VARIABLES and own[name] and process.get(name) != own[name]
    ]
    of_workspace = {name: value for name, value in own.items() if name in WORKSPACE_VARIABLES}
    own = {name: value for name, value in own.items() if name not in WORKSPACE_VARIABLES}
    cli.use_old_variable(own, "LAB_LETTERS", "LAB_MAIL_TEMPLATES")
    if entry.env:
        own |= {name: _absolute(own[name], entry.env) for name in PATH_VARIABLES if own.get(name)}
    problems += _apply_entry(entry, own)
    variables = {**shared, **own}
    settings = choice = None
    try:
        settings = load_settings(variables)
    except SettingsError as error:
        problems += error.problems
    try:
        choice = _choose(entry, variables, of_workspace)
    except WorkspaceChoiceError as error:
        problems.append(_OWN_ENV.sub(lambda _: str(entry.env), str(error)) if entry.env else str(error))
    if problems or settings is None or choice is None:
        raise SettingsError(problems)
    return LabEnvironment(entry, settings, variables, choice)


def _apply_entry(entry: LabEntry, own: dict[str, str]) -> list[str]:
    """Add the values of the lab's table to the variables of its `.env`. Return contradictions."""
    problems = []
    for key, name, value in (
        ("course", "LAB_COURSE", entry.course),
        ("term", "LAB_TERM", entry.term),
        ("database", "CLUSTER_UPTIMES_DB", entry.database),
    ):
        if value is not None and own.get(name, value) != value:
            problems.append(f"{name} in {entry.env} differs from {key} of {entry.place}; remove one of them.")
        elif value is not None:
            own[name] = value
    return problems


def _choose(entry: LabEntry, variables: Mapping[str, str], of_workspace: Mapping[str, str]) -> WorkspaceChoice:
    """Choose the workspace by the rule of all programs, but without a default profile. Raises WorkspaceChoiceError."""
    if entry.profile and any(of_workspace.values()):
        names = ", ".join(name for name, value in of_workspace.items() if value)
        raise WorkspaceChoiceError(f"{entry.env} has {names}, but {entry.place} has a profile; remove one of them.")
    if not entry.profile and not any(of_workspace.values()):
        raise WorkspaceChoiceError(WORKSPACE_NOT_CONFIGURED)
    options = WorkspaceOptions(profile=entry.profile, profile_name="profile")
    return choose_from(variables, options, of_workspace)


def ledger_key(location: str) -> str:
    """Return a string that is equal for two spellings of the same path or database URL; it has no password."""
    if not is_database_url(location):
        return str(Path(location).expanduser().resolve())
    found = database_parameters(location)
    user = found.get("user", "")
    parts = (found.get("host", "localhost").lower(), found.get("port", "5432"), found.get("dbname", user))
    return "postgresql " + " ".join(parts)


def _absolute(location: str, env: Path) -> str:
    if "://" in location:
        return location
    return str(env.parent / Path(location).expanduser())
