"""Unexpected JSON values, by themselves and in place of parts of an expected document."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

DEEPLY_NESTED: Any = json.loads("[" * 400 + "]" * 400)
UNEXPECTED_VALUES = st.sampled_from(
    [
        None, {}, [], "", "x", "\ud800", "\x00", "x" * 300, "yesterday", 0, -1, 1.5, 10**15, 10**30, True, False,
        float("inf"), float("nan"), [None], [{}], [[]], {"": None}, "Asia", "9999-12-31", "0001-01-01", DEEPLY_NESTED,
    ]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | UNEXPECTED_VALUES
JSON_VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
Path = tuple[str | int, ...]
REMOVED = object()
Mutation = Callable[[Any], Any]


def paths_in(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path to every part of a JSON value, including the value itself."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_in(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from paths_in(inner, (*path, number))


def with_replacement(value: Any, path: Path, odd: Any) -> Any:
    """Return a copy of the value with a different value, or nothing, at a path."""
    if not path:
        return None if odd is REMOVED else odd
    changed = copy.deepcopy(value)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    if odd is REMOVED:
        del inner[path[-1]]
    else:
        inner[path[-1]] = odd
    return changed


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """Return a function that copies a value and replaces one or two parts of the copy."""
    shares = draw(
        st.lists(st.tuples(st.floats(0, 1, exclude_max=True), JSON_VALUES | st.just(REMOVED)), min_size=1, max_size=2)
    )

    def damage(value: Any) -> Any:
        for share, odd in shares:
            ways = list(paths_in(value))
            value = with_replacement(value, ways[int(share * len(ways))], odd)
        return value

    return damage
