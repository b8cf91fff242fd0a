"""An HTTP client for one workspace with persistent connections; it takes a seventh of the SDK's processor time per
call.

The SDK only provides the authentication headers. The SDK's own calls retry for up to five minutes, which would hide
rate limiting from the limiter and let one folder block a worker. This client never retries; see `retry`.
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
"""Maximum size of a response body in bytes, far more than a folder with a million entries needs."""
INVALID_BODY = "the response is not JSON, or ends too early"
CHUNK_BYTES = 256 * 2**10
"""Bytes of a downloaded file that each worker holds in memory."""


class Client:
    """A client for one workspace. Each thread has its own connection; `close` closes the calling thread's connection.

    `authenticate` returns the authentication headers; it is called for each request because tokens are refreshed.
    `timeout` is the maximum time in seconds without data from the server.
    """

    def __init__(self, host: str, authenticate: Callable[[], Mapping[str, str]], *, timeout: float = 60.0) -> None:
        address = urlsplit(host)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"{host} is not a workspace URL: expected https://<name>")
        self.host = f"{address.scheme}://{address.netloc}"
        self.credential_source = ""
        """The source of the credential, for messages; empty if unknown."""
        self._authenticate = authenticate
        self._timeout = timeout
        self._hostname, self._port = address.hostname, address.port
        self._proxy = None if proxy_bypass(address.hostname) else getproxies().get(address.scheme)
        self._tls = _tls_context() if address.scheme == "https" else None
        self._local = threading.local()

    def get(self, path: str, query: Mapping[str, str]) -> Response:
        """Send a GET request. Raises TransportError unless a complete response arrives, which may be an HTTP error."""
        with self._exchange("GET", path, query) as response:
            return self._parse_response(response, self._read_body(response))

    def download(self, path: str, query: Mapping[str, str], sink: Callable[[bytes], object]) -> Response:
        """GET a file in chunks and return a response without a document. `sink` receives no bytes from an error
        response.

        Raises TransportError if the file is incomplete.
        """
        with self._exchange("GET", path, query) as response:
            if response.status != 200:
                return self._parse_response(response, self._read_body(response))
            announced, received = response.length, 0
            while chunk := response.read(CHUNK_BYTES):
                received += len(chunk)
                sink(chunk)
            if announced is not None and received != announced:
                raise TransportError(f"the response ends after {received} of {announced} bytes")
            return Response(200, None)

    def send(self, method: str, path: str, body: RequestBody, query: Mapping[str, str] = NO_QUERY) -> Response:
        """Send a request with a body. Raises TransportError as `get` does."""
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
        """Send a request and yield the response, to be read inside the `with`."""
        # `quote` encodes a space as %20: some gateways do not decode a plus sign as a space.
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
            # Otherwise the rest of this response would be read as the response to the next request.
            self.close()
            raise
        log.debug("%s %s: %d", method, target, response.status)

    @staticmethod
    def _read_body(response: http.client.HTTPResponse) -> bytes:
        content = response.read(MAX_RESPONSE_BYTES + 1)
        if len(content) > MAX_RESPONSE_BYTES:
            raise TransportError(f"the response has more than {MAX_RESPONSE_BYTES} bytes")
        if not response.isclosed():
            raise TransportError(INVALID_BODY)
        return content

    def close(self) -> None:
        """Close the connection of this thread; the next request opens a new one."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def auth_headers(self) -> Mapping[str, str]:
        """Return the authentication headers. Raises TransportError without a credential."""
        try:
            return self._authenticate()
        except Exception as error:  # noqa: BLE001 - the SDK raises many types while it refreshes a token
            raise TransportError(f"no credential: {' '.join(str(error).split())[:300]}") from None

    def _parse_response(self, response: http.client.HTTPResponse, content: bytes) -> Response:
        try:
            document = json.loads(content)
        except ValueError:
            # An empty body is not a listing: the API returns {} for an empty folder.
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
    """Return a TLS context that trusts the system's certificates (or those in SSL_CERT_FILE) and certifi's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _retry_after_seconds(header: str | None) -> float | None:
    """Parse a Retry-After header in seconds. A date is ignored: the limiter finds the rate anyway."""
    return float(header) if header and header.strip().isdigit() else None


def _describe(error: Exception, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no response for {timeout:g} seconds"
    if isinstance(error, http.client.IncompleteRead):
        return INVALID_BODY
    if isinstance(error, ConnectionError):
        return "the connection was closed before the response"
    return f"no response: {' '.join(str(error).split()) or type(error).__name__}"
