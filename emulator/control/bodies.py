"""Models for bodies and queries of the control endpoints, and error messages for invalid ones."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from emulator.api.errors import ApiError, invalid
from emulator.api.routing import Request
from emulator.base.clock import Millis, to_millis
from emulator.clusters.events import TYPES as EVENT_TYPES
from emulator.faults.faulty_responses import MALFORMED_SHAPES
from emulator.faults.rules import FaultKind, FaultRule
from emulator.models.clusters import EventFault, LaunchFailure
from emulator.models.libraries import LibraryFailure
from emulator.models.mail import RecipientFault

LAST_INSTANT = datetime(2200, 1, 1, tzinfo=UTC)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClockBody(Body):
    """`{"advance_seconds": N}` or `{"now": ISO}`"""

    advance_seconds: Annotated[float, Field(ge=0, le=10**9)] | None = None
    now: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.advance_seconds is None) == (self.now is None):
            raise ValueError("give either advance_seconds or now")
        if self.now and self.now >= LAST_INSTANT:
            raise ValueError("the clock ends in the year 2200")
        return self


class UserBody(Body):
    """`{"user_name", "admin": false}`"""

    user_name: Annotated[str, Field(min_length=1)]
    admin: bool = False


class WorkBody(Body):
    """`{"cluster_id" or "warehouse_id" or "serverless": true, "seconds", "token"?}`; a query has a `text`, too"""

    cluster_id: str | None = None
    warehouse_id: str | None = None
    serverless: bool = False
    seconds: Annotated[float, Field(gt=0, le=10**7)]
    token: str | None = None
    text: str = "SELECT 1"

    @model_validator(mode="after")
    def _one_compute(self) -> Self:
        if (self.cluster_id is not None) + (self.warehouse_id is not None) + self.serverless != 1:
            raise ValueError("give one of cluster_id, warehouse_id and serverless")
        return self


Pattern = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)] | None
Probability = Annotated[float, Field(ge=0, le=1)]


class RuleBody(Body):
    """A request fault; see `faults.rules.FaultRule`."""

    kind: FaultKind
    match: Pattern = "*"
    rate: Probability = 1.0
    retry_after: Annotated[int, Field(ge=0, le=86400)] | None = None
    seconds: Annotated[float, Field(ge=-(10**7), le=10**7)] | None = None
    shape: str | None = None
    after: Annotated[int, Field(ge=0)] = 0
    count: Count = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.shape is not None and self.shape not in MALFORMED_SHAPES:
            raise ValueError(f"shape: unknown shape {self.shape!r}; use one of {', '.join(MALFORMED_SHAPES)}")
        if self.seconds is not None and self.kind != "clock" and not 0 <= self.seconds <= 3600:
            raise ValueError("seconds: must be from 0 to 3600, except for kind clock")
        return self

    def to_fault(self) -> FaultRule:
        return FaultRule(**self.model_dump())


class LaunchBody(Body):
    """Failing cluster launches; `match` is a cluster's name or id."""

    kind: Literal["launch_failure"]
    match: Pattern = "*"
    count: Count = 1
    code: Annotated[str, Field(pattern="^[A-Z_]+$")] = "CLOUD_PROVIDER_LAUNCH_FAILURE"
    ends_in: Literal["TERMINATED", "ERROR"] = "TERMINATED"
    troubles: list[Annotated[str, Field(pattern="^[A-Z_]+$")]] = []
    seconds: Annotated[float, Field(ge=0, le=10**7)] | None = None

    def to_fault(self) -> LaunchFailure:
        rest = self.model_dump(include={"count", "code", "ends_in", "troubles", "seconds"})
        return LaunchFailure(cluster=self.match, **rest)


class LibraryBody(Body):
    """Library installations that fail or never finish; `match` is a package, coordinates or a path."""

    kind: Literal["library_failed", "library_stuck"]
    match: Pattern = "*"
    count: Count = 1
    message: str = ""

    def to_fault(self) -> LibraryFailure:
        outcome: Literal["FAILED", "stuck"] = "FAILED" if self.kind == "library_failed" else "stuck"
        return LibraryFailure(library=self.match, outcome=outcome, count=self.count, message=self.message)


class EventsBody(Body):
    """Events that are missing, listed late, or follow a termination; `match` is a cluster's name or id."""

    kind: Literal["events_dropped", "events_delayed", "events_late"]
    match: Pattern = "*"
    types: list[str] = []
    rate: Probability = 1.0
    seconds: Annotated[float, Field(ge=0, le=10**7)] = 60.0
    count: Count = None

    @model_validator(mode="after")
    def _known_types(self) -> Self:
        unknown = [name for name in self.types if name not in EVENT_TYPES]
        if unknown:
            raise ValueError(f"types: unknown event type {unknown[0]!r}")
        return self

    def to_fault(self) -> EventFault:
        modes: dict[str, Literal["dropped", "delayed", "late"]] = {
            "events_dropped": "dropped",
            "events_delayed": "delayed",
            "events_late": "late",
        }
        rest = self.model_dump(include={"types", "rate", "seconds", "count"})
        return EventFault(mode=modes[self.kind], cluster=self.match, **rest)


