"""Fills `lab.toml` and `.env` with the outputs. Text in, text out; comments and everything else stay as they are."""

import difflib
import io
import re
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomlkit
from dotenv.parser import Binding, parse_stream

from cloud.outputs import CloudOutputs
from labkit.workspace.choice import CREDENTIAL_VARIABLES, HOST, PROFILE, URL

CONNECTION_STRING, SENDER = "AZURE_EMAIL_CONNECTION_STRING", "AZURE_EMAIL_SENDER"
EXPECTED_ID, EXPECTED_HOST = "LAB_EXPECTED_WORKSPACE_ID", "LAB_EXPECTED_HOST"
PUBLIC_VARIABLES = (HOST, URL, EXPECTED_ID, EXPECTED_HOST, SENDER)
"""Variables whose values may be shown. All others in `.env` may be secrets."""
HIDDEN = "…"

_PLAIN_VALUE = re.compile(r"[A-Za-z0-9_.:/@+-]*")
_COMMENT = re.compile(r"[ \t]+#[^\r\n]*$")


class LabFilesError(Exception):
    """A file cannot be filled without breaking something else in it; the message is a sentence."""


@dataclass(frozen=True)
class Change:
    """One file before and after, and notes about what a person has to do."""

    name: str
    before: str
    after: str
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self.before == self.after


def fill_settings(text: str, name: str, target: str, outputs: CloudOutputs, *, state_key: str) -> Change:
    """Return `lab.toml` with the target's workspace and the backend for its state.

    `state_key` names the state in its container, unless the target names it already. The target must exist. Raise
    LabFilesError if the file's form does not allow it.
    """
    tables = tomllib.loads(text)
    was_local = tables["targets"][target].get("backend", {}).get("type", "local") == "local"
    document: Any = tomlkit.parse(text)
    for one in (tables, document):
        _fill_target(one["targets"][target], outputs, state_key)
    after = tomlkit.dumps(document)
    try:
        is_filled = tomllib.loads(after) == tables
    except tomllib.TOMLDecodeError:
        is_filled = False
    if not is_filled:
        raise LabFilesError(
            f"{name} cannot be changed automatically; write [targets.{target}] and [targets.{target}.backend] as "
            "tables of their own, as in the project's lab.toml."
        )
    notes = []
    if profile := tables["targets"][target].get("profile"):
        notes.append(f"Target {target} uses the profile {profile}, whose host must be {outputs.workspace_url}.")
    if was_local:
        notes.append(
            f"The state of target {target} is now in the storage account; if the target is deployed, move its state "
            '(docs/deploy.md, "Targets and states") before the next deploy.'
        )
    return Change(name, text, after, tuple(notes))


def _fill_target(table: MutableMapping[str, Any], outputs: CloudOutputs, state_key: str) -> None:
    """Fill the table of a target, which is a dict or tomlkit's view of the same table."""
    if "host" in table:
        table["host"] = outputs.workspace_url
    table["expected_host"] = outputs.workspace_url
    table["expected_workspace_id"] = outputs.workspace_id
    if "backend" not in table:
        table["backend"] = {}
    backend = table["backend"]
    backend["type"] = "azurerm"
    for key, value in outputs.state_backend.items():
        backend[key] = value
    if "key" not in backend:
        backend["key"] = state_key
    backend["use_azuread_auth"] = True


def fill_variables(text: str, name: str, outputs: CloudOutputs) -> Change:
    """Return `.env` with the workspace and the mail service. Raise LabFilesError if it has a credential for another
    workspace.
    """
    bindings = [one for one in parse_stream(io.StringIO(text)) if one.key is not None]
    present = {str(one.key): one.value for one in bindings if one.value}
    variables = {EXPECTED_ID: outputs.workspace_id, EXPECTED_HOST: outputs.workspace_url}
    notes = []
    if PROFILE in present:
        notes.append(f"{name} uses the profile {present[PROFILE]}, whose host must be {outputs.workspace_url}.")
    else:
        host = URL if URL in present and HOST not in present else HOST
        _check_credentials(name, present, host, outputs.workspace_url)
        variables = {host: outputs.workspace_url, **variables}
    variables[CONNECTION_STRING] = outputs.mail_connection_string
    if outputs.mail_sender:
        variables[SENDER] = outputs.mail_sender
    else:
        notes.append(
            f"{SENDER} stays empty: the mail domain is not connected yet. Verify it, set mail.domain_is_verified and "
            "apply again (docs/azure.md)."
        )
    after = text
    for variable, value in variables.items():
        after = _with_variable(after, variable, value)
    return Change(name, text, after, tuple(notes))


def _check_credentials(name: str, present: Mapping[str, str | None], host: str, url: str) -> None:
    """Raise LabFilesError if a credential would be sent to another host than before."""
    credentials = [variable for variable in CREDENTIAL_VARIABLES if variable in present]
    if credentials and (present.get(host) or "").rstrip("/") != url:
        raise LabFilesError(
            f"{name} has {' and '.join(credentials)} for another workspace than {url}; remove it, or set {host} to "
            "that address if it belongs there, and try again."
        )


def _with_variable(text: str, variable: str, value: str) -> str:
    """Return the text with this variable: in its last line, else after its commented line, else at the end."""
    bindings = list(parse_stream(io.StringIO(text)))
    found = [number for number, one in enumerate(bindings) if one.key == variable]
    written = value if _PLAIN_VALUE.fullmatch(value) else f"'{value}'"
    if found:
        last = found[-1]
        if bindings[last].value == value:
            return text
        parts = [one.original.string for one in bindings]
        parts[last] = _replaced(bindings[last], written)
        return "".join(parts)
    line = f"{variable}={written}\n"
    if commented := re.search(rf"^[ \t]*#[ \t]*{variable}=.*(\n|$)", text, re.M):
        head = text[: commented.end()]
        return head + ("" if head.endswith("\n") else "\n") + line + text[commented.end() :]
    return text + ("" if text.endswith("\n") or not text else "\n") + line


def _replaced(binding: Binding, written: str) -> str:
    """Return a variable's line with another value; what surrounds the value stays."""
    original = binding.original.string
    body = original.rstrip("\r\n")
    comment = _COMMENT.search(body)
    # Inside quotes, a number sign is part of the value.
    kept = comment[0] if comment and comment[0].strip() not in (binding.value or "") else ""
    head, _, value = body.partition("=")
    blanks = value[: len(value) - len(value.lstrip(" \t"))]
    return f"{head}={blanks}{written}{kept}{original[len(body) :]}"


def diff_lines(change: Change, *, shown: Sequence[str] | None = None) -> Iterator[str]:
    """Yield the lines of a unified diff. With `shown`, only these variables' values are shown."""
    lines = difflib.unified_diff(
        change.before.splitlines(),
        change.after.splitlines(),
        change.name,
        change.name,
        lineterm="",
        n=0 if shown is not None else 2,
    )
    for number, line in enumerate(lines):
        yield line if number < 2 or shown is None else _without_value(line, shown)


def _without_value(line: str, shown: Sequence[str]) -> str:
    """Return a line of a diff of variables; without its value unless it may be shown."""
    variable, equals, _ = line[1:].partition("=")
    name = variable.strip().lstrip("#").removeprefix("export").strip()
    if line.startswith("@@") or (equals and name in shown):
        return line
    return f"{line[:1]}{variable}={HIDDEN}" if equals else f"{line[:1]}{HIDDEN}"
