"""What Terraform says under cdktf-cli, line by line, as events that can be counted and shown. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9])")
DONE = re.compile(
    r"(?P<address>[a-z][a-z0-9_]*\.\S+)(?: \(.*\))?: "
    r"(?P<what>Creation|Modifications|Destruction) complete after (?P<time>\S+)"
)
PLANNED = re.compile(r"# (?P<address>[a-z][a-z0-9_]*\.\S+)(?: \(.*\))? (?P<what>(?:will|must) be .+)")
TOTALS = re.compile(r"Plan: (?:\d+ to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy\.")
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


@dataclass
class Progress:
    """How far a plan and its application are; fed with lines, in their order."""

    stack: str
    planned: dict[str, str] = field(default_factory=dict)
    """Address → create, change, replace or destroy."""
    total: int = 0
    """How many single actions the plan announced."""
    done: Counter[str] = field(default_factory=Counter)
    """Kind of object, in words → how many actions on it are complete."""
    errors: list[str] = field(default_factory=list)
    """First lines of Terraform's error boxes."""
    warnings: list[str] = field(default_factory=list)
    latest: str = ""
    """The address of what was finished last."""

    def feed(self, raw: str) -> str:
        """Take in one line; return it as a person would read it, empty if it says nothing."""
        line = readable(raw, self.stack)
        if found := DONE.search(line):
            self.done[kind(found["address"])] += 1
            self.latest = found["address"]
        elif found := TOTALS.search(line):
            self.total = sum(map(int, found.groups()))
        elif found := PLANNED.search(line):
            self.planned[found["address"]] = action(found["what"])
        elif (text := line.lstrip("│╷ ")).startswith("Error: "):
            self.errors.append(text)
        elif text.startswith("Warning: ") and text not in self.warnings:
            self.warnings.append(text)
        return line

    @property
    def finished(self) -> int:
        """How many actions are complete."""
        return sum(self.done.values())

    def summary(self) -> str:
        """What is complete, in words: `97 accounts, 30 groups`."""
        return counted(self.done)


def readable(raw: str, stack: str) -> str:
    """A line without escape codes and without the stack's name that cdktf-cli puts before it."""
    line = ESCAPES.sub("", raw).replace("\r", "").rstrip()
    return line.removeprefix(stack).rstrip() if line.startswith(stack) else line


def action(words: str) -> str:
    """`will be updated in-place` → `change`."""
    said = words.removeprefix("will be ").removeprefix("must be ")
    return next((verb for start, verb in PLANNED_WORDS.items() if said.startswith(start)), said)


def kind(address: str) -> str:
    """What an address is, in words; Terraform's type where we have no word."""
    return KINDS.get(address.partition(".")[0], address.partition(".")[0])


def counted(kinds: Counter[str]) -> str:
    """`{"account": 97, "policy": 1}` → `97 accounts, 1 policy`."""
    return ", ".join(f"{count} {name if count == 1 else plural(name)}" for name, count in kinds.most_common())


def plural(name: str) -> str:
    """The plural of one of our words."""
    if name == "stop after creation":
        return "stops after creation"
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
