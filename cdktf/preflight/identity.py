"""Which workspace it is, and whether it is the one that is meant. Pure."""

from dataclasses import dataclass
from urllib.parse import urlsplit


class GuardError(Exception):
    """The live workspace is not the one to work on, or nobody can tell; the text says what to change."""


@dataclass(frozen=True)
class Identity:
    """A live workspace and the name of who calls it. `workspace_id` is empty where it does not say."""

    host: str
    workspace_id: str
    caller: str


@dataclass(frozen=True)
class Expectation:
    """What a target of `lab.toml` expects; empty texts expect nothing."""

    target: str
    host: str = ""
    workspace_id: str = ""


def mismatch(identity: Identity, expectation: Expectation) -> str:
    """A sentence that says what differs and what to change; empty where the workspace is as expected."""
    wanted = []
    if expectation.host and _address(expectation.host) != _address(identity.host):
        wanted.append(f"expected_host {expectation.host}")
    if expectation.workspace_id and expectation.workspace_id != identity.workspace_id:
        wanted.append(f"expected_workspace_id {expectation.workspace_id}")
    if not wanted:
        return ""
    return (
        f"Wrong workspace: target {expectation.target} has {' and '.join(wanted)}, but this is workspace "
        f"{identity.workspace_id or 'of unknown id'} at {identity.host} (as {identity.caller}). Nothing was changed. "
        f"Choose another LAB_TARGET, profile or DATABRICKS_HOST, or correct targets.{expectation.target} in lab.toml."
    )


def _address(host: str) -> tuple[str, int | None]:
    """Host name and port; the usual port is none."""
    parts = urlsplit(host if "//" in host else f"https://{host}")
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return (parts.hostname or "").lower(), None if parts.port == usual else parts.port
