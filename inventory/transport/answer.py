"""The outcome of a request: an answer, or the reason why there is none. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class Broken(Exception):
    """No whole answer came: refused, reset, timed out or cut; the sentence says which. It may come the next time."""


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    document: object
    """The decoded JSON; the first hundred characters as text where it is none."""
    retry_after: float | None = None
    """Seconds, where the server says so."""
    workspace_id: str = field(default="", compare=False)
    """The id of the workspace that answered; empty if it does not say it."""

    @property
    def reason(self) -> str:
        """Of a refusal: status, code and message, in one line."""
        said = self.document if isinstance(self.document, Mapping) else {}
        words = (said.get("error_code"), said.get("message") or said.get("detail"))
        return " ".join([str(self.status), *(" ".join(str(word).split()) for word in words if word)])[:500]
