"""A temporary certificate authority, and the certificate for the mail port. Both are created at every start."""

import ssl
from pathlib import Path

import trustme


def server_context(host: str, authority: Path) -> ssl.SSLContext:
    """Return the TLS context for a server at `host` or localhost, and write the CA certificate to `authority`."""
    ca = trustme.CA()
    names = dict.fromkeys([host.strip("[]"), "localhost", "127.0.0.1", "::1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    ca.cert_pem.write_to_path(str(authority))
    return context
