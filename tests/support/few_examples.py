"""How many examples of a property `make test` tries; `make acceptance` tries as many as its profile says."""

from __future__ import annotations

from hypothesis import settings


def few(number: int) -> settings:
    """At most so many in `make test`: for pure functions that everybody runs at every change.

    Whether it is `make acceptance` was decided before test modules were read.
    """
    usual = settings.default.max_examples
    return settings(max_examples=usual if usual > 100 else number)
