"""Terraform's dependency lock file, which a lab stores beside its settings.

The first `terraform init` that gets the providers from the registry creates it. Later ones use it and may not change
it, so a provider with a different checksum is refused. With a local mirror no lock file is stored, because the mirror
may hold a provider that was built on this machine.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from labkit.files import write_private

FILE_NAME = ".terraform.lock.hcl"
READ_ONLY_OPTION = "-lockfile=readonly"
_PROVIDER = re.compile(
    r'^provider "registry\.terraform\.io/(?P<source>[^"]+)" \{\s+version\s+= "(?P<version>[^"]+)"', re.M
)


class LockFileError(ValueError):
    """The lock file is unusable; the message gives the reason."""


def save(stack: Path, settings: Path) -> None:
    """Copy the lock file from the stack's folder to the settings folder, unless there is one already."""
    made, kept = stack / FILE_NAME, settings / FILE_NAME
    if made.is_file() and not kept.exists():
        write_private(kept, made.read_bytes())


def copy_to_stack(settings: Path, stack: Path) -> None:
    """Copy the lock file from the settings folder to the stack's folder, where `terraform init` reads it.

    Do nothing if the lock file does not exist. Raise LockFileError if it does not match the stack or cannot be read.
    """
    kept = settings / FILE_NAME
    try:
        text = kept.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise LockFileError(f"{kept} cannot be read ({error})") from None
    if problem := mismatch(text, _required((stack / "cdk.tf.json").read_text(encoding="utf-8"))):
        raise LockFileError(
            f"{kept} {problem}: remove it once you trust the new version; the next deploy with the registry stores a "
            "new one."
        )
    write_private(stack / FILE_NAME, text, durable=False)


def _required(synthesized: str) -> dict[str, str]:
    """Map each provider source in a stack to the required version."""
    providers = json.loads(synthesized)["terraform"]["required_providers"].values()
    return {
        provider["source"] if "/" in provider["source"] else f"hashicorp/{provider['source']}": provider["version"]
        for provider in providers
    }


def mismatch(text: str, required: Mapping[str, str]) -> str:
    """Return how a lock file differs from the required providers; empty if it matches."""
    locked = {found["source"]: found["version"] for found in _PROVIDER.finditer(text)}
    for source, version in required.items():
        if source not in locked:
            return f"does not lock {source}, which the lab requires"
        if locked[source] != version.removeprefix("= "):
            return f"locks {source} {locked[source]}, but the lab requires {version}"
    return ""
