"""A pytest plugin that makes reports encodable: pytest-xdist cannot send text with lone surrogates to its main process.

Tests with hostile names have such text in their error messages; without this, one failure would end the whole run.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest


def encodable(value: Any) -> Any:
    """Return the value with all lone surrogates in its texts spelled out, as in `\\ud800`."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return {encodable(key): encodable(entry) for key, entry in value.items()}
        case list() | tuple():
            return type(value)(map(encodable, value))
    return value


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """Make a worker's report encodable."""
    report: dict[str, Any] | None = encodable((yield))
    return report
