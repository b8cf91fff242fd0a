"""The name of Terraform's executable. Pure."""

from collections.abc import Mapping

VARIABLE = "TERRAFORM_BINARY_NAME"


def terraform_program(environ: Mapping[str, str]) -> str:
    """Return the name or path of Terraform: TERRAFORM_BINARY_NAME, which cdktf-cli reads, too, or `terraform`."""
    return environ.get(VARIABLE) or "terraform"
