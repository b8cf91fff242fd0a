"""A throw-away authority and the certificate it gives the mail port. Made anew at every start."""

import ssl
from pathlib import Path

import trustme


def server_context(host: str, authority: Path) -> ssl.SSLContext:
    """TLS for a server that is reached as `host` or as localhost; writes what clients have to trust to `authority`."""
    ca = trustme.CA()
    names = dict.fromkeys([host.strip("[]"), "localhost", "127.0.0.1", "::1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    ca.cert_pem.write_to_path(str(authority))
    return context
