"""The exit statuses are names, in every program."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from import_graph import TREE, program_of
from labkit import exit_status

ALLOWED = ["inventory/spark/server.py"]
"""A program that is started by path and without the project's packages, so that it imports nothing of ours."""


def test_the_numbers_are_those_that_the_documentation_promises() -> None:
    assert (exit_status.DONE, exit_status.PARTLY_FAILED, exit_status.BAD_INPUT) == (0, 1, 2)


def literal_statuses(path: str) -> Iterator[str]:
    """Where a module ends the process with a number of its own."""
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
def test_no_program_ends_with_a_number_of_its_own() -> None:
    found = [
        place
        for path in TREE.files
        if program_of(path) in ("cdktf", "enforcer", "inventory")
        for place in literal_statuses(path)
    ]
    assert found == ALLOWED
