"""What the control endpoints take: exact shapes, and a sentence for every body that is not of such a shape."""

from datetime import UTC, datetime
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
    def _one_place(self) -> Self:
        if (self.cluster_id is not None) + (self.warehouse_id is not None) + self.serverless != 1:
            raise ValueError("give one of cluster_id, warehouse_id and serverless")
        return self


Pattern = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)] | None
Probability = Annotated[float, Field(ge=0, le=1)]


class RuleBody(Body):
    """One fault of requests; see `faults.Rule`."""

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
            raise ValueError(f"shape: there is no {self.shape!r}; there are {', '.join(MALFORMED_SHAPES)}")
        if self.seconds is not None and self.kind != "clock" and not 0 <= self.seconds <= 3600:
            raise ValueError("seconds: between 0 and 3600, but for a clock")
        return self

    def to_fault(self) -> FaultRule:
        return FaultRule(**self.model_dump())


class LaunchBody(Body):
    """Launches of clusters that fail; `match` is a name or id."""

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
    """Installations that fail or are never done; `match` is a package, coordinates or a path."""

    kind: Literal["library_failed", "library_stuck"]
    match: Pattern = "*"
    count: Count = 1
    message: str = ""

    def to_fault(self) -> LibraryFailure:
        outcome: Literal["FAILED", "stuck"] = "FAILED" if self.kind == "library_failed" else "stuck"
        return LibraryFailure(library=self.match, outcome=outcome, count=self.count, message=self.message)


class EventsBody(Body):
    """Events that are missing, listed late, or come after a termination; `match` is a cluster's name or id."""

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
            raise ValueError(f"types: there is no event of type {unknown[0]!r}")
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
    """Letters to some recipients that are refused, or accepted and not delivered; `match` is an address."""

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
    """`?from=ISO&to=ISO`; without `from` since ever, without `to` until now."""

    begin: AwareDatetime | None = Field(None, alias="from")
    end: AwareDatetime | None = Field(None, alias="to")

    def range(self, now: Millis) -> tuple[Millis, Millis]:
        """The two instants; the second is not in the future."""
        return to_millis(self.begin) if self.begin else 0, min(to_millis(self.end), now) if self.end else now


class UptimeQuery(TimesQuery):
    """`?cluster_id=&from=ISO&to=ISO`, or `warehouse_id`; without `from` since ever, without `to` until now."""

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


AnyBody = TypeVar("AnyBody", bound=Body)


def parse_body(request: Request, model: type[AnyBody]) -> AnyBody:
    """The body of the call in this shape. Raises a 400 that says which field is wrong and what is allowed."""
    return _validated(request.body, model)


def parse_query_as(request: Request, model: type[AnyBody]) -> AnyBody:
    """As `parse_body`, from the query. A `+` of an instant that came unescaped is read as one."""
    # In a query an unescaped + is a space, and hardly anybody escapes the one before an offset.
    return _validated({name: values[0].replace(" ", "+") for name, values in request.query.items()}, model)


def _validated(content: Any, model: type[AnyBody]) -> AnyBody:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise validation_error(error, model) from None


def validation_error(error: ValidationError, model: type[Body]) -> ApiError:
    """A 400 that names each wrong field, what is the matter with it, and the shape."""
    problems = "; ".join(f"{_field_path(problem['loc'])}{_reason(problem)}" for problem in error.errors())
    allowed = (model.__doc__ or "").strip().replace("\n", " ")
    return invalid(f"{problems}. Allowed: {allowed}")


def _field_path(location: tuple[int | str, ...]) -> str:
    # In a union pydantic also names the kind that it took the value for.
    names = [str(part) for part in location if part not in FAULT_KINDS]
    return f"{'.'.join(names)}: " if names else ""


def _reason(problem: Any) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "no such field"
        case "union_tag_not_found":
            return f"kind: Field required; there are {', '.join(FAULT_KINDS)}"
        case "union_tag_invalid":
            return f"kind: there is no {problem['ctx']['tag']!r}; there are {', '.join(FAULT_KINDS)}"
    return str(problem["msg"]).removeprefix("Value error, ")
