"""Azure Communication Services e-mail: the only module that uses its client.

The client's own retries, redirects and polling are off: it would sleep for the time in `Retry-After`, even if the run
has less time left, and repeat requests whose result was not checked.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from azure.communication.email import EmailClient
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import RedirectPolicy, RetryPolicy
from azure.core.rest import HttpRequest, HttpResponse
from requests import RequestException

from enforcer.mail.mail_service import SendResult, SendStatus
from labkit.text import first_line, one_line, redact_secrets
from labkit.workspace.connectivity import connection_failure

API_VERSION = "2025-09-01"
"""The API version of the locked client. Attachments have a `contentId` since 2024-07-01-preview."""
CONNECT_SECONDS = 5.0
IN_PROGRESS = ("notstarted", "running", "succeeded")


class Mailer:
    """A `MailService` on Azure. `connection_string` contains the access key. The first call connects."""

    def __init__(self, connection_string: str) -> None:
        self._connection_string = connection_string
        self._made: EmailClient | None = None

    def send(self, operation_id: str, payload: str, *, timeout: timedelta) -> SendResult:
        """Send the JSON of `payload` unchanged. The same operation id with the same bytes is one message."""
        headers = {"Operation-Id": operation_id, "Content-Type": "application/json"}
        response = self._request("POST", "/emails:send", timeout, headers=headers, content=payload)
        if isinstance(response, SendResult):
            return response
        match response.status_code:
            case 202:
                return SendResult(SendStatus.ACCEPTED)
            case 400:
                return _result(response, SendStatus.CONFLICT)
            case _:
                return _error_result(response)

    def status(self, operation_id: str, *, timeout: timedelta) -> SendResult:
        """Return the status of an operation."""
        response = self._request("GET", f"/emails/operations/{operation_id}", timeout)
        if isinstance(response, SendResult):
            return response
        if response.status_code == 404:
            return _result(response, SendStatus.MISSING)
        if response.status_code != 200:
            return _error_result(response)
        body = _json(response)
        status = str(body.get("status", "")).lower()
        if status in IN_PROGRESS:
            return SendResult(SendStatus.ACCEPTED, str(body["status"]), is_final=status == "succeeded")
        if status in ("failed", "canceled"):
            return SendResult(
                SendStatus.FAILED, _error_message(body, "the service could not deliver it"), is_final=True
            )
        return SendResult(SendStatus.UNKNOWN, f"a response without a known status ({one_line(status, 40)!r})")

    def _request(self, method: str, path: str, timeout: timedelta, **request: Any) -> HttpResponse | SendResult:
        seconds = max(0.1, timeout.total_seconds())
        try:
            client = self._client()
            wanted = HttpRequest(method, f"{{endpoint}}{path}", params={"api-version": API_VERSION}, **request)
            return client.send_request(wanted, connection_timeout=min(CONNECT_SECONDS, seconds), read_timeout=seconds)
        except ValueError as error:
            # Raised before anything is sent: the connection string or the key is invalid.
            text = f"the mail service cannot be used with these settings: {_text(error)}; check AZURE_EMAIL_*"
            return SendResult(SendStatus.REFUSED, text, concerns_all=True)
        except (AzureError, RequestException, OSError) as error:
            reason = connection_failure(error) or _text(error)
            return SendResult(SendStatus.UNKNOWN, f"the mail service did not respond: {reason}", concerns_all=True)

    def _client(self) -> EmailClient:
        if self._made is None:
            self._made = EmailClient.from_connection_string(
                self._connection_string,
                api_version=API_VERSION,
                retry_policy=RetryPolicy.no_retries(),
                redirect_policy=RedirectPolicy.no_redirects(),
            )
        return self._made


def _error_result(response: HttpResponse) -> SendResult:
    status = response.status_code
    if status == 429:
        return _result(response, SendStatus.BUSY)
    if 400 <= status < 500 and status != 408:
        return _result(response, SendStatus.REFUSED, concerns_all=status in (401, 403))
    return _result(response, SendStatus.UNKNOWN)


def _result(response: HttpResponse, status: SendStatus, *, concerns_all: bool = False) -> SendResult:
    reason = _error_message(_json(response), response.reason or "no reason")
    text = f"the mail service returned {response.status_code}: {reason}"
    return SendResult(status, text, _retry_after(response.headers.get("Retry-After")), concerns_all=concerns_all)


def _json(response: HttpResponse) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _error_message(body: dict[str, Any], default: str) -> str:
    error = body.get("error")
    message = error.get("message") or error.get("code") if isinstance(error, dict) else None
    return one_line(redact_secrets(str(message))) if message else default


def _text(error: BaseException) -> str:
    return one_line(redact_secrets(first_line(error)))


def _retry_after(header: str | None) -> timedelta | None:
    """Return the wait from a `Retry-After` header, which has seconds or a date; a date is compared with the machine's
    clock.
    """
    if not header:
        return None
    if re.fullmatch(r"\d{1,9}", header.strip()):
        return timedelta(seconds=int(header))
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(timedelta(), at - datetime.now(UTC))
