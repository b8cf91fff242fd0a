"""The sources from which `terraform init` can get the lab's providers on this machine."""

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from labkit.lazy_package import LazyModule

_request = LazyModule("urllib.request")

REGISTRY = "https://registry.terraform.io"
PROVIDERS = ("databricks/databricks", "hashicorp/external")

_PROBE_SECONDS = 10


def mirror_folders(home: Path) -> list[Path]:
    """Return Terraform's implied local mirrors: the folders that it searches without configuration."""
    return [
        home / ".terraform.d/plugins",
        home / ".local/share/terraform/plugins",
        Path("/usr/local/share/terraform/plugins"),
        Path("/usr/share/terraform/plugins"),
    ]


def missing_from_mirrors(folders: Sequence[Path]) -> list[str]:
    """Return the lab's providers that no mirror has for this platform, neither unpacked nor packed."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    suffix = f"{platform.system().lower()}_{machine}"

    def is_mirrored(provider: str) -> bool:
        places = [folder / "registry.terraform.io" / provider for folder in folders]
        return any([*place.glob(f"*/{suffix}"), *place.glob(f"*_{suffix}.zip")] for place in places)

    return [provider for provider in PROVIDERS if not is_mirrored(provider)]


def has_provider_installation(environ: Mapping[str, str], home: Path) -> bool:
    """Return whether a CLI configuration has `provider_installation`, which overrides the implied mirrors."""
    named = environ.get("TF_CLI_CONFIG_FILE") or environ.get("TERRAFORM_CONFIG")
    path = Path(named) if named else home / ".terraformrc"
    try:
        return "provider_installation" in path.read_text(encoding="utf-8")
    except OSError:
        return False


def is_registry_reachable() -> bool:
    """Return whether Terraform's registry is reachable."""
    try:
        with _request.urlopen(f"{REGISTRY}/.well-known/terraform.json", timeout=_PROBE_SECONDS):
            return True
    except OSError:
        return False


def missing_providers_error(missing: Sequence[str]) -> str:
    """Return the error message for providers that neither a mirror nor the registry has."""
    return (
        f"terraform init cannot get {' and '.join(missing)}: no local mirror has it and {REGISTRY} does not respond. "
        "Connect to the registry, or copy the provider to ~/.terraform.d/plugins/registry.terraform.io "
        "(`terraform providers mirror` creates that folder on a connected machine)."
    )
