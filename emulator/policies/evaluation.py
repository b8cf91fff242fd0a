"""Evaluates a policy's rules on a cluster definition. Pure.

A rule has a path: `node_type_id`, `autoscale.max_workers`, `init_scripts.0.volumes.destination`, or
`spark_conf.spark.master` (in a map, the rest of the path is one key, including dots). With `*` it applies to all
elements of a list, or all keys of a map without their own rule: `init_scripts.*.volumes.destination`, `custom_tags.*`.
Some attributes are not in the definition itself: `cluster_type`, and `cluster_log_conf.type` and `.path`, which are
derived from `dbfs.destination` and similar fields. `dbus_per_hour` is accepted but ignored, because the emulator has no
prices.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MAPS = ("spark_conf", "spark_env_vars", "custom_tags")
Path = tuple[str, ...]
_MISSING = object()


def parse_attribute_path(path: str) -> Path:
    first, dot, rest = path.partition(".")
    if first in MAPS and dot:
        return (first, rest)
    return tuple(path.split("."))


def validate_definition(definition: Any) -> list[str]:
    """Return the problems in a policy's rules; empty if they are valid."""
    if not isinstance(definition, dict):
        return ["the definition must be a JSON object"]
    problems = []
    for path, rule in definition.items():
        if not isinstance(rule, dict) or rule.get("type") not in TYPES:
            problems.append(f"{path} must have a type out of {', '.join(TYPES)}")
            continue
        needed = _NEEDED.get(rule["type"])
        if needed and not any(name in rule for name in needed):
            problems.append(f"{path} of type {rule['type']} must have {' or '.join(needed)}")
        elif rule["type"] == "range" and not all(_is_number(rule.get(name, 0)) for name in ("minValue", "maxValue")):
            problems.append(f"{path} must have numbers for minValue and maxValue")
        elif rule["type"] == "regex" and not _is_pattern(rule["pattern"]):
            problems.append(f"{path} has a pattern that is not a regular expression")
        elif rule["type"] in ("allowlist", "blocklist") and not isinstance(rule["values"], list):
            problems.append(f"{path} must have a list of values")
    return problems


def evaluate(
    definition: Mapping[str, Mapping[str, Any]], spec: Mapping[str, Any], use_defaults: bool, kind: str = "all-purpose"
) -> tuple[dict[str, Any], list[str]]:
    """Return the cluster definition with fixed values (and defaults, if requested), and the violations of rules.

    `kind` is the value for `cluster_type` in rules.
    """
    result = copy.deepcopy(dict(spec))
    problems: list[str] = []
    ruled = {parse_attribute_path(path) for path in definition}
    # Fixed values are set first, so that the other rules see the final values.
    for path, rule in sorted(definition.items(), key=lambda item: item[1]["type"] != "fixed"):
        path_parts = parse_attribute_path(path)
        if path_parts == ("dbus_per_hour",):
            continue
        if "*" in path_parts:
            for matched in _expand_wildcards(result, path_parts):
                if matched not in ruled:
                    problems.extend(_check(matched, rule, _value(result, matched)))
            continue
        value = kind if path_parts == ("cluster_type",) else _value(result, path_parts)
        if value is _MISSING:
            problems.extend(_apply_to_missing(result, path_parts, rule, use_defaults))
        else:
            problems.extend(_check(path_parts, rule, value))
    return result, problems


def _apply_to_missing(
    spec: dict[str, Any], path_parts: Path, rule: Mapping[str, Any], use_defaults: bool
) -> Iterator[str]:
    """Set a missing attribute to its fixed or default value, or yield a violation if it is required."""
    kind = rule["type"]
    if kind == "forbidden":
        return
    if kind == "fixed":
        if not rule.get("isOptional") or use_defaults:
            _set_value(spec, path_parts, rule["value"])
    elif use_defaults and rule.get("defaultValue") is not None:
        _set_value(spec, path_parts, rule["defaultValue"])
    elif not rule.get("isOptional"):
        # A definition has num_workers or autoscale; the other attribute is not missing.
        if path_parts == ("num_workers",) and "autoscale" in spec:
            return
        if path_parts[0] == "autoscale" and "autoscale" not in spec and "num_workers" in spec:
            return
        matched, name = (path_parts[0], path_parts[1]) if path_parts[0] in MAPS else (".".join(path_parts), "the value")
        yield f"Validation failed for {matched}, {name} must be present"


def _check(path_parts: Path, rule: Mapping[str, Any], value: Any) -> Iterator[str]:
    complaint = TYPES[rule["type"]](rule, value)
    if complaint:
        yield f'Validation failed for {".".join(path_parts)}, the value must {complaint} (is "{_text(value)}")'


def _fixed(rule: Mapping[str, Any], value: Any) -> str:
    return "" if _equal(rule["value"], value) else f"be {_text(rule['value'])}"


def _forbidden(rule: Mapping[str, Any], value: Any) -> str:
    return "not be present"


