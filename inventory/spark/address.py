"""Addresses of Spark servers. A token is never part of an address. Pure."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

LOCAL_PATTERN = re.compile(r"local(?:\[(?:\d+|\*)\])?")
CLUSTER_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,100}")
EXPECTED = "expected sc://HOST:PORT, or local[N] to start a server on this machine"


class AddressError(ValueError):
    """The text is not the address of a server."""


@dataclass(frozen=True)
class ServerAddress:
    """One server: a `url` for the client, or the `master` of a server to start on this machine."""

    name: str
    """The name to show in messages."""
    url: str = ""
    master: str = ""
    token: str | None = field(default=None, repr=False)
    """The server's own token; None means the workspace's token or none."""
    uses_workspace_token: bool = False
    """Whether the server belongs to the scanned workspace and accepts its token."""


def parse_remote(text: str) -> ServerAddress:
    """Parse `--spark-remote`. Raises AddressError, whose message contains no token."""
    if LOCAL_PATTERN.fullmatch(text):
        return ServerAddress(f"the Spark server of this scan ({text})", master=text)
    # The value of ;token= is passed to the client and appears in no message.
    parts = urlsplit(text)
    if parts.scheme != "sc" or not parts.hostname:
        shown = text.partition(";")[0] if "token=" not in text.partition(";")[0] else "the address"
        raise AddressError(f"{shown!r} is not the address of a Spark Connect server: {EXPECTED}.")
    settings = [setting for setting in parts.path.lstrip("/").split(";") if setting]
    for setting in settings:
        if setting.count("=") != 1:
            raise AddressError(f"the address of {parts.hostname} has a parameter that is not NAME=VALUE: {EXPECTED}.")
    named = dict(setting.split("=") for setting in settings)
    token = named.pop("token", None)
    try:
        port = parts.port or 15002
    except ValueError:
        raise AddressError(f"the port of {parts.hostname} is not a number: {EXPECTED}.") from None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if token is not None and host != "localhost":
        # A token must not be sent unencrypted.
        named.setdefault("use_ssl", "true")
    url = f"sc://{host}:{port}/" + "".join(f";{name}={value}" for name, value in named.items())
    return ServerAddress(
        f"the Spark server {host}:{port}", url=url, token=unquote(token) if token is not None else None
    )


def cluster_address(host: str, cluster_id: str) -> ServerAddress:
    """Return the address of a cluster in the workspace at `https://…`. Raises AddressError."""
    if not CLUSTER_ID_PATTERN.fullmatch(cluster_id):
        raise AddressError(f"{cluster_id!r} is not a cluster id; expected one like 1018-120000-abcd1234.")
    url = f"{_workspace_url(host)};x-databricks-cluster-id={cluster_id}"
    return ServerAddress(f"cluster {cluster_id}", url=url, uses_workspace_token=True)


def serverless_address(host: str, session_id: str) -> ServerAddress:
    """Return the address of the workspace's serverless compute; `session_id` is a UUID chosen by the client."""
    url = f"{_workspace_url(host)};x-databricks-session-id={session_id}"
    return ServerAddress("serverless compute", url=url, uses_workspace_token=True)


def _workspace_url(host: str) -> str:
    parts = urlsplit(host)
    return f"sc://{parts.hostname}:{parts.port or 443}/;use_ssl=true"
