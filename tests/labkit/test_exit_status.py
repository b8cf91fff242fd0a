"""All programs use the constants for exit statuses."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from import_graph import TREE, program_of
from labkit import exit_status

ALLOWED = ["inventory/spark/server.py"]
"""A program that is run as a script, without the project's packages, and so cannot import the constants."""


def test_the_numbers_match_the_documentation() -> None:
    assert (exit_status.DONE, exit_status.PARTLY_FAILED, exit_status.BAD_INPUT) == (0, 1, 2)


def literal_statuses(path: str) -> Iterator[str]:
    """Yield the places where a module exits with a literal status."""
    for node in TREE.nodes(path):
        match node:
            case ast.Call(func=function, args=[ast.Constant(value=int())]):
                is_literal = ast.unparse(function) in ("sys.exit", "exit", "SystemExit", "ctx.exit")
            case ast.Assign(targets=[ast.Name(id="exit_code")], value=ast.Constant()):
                is_literal = True
            case _:
                is_literal = False
        if is_literal:
            yield path


@pytest.mark.xdist_group("syntax trees")
def test_no_program_uses_a_literal_exit_status() -> None:
    found = [
        place
        for path in TREE.files
        if program_of(path) in ("cdktf", "enforcer", "inventory")
        for place in literal_statuses(path)
    ]
    assert found == ALLOWED
