"""Texts of the field inside Terraform's JSON, where a dollar or a percent sign before a brace begins an expression."""

import string
from collections.abc import Iterable, Mapping
from typing import Any

from stack.framework import Construct, TerraformStack

EACH = "${each.key}"

# Each of these begins or is what nothing else begins with, so that a label can be read in one way only.
_LABELS = {".": "-", "-": "_-", "_": "__", "@": "_at_"}
_PLAIN = frozenset(string.ascii_letters + string.digits)


def literal(text: str) -> str:
    """The text as Terraform must read it to mean exactly that text, in a string or in quotes inside an expression."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${").replace("%{", "%%{")


def template(text: str) -> str:
    """The text as the value of a string in Terraform's JSON, where only braces after $ and % mean something."""
    return text.replace("${", "$${").replace("%{", "%%{")


def templates(texts: Mapping[str, str]) -> dict[str, str]:
    """A table of texts, keys included, for Terraform's JSON."""
    return {template(key): template(value) for key, value in texts.items()}


def for_each(names: Iterable[str]) -> dict[str, str]:
    """The `for_each` of one resource a name."""
    return {template(name): template(name) for name in names}


def label(text: str) -> str:
    """A text as part of a resource's name, no two texts alike: `dana.levi@campus.il` is `dana-levi_at_campus-il`."""
    return "".join(_LABELS.get(char, char if char in _PLAIN else f"_x{ord(char):x}_") for char in text)


def add_blocks(scope: Construct, path: str, blocks: Mapping[str, Mapping[str, Any]]) -> None:
    """Add many blocks of one type, by name, to the stack: `resource.databricks_user` and `{"student_dana": {…}}`.

    For hundreds of small resources. A construct for each would take the bindings longer than all the rest; one with
    `for_each` takes Terraform minutes, because each reference to an instance reads all of them.
    """
    stack = TerraformStack.of(scope)
    for name, block in blocks.items():
        stack.add_override(f"{path}.{name}", block)
