"""The project's import graph, and the rules for its structure. It works on strings, so that tests can pass invalid
trees.

A rule is a function from a `Tree` to a list of sentences; an empty list means that the tree obeys the rule.
"""

from __future__ import annotations

import ast
import gc
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tracked_files import tracked_files

ROOT = Path(__file__).resolve().parents[2]
BARE_IMPORT_FOLDERS = ("cdktf/", "tests/support/", "examples/")
"""Folders whose modules are imported without the folder's name."""
PROGRAMS = ("cdktf", "enforcer", "inventory", "emulator")
LAYERS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "labkit": (("extras",), ("workspace", "formats"), ("",)),
    "cdktf": (
        ("",),
        ("teardown",),
        ("nightly",),
        ("synthesized",),
        ("cloud",),
        ("stack",),
        ("preflight",),
        ("stopping",),
        ("moodle",),
        ("sources", "workbooks", "course_calendar"),
        ("roster",),
        ("lab_settings",),
        ("settings_tables", "node_process", "reexec"),
    ),
    "enforcer": (
        ("__main__",),
        ("commands",),
        ("fleet",),
        ("operations",),
        ("board", "metrics"),
        ("tick",),
        ("pages",),
        ("time_requests",),
        ("reports",),
        ("retention",),
        ("mail",),
        ("workspace",),
        ("ledger",),
        ("settings",),
        ("domain",),
    ),
    "inventory": (
        ("__main__", "notebook"),
        ("commands",),
        ("restore",),
        ("backup",),
        ("spark",),
        ("scan",),
        ("output",),
        ("results",),
        ("tree",),
        ("transport",),
    ),
    "emulator": (
        ("__main__",),
        ("server",),
        ("control",),
        ("faults",),
        ("*",),
        ("api",),
        ("state",),
        ("models",),
        ("reference",),
        ("base",),
        ("generated_files",),
        ("notebook_formats",),
    ),
}
"""The packages of each program, top layer first. "" stands for all other modules of its top folder, "*" for all other
folders (the APIs of the emulator)."""
MAX_MODULES, MAX_LINES = 14, 600
UNLIMITED = ("enforcer/commands", "inventory/commands")


@dataclass(frozen=True)
class Import:
    """One import: the module (a path in the tree, or a dotted name outside it), and the line number."""

    target: str
    line: int


