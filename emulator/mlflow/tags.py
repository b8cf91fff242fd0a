"""Tags of experiments and models."""

from collections.abc import Mapping
from typing import Any

from emulator.api.errors import invalid


def parse_tags(value: Any) -> dict[str, str]:
    """Return the tags of a request. Raises 400 unless it is a list of objects with a key and a text."""
    tags = value or []
    if not isinstance(tags, list) or not all(_is_tag(one) for one in tags):
        raise invalid("tags must be a list of objects with the texts key and value")
    return {one["key"]: one.get("value", "") for one in tags}


def describe_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _is_tag(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(one.get("key"), str)
        and one["key"]
        and isinstance(one.get("value", ""), str)
    )
