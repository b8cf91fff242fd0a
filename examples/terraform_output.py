"""Parses Terraform's output under cdktf-cli line by line into progress and messages. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9])")
# cdktf-cli puts the construct's path between the address and the `for_each` key.
ADDRESS = r"(?P<address>[a-z][a-z0-9_]*\.[\w-]+)(?: \([^)]*\))?(?P<key>\[[^\]]*\])?"
DONE = re.compile(rf"^\s*{ADDRESS}: (?:Creation|Modifications|Destruction) complete after ")
READ = re.compile(r": (?:Refreshing state|Read complete)")
PLANNED = re.compile(rf"^\s*# {ADDRESS} (?P<what>(?:will|must) be .+)")
TOTALS = re.compile(r"Plan: (?:\d+ to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy\.")
# The first paragraph of a message is its location in the synthesized JSON, which is not useful here.
LOCATION = re.compile(r"^(?:on |with |\d+: |[├│])")
KINDS = {
    "databricks_user": "account",
    "databricks_group": "group",
    "databricks_group_member": "membership",
    "databricks_entitlements": "entitlement set",
    "databricks_cluster": "cluster",
    "databricks_cluster_policy": "policy",
    "databricks_permissions": "permission",
    "databricks_directory": "folder",
    "databricks_workspace_file": "file",
    "terraform_data": "stop after creation",
}
PLANNED_WORDS = {"created": "create", "destroyed": "destroy", "updated in-place": "change", "replaced": "replace"}
PLURALS = {"stop after creation": "stops after creation", "policy": "policies"}


@dataclass
class Message:
    """A warning or an error: its headline and its explanation."""

    headline: str
    text: str = ""

    def __str__(self) -> str:
        if self.headline == "Warning: Check block assertion failed":
            return f"Warning: {self.text}"
        return f"{self.headline} {self.text}".rstrip()


@dataclass
class Progress:
    """The progress of a plan and its apply, updated with each line of output."""

    stack: str
    planned: dict[str, str] = field(default_factory=dict)
    """Maps each address to its planned action: create, change, replace or destroy."""
    total: int = 0
    """The number of planned actions."""
    read: int = 0
    """The number of objects that were read from the workspace."""
    done: Counter[str] = field(default_factory=Counter)
    """The number of completed actions per kind of object."""
    messages: list[Message] = field(default_factory=list)
    latest: str = ""
    """The address of the last completed action."""
    _in_message: bool = False

    def feed(self, raw: str) -> str:
        """Parse one line; return it as plain text, or an empty string."""
        line = plain_line(raw, self.stack)
        text = line.strip()
        if raw.startswith(self.stack) and self.messages and self.messages[-1].text:
            # A new block of output ends the explanation of the last message.
            self._in_message = False
        if text.startswith(("Error: ", "Warning: ")):
            self.messages.append(Message(text))
            # Terraform's headlines are followed by an explanation; our own warnings are complete and end with a period.
            self._in_message = not (text.startswith("Warning: ") and text.endswith("."))
        elif found := DONE.search(line):
            self._in_message = False
            self.done[kind(found["address"])] += 1
            self.latest = found["address"] + (found["key"] or "")
        elif found := TOTALS.search(line):
            self._in_message = False
            self.total = sum(map(int, found.groups()))
        elif found := PLANNED.search(line):
            self.planned[found["address"] + (found["key"] or "")] = action(found["what"])
        elif READ.search(line):
            self.read += 1
        elif self._in_message and not LOCATION.search(text):
            self._explain(text)
        return line

    @property
    def finished(self) -> int:
        """Return the number of completed actions."""
        return sum(self.done.values())

    @property
    def stage(self) -> str:
        """Return the current stage: `reading the workspace (214)`, `120 of 352`."""
        if self.total:
            return f"{self.finished} of {self.total}"
        return f"reading the workspace ({self.read})" if self.read else "preparing"

    def summary(self) -> str:
        """Return a summary of the completed actions: `97 accounts, 30 groups`."""
        return counted(self.done)

    def _explain(self, text: str) -> None:
        message = self.messages[-1]
        if text:
            message.text = f"{message.text} {text}".lstrip()
        elif message.text:
            self._in_message = False


def plain_line(raw: str, stack: str) -> str:
    """Return a line without escape codes and without the stack's name that cdktf-cli prepends."""
    line = ESCAPES.sub("", raw).replace("\r", "").rstrip()
    return line.removeprefix(stack).rstrip() if line.startswith(stack) else line


def action(arguments: str) -> str:
    """Return the action that a phrase in a plan means: `change` for `will be updated in-place`."""
    output = arguments.removeprefix("will be ").removeprefix("must be ")
    return next((verb for start, verb in PLANNED_WORDS.items() if output.startswith(start)), output)


def kind(address: str) -> str:
    """Return the kind of object at an address; Terraform's type if there is no name for the kind."""
    return KINDS.get(address.partition(".")[0], address.partition(".")[0])


def counted(kinds: Counter[str]) -> str:
    """Format counts: `{"account": 97, "policy": 1}` becomes `97 accounts, 1 policy`."""
    return ", ".join(
        f"{count} {name if count == 1 else PLURALS.get(name, f'{name}s')}" for name, count in kinds.most_common()
    )