class RecipientBody(Body):
    """Messages to some recipients that are rejected, or accepted and not delivered; `match` is an address."""

    kind: Literal["mail_refused", "mail_suppressed"]
    match: Pattern = "*"
    count: Count = None

    def to_fault(self) -> RecipientFault:
        outcome: Literal["refused", "suppressed"] = "refused" if self.kind == "mail_refused" else "suppressed"
        return RecipientFault(address=self.match, outcome=outcome, count=self.count)


AnyRule = Annotated[RuleBody | LaunchBody | LibraryBody | EventsBody | RecipientBody, Field(discriminator="kind")]


FAULT_KINDS = tuple(
    kind
    for body in (RuleBody, LaunchBody, LibraryBody, EventsBody, RecipientBody)
    for kind in get_args(body.model_fields["kind"].annotation)
)


class FaultsBody(Body):
    """`{"profile": NAME}`, `{"rules": […]}`, both, or `{}` to clear."""

    profile: str | None = None
    rules: list[AnyRule] = []


class DriftBody(Body):
    """`{"kind", "target", "value"?}`"""

    kind: str
    target: Annotated[str, Field(min_length=1)]
    value: Any = None


class TimesQuery(Body):
    """`?from=ISO&to=ISO`; `from` defaults to the beginning, `to` to now."""

    begin: AwareDatetime | None = Field(None, alias="from")
    end: AwareDatetime | None = Field(None, alias="to")

    def range(self, now: Millis) -> tuple[Millis, Millis]:
        """The beginning and end of the interval; the end is not in the future."""
        return to_millis(self.begin) if self.begin else 0, min(to_millis(self.end), now) if self.end else now


class UptimeQuery(TimesQuery):
    """`?cluster_id=&from=ISO&to=ISO`, or `warehouse_id`; `from` defaults to the beginning, `to` to now."""

    cluster_id: str | None = None
    warehouse_id: str | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.cluster_id is None) == (self.warehouse_id is None):
            raise ValueError("give either cluster_id or warehouse_id")
        return self


class QueriesQuery(TimesQuery):
    """`?user_name=&warehouse_id=&from=ISO&to=ISO`, all optional; an empty `warehouse_id` means serverless compute."""

    user_name: str | None = None
    warehouse_id: str | None = None


class UsageQuery(TimesQuery):
    """`?cluster_id=&from=ISO&to=ISO`, all optional; instead of `cluster_id` `warehouse_id`, or `serverless=true`"""

    cluster_id: str | None = None
    warehouse_id: str | None = None
    serverless: bool = False

    @model_validator(mode="after")
    def _one_compute(self) -> Self:
        if (self.cluster_id is not None) + (self.warehouse_id is not None) + self.serverless > 1:
            raise ValueError("give one of cluster_id, warehouse_id and serverless")
        return self


class UsageCorrectionBody(UsageQuery):
    """`{"cluster_id" or "warehouse_id" or "serverless": true, "factor": 0.5, "from"?: ISO, "to"?: ISO}`; 0 retracts"""

    factor: Annotated[Decimal, Field(ge=0, le=1000, max_digits=12)]


AnyBody = TypeVar("AnyBody", bound=Body)


def parse_body(request: Request, model: type[AnyBody]) -> AnyBody:
    """Parse the body as this model. Raises 400 with the invalid field and the allowed format."""
    return _validated(request.body, model)


def parse_query_as(request: Request, model: type[AnyBody]) -> AnyBody:
    """Parse the query as this model, like `parse_body`. An unescaped `+` in an instant is accepted."""
    # In a query an unescaped + means a space, but few clients escape the + in a UTC offset.
    return _validated({name: values[0].replace(" ", "+") for name, values in request.query.items()}, model)


def _validated(content: Any, model: type[AnyBody]) -> AnyBody:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise validation_error(error, model) from None


def validation_error(error: ValidationError, model: type[Body]) -> ApiError:
    """Return a 400 with each invalid field, the reason, and the allowed format."""
    problems = "; ".join(f"{_field_path(problem['loc'])}{_reason(problem)}" for problem in error.errors())
    allowed = (model.__doc__ or "").strip().replace("\n", " ")
    return invalid(f"{problems}. Allowed: {allowed}")


def _field_path(location: tuple[int | str, ...]) -> str:
    # In a union, pydantic's location includes the kind that selected the model.
    names = [str(part) for part in location if part not in FAULT_KINDS]
    return f"{'.'.join(names)}: " if names else ""


def _reason(problem: Any) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "unknown field"
        case "union_tag_not_found":
            return f"kind: Field required; use one of {', '.join(FAULT_KINDS)}"
        case "union_tag_invalid":
            return f"kind: unknown kind {problem['ctx']['tag']!r}; use one of {', '.join(FAULT_KINDS)}"
    return str(problem["msg"]).removeprefix("Value error, ")
