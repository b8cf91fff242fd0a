"""Checks request signatures made with the access key: HMAC over method, target, date, host and content."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from emulator.api.routing import Request
from emulator.mail.errors import MailError

MAX_CLOCK_SKEW = timedelta(minutes=5)
SIGNED_HEADERS = "x-ms-date;host;x-ms-content-sha256"


def check(request: Request, key: str, now: datetime) -> None:
    """Raise 401 unless the request is signed with the key (base64) within five minutes of `now`.

    `now` is the machine's time, not the emulator's clock, because clients sign with the machine's time.
    """
    date, digest = request.headers.get("x-ms-date", ""), request.headers.get("x-ms-content-sha256", "")
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    parts = dict(part.partition("=")[::2] for part in credentials.split("&"))
    if scheme != "HMAC-SHA256" or not date or not digest or "Signature" not in parts:
        raise MailError(401, "Authorization 'HMAC-SHA256', x-ms-date and x-ms-content-sha256 are required.")
    if parts.get("SignedHeaders", "").lower() != SIGNED_HEADERS:
        raise MailError(401, f"SignedHeaders must be {SIGNED_HEADERS}.")
    if abs(_instant(date) - now) > MAX_CLOCK_SKEW:
        raise MailError(401, f"x-ms-date '{date}' is too far from the time of the service.")
    if not hmac.compare_digest(digest.encode(), base64.b64encode(hashlib.sha256(request.raw).digest())):
        raise MailError(401, "x-ms-content-sha256 does not match the content.")
    signed = f"{request.method}\n{request.target}\n{date};{request.headers.get('host', '')};{digest}"
    expected = hmac.digest(base64.b64decode(key), signed.encode(), "sha256")
    if not hmac.compare_digest(parts["Signature"].encode(), base64.b64encode(expected)):
        raise MailError(401, "Denied by the resource provider.")


def _instant(date: str) -> datetime:
    try:
        instant = parsedate_to_datetime(date)
    except ValueError:
        raise MailError(401, f"x-ms-date '{date}' is not an HTTP date.") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
