"""Parses the main paths in docs/architecture.md and checks that each function calls the next one directly."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from import_graph import Tree

_STEP = re.compile(r"^\d+\. `(?P<file>[\w/]+\.py)` `(?P<name>[\w.]+)`")


@dataclass(frozen=True)
class Step:
    """One function of a path: its file, and its name as `function` or `Class.method`."""

    file: str
    name: str

    def __str__(self) -> str:
        return f"{self.file}:{self.name}"


def main_paths(document: str) -> dict[str, list[Step]]:
    """Return the paths in the document: section titles, each with the functions in its numbered list."""
    found: dict[str, list[Step]] = {}
    title = ""
    for line in document.splitlines():
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif step := _STEP.match(line):
            found.setdefault(title, []).append(Step(step["file"], step["name"]))
    return found


def hops(path: list[Step]) -> int:
    """Return the number of calls in the path that lead into another module."""
    return sum(here.file != there.file for here, there in zip(path, path[1:], strict=False))


def gaps(tree: Tree, path: list[Step]) -> list[str]:
    """Return a sentence for each function of the path that is missing or does not call the next one directly."""
    found = [f"{step} does not exist" for step in path if _function(tree, step) is None]
    return found or [
        f"{here} does not call {there}"
        for here, there in zip(path, path[1:], strict=False)
        if not _calls(tree, here, there)
    ]


def _function(tree: Tree, step: Step) -> ast.AST | None:
    """Return the definition of the step's function."""
    body: list[ast.stmt] = tree.parsed[step.file].body if step.file in tree.parsed else []
    node: ast.AST | None = None
    for part in step.name.split("."):
        definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        node = next((one for one in body if isinstance(one, definitions) and one.name == part), None)
        if node is None:
            return None
        body = node.body
    return node


def _calls(tree: Tree, here: Step, there: Step) -> bool:
    """Return whether one function's body calls the other by name, as a function, a class or a method."""
    node = _function(tree, here)
    assert node is not None
    owner, _, name = there.name.rpartition(".")
    is_near = there.file in {here.file, *(one.target for one in tree.inside[here.file])}
    promised = set() if is_near else _protocol_parameters(tree, here, name)
    called = owner if name == "__init__" else name
    for call in (one.func for one in ast.walk(node) if isinstance(one, ast.Call)):
        match call:
            case ast.Name(id=found) if is_near and found in (called, *_aliases(tree, here.file, called)):
                return not owner or name == "__init__"
            case ast.Attribute(attr=found) if is_near and found == called:
                return True
            case ast.Attribute(value=ast.Name(id=argument), attr=found) if found == called and argument in promised:
                return True
    return False


def _protocol_parameters(tree: Tree, here: Step, name: str) -> set[str]:
    """Return a function's parameters whose type is a Protocol in the same file with this method.

    Such a function depends on the Protocol and not on a class.
    """
    function = _function(tree, here)
    protocols = {
        one.name
        for one in tree.parsed[here.file].body
        if isinstance(one, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Protocol" for base in one.bases)
        and any(isinstance(method, ast.FunctionDef) and method.name == name for method in one.body)
    }
    arguments = function.args.args if isinstance(function, ast.FunctionDef) else []
    return {one.arg for one in arguments if isinstance(one.annotation, ast.Name) and one.annotation.id in protocols}


def _aliases(tree: Tree, file: str, name: str) -> Iterator[str]:
    """Yield other names under which the file imports the function."""
    for node in tree.nodes(file):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname for alias in node.names if alias.name == name and alias.asname)
