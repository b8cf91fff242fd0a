"""CDK Terrain, the successor of CDKTF, synthesizes the same stack from the same app."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cdk_terrain

pytestmark = [pytest.mark.process, pytest.mark.acceptance]

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = f"""
import sys
sys.path.append({str(ROOT)!r})
import stack.framework
print(*{{"cdktf", "cdktn"}} & sys.modules.keys())
"""


@pytest.fixture(scope="module")
def packages() -> Path:
    try:
        return cdk_terrain.install()
    except cdk_terrain.PackagesUnavailable as error:
        pytest.skip(str(error))


def without_versions(path: Path) -> dict[str, Any]:
    """Return a synthesized stack without metadata and versions."""
    stack: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), object_hook=without_metadata)
    for provider in stack["terraform"]["required_providers"].values():
        del provider["version"]
    return stack


def without_metadata(block: dict[str, Any]) -> dict[str, Any]:
    """Return a block without the framework's metadata key."""
    return {key: value for key, value in block.items() if key != "//"}


def test_cdk_terrain_synthesizes_the_same_stack(packages: Path, example_stack: Path, tmp_path: Path) -> None:
    lab = example_stack.parents[3]
    command = [sys.executable, "-S", str(ROOT / "cdktf/main.py")]
    environment = cdk_terrain.environment(packages, LAB_CONFIG=str(lab / "lab.toml"), CDKTF_OUTDIR=str(tmp_path))
    done = subprocess.run(command, cwd=lab, env=environment, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    expected = without_versions(example_stack)
    assert expected["terraform"]["required_providers"]["external"] == {"source": "external"}
    expected["terraform"]["required_providers"]["external"] = {"source": "hashicorp/external"}
    assert without_versions(tmp_path / "stacks" / example_stack.parent.name / "cdk.tf.json") == expected


def test_without_the_virtual_environment_only_cdk_terrain_is_imported(packages: Path) -> None:
    environment = cdk_terrain.environment(packages)
    done = subprocess.run(
        [sys.executable, "-S", "-c", PROGRAM],
        cwd=ROOT / "cdktf",
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout.split() == ["cdktn"]
