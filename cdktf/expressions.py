"""Texts of the field inside Terraform's JSON, where a dollar or a percent sign before a brace begins an expression."""

from collections.abc import Iterable, Mapping

EACH = "${each.key}"


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
