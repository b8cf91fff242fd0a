"""Adds blocks to a stack without a construct for each."""

from collections.abc import Mapping
from typing import Any

from stack.framework import Construct, TerraformStack


def add_blocks(scope: Construct, path: str, blocks: Mapping[str, Mapping[str, Any]]) -> None:
    """Add many named blocks of one type to the stack: `resource.databricks_user` and `{"student_dana": {…}}`.

    Used for hundreds of small resources. One construct per resource would take longer in the bindings than all other
    constructs; one resource with `for_each` takes Terraform minutes, because each reference to an instance reads all
    instances.
    """
    stack = TerraformStack.of(scope)
    for name, block in blocks.items():
        stack.add_override(f"{path}.{name}", block)
