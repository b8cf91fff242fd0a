"""The optional bindings of the Azure provider, in a separate folder, and the provider in a local mirror."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from labkit.terraform import terraform_program
from preflight.providers import mirror_folders

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / ".lab/azurerm-bindings"
PACKAGE, MODULE = "cdktf-cdktf-provider-azurerm", "cdktf_cdktf_provider_azurerm"
PROVIDER_VERSION = "4.55.0"
"""The version for which the bindings were generated."""


class BindingsUnavailable(Exception):
    """The bindings cannot be installed; the message contains the reason and what to do."""


def requirement() -> str:
    """Return the locked bindings with their hashes, as a line for pip. The environment has what they need."""
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    locked = lock["azure"][PACKAGE]
    return " ".join([PACKAGE + locked["version"], *(f"--hash={one}" for one in locked["hashes"])])


def install() -> Path:
    """Return the folder that contains the bindings, installed from PyPI if necessary. Raises BindingsUnavailable."""
    if spec := importlib.util.find_spec(MODULE):
        return Path(str(spec.origin)).parents[1]
    PACKAGES.parent.mkdir(exist_ok=True)
    mark, expected = PACKAGES / ".complete", requirement()
    with (PACKAGES.parent / ".azurerm-bindings.lock").open("w") as lock:
        # Tests run in parallel; one of them installs for all.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text(encoding="utf-8") != expected:
            shutil.rmtree(PACKAGES, ignore_errors=True)
            PACKAGES.mkdir()
            _install(expected)
            mark.write_text(expected, encoding="utf-8")
    return PACKAGES


def _install(line: str) -> None:
    requirements = PACKAGES / "requirements.txt"
    requirements.write_text(line + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-compile", "--require-hashes", "--target", str(PACKAGES), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        raise BindingsUnavailable(f"pip cannot install the Azure bindings: connect to PyPI or a mirror of it ({last})")


def environment(packages: Path, **more: str) -> dict[str, str]:
    """Return the environment in which the project's interpreter finds the bindings."""
    return {**os.environ, "PYTHONPATH": str(packages), **more}


def provider_problem(home: Path) -> str:
    """Return why Terraform cannot use the real Azure provider here, as one sentence; empty if it can."""
    if shutil.which(terraform_program(os.environ)) is None:
        return "Terraform is not installed: get 1.7 or newer from https://developer.hashicorp.com/terraform/install"
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    place = f"registry.terraform.io/hashicorp/azurerm/{PROVIDER_VERSION}/{platform.system().lower()}_{machine}"
    if any((folder / place).is_dir() for folder in mirror_folders(home)):
        return ""
    return (
        f"hashicorp/azurerm {PROVIDER_VERSION} is in no local mirror; on a machine with the registry, "
        "`terraform providers mirror ~/.terraform.d/plugins` in the synthesized stack's folder creates one"
    )
