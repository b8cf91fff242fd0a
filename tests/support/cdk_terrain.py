"""CDK Terrain, installed in a separate folder without packages from the project's virtual environment."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / ".lab/cdk-terrain"
# The bindings reject constructs 10.8. The app's other packages have the locked versions.
REQUIREMENTS = (
    "cdktn==0.24.0",
    "cdktn-provider-databricks==18.11.0",
    "cdktn-provider-external==14.0.2",
    "constructs<10.8",
    *(f"{name}=={metadata.version(name)}" for name in ("pydantic", "python-dotenv")),
)


class PackagesUnavailable(Exception):
    """The packages cannot be installed; the message contains the reason and what to do."""


def install() -> Path:
    """Return the folder with the packages, installed from PyPI if necessary. Raises PackagesUnavailable."""
    PACKAGES.parent.mkdir(exist_ok=True)
    mark, expected = PACKAGES / ".complete", "\n".join((sys.version, *REQUIREMENTS))
    with (PACKAGES.parent / ".cdk-terrain.lock").open("w") as lock:
        # Tests run in parallel; one of them installs for all.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text(encoding="utf-8") != expected:
            shutil.rmtree(PACKAGES, ignore_errors=True)
            _install()
            mark.write_text(expected, encoding="utf-8")
    return PACKAGES


def _install() -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    done = subprocess.run(
        [*pip, "--target", str(PACKAGES), *REQUIREMENTS], capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        raise PackagesUnavailable(f"pip cannot install CDK Terrain: connect to PyPI or a mirror of it ({last})")


def environment(packages: Path, **more: str) -> dict[str, str]:
    """Return the environment in which `python -S` finds these packages and no others."""
    return {**os.environ, "PYTHONPATH": str(packages), **more}
