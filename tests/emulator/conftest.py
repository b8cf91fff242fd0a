"""What the emulator's tests share: workspaces inside the test's own process."""

from __future__ import annotations

import pytest

from emulator_calls import InProcess
from in_process_workspace import Desk


@pytest.fixture
def lab() -> InProcess:
    """A workspace that runs on the machine's clock."""
    return InProcess()


@pytest.fixture
def desk() -> Desk:
    """A workspace whose clock only the test moves."""
    return Desk()