def _allowlist(rule: Mapping[str, Any], value: Any) -> str:
    allowed = any(_equal(each, value) for each in rule["values"])
    return "" if allowed else "be one of " + ", ".join(map(_text, rule["values"]))


def _blocklist(rule: Mapping[str, Any], value: Any) -> str:
    blocked = any(_equal(each, value) for each in rule["values"])
    return "not be one of " + ", ".join(map(_text, rule["values"])) if blocked else ""


def _range(rule: Mapping[str, Any], value: Any) -> str:
    if not _is_number(value):
        return "be a number"
    number = float(value)
    minimum, maximum = rule.get("minValue"), rule.get("maxValue")
    if minimum is not None and number < float(minimum):
        return f"be at least {_text(minimum)}"
    if maximum is not None and number > float(maximum):
        return f"be at most {_text(maximum)}"
    return ""


def _regex(rule: Mapping[str, Any], value: Any) -> str:
    return "" if re.fullmatch(rule["pattern"], _text(value)) else f"match {rule['pattern']}"


def _unlimited(rule: Mapping[str, Any], value: Any) -> str:
    return ""


TYPES: dict[str, Callable[[Mapping[str, Any], Any], str]] = {
    "fixed": _fixed,
    "forbidden": _forbidden,
    "allowlist": _allowlist,
    "blocklist": _blocklist,
    "range": _range,
    "regex": _regex,
    "unlimited": _unlimited,
}
"""Rule type → check. A check returns the words after `the value must`, or an empty string for a valid value."""
_NEEDED: dict[str, tuple[str, ...]] = {
    "fixed": ("value",),
    "allowlist": ("values",),
    "blocklist": ("values",),
    "range": ("minValue", "maxValue"),
    "regex": ("pattern",),
}


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _is_pattern(pattern: Any) -> bool:
    try:
        re.compile(pattern)
    except (re.error, TypeError, OverflowError, RecursionError):
        return False
    return True


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _equal(one: Any, other: Any) -> bool:
    """Return whether two values are equal. `true` equals `"true"`, and 3 equals `"3"`, since rules and definitions mix
    them."""
    return bool(one == other) or _text(one) == _text(other)


def _value(spec: Mapping[str, Any], path_parts: Path) -> Any:
    if path_parts[0] == "cluster_log_conf" and path_parts[1:] in (("type",), ("path",)):
        return _log_value(spec, path_parts[1])
    value: Any = spec
    for name in path_parts:
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return _MISSING
    return _MISSING if value is None else value


def _log_value(spec: Mapping[str, Any], part: str) -> Any:
    destinations = spec.get("cluster_log_conf")
    if not isinstance(destinations, Mapping) or not destinations:
        return _MISSING
    kind, destination = next(iter(destinations.items()))
    if part == "type":
        return str(kind).upper()
    return destination.get("destination", _MISSING) if isinstance(destination, Mapping) else _MISSING


def _set_value(spec: dict[str, Any], path_parts: Path, value: Any) -> None:
    if path_parts[0] == "cluster_log_conf" and path_parts[1:] in (("type",), ("path",)):
        _set_log_value(spec, path_parts[1], value)
        return
    if path_parts[0] in MAPS:
        value = _text(value)
    holder: Any = spec
    for name, following in zip(path_parts, (*path_parts[1:], ""), strict=True):
        last = following == ""
        new = value if last else [] if following.isdigit() else {}
        if isinstance(holder, list):
            if not name.isdigit() or int(name) > len(holder):
                return
            if int(name) == len(holder):
                holder.append(new)
            elif last:
                holder[int(name)] = new
            holder = holder[int(name)]
        elif isinstance(holder, dict):
            if last or holder.get(name) is None:
                holder[name] = new
            holder = holder[name]
        else:
            return


def _set_log_value(spec: dict[str, Any], part: str, value: Any) -> None:
    current = spec.get("cluster_log_conf")
    kind, destination = next(iter(current.items())) if isinstance(current, dict) and current else ("dbfs", {})
    if part == "type":
        if value == "NONE":
            return
        kind = str(value).lower()
    else:
        destination = {**(destination if isinstance(destination, dict) else {}), "destination": value}
    spec["cluster_log_conf"] = {kind: destination}


def _expand_wildcards(spec: Mapping[str, Any], path_parts: Path) -> list[Path]:
    """Return the existing paths that match a path with `*`."""
    found: list[tuple[Path, Any]] = [((), spec)]
    for name in path_parts:
        following: list[tuple[Path, Any]] = []
        for matched, value in found:
            if isinstance(value, list):
                named = {str(position): each for position, each in enumerate(value)}
            else:
                named = dict(value) if isinstance(value, Mapping) else {}
            names = named if name == "*" else [name] if name in named else []
            following.extend(((*matched, each), named[each]) for each in names)
        found = following
    return [matched for matched, value in found if value is not None]
