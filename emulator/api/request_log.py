"""The log of requests and responses: one line per request, without bodies or tokens."""

import json
import re
from collections import deque
from collections.abc import Iterator

from emulator.api.routing import Request
from emulator.base.clock import Millis, to_iso

_RESOURCE = re.compile(r"\b(?:resource|data)/(\S+)")

LogEntry = tuple[Millis, str, str, bytes, int, float, str, str]


class RequestLog:
    """The last `keep` requests, in the order in which they were answered."""

    def __init__(self, keep: int = 100_000) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=keep)

    def add(self, request: Request, query: bytes, status: int, seconds: float) -> None:
        """Add an entry. `status` is 0 if the connection was cut instead of answered."""
        caller = request._caller.name if request._caller else ""
        agent = request.headers.get("user-agent", "")
        self._entries.append((request.now, request.method, request.path, query, status, seconds, caller, agent))

    def lines(self) -> Iterator[str]:
        """Yield JSON objects: at, method, path, query, status, milliseconds, caller, resource, user_agent.

        `caller` is a user name or an application id; `resource` is the resource in the Terraform provider's user agent.
        Both are empty for other requests.
        """
        for at, method, path, query, status, seconds, caller, agent in self._entries:
            match = _RESOURCE.search(agent)
            entry = {
                "at": to_iso(at),
                "method": method,
                "path": path,
                "query": query.decode("latin-1"),
                "status": status,
                "milliseconds": round(seconds * 1000, 3),
                "caller": caller,
                "resource": match[1] if match else "",
                "user_agent": agent,
            }
            yield json.dumps(entry)

    def clear(self) -> None:
        self._entries.clear()
