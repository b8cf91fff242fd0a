"""The number of Hypothesis examples in `make quick`, `make test` and `make acceptance`."""

from __future__ import annotations

from hypothesis import settings

DEFAULT_EXAMPLES = 100
"""Examples in `make test`; the profile for `make quick` has fewer, the profile for `make acceptance` more.

The profile is chosen before test modules are imported.
"""


def at_most_examples(number: int) -> settings:
    """Try at most `number` examples in `make test`, the profile's number in `make acceptance`: for pure functions."""
    usual = settings().max_examples
    return settings(max_examples=usual if usual > DEFAULT_EXAMPLES else min(usual, number))


def exactly_examples(number: int, *, acceptance: int | None = None) -> settings:
    """Try exactly `number` examples in `make test` and at most the profile's number in `make quick`: for slow tests.

    `make acceptance` tries `acceptance` examples, or the same number.
    """
    usual = settings().max_examples
    if usual > DEFAULT_EXAMPLES:
        return settings(max_examples=acceptance or number)
    return settings(max_examples=min(usual, number) if usual < DEFAULT_EXAMPLES else number)
