"""Translates errors of Spark into messages, and decides whether a new session may help. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.text import one_line, redact_secrets

CLIENT_VERSION = "4.0"
"""The minor version of the installed Spark Connect client."""
PYTHON_MISMATCH = re.compile(r"different version:?\s*(\d+\.\d+)\s+than that in driver:?\s*(\d+\.\d+)")
SESSION_ERRORS = re.compile(
    r"INVALID_HANDLE(?:\.\w+)?|OPERATION_ABANDONED|INVALID_CURSOR(?:\.\w+)?|OPERATION_(?:NOT_FOUND|CANCELED)"
    r"|SESSION_(?:CLOSED|CHANGED|NOT_FOUND|EXPIRED)|NO_ACTIVE_SESSION"
)
CONNECTION_ERRORS = re.compile(
    r"UNAVAILABLE|RETRIES_EXCEEDED|DEADLINE_EXCEEDED|Stream removed|CANCELLED|Connection (?:refused|reset)"
    r"|Socket closed|failed to connect|Cannot invoke RPC",
    re.IGNORECASE,
)
PERMISSION_ERRORS = re.compile(
    r"UNAUTHENTICATED|PERMISSION_DENIED|Unauthorized|HTTP (?:status code )?40[13]", re.IGNORECASE
)
CLUSTER_STOPPED = re.compile(r"(?:unexpected state|is) (?:Terminated|Terminating|stopped)", re.IGNORECASE)


class SparkError(Exception):
    """The server cannot be used, and a retry does not help."""


class SessionLost(Exception):
    """A session was lost, or a task ended without rows; a new session may succeed."""


@dataclass(frozen=True)
class ServerLabel:
    """The name of a server for messages, and the secrets to remove from messages."""

    name: str
    secrets: Sequence[str] = ()

    def redact(self, text: str) -> str:
        """Return the text as one line without secrets."""
        return one_line(redact_secrets(text, self.secrets))


def translate_error(error: BaseException, server: ServerLabel) -> SparkError | SessionLost:
    """Return the exception to raise instead of an error from Spark, gRPC or Java."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, SparkError | SessionLost):
        return error
    if isinstance(error, ImportError):
        return SparkError(missing_client(error.name or server.redact(str(error))))
    if found := PYTHON_MISMATCH.search(text):
        worker, here = found.groups()
        return SparkError(
            f"{server.name} runs Python {worker} and this is Python {here}, but both need the same minor version: start"
            f" this program with Python {worker}, or choose a cluster whose runtime has Python {here}."
        )
    if "PYTHON_VERSION_MISMATCH" in text:
        return SparkError(f"{server.name} runs a different Python version; both need the same minor version.")
    if CLUSTER_STOPPED.search(text):
        return SparkError(f"{server.name} is stopped; --start-cluster starts it.")
    if found := SESSION_ERRORS.search(text):
        return SessionLost(f"the session with {server.name} was lost ({found[0]})")
    if PERMISSION_ERRORS.search(text):
        return SparkError(
            f"{server.name} rejects the credential, or a permission is missing: {server.redact(str(error))}"
        )
    if CONNECTION_ERRORS.search(text):
        return SessionLost(f"{server.name} cannot be reached")
    if "CredentialMissing" in text:
        return SessionLost(f"an executor of {server.name} did not receive a session file")
    if "ConnectUnsupported" in text or "UNIMPLEMENTED" in text:
        return SparkError(
            f"{server.name} does not support Spark Connect {CLIENT_VERSION}; it needs Spark {CLIENT_VERSION} or newer."
        )
    return SessionLost(f"a task on {server.name} has failed: {server.redact(_cause(text))}")


def missing_client(module: str) -> str:
    """Return the message for a library that is not installed."""
    return (
        f"the Spark Connect client is not installed ({module} is missing):"
        f" pip install 'pyspark[connect]=={CLIENT_VERSION}.*', or scan without Spark."
    )


def _cause(text: str) -> str:
    """Return the last line with an error in a Python traceback, or the first line of any other text."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("at ")]
    causes = [line for line in lines if re.match(r"(?:\w+\.)*\w*(?:Error|Exception): ", line)]
    return causes[-1] if causes else lines[0] if lines else text
