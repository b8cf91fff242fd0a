"""Escapes strings for Terraform's JSON, in which a dollar or percent sign before a brace begins an expression."""

import string
from collections.abc import Iterable, Mapping

EACH = "${each.key}"

# No replacement is a prefix of another sequence, so that each label has exactly one source string.
_LABELS = {".": "-", "-": "_-", "_": "__", "@": "_at_"}
_PLAIN = frozenset(string.ascii_letters + string.digits)


def literal(text: str) -> str:
    """Escape a string for use in quotation marks inside an expression."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${").replace("%{", "%%{")


def template(text: str) -> str:
    """Escape a string for Terraform's JSON, where only braces after $ and % are special."""
    return text.replace("${", "$${").replace("%{", "%%{")


def templates(texts: Mapping[str, str]) -> dict[str, str]:
    """Escape the keys and values of a dict of strings for Terraform's JSON."""
    return {template(key): template(value) for key, value in texts.items()}


def for_each(names: Iterable[str]) -> dict[str, str]:
    """Return a `for_each` that creates one resource per name."""
    return {template(name): template(name) for name in names}


def label(text: str) -> str:
    """Turn a string into a part of a resource name; different strings give different labels.

    `dana.levi@campus.il` becomes `dana-levi_at_campus-il`.
    """
    return "".join(_LABELS.get(char, char if char in _PLAIN else f"_x{ord(char):x}_") for char in text)
