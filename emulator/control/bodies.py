"""What the control endpoints take: exact shapes, and a sentence for every body that is not of such a shape."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from emulator.errors import ApiError, invalid
from emulator.faults import Kind, Rule
from emulator.routing import Call

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
    """`{"cluster_id", "seconds", "token"?}`"""

    cluster_id: str
    seconds: Annotated[float, Field(gt=0, le=10**7)]
    token: str | None = None


class RuleBody(Body):
    """One rule of faults; see `faults.Rule`."""

    match: Annotated[str, Field(min_length=1)] = "*"
    kind: Kind
    rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    retry_after: Annotated[int, Field(ge=0, le=86400)] | None = None
    seconds: Annotated[float, Field(ge=0, le=3600)] | None = None
    after: Annotated[int, Field(ge=0)] = 0
    count: Annotated[int, Field(ge=0)] | None = None

    def rule(self) -> Rule:
        return Rule(**self.model_dump())


class FaultsBody(Body):
    """`{"profile": NAME}`, `{"rules": […]}`, both, or `{}` to clear."""

    profile: str | None = None
    rules: list[RuleBody] = []


class DriftBody(Body):
    """`{"kind", "target", "value"?}`"""

    kind: str
    target: Annotated[str, Field(min_length=1)]
    value: Any = None


class UptimeQuery(Body):
    """`?cluster_id=&from=ISO&to=ISO`; without `from` since ever, without `to` until now."""

    cluster_id: str
    begin: AwareDatetime | None = Field(None, alias="from")
    end: AwareDatetime | None = Field(None, alias="to")


AnyBody = TypeVar("AnyBody", bound=Body)


def parsed(call: Call, shape: type[AnyBody]) -> AnyBody:
    """The body of the call in this shape. Raises a 400 that says which field is wrong and what is allowed."""
    return _checked(call.body, shape)


def parsed_query(call: Call, shape: type[AnyBody]) -> AnyBody:
    """As `parsed`, from the query. A `+` of an instant that came unescaped is read as one."""
    # In a query an unescaped + is a space, and hardly anybody escapes the one before an offset.
    return _checked({name: values[0].replace(" ", "+") for name, values in call.query.items()}, shape)


def _checked(content: Any, shape: type[AnyBody]) -> AnyBody:
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        raise refusal(error, shape) from None


def refusal(error: ValidationError, shape: type[Body]) -> ApiError:
    """A 400 that names each wrong field, what is the matter with it, and the shape."""
    problems = "; ".join(f"{_place(problem['loc'])}{_reason(problem)}" for problem in error.errors())
    allowed = (shape.__doc__ or "").strip().replace("\n", " ")
    return invalid(f"{problems}. Allowed: {allowed}")


def _place(location: tuple[int | str, ...]) -> str:
    return f"{'.'.join(map(str, location))}: " if location else ""


def _reason(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        return "no such field"
    return str(problem["msg"]).removeprefix("Value error, ")
