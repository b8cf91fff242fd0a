"""Finds out why a connection to a host fails: connects once and sends nothing."""

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from labkit.lazy_package import LazyModule

_request = LazyModule("urllib.request")

REFUSED = "connection refused"
UNKNOWN_NAME = "no such address"
NO_NAME_SERVER = "no such address, or no name server answers"
DEFAULT_PORTS = {"https": 443, "http": 80}
PROBE_TIMEOUT_SECONDS = 3.0


def connection_failure(error: BaseException) -> str:
    """Return the connection failure that an error or one of its causes reports, or an empty string."""
    for cause in _error_chain(error):
        if isinstance(cause, socket.gaierror):
            return NO_NAME_SERVER if cause.errno == socket.EAI_AGAIN else UNKNOWN_NAME
        if isinstance(cause, ConnectionRefusedError):
            return REFUSED
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
    return ""


def probe(host: str, *, seconds: float = PROBE_TIMEOUT_SECONDS) -> str:
    """Return why a connection to `https://name:port` fails; empty if it succeeds or the cause is unclear.

    If the environment specifies a proxy for the host, the connection to the proxy is tried instead.
    """
    address = urlsplit(host)
    name = address.hostname or ""
    proxy = None if _request.proxy_bypass(name) else _request.getproxies().get(address.scheme)
    if proxy:
        address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    port = address.port or DEFAULT_PORTS.get(address.scheme, 0)
    try:
        socket.create_connection((address.hostname or "", port), seconds).close()
    except OSError as error:
        cause = connection_failure(error)
        return f"the proxy {address.hostname}: {cause}" if proxy and cause else cause
    return ""


def _error_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes; urllib3 and azure-core keep some of them in attributes and `args`."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        causes = [getattr(each, name, None) for name in ("__cause__", "__context__", "reason", "inner_exception")]
        causes += each.args
        waiting += [one for one in causes if isinstance(one, BaseException)]
