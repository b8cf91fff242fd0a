"""The outcome of a request: an answer, or the reason why there is none. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class TransportError(Exception):
    """No whole answer came: refused, reset, timed out or cut; the sentence says which. It may come the next time."""


class ConnectError(TransportError):
    """No connection could be made at all; the sentence is the cause, such as `connection refused`."""


@dataclass(frozen=True)
class Response:
    """What the server said."""

    status: int
    document: object
    """The decoded JSON; the first hundred characters as text where it is none."""
    retry_after: float | None = None
    """Seconds, where the server says so."""
    workspace_id: str = field(default="", compare=False)
    """The id of the workspace that answered; empty if it does not say it."""

    @property
    def ok(self) -> bool:
        """Whether the request was carried out. Some refusals come with the status 200 and a document of an error."""
        return self.status in (200, 204) and not is_error_document(self.document)

    @property
    def error_code(self) -> str:
        """The `error_code` of the document, whatever the status is; empty if it has none."""
        return str(self._fields.get("error_code") or "")

    @property
    def rejects_credential(self) -> bool:
        """Whether the token itself is not accepted: a right that is missing has a code in words."""
        return self.status == 401 or (self.status == 403 and type(self._fields.get("error_code")) is int)

    @property
    def reason(self) -> str:
        """Of a refusal: status, code and message, in one line."""
        code = "" if self.error_code == str(self.status) else self.error_code
        words = (code, self._fields.get("message") or self._fields.get("detail") or self._fields.get("error"))
        return " ".join([str(self.status), *(" ".join(str(word).split()) for word in words if word)])[:500]

    @property
    def _fields(self) -> Mapping[str, object]:
        return self.document if isinstance(self.document, Mapping) else {}


def is_error_document(document: object) -> bool:
    """Whether a document is that of a refusal, in one of the three shapes that the APIs have."""
    if not isinstance(document, Mapping):
        return False
    schemas = document.get("schemas")
    return (
        bool(document.get("error_code"))
        or (isinstance(schemas, list) and SCIM_ERROR in schemas)
        or (set(document) == {"error"} and isinstance(document["error"], str))
    )
