"""The shape of the repository: what lies where, and who may import whom."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracked_files import tracked_files

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("enforcer", "inventory", "emulator")
FOLDERS = {
    "cdktf",
    "deploy",
    "enforcer",
    "inventory",
    "labkit",
    "emulator",
    "tests",
    "bench",
    "docs",
    "examples",
    ".ci",
    ".github",
}
FILES = {"cdktf.json", "lab.toml", "Makefile", "pyproject.toml", ".gitignore", ".pre-commit-config.yaml"}
FILES |= {"Pipfile", "Pipfile.lock", "package.json", "package-lock.json", ".env.example"}
FILES |= {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"}
# Modules that decide: they, and whatever of ours they import, need the standard library and nothing else.
DECIDING = ("cdktf/roster/model.py", "cdktf/roster/merge.py", "cdktf/sources/detection.py")
DECIDING += ("enforcer/domain/uptime.py", "enforcer/domain/quota.py")
DECIDING += (
    "inventory/tree/listing.py",
    "inventory/tree/walk.py",
    "inventory/transport/limiter.py",
    "inventory/results/rows.py",
)
DECIDING += (
    "inventory/results/folder_summary.py",
    "inventory/spark/rate_share.py",
    "inventory/spark/address.py",
    "inventory/spark/errors.py",
)
# What runs on machines where nothing of ours is installed, and what these have beside the standard library.
EXECUTED = Path("inventory/spark/worker.py")
THERE = {"certifi"}
DECIDING += ("inventory/backup/names.py", "inventory/backup/manifest.py", "inventory/restore/destination.py")
LONGEST, LONGEST_TEST = 600, 600


def imports(path: Path) -> Iterator[str]:
    """The top-level names of the modules that a file imports."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


SOURCES = tracked_files("*.py")


def test_the_folder_cdktf_does_not_hide_the_library():
    import cdktf

    assert not (ROOT / "cdktf" / "__init__.py").exists()
    assert hasattr(cdktf, "App")


def test_the_tests_hide_no_package():
    assert [path for path in SOURCES if path.parts[0] == "tests" and path.name == "__init__.py"] == []
    assert not list(ROOT.glob("*.py"))


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parts[0] in PROGRAMS], ids=str)
def test_programs_do_not_import_each_other(path):
    others = {*PROGRAMS, *bare_modules()} - {path.parts[0], *sys.stdlib_module_names}
    assert set(imports(path)) & others == set()


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parts[0] in ("cdktf", "examples")], ids=str)
def test_the_cdktf_app_imports_none_of_the_programs(path):
    assert set(imports(path)) & set(PROGRAMS) == set()


def ours(path: Path) -> set[Path]:
    """The modules of the same folder that a module imports."""
    names = {f"{path.parts[0]}/{name}.py" for name in imports(path)} | {
        f"{folder}{node.module.replace('.', '/')}.py"
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        for folder in ("", "cdktf/")
    }
    return {Path(name) for name in names if (ROOT / name).is_file()}


def deciding() -> list[Path]:
    """The modules that decide and all of ours that they need."""
    found: set[Path] = set()
    waiting = {Path(name) for name in DECIDING if (ROOT / name).exists()}
    while waiting:
        found |= waiting
        waiting = {needed for path in waiting for needed in ours(path)} - found
    return sorted(found)


@pytest.mark.parametrize("path", deciding(), ids=str)
def test_modules_that_decide_need_only_the_standard_library(path):
    siblings = {needed.parts[1].removesuffix(".py") for needed in ours(path)} | {path.parts[0]} - {"cdktf"}
    assert set(imports(path)) <= sys.stdlib_module_names | siblings | {"labkit"}


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parts[0] == "labkit"], ids=str)
def test_labkit_needs_only_the_standard_library_and_no_program(path):
    foreign = set(imports(path)) - sys.stdlib_module_names - {"labkit"}
    if path.parts[1] == "extras":
        assert foreign & {*PROGRAMS, *bare_modules()} == set()
    else:
        assert (foreign, [name for name in modules(path) if name.startswith("labkit.extras")]) == (set(), [])


def test_executors_import_the_standard_library_and_what_the_http_layer_needs():
    names = {
        path: path.with_suffix("").as_posix().replace("/", ".")
        for path in SOURCES
        if path.parts[0] in ("inventory", "labkit")
    }
    needed, waiting = set(), {EXECUTED}
    while waiting:
        needed |= waiting
        texts = [line for path in waiting for line in modules(path)]
        waiting = {path for path, name in names.items() if name in texts} - needed
    foreign = {name for path in needed for name in imports(path)} - sys.stdlib_module_names - {"inventory", "labkit"}
    assert (foreign, Path("inventory/scan/scan_work.py") in needed) == (THERE, True)


def modules(path: Path) -> Iterator[str]:
    """The full names of what a file may import as modules."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def bare_modules() -> set[str]:
    """The modules and packages of cdktf/, which are imported by bare name."""
    return {path.parts[1].removesuffix(".py") for path in SOURCES if path.parts[0] == "cdktf"}


def test_bare_modules_have_names_that_no_library_has():
    assert bare_modules() & sys.stdlib_module_names == set()
    site = Path(pytest.__file__).parents[1]
    assert [name for name in bare_modules() if (site / name).exists() or (site / f"{name}.py").exists()] == []


def test_no_file_has_so_many_lines_that_it_needs_a_second_reason():
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    allowed = {path: LONGEST_TEST if path.startswith("tests/") else LONGEST for path in lengths}
    assert {path: length for path, length in lengths.items() if length > allowed[path]} == {}


@pytest.mark.process
def test_nothing_strays_into_the_top_level():
    found = tracked_files()
    assert {path.parts[0] for path in found if len(path.parts) > 1} <= FOLDERS
    assert {path.name for path in found if len(path.parts) == 1} <= FILES


def test_only_programs_read_the_environment():
    readers = {
        path.as_posix()
        for path in SOURCES
        if path.parts[0] in ("cdktf", "enforcer", "inventory", "emulator") and reads_environment(path)
    }
    assert {reader for reader in readers if not is_program(ROOT / reader)} == set()


def reads_environment(path: Path) -> bool:
    """Whether a module looks into os.environ itself."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names}
    return bool(names & {"environ", "getenv"})


def is_program(path: Path) -> bool:
    """Whether a module is started by somebody: it has a `__main__` part."""
    return path.name == "__main__.py" or 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
