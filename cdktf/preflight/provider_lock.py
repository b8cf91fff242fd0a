"""Terraform's lock file of providers, which a lab keeps beside its settings.

The first init that gets the providers from the registry leaves it there. Later ones use it and may not change it, so a
provider with another checksum is refused. From a local mirror none is kept: it may hold a provider that was built here.
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
    """A sentence that says why the lock file cannot be used."""


def save(stack: Path, settings: Path) -> None:
    """Keep the lock file that an init left in the stack's folder in that of the settings, unless one is kept there."""
    made, kept = stack / FILE_NAME, settings / FILE_NAME
    if made.is_file() and not kept.exists():
        write_private(kept, made.read_bytes())


def copy_to_stack(settings: Path, stack: Path) -> None:
    """Put the lock file that is kept in the folder of the settings into the stack's, where an init reads it.

    Nothing happens if none is kept. Raises LockError for one that does not fit the stack, or cannot be read.
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
            f"{kept} {problem}: remove it once you trust the new version, and the next deploy with the registry keeps "
            "another."
        )
    write_private(stack / FILE_NAME, text, durable=False)


def _required(synthesized: str) -> dict[str, str]:
    """The versions of a stack's providers, by source."""
    providers = json.loads(synthesized)["terraform"]["required_providers"].values()
    return {
        provider["source"] if "/" in provider["source"] else f"hashicorp/{provider['source']}": provider["version"]
        for provider in providers
    }


def mismatch(text: str, required: Mapping[str, str]) -> str:
    """In what a lock file does not fit the providers that are required; empty if it does."""
    locked = {found["source"]: found["version"] for found in _PROVIDER.finditer(text)}
    for source, version in required.items():
        if source not in locked:
            return f"does not lock {source}, which the lab needs"
        if locked[source] != version.removeprefix("= "):
            return f"locks {source} {locked[source]}, and the lab needs {version}"
    return ""
