"""Fixtures for the emulator's tests: workspaces inside the test's own process."""

from __future__ import annotations

import pytest

from in_process_client import InProcessClient
from in_process_workspace import InProcessWorkspace


@pytest.fixture
def lab() -> InProcessClient:
    """A client for a workspace that runs on the machine's clock."""
    return InProcessClient()


@pytest.fixture
def workspace() -> InProcessWorkspace:
    """A workspace with a clock that only the test moves."""
    return InProcessWorkspace()