class Tree:
    """Maps paths, relative to the project's root, to Python files."""

    def __init__(self, files: Mapping[str, str], parent: Tree | None = None) -> None:
        self.files = files
        self._parent = parent
        self._nodes: dict[str, list[ast.AST]] = {}

    def part(self, folder: str) -> Tree:
        """Return the tree of the files below a folder; imports of other files lead outside."""
        return Tree({path: text for path, text in self.files.items() if path.startswith(f"{folder}/")}, self)

    @cached_property
    def parsed(self) -> Mapping[str, ast.Module]:
        """The syntax trees, parsed on first use, because processes that run other tests do not need them."""
        if self._parent is not None:
            return {path: self._parent.parsed[path] for path in self.files}
        with collector_paused():
            return {path: ast.parse(text, path) for path, text in self.files.items()}

    def nodes(self, path: str) -> list[ast.AST]:
        """Return all nodes of a file in no particular order, cached, because many rules need all of them."""
        if self._parent is not None:
            return self._parent.nodes(path)
        if path not in self._nodes:
            self._nodes[path] = list(ast.walk(self.parsed[path]))
        return self._nodes[path]

    @cached_property
    def imports(self) -> dict[str, list[Import]]:
        """The imports in each file, including functions and TYPE_CHECKING blocks."""
        return {path: list(self._imports_of(path)) for path in self.files}

    @cached_property
    def inside(self) -> dict[str, list[Import]]:
        """The imports in each file that lead to files in the tree."""
        return {path: [one for one in found if one.target in self.files] for path, found in self.imports.items()}

    def closure(self, paths: Iterable[str]) -> set[str]:
        """Return these files and all files in the tree that they need."""
        found: set[str] = set()
        waiting = set(paths)
        while waiting:
            found |= waiting
            waiting = {one.target for path in waiting for one in self.inside[path]} - found
        return found

    def _imports_of(self, path: str) -> Iterator[Import]:
        for node in self.nodes(path):
            match node:
                case ast.Import():
                    for alias in node.names:
                        yield Import(self._resolved(path, alias.name) or alias.name, node.lineno)
                case ast.ImportFrom():
                    package = self._absolute(path, node)
                    for alias in node.names:
                        target = self._resolved(path, f"{package}.{alias.name}") or self._resolved(path, package)
                        yield Import(target or package, node.lineno)
                case ast.Call(func=ast.Name(id="import_module" | "LazyModule") | ast.Attribute(attr="import_module")):
                    if node.args and isinstance(node.args[0], ast.Constant):
                        name = str(node.args[0].value)
                        yield Import(self._resolved(path, name) or name, node.lineno)

    def _absolute(self, path: str, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        folder = path.split("/")[: -node.level]
        return ".".join([*folder, *([node.module] if node.module else [])])

    def _resolved(self, path: str, name: str) -> str | None:
        """Return the file that a dotted name in this file refers to."""
        parts = name.replace(".", "/")
        # The package `cdktf` is the library; modules in the folder cdktf/ have bare names.
        bare = [folder for folder in BARE_IMPORT_FOLDERS if path.startswith((folder, "tests/", "bench/", "examples/"))]
        for folder in ("", *bare):
            for end in (".py", "/__init__.py"):
                found = f"{folder}{parts}{end}"
                if found in self.files and not (folder == "" and found.startswith("cdktf/")):
                    return found
        return None


@contextmanager
def collector_paused() -> Iterator[None]:
    """Disable garbage collection, which would take longer than the parsing, and freeze the new objects afterwards."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def program_of(path: str) -> str:
    """Return the top folder of a file."""
    return path.split("/", 1)[0]


def package_of(path: str) -> str:
    """Return the package that contains a program's file: its folder below the program, or the module itself."""
    return path.split("/")[1].removesuffix(".py")


def cross_program_imports(tree: Tree) -> list[str]:
    """Return imports between programs, and imports of a program by labkit."""
    found = []
    for path, imports in tree.inside.items():
        program = program_of(path)
        if program in (*PROGRAMS, "labkit"):
            allowed = {program, "labkit"} if program != "labkit" else {"labkit"}
            found += [
                f"{path}:{one.line}: {program} imports {one.target}"
                for one in imports
                if program_of(one.target) not in allowed
            ]
    return found


def upward_imports(tree: Tree) -> list[str]:
    """Return imports from a program's lower package to a higher one, and files in packages without a layer."""
    layers_of = {path: _layer_of(path) for path in tree.files if program_of(path) in LAYERS}
    found = [
        f"{path}: its package is in no layer of {program_of(path)}"
        for path, layer in layers_of.items()
        if layer is None
    ]
    for path, imports in tree.inside.items():
        for one in imports:
            here, there = layers_of.get(path), layers_of.get(one.target)
            if program_of(one.target) == program_of(path) and here is not None and there is not None and here > there:
                found.append(f"{path}:{one.line}: {package_of(path)} is below {package_of(one.target)} ({one.target})")
    return found


def _layer_of(path: str) -> int | None:
    """Return the number of a file's layer, 0 at the top; None if its package has no layer."""
    layers = LAYERS[program_of(path)]
    named = {name: number for number, names in enumerate(layers) for name in names}
    package = package_of(path)
    if package == "__init__":
        return len(layers)
    if package in named:
        return named[package]
    return named.get("" if path.count("/") == 1 else "*")


def import_cycles(tree: Tree) -> list[str]:
    """Return cycles among files, and among packages."""
    files = {path: {one.target for one in imports} for path, imports in tree.inside.items()}
    packages: dict[str, set[str]] = {}
    for path, imports in tree.inside.items():
        others = {_folder_of(one.target) for one in imports} - {_folder_of(path)}
        packages.setdefault(_folder_of(path), set()).update(others)
    return [
        f"an import cycle: {', '.join(sorted(group))}"
        for graph in (files, packages)
        for group in _strongly_connected(graph)
    ]


def _folder_of(path: str) -> str:
    """Return a file's parent folder; a file in a program's top folder counts as a separate package."""
    return path if path.count("/") < 2 else path.rpartition("/")[0]


def _strongly_connected(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Return the strongly connected groups of more than one node, or of one node that points to itself."""
    reached = {start: _reachable(graph, start) for start in graph}
    groups = {
        frozenset({start, *(other for other in reach if start in reached.get(other, ()))})
        for start, reach in reached.items()
        if start in reach
    }
    return sorted(map(set, groups), key=sorted)


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = set(graph[start])
    while waiting:
        found |= waiting
        waiting = {target for one in waiting for target in graph.get(one, ())} - found
    return found


def too_large(tree: Tree) -> list[str]:
    """Return files with more than 600 lines, and packages with more than 14 modules."""
    found = []
    packages: dict[str, int] = {}
    for path, text in tree.files.items():
        lines = len(text.splitlines())
        if lines > MAX_LINES:
            found.append(f"{path} has {lines} lines, more than {MAX_LINES}")
        folder, _, name = path.rpartition("/")
        if name not in ("__init__.py", "__main__.py") and program_of(path) in (*PROGRAMS, "labkit"):
            packages[folder] = packages.get(folder, 0) + 1
    found += [
        f"{folder}/ has {count} modules, more than {MAX_MODULES}"
        for folder, count in packages.items()
        if count > MAX_MODULES and folder not in UNLIMITED
    ]
    return found


def missing_docstrings(tree: Tree) -> list[str]:
    """Return packages whose `__init__` has no docstring with their purpose."""
    packages = {path.rpartition("/")[0] for path in tree.files if program_of(path) in (*PROGRAMS, "labkit")} - {"cdktf"}
    texts = {package: tree.parsed.get(f"{package}/__init__.py") for package in packages}
    return [
        f"{package}/__init__.py has no docstring"
        for package, text in sorted(texts.items())
        if not text or not ast.get_docstring(text)
    ]


def tests_that_import_tests(tree: Tree) -> list[str]:
    """Return imports of test files; shared test code belongs to tests/support."""
    return [
        f"{path}:{one.line}: imports the test {one.target}"
        for path, imports in tree.inside.items()
        for one in imports
        if re.search(r"(^|/)(test_[^/]*|conftest)\.py$", one.target)
    ]


def third_party_imports(tree: Tree, allowed: Iterable[str] = ()) -> list[str]:
    """Return imports of third-party packages in labkit outside `extras`."""
    known = {*sys.stdlib_module_names, *allowed}
    return [
        f"{path}:{one.line}: imports {one.target}, which is not in the standard library"
        for path, imports in tree.imports.items()
        if path.startswith("labkit/") and not path.startswith("labkit/extras/")
        for one in imports
        if one.target not in tree.files and one.target.partition(".")[0] not in known
    ]


PURE_IMPORTS = set(
    "__future__ abc bisect base64 binascii codecs collections configparser contextlib copy csv dataclasses datetime "
    "decimal difflib email enum fractions functools hashlib heapq hmac html io ipaddress itertools json keyword math "
    "operator posixpath re statistics string struct textwrap types typing unicodedata urllib uuid zlib".split()
)
"""Modules in the standard library that neither read the clock nor use files, processes or sockets."""
IMPURE = re.compile(
    r"^(open|print|input)$|\.(now|today|utcnow)$|^os\.|^ZoneInfo$|^time\.(?!fromisoformat)|^urllib\.request\."
)


def impurities(tree: Tree, pure: Iterable[str]) -> list[str]:
    """Return the impure imports and calls in the pure files and in all files that they need."""
    starts = [path for path in tree.files if any(path == one or path.startswith(f"{one}/") for one in pure)]
    found = []
    for path in sorted(tree.closure(starts)):
        found += [
            f"{path}:{one.line}: imports {one.target}"
            for one in tree.imports[path]
            if one.target not in tree.files and one.target.partition(".")[0] not in PURE_IMPORTS | {"zoneinfo"}
        ]
        for node in tree.nodes(path):
            if isinstance(node, ast.Call) and IMPURE.search(ast.unparse(node.func)):
                found.append(f"{path}:{node.lineno}: calls {ast.unparse(node.func)}")
    return found


TREE = Tree({path.as_posix(): (ROOT / path).read_text(encoding="utf-8") for path in tracked_files("*.py")})
"""The project's Python files."""
