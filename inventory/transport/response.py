"""Responses, and the errors raised if there is no response. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class TransportError(Exception):
    """No complete response: the connection was refused, reset or cut, or it timed out, as the message says. A retry may
    succeed."""


class ConnectError(TransportError):
    """No connection could be established; the message is the cause, such as `connection refused`."""


@dataclass(frozen=True)
class Response:
    """A complete response."""

    status: int
    document: object
    """The decoded JSON, or the first hundred characters of a body that is not JSON."""
    retry_after: float | None = None
    """The value of Retry-After in seconds; None if absent."""
    workspace_id: str = field(default="", compare=False)
    """The id of the workspace that responded; empty if the response does not contain it."""

    @property
    def ok(self) -> bool:
        """Whether the request succeeded. Some errors have status 200 and an error body."""
        return self.status in (200, 204) and not is_error_document(self.document)

    @property
    def error_code(self) -> str:
        """The document's `error_code`, for any status, or an empty string."""
        return str(self._fields.get("error_code") or "")

    @property
    def rejects_credential(self) -> bool:
        """Whether the token itself is rejected. Errors about missing permissions have a string as `error_code`."""
        return self.status == 401 or (self.status == 403 and type(self._fields.get("error_code")) is int)

    @property
    def reason(self) -> str:
        """Status, code and message of an error, on one line."""
        code = "" if self.error_code == str(self.status) else self.error_code
        words = (code, self._fields.get("message") or self._fields.get("detail") or self._fields.get("error"))
        return " ".join([str(self.status), *(" ".join(str(word).split()) for word in words if word)])[:500]

    @property
    def _fields(self) -> Mapping[str, object]:
        return self.document if isinstance(self.document, Mapping) else {}


def is_error_document(document: object) -> bool:
    """Return whether a document is an error in one of the APIs' three formats."""
    if not isinstance(document, Mapping):
        return False
    schemas = document.get("schemas")
    return (
        bool(document.get("error_code"))
        or (isinstance(schemas, list) and SCIM_ERROR in schemas)
        or (set(document) == {"error"} and isinstance(document["error"], str))
    )
