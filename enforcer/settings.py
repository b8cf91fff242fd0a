"""What the enforcer was told by its environment, read once; every mistake in it becomes a sentence with its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from enforcer.domain.quota import Quota
from labkit.workspace.expected import Expectation, expectation_in

AZURE_MANAGED = "azurecomm.net"
"""Domains that Azure lends end so; they may send far less than one's own."""


class SettingsError(ValueError):
    """`problems` holds one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _address(text: str) -> str:
    if not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+", text):
        raise ValueError("is not an e-mail address")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError):
        raise ValueError('is no IANA zone such as "Asia/Jerusalem"') from None
    return text


Address = Annotated[str, AfterValidator(_address)]
Addresses = Annotated[tuple[Address, ...], BeforeValidator(lambda text: tuple(re.split(r"[,;\s]+", text.strip())))]
Minutes = Annotated[float, Field(ge=0, le=1440)]


class _Variables(BaseModel):
    """The variables as they are named; those of the earlier system keep their names and units (minutes)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    DATABRICKS_WARN_UPTIME: Minutes = 180
    DATABRICKS_MAX_UPTIME: Minutes = 210
    CLUSTER_UPTIMES_DB: str = "~/.local/share/teaching-lab/uptimes.db"
    LAB_COURSE: str | None = None
    LAB_TERM: str | None = None
    LAB_TIMEZONE: Annotated[str, AfterValidator(_zone)] | None = None
    LAB_LETTERS: Path | None = None
    AZURE_EMAIL_ENDPOINT: str | None = None
    AZURE_EMAIL_ACCESS_KEY: str | None = None
    AZURE_EMAIL_CONNECTION_STRING: str | None = None
    AZURE_EMAIL_SENDER: Address | None = None
    ADMIN_EMAIL: Address | None = None
    REPORT_RECIPIENT_EMAIL: Addresses = ()
    MAIL_SENDS_PER_MINUTE: Annotated[int, Field(ge=1)] | None = None
    MAIL_SENDS_PER_HOUR: Annotated[int, Field(ge=1)] | None = None
    MAIL_STATUS_PER_MINUTE: Annotated[int, Field(ge=1)] | None = None
    MAIL_STATUS_PER_HOUR: Annotated[int, Field(ge=1)] | None = None
    HEALTHCHECK_URL: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None


@dataclass(frozen=True)
class MailBudget:
    """How many calls the mail service allows; sends and status calls are counted apart."""

    sends_per_minute: int
    sends_per_hour: int
    status_per_minute: int
    status_per_hour: int


OWN_DOMAIN = MailBudget(30, 100, 60, 200)
MANAGED_DOMAIN = MailBudget(5, 10, 10, 20)


@dataclass(frozen=True)
class MailSettings:
    connection_string: str
    """Holds the access key: never printed."""
    sender: str
    budget: MailBudget

    def __repr__(self) -> str:
        return f"MailSettings(connection_string=..., sender={self.sender!r}, budget={self.budget!r})"


@dataclass(frozen=True)
class Settings:
    expected: Expectation
    """The workspace that may be changed; host and credential are chosen by `labkit.workspace.choice`."""
    course: str | None
    term: str | None
    zone: str | None
    """Only where there is no course file."""
    fallback: Quota
    """Where there is no course file and none was ever seen."""
    ledger: str
    """A path, or a PostgreSQL URL."""
    mail: MailSettings | None
    """None: letters wait in the outbox."""
    admin: str | None
    report_to: tuple[str, ...]
    letters: Path | None
    """A folder whose templates come before ours."""
    healthcheck: str | None

    @property
    def default_zone(self) -> tzinfo:
        """The zone of a course without a file."""
        return ZoneInfo(self.zone) if self.zone else UTC


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from the environment. Raises SettingsError."""
    told = {name: value for name, value in environ.items() if value != ""}
    problems: list[str] = []
    variables = _Variables()
    try:
        variables = _Variables.model_validate(told)
    except ValidationError as error:
        problems += [_sentence(str(found["loc"][0]), found["msg"]) for found in error.errors()]
    if variables.DATABRICKS_WARN_UPTIME > variables.DATABRICKS_MAX_UPTIME:
        problems.append(
            f"DATABRICKS_WARN_UPTIME ({variables.DATABRICKS_WARN_UPTIME:g}) is above "
            f"DATABRICKS_MAX_UPTIME ({variables.DATABRICKS_MAX_UPTIME:g}); warn before stopping."
        )
    mail = _mail(variables, problems)
    expected = Expectation()
    try:
        expected = expectation_in(environ)
    except ValueError as error:
        problems.append(str(error))
    if problems:
        raise SettingsError(problems)
    return Settings(
        expected=expected,
        course=variables.LAB_COURSE,
        term=variables.LAB_TERM,
        zone=variables.LAB_TIMEZONE,
        fallback=Quota(
            timedelta(minutes=variables.DATABRICKS_WARN_UPTIME), timedelta(minutes=variables.DATABRICKS_MAX_UPTIME)
        ),
        ledger=variables.CLUSTER_UPTIMES_DB,
        mail=mail,
        admin=variables.ADMIN_EMAIL,
        report_to=variables.REPORT_RECIPIENT_EMAIL or ((variables.ADMIN_EMAIL,) if variables.ADMIN_EMAIL else ()),
        letters=variables.LAB_LETTERS,
        healthcheck=variables.HEALTHCHECK_URL,
    )


def place_of_ledger(environ: Mapping[str, str]) -> str:
    """CLUSTER_UPTIMES_DB alone. Raises SettingsError."""
    name = "CLUSTER_UPTIMES_DB"
    return load_settings({name: environ[name]} if environ.get(name) else {}).ledger


def _mail(variables: _Variables, problems: list[str]) -> MailSettings | None:
    string = variables.AZURE_EMAIL_CONNECTION_STRING
    endpoint, key = variables.AZURE_EMAIL_ENDPOINT, variables.AZURE_EMAIL_ACCESS_KEY
    if not string and not endpoint and not key:
        return None
    if not string and not (endpoint and key):
        missing = "AZURE_EMAIL_ACCESS_KEY" if endpoint else "AZURE_EMAIL_ENDPOINT"
        problems.append(f"{missing} is missing; mail needs it, or AZURE_EMAIL_CONNECTION_STRING instead of both.")
    if not variables.AZURE_EMAIL_SENDER:
        problems.append("AZURE_EMAIL_SENDER is missing; mail needs the address it comes from.")
        return None
    sender = variables.AZURE_EMAIL_SENDER
    usual = MANAGED_DOMAIN if sender.endswith(AZURE_MANAGED) else OWN_DOMAIN
    budget = MailBudget(
        variables.MAIL_SENDS_PER_MINUTE or usual.sends_per_minute,
        variables.MAIL_SENDS_PER_HOUR or usual.sends_per_hour,
        variables.MAIL_STATUS_PER_MINUTE or usual.status_per_minute,
        variables.MAIL_STATUS_PER_HOUR or usual.status_per_hour,
    )
    return MailSettings(string or f"endpoint={endpoint};accesskey={key}", sender, budget)


def _sentence(name: str, message: str) -> str:
    return f"{name}: {message.removeprefix('Value error, ')[:1].lower()}{message.removeprefix('Value error, ')[1:]}."
