"""Settings from the environment. Every invalid variable is reported by name."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from enforcer.domain.quota import Quota
from labkit.addresses import DATABASE_FORMAT, validate_database
from labkit.text import quoted
from labkit.workspace.expected import WorkspaceExpectation, expected_from_environment

AZURE_MANAGED = "azurecomm.net"
"""Suffix of domains managed by Azure; their rate limits are far below those of custom domains."""


class SettingsError(ValueError):
    """Invalid settings; `problems` has one message for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def is_address(text: str) -> bool:
    """Return whether a string is a single e-mail address."""
    return re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+", text) is not None


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError):
        raise ValueError from None
    return text


def _connection_string(text: str) -> str:
    named = {part.partition("=")[0].strip().lower() for part in text.split(";") if part.partition("=")[2].strip()}
    if not {"endpoint", "accesskey"} <= named:
        raise ValueError
    return text


def _endpoint(text: str) -> str:
    if not text.startswith("https://"):
        raise ValueError
    return text


Address = Annotated[str, AfterValidator(_address)]
Addresses = Annotated[tuple[Address, ...], BeforeValidator(lambda text: tuple(re.split(r"[,;\s]+", text.strip())))]


def _minutes(default: float) -> float:
    minutes: float = Field(default, ge=0, le=1440, description="minutes from 0 to 1440")
    return minutes


def _rate() -> int | None:
    rate: int | None = Field(None, ge=1, description="a whole number, 1 or greater")
    return rate


def _one_address() -> str | None:
    address: str | None = Field(None, description="a valid e-mail address")
    return address


