"""Who sends a request proves it with the access key: HMAC over method, target, date, host and content."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from emulator.api.routing import Call
from emulator.mail.errors import MailError

PATIENCE = timedelta(minutes=5)
SIGNED_HEADERS = "x-ms-date;host;x-ms-content-sha256"


def check(call: Call, key: str, now: datetime) -> None:
    """Raises 401 for a request that is not signed with the key (base64), or was at another time.

    `now` is the machine's time: signatures are made by it, whatever the emulator's clock shows.
    """
    date, digest = call.headers.get("x-ms-date", ""), call.headers.get("x-ms-content-sha256", "")
    scheme, _, told = call.headers.get("authorization", "").partition(" ")
    parts = dict(part.partition("=")[::2] for part in told.split("&"))
    if scheme != "HMAC-SHA256" or not date or not digest or "Signature" not in parts:
        raise MailError(401, "Authorization 'HMAC-SHA256', x-ms-date and x-ms-content-sha256 are required.")
    if parts.get("SignedHeaders", "").lower() != SIGNED_HEADERS:
        raise MailError(401, f"SignedHeaders must be {SIGNED_HEADERS}.")
    if abs(_instant(date) - now) > PATIENCE:
        raise MailError(401, f"x-ms-date '{date}' is too far from the time of the service.")
    if not hmac.compare_digest(digest.encode(), base64.b64encode(hashlib.sha256(call.raw).digest())):
        raise MailError(401, "x-ms-content-sha256 does not match the content.")
    signed = f"{call.method}\n{call.target}\n{date};{call.headers.get('host', '')};{digest}"
    expected = hmac.digest(base64.b64decode(key), signed.encode(), "sha256")
    if not hmac.compare_digest(parts["Signature"].encode(), base64.b64encode(expected)):
        raise MailError(401, "Denied by the resource provider.")


def _instant(date: str) -> datetime:
    try:
        instant = parsedate_to_datetime(date)
    except ValueError:
        raise MailError(401, f"x-ms-date '{date}' is no HTTP date.") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
