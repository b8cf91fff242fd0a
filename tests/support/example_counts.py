"""How many examples of a property `make quick`, `make test` and `make acceptance` try."""

from __future__ import annotations

from hypothesis import settings

DEFAULT_EXAMPLES = 100
"""The number of `make test`; the profile of `make quick` has fewer, that of `make acceptance` more.

Which profile applies is decided before test modules are read.
"""


def at_most_examples(number: int) -> settings:
    """At most `number` in `make test`, and as many as its profile says in `make acceptance`: for pure functions."""
    usual = settings().max_examples
    return settings(max_examples=usual if usual > DEFAULT_EXAMPLES else min(usual, number))


def exactly_examples(number: int, *, acceptance: int | None = None) -> settings:
    """Exactly `number` in `make test`, no more than its profile says in `make quick`: for what takes long.

    `make acceptance` tries `acceptance`, or the same number.
    """
    usual = settings().max_examples
    if usual > DEFAULT_EXAMPLES:
        return settings(max_examples=acceptance or number)
    return settings(max_examples=min(usual, number) if usual < DEFAULT_EXAMPLES else number)
