"""Calls functions of Moodle's web service, one at a time, over HTTPS.

The token is sent only in the body of POST requests to the given address: redirects are not followed. Requests only
read, so they are repeated after a temporary failure.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from labkit import __version__
from labkit.addresses import is_loopback
from labkit.text import escaped, first_line, quoted

ENDPOINT = "/webservice/rest/server.php"
MAX_ANSWER_BYTES = 50_000_000
TIMEOUT_SECONDS = 60.0
"""Maximum duration of a request, and of waiting for a part of its answer."""
PAUSES = (1.0, 3.0)
"""Seconds before the second and third attempt."""
MAX_PAUSE_SECONDS = 30.0
_CHUNK = 1 << 16
_TEMPORARY = frozenset({429, 500, 502, 503, 504})


class MoodleError(Exception):
    """Moodle cannot be read; the message is a sentence."""


class MoodleRefusal(Exception):
    """Moodle answered a call with an error; `code` is its `errorcode`."""

    def __init__(self, function: str, code: str) -> None:
        super().__init__(f"{function}: {code}")
        self.function, self.code = function, code


@dataclass(frozen=True)
class MoodleAccess:
    """The address of a site and the token for its web service."""

    url: str
    """Without a slash at the end."""
    token: str = field(repr=False)

    @property
    def host(self) -> str:
        return urllib.parse.urlsplit(self.url).netloc


def site_url(address: str) -> str:
    """Return the normal form of a site's address. Raise MoodleError if a token must not be sent to it."""
    problem = f"--moodle must be the https address of Moodle's front page, not {quoted(shown_address(address))}."
    try:
        parts = urllib.parse.urlsplit(address.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise MoodleError(problem) from None
    is_allowed = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host or ""))
    if not is_allowed or not host or parts.username or parts.password or parts.query or parts.fragment:
        raise MoodleError(problem)
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")).rstrip("/").removesuffix(ENDPOINT)


def shown_address(address: str) -> str:
    """Return an address for messages: escaped, without `https://`, user, password and parameters."""
    path, _, _ = address.strip().removeprefix("https://").partition("?")
    return escaped(path.partition("#")[0].rpartition("@")[2].rstrip("/"))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Reports a redirect as an error, because following it would send the token elsewhere."""

    def redirect_request(self, *_arguments: Any, **_options: Any) -> None:
        return None


class _TemporaryFailure(Exception):
    """An attempt failed in a way that may pass. `pause` is the time to wait in seconds, if the server specifies it."""

    def __init__(self, sentence: str, pause: float | None = None) -> None:
        super().__init__(sentence)
        self.pause = pause


class MoodleClient:
    """Calls the functions of one site as the token's user."""

    def __init__(
        self,
        access: MoodleAccess,
        *,
        timeout: float = TIMEOUT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self.access = access
        self._timeout, self._sleep, self._max_bytes = timeout, sleep, max_bytes
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if is_loopback(urllib.parse.urlsplit(access.url).hostname or ""):
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def call(self, function: str, arguments: Mapping[str, str | int]) -> Any:
        """Return the JSON with which Moodle answers a function.

        Raises MoodleRefusal if the answer is an error, MoodleError if there is no answer in JSON.
        """
        for pause in (*PAUSES, None):
            try:
                return self._call_once(function, arguments)
            except _TemporaryFailure as failure:
                if pause is None:
                    raise MoodleError(str(failure)) from None
                self._sleep(min(failure.pause or pause, MAX_PAUSE_SECONDS))
        raise AssertionError("the last attempt returns or raises")

    def _call_once(self, function: str, arguments: Mapping[str, str | int]) -> Any:
        body = self._post(function, arguments)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            raise MoodleError(
                f"{self.access.host} answered {function} without JSON: check that {self.access.url} is the address of "
                "Moodle's front page."
            ) from None
        if isinstance(answer, dict) and "exception" in answer:
            raise MoodleRefusal(function, str(answer.get("errorcode")))
        return answer

    def _post(self, function: str, arguments: Mapping[str, str | int]) -> bytes:
        form = {"wstoken": self.access.token, "wsfunction": function, "moodlewsrestformat": "json", **arguments}
        request = urllib.request.Request(
            self.access.url + ENDPOINT,
            data=urllib.parse.urlencode(form).encode(),
            headers={"Accept": "application/json", "User-Agent": f"teaching-lab/{__version__}"},
            method="POST",
        )
        until = time.monotonic() + self._timeout
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return self._read(response, function, until)
        except urllib.error.HTTPError as error:
            with error:
                self._raise_for_status(error)
        except (OSError, http.client.HTTPException) as error:
            self._raise_for_connection(error)
        raise AssertionError("both functions above raise")

    def _read(self, response: IO[bytes], function: str, until: float) -> bytes:
        body = bytearray()
        while chunk := response.read(_CHUNK):
            body += chunk
            if len(body) > self._max_bytes:
                raise MoodleError(
                    f"{self.access.host} answered {function} with more than {self._max_bytes // 1_000_000} MB, which "
                    "no course needs: check --moodle and --course."
                )
            if time.monotonic() > until:
                raise TimeoutError("timed out")
        return bytes(body)

    def _raise_for_status(self, error: urllib.error.HTTPError) -> None:
        host, status = self.access.host, error.code
        if status in (301, 302, 303, 307, 308):
            target = urllib.parse.urlsplit(urllib.parse.urljoin(self.access.url, error.headers.get("Location") or ""))
            raise MoodleError(
                f"{host} redirects to {quoted(target.netloc)}, to which the token is not sent: give Moodle's own "
                "address with --moodle."
            )
        if status == 403:
            raise MoodleError(
                f"{host} refuses web services (status 403): an administrator has to switch on web services and the "
                "REST protocol, or a firewall blocks this machine."
            )
        if status == 404:
            raise MoodleError(
                f"{self.access.url} has no web service (status 404): give the address of Moodle's front page, with "
                "its path, with --moodle."
            )
        if status == 503:
            sentence = f"{host} is in maintenance or overloaded (status 503): try again later."
            raise _TemporaryFailure(sentence, _retry_after(error))
        if status in _TEMPORARY:
            sentence = f"{host} cannot answer at the moment (status {status}): try again later."
            raise _TemporaryFailure(sentence, _retry_after(error))
        raise MoodleError(
            f"{host} answered with status {status}: check that {self.access.url} is the address of Moodle's front page."
        )

    def _raise_for_connection(self, error: OSError | http.client.HTTPException) -> None:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise MoodleError(
                f"the certificate of {self.access.host} is not trusted ({reason.verify_message}): check --moodle; "
                "SSL_CERT_FILE names the certificate authorities that this machine trusts."
            ) from None
        raise _TemporaryFailure(
            f"{self.access.host} does not respond ({first_line(reason)}): check --moodle and the network."
        ) from None


def _retry_after(error: urllib.error.HTTPError) -> float | None:
    text = error.headers.get("Retry-After") or ""
    return float(text) if text.isascii() and text.isdigit() else None
