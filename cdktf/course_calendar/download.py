"""Downloads a calendar from a secret address. Messages contain only its host."""

from __future__ import annotations

import http.client
import queue
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import IO, Any

from course_calendar.events import CalendarError
from labkit import __version__
from labkit.text import quoted

VARIABLE = "LAB_CALENDAR_URL"
MAX_BYTES = 5_000_000
TIMEOUT_SECONDS = 15.0


class _SameHostRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects only to the same host over HTTPS, because the address contains a token."""

    def redirect_request(self, req: urllib.request.Request, fp: IO[bytes], *rest: Any) -> urllib.request.Request | None:
        code, message, headers, address = rest
        before, after = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(address)
        if (after.scheme, after.netloc) != ("https", before.netloc):
            raise CalendarError(
                f"{before.netloc} redirects to {quoted(after.netloc)}, to which the token is not sent: set {VARIABLE} "
                "to the calendar's own https address."
            )
        return super().redirect_request(req, fp, code, message, headers, address)


def download(
    address: str,
    *,
    timeout: float = TIMEOUT_SECONDS,
    max_bytes: int = MAX_BYTES,
    context: ssl.SSLContext | None = None,
) -> bytes:
    """Return the file at an https address. `timeout` is in seconds, for the whole download. Raises CalendarError."""
    url, host = _checked(address)
    result: queue.Queue[bytes | CalendarError] = queue.Queue()

    def fetch() -> None:
        try:
            result.put(_fetch(url, host, timeout, max_bytes, context))
        except CalendarError as error:
            result.put(error)

    # A socket's time limit is for each part; a slow server could keep sending parts.
    threading.Thread(target=fetch, daemon=True).start()
    try:
        answer = result.get(timeout=timeout)
    except queue.Empty:
        raise CalendarError(f"{host} did not send the calendar within {timeout:g} s; try again later.") from None
    if isinstance(answer, CalendarError):
        raise answer
    return answer


def _checked(address: str) -> tuple[str, str]:
    """Return the https URL and its host. Raise CalendarError for another address, without showing it."""
    problem = f"{VARIABLE} must be an https address, without user and password, to which a calendar is exported."
    text = address.strip()
    # Calendar programs show subscriptions as webcal://, which is https.
    text = "https" + text[len("webcal") :] if text.lower().startswith("webcal://") else text
    try:
        parts = urllib.parse.urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise CalendarError(problem) from None
    if parts.scheme != "https" or not host or parts.username or parts.password or not text.isprintable() or " " in text:
        raise CalendarError(problem)
    return urllib.parse.urlunsplit(parts._replace(fragment="")), parts.netloc


def _fetch(url: str, host: str, timeout: float, max_bytes: int, context: ssl.SSLContext | None) -> bytes:
    opener = urllib.request.build_opener(_SameHostRedirects(), urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(
        url, headers={"Accept": "text/calendar", "User-Agent": f"teaching-lab/{__version__}"}
    )
    try:
        with opener.open(request, timeout=timeout) as response:
            data: bytes = response.read(max_bytes + 1)
    except urllib.error.HTTPError as error:
        with error:
            raise CalendarError(
                f"{host} answered with status {error.code}: check {VARIABLE}, or export the calendar's address again."
            ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        # The error's own text may contain the address.
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise CalendarError(f"the certificate of {host} is not trusted ({reason.verify_message}).") from None
        detail = reason.strerror if isinstance(reason, OSError) and reason.strerror else type(reason).__name__
        raise CalendarError(f"{host} does not respond ({detail}): check {VARIABLE} and the network.") from None
    if len(data) > max_bytes:
        raise CalendarError(
            f"{host} sent more than {max_bytes // 1_000_000} MB, which no course needs: export only the course's "
            "calendar."
        )
    return data
