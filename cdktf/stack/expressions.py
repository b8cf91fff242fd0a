"""Escapes strings for Terraform's JSON, in which a dollar or percent sign before a brace begins an expression."""

import string
from collections.abc import Iterable, Mapping
from typing import Any

from stack.framework import Construct, TerraformStack

EACH = "${each.key}"

# No replacement is a prefix of another sequence, so that each label has exactly one source text.
_LABELS = {".": "-", "-": "_-", "_": "__", "@": "_at_"}
_PLAIN = frozenset(string.ascii_letters + string.digits)


def literal(text: str) -> str:
    """Escape a text for a quoted string inside an expression."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${").replace("%{", "%%{")


def template(text: str) -> str:
    """Escape a text for a string in Terraform's JSON, where only braces after $ and % are special."""
    return text.replace("${", "$${").replace("%{", "%%{")


def templates(texts: Mapping[str, str]) -> dict[str, str]:
    """Escape a table of texts, including its keys, for Terraform's JSON."""
    return {template(key): template(value) for key, value in texts.items()}


def for_each(names: Iterable[str]) -> dict[str, str]:
    """Return a `for_each` with one resource for each name."""
    return {template(name): template(name) for name in names}


def label(text: str) -> str:
    """Return a text as part of a resource name; different texts get different labels.

    `dana.levi@campus.il` becomes `dana-levi_at_campus-il`.
    """
    return "".join(_LABELS.get(char, char if char in _PLAIN else f"_x{ord(char):x}_") for char in text)


def add_blocks(scope: Construct, path: str, blocks: Mapping[str, Mapping[str, Any]]) -> None:
    """Add many blocks of one type, by name, to the stack: `resource.databricks_user` and `{"student_dana": {…}}`.

    For hundreds of small resources. One construct for each would take longer in the bindings than all other constructs;
    one resource with `for_each` takes Terraform minutes, because each reference to an instance reads all instances.
    """
    stack = TerraformStack.of(scope)
    for name, block in blocks.items():
        stack.add_override(f"{path}.{name}", block)
