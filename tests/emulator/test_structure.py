"""The structure of the emulator's package: imports run downwards only, between modules and between folders."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from emulator.api.routing import Router
from emulator.clusters import routes as clusters_routes
from emulator.server import services

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "emulator"
MOST_MODULES, MOST_LINES = 14, 600
LAYERS = (
    "__main__", "server", "control", "faults",
    "clusters", "libraries", "policies", "pools",
    "repos", "scim", "objects", "volumes", "dbfs",
    "tokens", "settings", "permissions", "secrets", "mail",
    "api", "state", "models", "catalog", "base", "generated_files", "notebook_formats",
)  # fmt: skip
"""Top first: a folder imports from those after it only. `emulator/__init__.py` says what each is for."""


def module_name(path: Path) -> str:
    """`emulator.server.app` for its file, `emulator.server` for the `__init__.py` of the folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


SOURCES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
FOLDERS = sorted({path.parent for path in SOURCES.values()})


def imported(tree: ast.AST, known: Iterable[str]) -> Iterator[str]:
    """The known modules that a file imports, wherever in it: also in functions and under TYPE_CHECKING."""
    known = set(known)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in known)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield from {whole if whole in known else node.module or ""} & known


@cache
def graph() -> dict[str, set[str]]:
    """What each module of the emulator imports of the others."""
    return {
        name: set(imported(ast.parse(path.read_text(encoding="utf-8")), SOURCES)) - {name}
        for name, path in SOURCES.items()
    }


def circle(arrows: Mapping[str, set[str]]) -> list[str]:
    """The nodes that lie on a circle or between two; none means that the graph has no circle."""
    left = {node: set(targets) for node, targets in arrows.items()}
    while True:
        ends = {node for node, targets in left.items() if not targets & left.keys()}
        starts = left.keys() - {target for targets in left.values() for target in targets}
        if not ends | starts:
            return sorted(left)
        left = {node: targets for node, targets in left.items() if node not in ends | starts}


def folder_of(module: str) -> str:
    """`server` for `emulator.server.app`, `__main__` for the program itself."""
    return module.split(".")[1]


def folder_graph() -> dict[str, set[str]]:
    arrows: dict[str, set[str]] = {}
    for module, targets in graph().items():
        if module != "emulator":
            arrows.setdefault(folder_of(module), set()).update(map(folder_of, targets - {"emulator"}))
    return {folder: targets - {folder} for folder, targets in arrows.items()}


def test_imports_are_found_wherever_they_are_written():
    text = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from emulator.state.workspace import Workspace
def late():
    import emulator.server.app
    from emulator.clusters import lifecycle, missing
"""
    known = ("emulator.state.workspace", "emulator.server.app", "emulator.clusters", "emulator.clusters.lifecycle")
    assert set(imported(ast.parse(text), known)) == set(known)


def test_a_circle_is_what_can_be_reached_from_itself():
    arrows = {"top": {"left"}, "left": {"right"}, "right": {"left", "bottom"}, "bottom": set()}
    assert circle(arrows) == ["left", "right"]
    assert circle(arrows | {"right": {"bottom"}}) == []


def test_no_modules_import_each_other_in_a_circle():
    assert circle(graph()) == []


def test_no_folders_import_each_other_in_a_circle():
    assert circle(folder_graph()) == []


def test_every_folder_has_a_layer():
    assert sorted(folder_graph()) == sorted(LAYERS)


def test_folders_import_from_lower_layers_only():
    place = {folder: number for number, folder in enumerate(LAYERS)}
    upward = [
        f"{folder} -> {target}"
        for folder, targets in folder_graph().items()
        for target in targets
        if place[target] <= place[folder]
    ]
    assert upward == []


def test_the_package_says_its_layers_in_their_order():
    written = docstring(PACKAGE / "__init__.py").splitlines()
    lines = [line.partition(": ")[0] for line in written if line.startswith("- `")]
    assert [name for line in lines for name in re.findall(r"`(\w+)`", line)] == list(LAYERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_a_folder_has_a_reason_and_not_too_many_modules(folder):
    modules = [path.stem for path in folder.glob("*.py") if path.stem not in ("__init__", "__main__")]
    assert len(modules) <= MOST_MODULES
    assert docstring(folder / "__init__.py")


def test_no_module_has_too_many_lines():
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in SOURCES.items()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_module_imports_by_name_at_run_time():
    users = {name for name, path in SOURCES.items() if words(path) & {"import_module", "__import__", "importlib"}}
    assert users == set()


PURE = sorted(name for name, path in SOURCES.items() if re.search(r"\bPure( constants)?\.", docstring(path)))
HARMLESS = set(
    """
    abc base64 collections.abc copy dataclasses functools hashlib html io json math random re typing urllib.parse
    zipfile zlib pydantic_core
    """.split()
)
"""What pure modules may import besides each other."""
EFFECTS = {"open", "print", "now", "today", "os", "sys", "time", "environ", "getenv", "socket", "ZoneInfo"}


@pytest.mark.parametrize("name", PURE)
def test_a_module_that_says_it_is_pure_is(name):
    needed, waiting = set(), {name}
    while waiting:
        needed |= waiting
        waiting = {target for module in waiting for target in graph()[module]} - needed
    foreign = {module for each in needed for module in foreign_modules(SOURCES[each])}
    used = {word for each in needed for word in words(SOURCES[each])}
    assert (foreign - HARMLESS, used & EFFECTS) == (set(), set())


def test_the_modules_that_are_known_to_be_pure_say_so():
    expected = {"emulator.base.paths", "emulator.catalog", "emulator.notebook_formats.notebooks"}
    assert expected <= set(PURE)


def words(path: Path) -> set[str]:
    """Every name, attribute and imported name that a module uses."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    found = {node.id for node in nodes if isinstance(node, ast.Name)}
    found |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return found | {node.name for node in nodes if isinstance(node, ast.alias)}


def foreign_modules(path: Path) -> Iterator[str]:
    """The modules outside the emulator that a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith("emulator"):
            yield node.module


def test_the_route_of_clusters_start_leads_to_its_handler():
    found = Router(services.routes()).find("POST", "/api/2.1/clusters/start")
    assert found
    assert found[0].handler is clusters_routes.start
