"""The resources in a synthesized stack as Terraform would create them, with expressions replaced by values. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_REFERENCE = re.compile(r'\$\{((?:data\.)?\w+\.[\w-]+(?:\["[^"]+"\])?)\.(\w+)\}')
# In a new lab, no group has reached a limit.
_UNRESTRICTED = re.compile(r'\$\{contains\(keys\(data\.external\.restricted\.result\), "[^"]*"\) \? "\w+" : "(\w+)"\}')


@dataclass(frozen=True)
class Instance:
    """One resource as Terraform would create it: `databricks_user.student["dana@…"]` and its arguments."""

    address: str
    arguments: Mapping[str, Any]


class Resources:
    """The resources in one stack. Attributes that the workspace assigns, such as ids, are stored for references."""

    def __init__(self, stack: Mapping[str, Any]) -> None:
        self._stack = stack
        self._attributes: dict[str, dict[str, str]] = {}

    def set_attributes(self, instance: Instance, **attributes: str) -> None:
        """Store attributes that the workspace assigned."""
        self._attributes[instance.address] = attributes

    def instances(self, section: str, kind: str) -> list[Instance]:
        """Return all instances of a resource type, with `for_each` expanded and references to stored attributes
        resolved.
        """
        found = []
        prefix = "data." if section == "data" else ""
        for name, arguments in self._stack.get(section, {}).get(kind, {}).items():
            keys = arguments.get("for_each")
            if keys is None:
                found.append(Instance(f"{prefix}{kind}.{name}", self._resolved(arguments, {})))
                continue
            for key, value in keys.items():
                each = {"key": key, "value": self._resolved(value, {})}
                rest = {argument: given for argument, given in arguments.items() if argument != "for_each"}
                found.append(Instance(f'{prefix}{kind}.{name}["{_unescaped(key)}"]', self._resolved(rest, each)))
        return found

    def _resolved(self, value: Any, each: Mapping[str, Any]) -> Any:
        if isinstance(value, dict):
            return {key: self._resolved(inner, each) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._resolved(inner, each) for inner in value]
        if not isinstance(value, str):
            return value
        if value == "${each.key}":
            return _unescaped(each["key"])
        if value.startswith("${each.value"):
            inner = each["value"]
            return inner if value == "${each.value}" else inner[value.removeprefix("${each.value.").removesuffix("}")]
        if reference := _REFERENCE.fullmatch(value):
            return self._attributes.get(reference[1], {}).get(reference[2], value)
        if unrestricted := _UNRESTRICTED.fullmatch(value):
            return unrestricted[1]
        return _unescaped(value)


def _unescaped(text: str) -> str:
    """Return a string without Terraform's escapes."""
    return text.replace("$${", "${").replace("%%{", "%{")
