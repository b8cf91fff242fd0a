"""The Pipfile declares exactly the packages that are imported, and the lock file matches it."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from import_graph import TREE

pytestmark = pytest.mark.xdist_group("syntax trees")
ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bench", "cdktf", "emulator", "enforcer", "examples", "inventory", "labkit", "tests")
# Folders whose modules are imported by bare name.
BARE = ("bench", "cdktf", "examples", "tests/support")
# Packages whose modules have a different name.
PACKAGES = {
    "azure.communication.email": "azure-communication-email",
    "azure.core": "azure-core",
    "azure.identity": "azure-identity",
    "azure.storage.blob": "azure-storage-blob",
    "databricks.sdk": "databricks-sdk",
    "dotenv": "python-dotenv",
    "markdown_it": "markdown-it-py",
    "playhouse": "peewee",
    "xdist": "pytest-xdist",
}
BINDINGS = ("cdktf", "cdktf-cdktf-provider-databricks", "cdktf-cdktf-provider-external")
OPTIONAL_BINDINGS = ("cdktf-cdktf-provider-azurerm",)
# The successors of these three packages; a test installs them in a separate folder.
SUCCESSORS = ("cdktn", "cdktn-provider-databricks", "cdktn-provider-external")
# A test of LazyModule uses this package, which does not exist.
MISSING_PACKAGE = "no-such-library"
NOT_IMPORTED = {
    "adlfs": "fsspec imports it for abfss:// URLs",
    "azure-identity": "adlfs imports it for logins without a key",
    "httptools": "uvicorn imports it if it is installed",
    "linkify-it-py": "markdown-it-py imports it to find links in text",
    "mypy": "a command",
    "pandas": "PySpark's client imports it",
    "pre-commit": "a command",
    "ruff": "a command",
    "tzdata": "zoneinfo reads it if the system has no time zones",
    "uvloop": "uvicorn imports it if it is installed",
    "vulture": "a command",
}


def imported_modules(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the full names of the modules that a file imports anywhere, also with labkit's `LazyModule`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "LazyModule":
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant))


def own_names() -> set[str]:
    """Return the top-level names of the project's modules, except cdktf, which is also the library's name."""
    bare = {path.stem for folder in BARE for path in (ROOT / folder).iterdir() if path.suffix == ".py" or path.is_dir()}
    return bare | set(FOLDERS) - {"cdktf"}


def package_of(module: str) -> str:
    """Return the PyPI package that contains a module."""
    for name, package in PACKAGES.items():
        if f"{module}.".startswith(f"{name}."):
            return package
    return module.partition(".")[0].replace("_", "-").lower()


@functools.cache
def third_party() -> dict[str, set[str]]:
    """Return the imported packages, each with the files that import it."""
    known = own_names() | sys.stdlib_module_names
    found: dict[str, set[str]] = {}
    for path in TREE.files:
        for module in imported_modules(TREE.nodes(path)):
            if module.partition(".")[0] not in known:
                found.setdefault(package_of(module), set()).add(path)
    return found


def declared() -> set[str]:
    """Return the packages in the Pipfile."""
    pipfile = tomllib.loads((ROOT / "Pipfile").read_text(encoding="utf-8"))
    return {name.lower() for name in (*pipfile["packages"], *pipfile["dev-packages"], *pipfile["azure"])}


def test_imported_packages_are_declared() -> None:
    known = declared() | set(SUCCESSORS) | {MISSING_PACKAGE}
    assert {package: files for package, files in third_party().items() if package not in known} == {}


def test_declared_packages_are_imported_or_have_a_reason() -> None:
    assert declared() - third_party().keys() == set(NOT_IMPORTED)


def test_the_lock_file_matches_the_pipfile() -> None:
    pipfile = tomllib.loads((ROOT / "Pipfile").read_text(encoding="utf-8"))
    hashed = {
        "_meta": {"sources": pipfile["source"], "requires": pipfile.get("requires", {})},
        "azure": pipfile["azure"],
        "default": pipfile["packages"],
        "develop": pipfile["dev-packages"],
    }
    text = json.dumps(hashed, sort_keys=True, separators=(",", ":"))
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    assert lock["_meta"]["hash"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_only_one_module_of_each_app_imports_the_framework_and_its_bindings() -> None:
    found = third_party()
    lab, cloud = "cdktf/stack/framework.py", "cdktf/cloud/framework.py"
    expected = {
        **dict.fromkeys((*BINDINGS, *SUCCESSORS, "constructs"), {lab}),
        **dict.fromkeys(("cdktf", "constructs"), {lab, cloud}),
        **dict.fromkeys(OPTIONAL_BINDINGS, {cloud}),
    }
    assert {
        package: {file for file in found[package] if not file.startswith("tests/")} for package in expected
    } == expected


def test_the_optional_category_locks_the_versions_of_the_lab() -> None:
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    lab = {**lock["develop"], **lock["default"]}
    own = {name for name, package in lock["azure"].items() if lab.get(name) != package}
    assert own == set(OPTIONAL_BINDINGS)


def test_imports_inside_functions_and_conditions_are_found() -> None:
    text = "def f():\n    import a.b\nif TYPE_CHECKING:\n    from c import d\nfrom . import e\nf = LazyModule('f.g')\n"
    assert sorted(imported_modules(ast.walk(ast.parse(text)))) == ["a.b", "c", "f.g"]
