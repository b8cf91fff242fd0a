"""The emulator's packages: imports between layers, and purity of modules."""

from __future__ import annotations

import ast
import re

import pytest

import import_graph
from emulator.api.routing import Router
from emulator.clusters import routes as clusters_routes
from emulator.server import services
from import_graph import LAYERS, TREE, package_of

EMULATOR = TREE.part("emulator")
OPENING = re.compile(r'"""(.*?)"""', re.DOTALL)
DOCSTRINGS = {path: found[1] if (found := OPENING.match(text)) else "" for path, text in EMULATOR.files.items()}
PURE = sorted(path for path, text in DOCSTRINGS.items() if re.search(r"\bPure( constants)?\.", text))
HARMLESS = ("random", "zipfile", "pydantic_core")
"""Additional imports allowed in pure modules: seeded generators, archives in memory, serialization schemas."""

pytestmark = pytest.mark.xdist_group("syntax trees")

USES = {("clusters", name) for name in ("libraries", "policies", "settings")}
USES |= {("account", "scim"), ("repos", "objects"), ("scim", "objects"), ("volumes", "dbfs"), ("dbfs", "settings")}
USES |= {("jobs", name) for name in ("clusters", "policies", "warehouses")}
USES |= {("unity_catalog", "grants"), ("volumes", "grants")}
USES |= {(name, "objects") for name in ("dashboards", "mlflow", "saved_queries")} | {("saved_queries", "warehouses")}
USES |= {("statements", name) for name in ("grants", "unity_catalog", "warehouses")}
"""API → other APIs that it may use; all may use `permissions`."""


def test_the_package_docstring_lists_the_layers_in_order():
    lines = [line for line in DOCSTRINGS["emulator/__init__.py"].splitlines() if line.startswith("- ")]
    written = [re.match(r"- `(\w+)`: ", line) for line in lines]
    assert [found[1] if found else "*" for found in written] == [name for names in LAYERS["emulator"] for name in names]


def test_apis_import_only_the_allowed_other_apis():
    apis = {package_of(path) for path in EMULATOR.files if path.endswith("/routes.py")} - {"control"}
    arrows = {(package_of(path), package_of(one.target)) for path in EMULATOR.files for one in EMULATOR.inside[path]}
    used = {(user, api) for user, api in arrows if {user, api} <= apis and user != api and api != "permissions"}
    assert used == USES


def test_no_emulator_module_imports_by_name_at_run_time():
    imported = {one.target.partition(".")[0] for imports in EMULATOR.imports.values() for one in imports}
    nodes = [node for path in EMULATOR.files for node in EMULATOR.nodes(path)]
    called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    assert ("importlib" in imported, "__import__" in called) == (False, False)


@pytest.mark.parametrize("path", PURE)
def test_modules_documented_as_pure_are_pure(path):
    allowed = tuple(f"imports {name}" for name in HARMLESS)
    assert [found for found in import_graph.impurities(EMULATOR, [path]) if not found.endswith(allowed)] == []


def test_expected_modules_are_pure():
    expected = {"base/paths", "reference/policy_families", "notebook_formats/notebooks", "policies/evaluation"}
    assert {f"emulator/{name}.py" for name in expected} <= set(PURE)


def test_clusters_start_is_routed_to_its_handler():
    found = Router(services.routes()).find("POST", "/api/2.1/clusters/start")
    assert found
    assert found[0].handler is clusters_routes.start
