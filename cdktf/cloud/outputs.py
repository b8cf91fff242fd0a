"""The outputs of the cloud stack, which Terraform prints as JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HOST = re.compile(r"https://[a-z0-9.-]+")
WORKSPACE_ID = re.compile(r"[0-9]+")
BACKEND_KEYS = ("resource_group_name", "storage_account_name", "container_name")


class OutputsError(Exception):
    """The outputs are missing or malformed; the message is a sentence. It contains no values, which may be secrets."""


@dataclass(frozen=True)
class CloudOutputs:
    """What a lab needs of the Azure resources."""

    workspace_url: str
    workspace_id: str
    state_backend: Mapping[str, str]
    """The storage account and container for states, by the names of the backend's keys."""
    mail_connection_string: str = field(repr=False)
    """Contains the mail service's access key."""
    mail_sender: str | None
    """None until the domain is verified and connected."""


def parse_outputs(document: object) -> CloudOutputs:
    """Return the outputs in the document of `terraform output -json`. Raise OutputsError."""
    if not isinstance(document, dict):
        raise OutputsError("terraform output did not print a JSON object.")
    if not document:
        raise OutputsError("The state has no outputs; apply the stack first (docs/azure.md).")
    values = {name: output.get("value") for name, output in document.items() if isinstance(output, dict)}
    backend = values.get("state_backend")
    if not isinstance(backend, dict) or any(not isinstance(backend.get(key), str) for key in BACKEND_KEYS):
        raise OutputsError("The output state_backend is missing or incomplete; apply the stack again.")
    return CloudOutputs(
        workspace_url=_matching(values, "workspace_url", HOST),
        workspace_id=_matching(values, "workspace_id", WORKSPACE_ID),
        state_backend={key: backend[key] for key in BACKEND_KEYS},
        mail_connection_string=_matching(values, "mail_connection_string", re.compile(r"endpoint=https://[^\s'\"]+")),
        mail_sender=_matching(values, "mail_sender", re.compile(r"[^@\s'\"]+@[^@\s'\"]+"))
        if "mail_sender" in values
        else None,
    )


def _matching(values: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise OutputsError(f"The output {name} is missing or malformed; apply the stack again.")
    return value
