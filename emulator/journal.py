"""What was asked and how it was answered: one line a request, without bodies and without tokens."""

import json
import re
from collections import deque
from collections.abc import Iterator

from emulator.clock import Millis, to_iso

_RESOURCE = re.compile(r"\bresource/(\S+)|\bdata/(\S+)")


class Journal:
    """The last `keep` requests, oldest first."""

    def __init__(self, keep: int = 100_000) -> None:
        self._entries: deque[tuple[Millis, str, str, str, int, float, str]] = deque(maxlen=keep)

    def note(
        self, at: Millis, method: str, path: str, query: str, status: int, milliseconds: float, user_agent: str
    ) -> None:
        self._entries.append((at, method, path, query, status, milliseconds, user_agent))

    def lines(self) -> Iterator[str]:
        """JSON objects: at, method, path, query, status, milliseconds, resource, user_agent.

        `resource` is what the Terraform provider names in its user agent, else empty.
        """
        for at, method, path, query, status, milliseconds, user_agent in self._entries:
            match = _RESOURCE.search(user_agent)
            entry = {
                "at": to_iso(at),
                "method": method,
                "path": path,
                "query": query,
                "status": status,
                "milliseconds": round(milliseconds, 3),
                "resource": next(filter(None, match.groups()), "") if match else "",
                "user_agent": user_agent,
            }
            yield json.dumps(entry)

    def clear(self) -> None:
        self._entries.clear()
