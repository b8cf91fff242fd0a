"""A poll imports two of the SDK's forty services, and whoever needs the others has them all the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PROGRAM = """
import json, sys
import enforcer.workspace

before = [name for name in sys.modules if name.startswith("databricks.sdk.service.")]
from databricks.sdk import WorkspaceClient
import databricks.sdk

after = [name for name in sys.modules if name.startswith("databricks.sdk.service.")]
print(json.dumps([len(before) < 8, len(after) > 30, databricks.sdk.WorkspaceClient is WorkspaceClient,
    databricks.sdk.core.ApiClient is enforcer.sdk.ApiClient]))
"""


def test_only_what_is_asked_for_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [True] * 4
