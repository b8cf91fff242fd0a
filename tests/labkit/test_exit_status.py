"""The exit statuses are names, in every program."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from labkit import exit_status

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = ["inventory/spark/server.py"]
"""A program that is started by path and without the project's packages, so that it imports nothing of ours."""


def test_the_numbers_are_those_that_the_documentation_promises() -> None:
    assert (exit_status.DONE, exit_status.PARTLY_FAILED, exit_status.BAD_INPUT) == (0, 1, 2)


def literal_statuses(path: Path) -> Iterator[str]:
    """Where a module ends the process with a number of its own."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=function, args=[ast.Constant(value=int())]):
                is_literal = ast.unparse(function) in ("sys.exit", "exit", "SystemExit", "ctx.exit")
            case ast.Assign(targets=[ast.Name(id="exit_code")], value=ast.Constant()):
                is_literal = True
            case _:
                is_literal = False
        if is_literal:
            yield path.relative_to(ROOT).as_posix()


def test_no_program_ends_with_a_number_of_its_own() -> None:
    found = [
        place
        for program in ("cdktf", "enforcer", "inventory")
        for path in (ROOT / program).rglob("*.py")
        for place in literal_statuses(path)
    ]
    assert found == ALLOWED