class _Variables(BaseModel):
    """The variables by name; variables of the legacy system keep their names and units (minutes).

    A field's description is the expected value in error messages.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    DATABRICKS_WARN_UPTIME: float = _minutes(180)
    DATABRICKS_MAX_UPTIME: float = _minutes(210)
    CLUSTER_UPTIMES_DB: Annotated[str, AfterValidator(validate_database)] = Field(
        "~/.local/share/teaching-lab/uptimes.db", description=DATABASE_FORMAT
    )
    LAB_COURSE: str | None = None
    LAB_TERM: str | None = None
    LAB_TIMEZONE: Annotated[str, AfterValidator(_zone)] | None = Field(
        None, description='an IANA zone such as "Asia/Jerusalem"'
    )
    LAB_MAIL_TEMPLATES: Path | None = None
    LAB_METRICS: Path | None = None
    LAB_BOARD: Path | None = None
    AZURE_EMAIL_ENDPOINT: Annotated[str, AfterValidator(_endpoint)] | None = Field(
        None, description="https://<name>.communication.azure.com"
    )
    AZURE_EMAIL_ACCESS_KEY: str | None = None
    AZURE_EMAIL_CONNECTION_STRING: Annotated[str, AfterValidator(_connection_string)] | None = Field(
        None, description="endpoint=https://<name>.communication.azure.com/;accesskey=<key>"
    )
    AZURE_EMAIL_SENDER: Address | None = _one_address()
    ADMIN_EMAIL: Address | None = _one_address()
    REPORT_RECIPIENT_EMAIL: Addresses = Field((), description="e-mail addresses separated by spaces or commas")
    MAIL_SENDS_PER_MINUTE: int | None = _rate()
    MAIL_SENDS_PER_HOUR: int | None = _rate()
    MAIL_STATUS_PER_MINUTE: int | None = _rate()
    MAIL_STATUS_PER_HOUR: int | None = _rate()
    LAB_HOLD_CLUSTERS: int = Field(5, ge=2, le=10_000, description="a whole number, 2 or greater")
    LAB_HOLD_SHARE: float = Field(0.5, ge=0, le=1, description="a share from 0 to 1, such as 0.5")
    HEALTHCHECK_URL: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = Field(
        None, description="a URL that begins with https:// or http://"
    )


_MAIL_ACCOUNT = frozenset({"AZURE_EMAIL_CONNECTION_STRING", "AZURE_EMAIL_ENDPOINT", "AZURE_EMAIL_ACCESS_KEY"})
_IN_SOURCE = " (the legacy system had it in its source, user_mail.py)"
_SECRETS = frozenset(
    {"AZURE_EMAIL_ACCESS_KEY", "AZURE_EMAIL_CONNECTION_STRING", "CLUSTER_UPTIMES_DB", "HEALTHCHECK_URL"}
)
"""Variables whose values are or contain secrets."""


@dataclass(frozen=True)
class MailBudget:
    """Rate limits of the mail service, separate for sending and for status checks."""

    sends_per_minute: int
    sends_per_hour: int
    status_per_minute: int
    status_per_hour: int


CUSTOM_DOMAIN = MailBudget(30, 100, 60, 200)
MANAGED_DOMAIN = MailBudget(5, 10, 10, 20)


class SharedMailAccount(Protocol):
    """The calls of other labs to the same mail account. They count against the same rate limits."""

    def reserving(self) -> AbstractContextManager[None]:
        """Let no other lab of this process use the budget until the block has recorded its call."""
        ...

    def calls_since(self, kind: str, since: datetime) -> list[datetime]:
        """Return the times of the other labs' calls after an instant, the latest first.

        `kind` is `send` or `status`.
        """
        ...

    def note_call(self, kind: str, at: datetime) -> None:
        """Count a call of this lab for the others."""
        ...


@dataclass(frozen=True)
class MailSettings:
    connection_string: str
    """Contains the access key, so it is never printed."""
    sender: str
    budget: MailBudget
    account: SharedMailAccount | None = field(default=None, compare=False)
    """None if no other lab of this process uses the mail account."""

    @property
    def endpoint(self) -> str:
        """The address of the mail service in the connection string, in lower case and without a slash at the end."""
        parts = (part.partition("=") for part in self.connection_string.split(";"))
        found = next((value for name, _, value in parts if name.strip().lower() == "endpoint"), "")
        return found.strip().rstrip("/").lower()

    def __repr__(self) -> str:
        return f"MailSettings(connection_string=..., sender={self.sender!r}, budget={self.budget!r})"


@dataclass(frozen=True)
class MassStopThreshold:
    """Stops are held if at least `clusters` clusters, and more than `share` of the running ones, are due to be
    stopped."""

    clusters: int = 5
    share: float = 0.5


@dataclass(frozen=True)
class Settings:
    expected: WorkspaceExpectation
    """The workspace that may be changed; `labkit.workspace.choice` chooses host and credential."""
    course: str | None
    term: str | None
    timezone: str | None
    """Time zone to use if there is no course file."""
    fallback_quota: Quota
    """Quota to use if no course file was ever read."""
    ledger_location: str
    """Path or PostgreSQL URL of the ledger."""
    mail: MailSettings | None
    """None means that messages stay in the outbox."""
    admin_email: str | None
    report_recipients: tuple[str, ...]
    mail_templates: Path | None
    """Folder with templates that replace the built-in ones."""
    healthcheck_url: str | None
    mass_stop_threshold: MassStopThreshold = MassStopThreshold()
    metrics_file: Path | None = None
    """File for the metrics after each tick; None means that none is written."""
    board: Path | None = None
    """File for the staff's board, which `watch` writes after each tick."""

    @property
    def default_zone(self) -> tzinfo:
        """Time zone to use without a course file."""
        return ZoneInfo(self.timezone) if self.timezone else UTC


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables. Raises SettingsError."""
    values = {name: environ[name] for name in _Variables.model_fields if environ.get(name)}
    variables, invalid = _parse(values)
    problems = [_problem(name, values[name]) for name in invalid]
    limits = {"DATABRICKS_WARN_UPTIME", "DATABRICKS_MAX_UPTIME"}
    if not limits & set(invalid) and variables.DATABRICKS_WARN_UPTIME > variables.DATABRICKS_MAX_UPTIME:
        problems.append(
            f"DATABRICKS_WARN_UPTIME ({variables.DATABRICKS_WARN_UPTIME:g}) is greater than "
            f"DATABRICKS_MAX_UPTIME ({variables.DATABRICKS_MAX_UPTIME:g}); the warning has to come before the stop."
        )
    mail = _mail(variables, frozenset(invalid), problems)
    expected = WorkspaceExpectation()
    try:
        expected = expected_from_environment(environ)
    except ValueError as error:
        problems.append(str(error))
    if problems:
        raise SettingsError(problems)
    return Settings(
        expected=expected,
        course=variables.LAB_COURSE,
        term=variables.LAB_TERM,
        timezone=variables.LAB_TIMEZONE,
        fallback_quota=Quota(
            timedelta(minutes=variables.DATABRICKS_WARN_UPTIME), timedelta(minutes=variables.DATABRICKS_MAX_UPTIME)
        ),
        ledger_location=variables.CLUSTER_UPTIMES_DB,
        mail=mail,
        admin_email=variables.ADMIN_EMAIL,
        report_recipients=variables.REPORT_RECIPIENT_EMAIL
        or ((variables.ADMIN_EMAIL,) if variables.ADMIN_EMAIL else ()),
        mail_templates=variables.LAB_MAIL_TEMPLATES,
        healthcheck_url=variables.HEALTHCHECK_URL,
        mass_stop_threshold=MassStopThreshold(variables.LAB_HOLD_CLUSTERS, variables.LAB_HOLD_SHARE),
        metrics_file=variables.LAB_METRICS and variables.LAB_METRICS.expanduser(),
        board=variables.LAB_BOARD.expanduser() if variables.LAB_BOARD else None,
    )


def ledger_location_in(environ: Mapping[str, str]) -> str:
    """Read CLUSTER_UPTIMES_DB alone. Raises SettingsError."""
    name = "CLUSTER_UPTIMES_DB"
    return load_settings({name: environ[name]} if environ.get(name) else {}).ledger_location


def _parse(values: Mapping[str, str]) -> tuple[_Variables, list[str]]:
    """Return the valid variables, and the names of the invalid ones."""
    try:
        return _Variables.model_validate(values), []
    except ValidationError as error:
        invalid = list(dict.fromkeys(str(found["loc"][0]) for found in error.errors()))
    return _Variables.model_validate({name: value for name, value in values.items() if name not in invalid}), invalid


def _mail(variables: _Variables, invalid: frozenset[str], problems: list[str]) -> MailSettings | None:
    """Return the mail settings, and add messages to `problems`. `invalid` variables are not reported as missing."""
    string = variables.AZURE_EMAIL_CONNECTION_STRING
    endpoint, key = variables.AZURE_EMAIL_ENDPOINT, variables.AZURE_EMAIL_ACCESS_KEY
    are_set = {name for name in _MAIL_ACCOUNT if getattr(variables, name)} | (invalid & _MAIL_ACCOUNT)
    if not are_set:
        return None
    if "AZURE_EMAIL_CONNECTION_STRING" not in are_set:
        if "AZURE_EMAIL_ENDPOINT" not in are_set:
            problems.append(
                f"AZURE_EMAIL_ENDPOINT is missing; mail needs it and AZURE_EMAIL_ACCESS_KEY{_IN_SOURCE}. Or set"
                " AZURE_EMAIL_CONNECTION_STRING instead of both."
            )
        if "AZURE_EMAIL_ACCESS_KEY" not in are_set:
            problems.append(
                "AZURE_EMAIL_ACCESS_KEY is missing; mail needs it and AZURE_EMAIL_ENDPOINT. Or set"
                " AZURE_EMAIL_CONNECTION_STRING instead of both."
            )
    if not variables.AZURE_EMAIL_SENDER:
        if "AZURE_EMAIL_SENDER" not in invalid:
            problems.append(f"AZURE_EMAIL_SENDER is missing; mail needs a sender address{_IN_SOURCE}.")
        return None
    sender = variables.AZURE_EMAIL_SENDER
    default = MANAGED_DOMAIN if sender.endswith(AZURE_MANAGED) else CUSTOM_DOMAIN
    budget = MailBudget(
        variables.MAIL_SENDS_PER_MINUTE or default.sends_per_minute,
        variables.MAIL_SENDS_PER_HOUR or default.sends_per_hour,
        variables.MAIL_STATUS_PER_MINUTE or default.status_per_minute,
        variables.MAIL_STATUS_PER_HOUR or default.status_per_hour,
    )
    return MailSettings(string or f"endpoint={endpoint};accesskey={key}", sender, budget)


def _problem(name: str, value: str) -> str:
    expected = _Variables.model_fields[name].description
    if name in _SECRETS:
        return f"{name} is invalid; expected {expected}. Its value is not shown."
    return f"{name} is {quoted(value)}; expected {expected}."
