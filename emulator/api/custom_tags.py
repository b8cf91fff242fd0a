"""Checks custom tags of compute, which become tags of Azure resources and must obey Azure's rules. Pure."""

from typing import Any

from emulator.api.errors import invalid

TAG_LIMIT = 45
KEY_LENGTHS = range(1, 513)
"""Permitted number of characters in a key."""
FORBIDDEN = frozenset("<>*&%;\\/+?")
"""Characters that a key cannot contain."""


def check(tags: Any, owner: str) -> None:
    """Check the custom tags in a definition. Raises 400 INVALID_PARAMETER_VALUE if Azure would reject them.

    `owner` is what has the tags, such as `A cluster`.
    """
    if tags is None:
        return
    if not isinstance(tags, dict) or len(tags) > TAG_LIMIT:
        raise invalid(f"{owner} can have at most {TAG_LIMIT} custom tags.")
    if "Name" in tags:
        raise invalid("The key 'Name' cannot be used for a custom tag: it is reserved for the instances.")
    for key in tags:
        if len(key) not in KEY_LENGTHS:
            raise invalid(f"The key of a custom tag must have 1 to {KEY_LENGTHS.stop - 1} characters, not {len(key)}.")
        if FORBIDDEN & set(key):
            raise invalid(f"The key {key!r} of a custom tag must not contain any of {''.join(sorted(FORBIDDEN))}")
        if any(ord(character) > 255 for character in key):
            raise invalid(f"The key {key!r} of a custom tag can only contain characters of ISO 8859-1 (Latin-1).")
