"""Which Terraform is called. Pure."""

from collections.abc import Mapping

VARIABLE = "TERRAFORM_BINARY_NAME"


def terraform_program(environ: Mapping[str, str]) -> str:
    """The name or path of Terraform's program: TERRAFORM_BINARY_NAME, which cdktf-cli reads too, or `terraform`."""
    return environ.get(VARIABLE) or "terraform"
