"""The workspace that a program may change, and the comparison with the live one. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from labkit.workspace.choice import WorkspaceChoiceError, workspace_url

EXPECTED_ID, EXPECTED_HOST = "LAB_EXPECTED_WORKSPACE_ID", "LAB_EXPECTED_HOST"


@dataclass(frozen=True)
class WorkspaceIdentity:
    """A live workspace and the name of the caller. `workspace_id` is empty if the workspace does not return it."""

    host: str
    workspace_id: str
    caller: str

    def __str__(self) -> str:
        return f"workspace {self.workspace_id or 'with unknown id'} at {self.host}"


@dataclass(frozen=True)
class WorkspaceExpectation:
    """The expected workspace; an empty host or id matches any. The other fields are parts of the error message."""

    host: str = ""
    workspace_id: str = ""
    subject: str = ""
    host_name: str = f"{EXPECTED_HOST} is"
    id_name: str = f"{EXPECTED_ID} is"
    advice: str = f"Choose a different profile or DATABRICKS_HOST, or correct {EXPECTED_ID} and {EXPECTED_HOST}."

    @property
    def is_set(self) -> bool:
        """Whether a host or an id is expected."""
        return bool(self.host or self.workspace_id)


def expected_from_environment(environ: Mapping[str, str]) -> WorkspaceExpectation:
    """Return what LAB_EXPECTED_WORKSPACE_ID and LAB_EXPECTED_HOST expect. Raises ValueError with a sentence."""
    host, workspace_id = environ.get(EXPECTED_HOST, ""), environ.get(EXPECTED_ID, "")
    if workspace_id and not is_workspace_id(workspace_id):
        raise ValueError(f"{EXPECTED_ID} is not a workspace id; it must consist of digits.")
    try:
        return WorkspaceExpectation(workspace_url(host, EXPECTED_HOST) if host else "", workspace_id)
    except WorkspaceChoiceError as error:
        raise ValueError(str(error)) from None


def expected_from_option(workspace_id: str, option: str) -> WorkspaceExpectation:
    """Return the expectation given by a command-line option. Raises ValueError with a sentence."""
    if not is_workspace_id(workspace_id):
        raise ValueError(f"{option} must be a workspace id, which consists of digits.")
    advice = f"Choose a different profile or --workspace-url, or correct {option}."
    return WorkspaceExpectation(workspace_id=workspace_id, id_name=f"{option} is", advice=advice)


def is_workspace_id(text: str) -> bool:
    """Return whether the string consists of ASCII digits, as a workspace id does."""
    return text.isascii() and text.isdigit()


def mismatch(identity: WorkspaceIdentity, expectation: WorkspaceExpectation) -> str:
    """Return a message that identifies both workspaces and says what to change; empty if the workspace is the expected
    one.
    """
    differences = []
    if expectation.host and _host_and_port(expectation.host) != _host_and_port(identity.host):
        differences.append(f"{expectation.host_name} {expectation.host}")
    if expectation.workspace_id and expectation.workspace_id != identity.workspace_id:
        differences.append(f"{expectation.id_name} {expectation.workspace_id}")
    if not differences:
        return ""
    return (
        f"Wrong workspace: {expectation.subject}{' and '.join(differences)}, but this is workspace "
        f"{identity.workspace_id or 'with unknown id'} at {identity.host} (as {identity.caller}). Nothing was changed. "
        f"{expectation.advice}"
    )


def _host_and_port(host: str) -> tuple[str, int | None]:
    """Return host name and port; the port is None if it is the default one."""
    parts = urlsplit(host if "//" in host else f"https://{host}")
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return (parts.hostname or "").lower(), None if parts.port == usual else parts.port
