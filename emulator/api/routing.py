"""Routing from method and path to a handler, and the Request and Response classes that handlers use."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import isinf
from typing import Any
from urllib.parse import parse_qsl, unquote

from emulator.api.errors import ApiError, invalid
from emulator.base.clock import Millis
from emulator.base.content import Content
from emulator.models.scim import ServicePrincipal, User
from emulator.state.workspace import EmulatedWorkspace


@dataclass(slots=True)
class Request:
    """A request as handlers see it."""

    workspace: EmulatedWorkspace
    method: str
    path: str
    """Percent-decoded, without the query."""
    query: dict[str, list[str]]
    headers: dict[str, str]
    """Values by lower-case name."""
    content: Content
    """The body of the request."""
    now: Millis
    target: str = ""
    """Path and query as sent, which are part of signatures."""
    parameters: dict[str, str] = field(default_factory=dict)
    """The values for the route's `{name}` parts, percent-decoded."""
    _caller: User | ServicePrincipal | None = None
    _body: dict[str, Any] | None = None

    @property
    def caller(self) -> User | ServicePrincipal:
        """The owner of the token. Only requests to a `public=True` route have no caller."""
        assert self._caller is not None, f"{self.path} is public and has no caller"
        return self._caller

    @property
    def raw(self) -> bytes:
        """The body, read into memory."""
        return self.content.read()

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body, regardless of its content type; an empty body is `{}`. Raises 400 for anything else."""
        if self._body is None:
            raw = self.raw
            body = parse_json(raw) if raw.strip() else {}
            if not isinstance(body, dict):
                raise malformed("expected a JSON object")
            self._body = body
        return self._body

    def required(self, name: str) -> Any:
        """Return a required field of the body. Raises 400 INVALID_PARAMETER_VALUE if it is missing."""
        value = self.body.get(name)
        if value is None or value == "":
            raise invalid(f"Missing required field: {name}")
        return value

    def argument(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of a query argument."""
        values = self.query.get(name)
        return values[0] if values else default

    def argument_or_field(self, name: str) -> Any:
        """Return a query argument, or if absent the body's field: some clients send a GET with a JSON body."""
        value = self.argument(name)
        return self.body.get(name) if value is None else value

    def required_argument(self, name: str) -> str:
        value = self.argument(name)
        if not value:
            raise invalid(f"Missing required field: {name}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean query argument: Go sends `true`, Python sends `True`."""
        value = self.argument(name)
        return default if value is None else value.lower() == "true"

    def number(self, name: str, default: int) -> int:
        value = self.argument(name)
        try:
            return default if value in (None, "") else int(str(value))
        except ValueError:
            raise invalid(f"{name} must be an integer, not {value!r}") from None


@dataclass(frozen=True, slots=True)
class Response:
    """A response other than `200` with JSON."""

    status: int = 200
    body: Any = None
    """A JSON value. Bytes and Content are sent unchanged; None sends no body."""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeferredResponse:
    """A response that is sent later, while other requests are answered."""

    is_ready: Callable[[], bool]
    seconds: float
    """Maximum wait in seconds, by the emulator's clock or the machine's clock, whichever passes first."""
    respond: "Handler"
    """Returns the response when it is ready or the time has passed."""


Handler = Callable[[Request], Any]
"""Returns a JSON value (sent with status 200), a Response or a DeferredResponse; raises ApiError for an error."""


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: str
    handler: Handler
    public: bool


class Routes:
    """The routes of an API, collected by decorators: `@routes.get("/api/2.0/token/list")`.

    In a pattern, `{name}` matches one segment of the path; `{name:path}` at the end matches the entire rest.
    A route with `public=True` needs no token.
    """

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def add(self, method: str, *patterns: str, public: bool = False) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self._routes.extend(Route(method, pattern, handler, public) for pattern in patterns)
            return handler

        return register

    def get(self, *patterns: str, public: bool = False) -> Callable[[Handler], Handler]:
        return self.add("GET", *patterns, public=public)

    def post(self, *patterns: str, public: bool = False) -> Callable[[Handler], Handler]:
        return self.add("POST", *patterns, public=public)

    def put(self, *patterns: str) -> Callable[[Handler], Handler]:
        return self.add("PUT", *patterns)

    def patch(self, *patterns: str) -> Callable[[Handler], Handler]:
        return self.add("PATCH", *patterns)

    def delete(self, *patterns: str) -> Callable[[Handler], Handler]:
        return self.add("DELETE", *patterns)


class Router:
    """Finds the route for a request: fixed paths by look-up, paths with parameters by pattern."""

    def __init__(self, routes: list[Route]) -> None:
        self._fixed: dict[tuple[str, str], Route] = {}
        self._patterns: dict[str, list[tuple[re.Pattern[str], Route]]] = {}
        for route in routes:
            if "{" in route.pattern:
                self._patterns.setdefault(route.method, []).append((_compile(route.pattern), route))
            else:
                self._fixed[route.method, route.pattern] = route

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route and its path parameters, or None.

        `raw_path` is percent-encoded, so that an encoded slash stays inside its segment. HEAD uses the route for GET,
        unless it has its own.
        """
        route = self._fixed.get((method, raw_path)) or self._fixed.get((method, unquote(raw_path)))
        if route:
            return route, {}
        for pattern, route in self._patterns.get(method, ()):
            match = pattern.fullmatch(raw_path)
            if match:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return self.find("GET", raw_path) if method == "HEAD" else None


def malformed(reason: str) -> ApiError:
    """Return 400 MALFORMED_REQUEST: the body cannot be parsed."""
    return ApiError(400, "MALFORMED_REQUEST", f"Could not parse request object: {reason}.")


def parse_json(raw: bytes) -> Any:
    """Parse JSON in any Unicode encoding. Raises 400 for anything else.

    Also raises 400 for numbers and characters that Python reads but that cannot be written as JSON.
    """
    try:
        value = json.loads(raw, parse_constant=_refuse, parse_float=_finite)
        if b"\\ud" in raw or b"\\uD" in raw:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise malformed("not JSON") from None
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError(f"{text} is too large")
    return value


def _compile(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+(?::path)?\})", pattern)
    expressions = []
    for part in parts:
        if part.startswith("{"):
            name, _, kind = part[1:-1].partition(":")
            expressions.append(f"(?P<{name}>{'.*' if kind else '[^/]+'})")
        else:
            expressions.append(re.escape(part))
    return re.compile("".join(expressions))


def parse_query(text: str) -> dict[str, list[str]]:
    """Parse `a=1&a=2` to `{"a": ["1", "2"]}`; a bare trailing `?` is an empty query."""
    if not text:
        return {}
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return query
