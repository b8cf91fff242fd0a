"""Requests to one workspace over connections that stay open: a seventh of the processor time of the SDK's calls.

The SDK says who we are, here it is only asked for the headers. It retries within a call for five minutes, which would
hide refusals from the limiter and let one folder hold a worker; so nothing is retried here either, see `attempts`.
"""

import http.client
import json
import logging
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from inventory.transport.request_body import NO_QUERY, RequestBody
from inventory.transport.response import ConnectError, Response, TransportError
from labkit.workspace.connectivity import connection_failure

log = logging.getLogger(__name__)
USER_AGENT = "teachinglab-inventory"
MAX_RESPONSE_BYTES = 512 * 2**20
"""Bytes; a folder with a million entries is far below, and an endless answer must not fill the memory."""
INVALID_BODY = "the answer is not JSON, or ends too early"
CHUNK_BYTES = 256 * 2**10
"""Bytes of a file that are in memory at once, for each worker."""


class Client:
    """One workspace. Every thread has a connection of its own; `close` closes that of the calling thread.

    `authenticate` gives the headers that say who we are, each time anew because tokens are refreshed. `timeout` in
    seconds is how long the server may be silent.
    """

    def __init__(self, host: str, authenticate: Callable[[], Mapping[str, str]], *, timeout: float = 60.0) -> None:
        address = urlsplit(host)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"{host} is not the address of a workspace: expected https://<name>")
        self.host = f"{address.scheme}://{address.netloc}"
        self.credential_source = ""
        """Where the credential comes from, for people; empty if nobody said."""
        self._authenticate = authenticate
        self._timeout = timeout
        self._hostname, self._port = address.hostname, address.port
        self._proxy = None if proxy_bypass(address.hostname) else getproxies().get(address.scheme)
        self._tls = _tls_context() if address.scheme == "https" else None
        self._local = threading.local()

    def get(self, path: str, query: Mapping[str, str]) -> Response:
        """One request. Raises TransportError unless there is a whole answer; a refusal is an answer."""
        with self._exchange("GET", path, query) as response:
            return self._parse_response(response, self._read_body(response))

    def download(self, path: str, query: Mapping[str, str], sink: Callable[[bytes], object]) -> Response:
        """GET a file, piece by piece; the document of the answer is then None. `sink` gets no byte of a refusal.

        Raises TransportError if not all of it came.
        """
        with self._exchange("GET", path, query) as response:
            if response.status != 200:
                return self._parse_response(response, self._read_body(response))
            announced, received = response.length, 0
            while chunk := response.read(CHUNK_BYTES):
                received += len(chunk)
                sink(chunk)
            if announced is not None and received != announced:
                raise TransportError(f"the answer ends after {received} of {announced} bytes")
            return Response(200, None)

    def send(self, method: str, path: str, body: RequestBody, query: Mapping[str, str] = NO_QUERY) -> Response:
        """A request with a body. Raises TransportError as `get` does."""
        headers = {"Content-Type": body.content_type, "Content-Length": str(body.length)}
        with self._exchange(method, path, query, headers, body.content) as response:
            content = self._read_body(response)
            return (
                Response(response.status, None) if response.status == 204 else self._parse_response(response, content)
            )

    @contextmanager
    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterator[bytes] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to a request, to be read inside the `with`."""
        # Quoted by hand: a plus sign for a space is read literally by some gateways.
        target = f"{path}?{urlencode(query, quote_via=quote, safe='/')}" if query else path
        all_headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **(headers or {}), **self.auth_headers()}
        connection = self._connection()
        try:
            connection.request(method, self._request_target(target), body=body, headers=all_headers)
            response = connection.getresponse()
            yield response
        except (OSError, http.client.HTTPException) as error:
            self.close()
            cause = connection_failure(error)
            reason = cause or _describe(error, self._timeout)
            log.debug("%s %s: %s", method, target, reason)
            raise (ConnectError if cause else TransportError)(reason) from None
        except BaseException:
            # What is left of the answer would be taken for that to the next request.
            self.close()
            raise
        log.debug("%s %s: %d", method, target, response.status)

    @staticmethod
    def _read_body(response: http.client.HTTPResponse) -> bytes:
        content = response.read(MAX_RESPONSE_BYTES + 1)
        if len(content) > MAX_RESPONSE_BYTES:
            raise TransportError(f"the answer has more than {MAX_RESPONSE_BYTES} bytes")
        if not response.isclosed():
            raise TransportError(INVALID_BODY)
        return content

    def close(self) -> None:
        """Close the connection of this thread; the next request opens another."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def auth_headers(self) -> Mapping[str, str]:
        """The headers that say who we are. Raises TransportError if there are none to be had."""
        try:
            return self._authenticate()
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises while it refreshes a token
            raise TransportError(f"no credential: {' '.join(str(error).split())[:300]}") from None

    def _parse_response(self, response: http.client.HTTPResponse, content: bytes) -> Response:
        try:
            document = json.loads(content)
        except ValueError:
            # Nothing at all is no listing either: an empty folder is answered with {}.
            if response.status == 200:
                raise TransportError(INVALID_BODY) from None
            document = {"message": content[:100].decode(errors="replace")}
        workspace_id = response.getheader("X-Databricks-Org-Id") or ""
        return Response(
            response.status, document, _retry_after_seconds(response.getheader("Retry-After")), workspace_id
        )

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        return connection

    def _open(self) -> http.client.HTTPConnection:
        proxy = urlsplit(self._proxy) if self._proxy else None
        host, port = (proxy.hostname or "", proxy.port) if proxy else (self._hostname, self._port)
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
        if proxy:
            connection.set_tunnel(self._hostname, self._port)
        return connection

    def _request_target(self, path: str) -> str:
        return self.host + path if self._proxy and self._tls is None else path


def _tls_context() -> ssl.SSLContext:
    """The certificates of the system, or of SSL_CERT_FILE, and those the SDK trusts."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _retry_after_seconds(header: str | None) -> float | None:
    """Of a Retry-After in seconds; a date is as good as none, since the limiter finds the rate anyway."""
    return float(header) if header and header.strip().isdigit() else None


def _describe(error: Exception, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer for {timeout:g} seconds"
    if isinstance(error, http.client.IncompleteRead):
        return INVALID_BODY
    if isinstance(error, ConnectionError):
        return "the connection was closed before the answer"
    return f"no answer: {' '.join(str(error).split()) or type(error).__name__}"
