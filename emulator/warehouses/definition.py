"""Reads and checks the definition of a warehouse in a request."""

from dataclasses import dataclass
from typing import Any

from emulator.api import custom_tags
from emulator.api.errors import invalid

SIZES = (
    "2X-Small",
    "X-Small",
    "Small",
    "Medium",
    "Large",
    "X-Large",
    "2X-Large",
    "3X-Large",
    "4X-Large",
    "5X-Large",
)
SPOT_POLICIES = ("COST_OPTIMIZED", "RELIABILITY_OPTIMIZED", "POLICY_UNSPECIFIED")
TYPES = ("PRO", "CLASSIC")
MAX_CLUSTERS = 40
NAME_LENGTH = 100
MIN_AUTO_STOP = 10
"""Minutes; 0 means that the warehouse never stops by itself."""
DEFAULTS: dict[str, Any] = {
    "cluster_size": "Medium",
    "auto_stop_mins": 120,
    "enable_photon": True,
    "min_num_clusters": 1,
    "max_num_clusters": 1,
    "spot_instance_policy": "COST_OPTIMIZED",
    "warehouse_type": "CLASSIC",
    "enable_serverless_compute": False,
}
"""Values of a new warehouse for fields that the request does not contain."""


@dataclass(frozen=True)
class Definition:
    """A valid definition of a warehouse."""

    name: str
    cluster_size: str
    auto_stop_minutes: int
    serverless: bool
    photon: bool
    min_clusters: int
    max_clusters: int
    spot_policy: str
    type: Any
    channel: dict[str, Any]
    tags: dict[str, Any] | None


def parse_definition(sent: dict[str, Any], current: dict[str, Any] | None = None) -> Definition:
    """Return the definition in a request; fields that it does not contain are those of `current`, or the defaults.

    Raises 400 INVALID_PARAMETER_VALUE for an invalid value.
    """
    given = {name: value for name, value in sent.items() if value not in (None, "")}
    fields = DEFAULTS | (current or {}) | given
    if given.get("enable_serverless_compute") and not given.get("warehouse_type"):
        fields["warehouse_type"] = "PRO"
    if fields["enable_serverless_compute"] and fields["warehouse_type"] != "PRO":
        raise invalid("Serverless compute is only supported for PRO warehouses.")
    min_clusters = _number(fields, "min_num_clusters", 1, MAX_CLUSTERS)
    max_clusters = _number(fields, "max_num_clusters", 1, MAX_CLUSTERS)
    if max_clusters < min_clusters:
        raise invalid("max_num_clusters must be greater than or equal to min_num_clusters.")
    return Definition(
        name=_name(fields.get("name")),
        cluster_size=_choice(fields, "cluster_size", SIZES),
        auto_stop_minutes=_auto_stop(fields),
        serverless=_flag(fields, "enable_serverless_compute"),
        photon=_flag(fields, "enable_photon"),
        min_clusters=min_clusters,
        max_clusters=max_clusters,
        spot_policy=_choice(fields, "spot_instance_policy", SPOT_POLICIES),
        type=_choice(fields, "warehouse_type", TYPES),
        channel=_channel(fields.get("channel")),
        tags=_tags(fields.get("tags")),
    )


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise invalid("SQL warehouse name cannot be empty.")
    if len(value) >= NAME_LENGTH:
        raise invalid(f"SQL warehouse name must be shorter than {NAME_LENGTH} characters.")
    return value


def _auto_stop(fields: dict[str, Any]) -> int:
    minutes = _number(fields, "auto_stop_mins", 0, 10**6)
    if 0 < minutes < MIN_AUTO_STOP:
        raise invalid(f"auto_stop_mins must be 0 or at least {MIN_AUTO_STOP} minutes, not {minutes}.")
    return minutes


def _number(fields: dict[str, Any], name: str, minimum: int, maximum: int) -> int:
    value = fields[name]
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise invalid(f"{name} must be between {minimum} and {maximum}, not {value!r}.")
    return value


def _flag(fields: dict[str, Any], name: str) -> bool:
    if not isinstance(fields[name], bool):
        raise invalid(f"{name} must be a boolean, not {fields[name]!r}.")
    return bool(fields[name])


def _choice(fields: dict[str, Any], name: str, choices: tuple[str, ...]) -> str:
    if fields[name] not in choices:
        raise invalid(f"{fields[name]!r} is not a supported {name}; supported are {', '.join(choices)}.")
    return str(fields[name])


def _channel(value: Any) -> dict[str, Any]:
    channel = {"name": "CHANNEL_NAME_CURRENT"} if value is None else value
    if not isinstance(channel, dict):
        raise invalid("channel must be an object.")
    return channel or {"name": "CHANNEL_NAME_CURRENT"}


def _tags(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    pairs = value.get("custom_tags", []) if isinstance(value, dict) else None
    if not isinstance(pairs, list) or not all(isinstance(pair, dict) and "key" in pair for pair in pairs):
        raise invalid("tags must be an object with custom_tags, a list of objects with key and value.")
    custom_tags.check({str(pair["key"]): None for pair in pairs}, "A SQL warehouse")
    return {"custom_tags": [{"key": str(pair["key"]), "value": str(pair.get("value") or "")} for pair in pairs]}
