"""The structure of the repository: its files and folders, and which module may import which."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import import_graph
from import_graph import PROGRAMS, ROOT, TREE, program_of
from tracked_files import tracked_files

pytestmark = pytest.mark.xdist_group("syntax trees")
FOLDERS = {*PROGRAMS, "labkit", "tests", "bench", "docs", "examples", "deploy", ".ci", ".github"}
FILES = {"cdktf.json", "lab.toml", "cloud.toml", "Makefile", "pyproject.toml", ".gitignore", ".pre-commit-config.yaml"}
FILES |= {"Pipfile", "Pipfile.lock", "package.json", "package-lock.json", ".env.example"}
FILES |= {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"}
PURE = (
    "cdktf/course_calendar/rules.py",
    "cdktf/course_calendar/table.py",
    "cdktf/moodle/answers.py",
    "cdktf/moodle/content.py",
    "cdktf/moodle/groups.py",
    "cdktf/moodle/refusals.py",
    "cdktf/nightly/mail_text.py",
    "cdktf/nightly/plan_policy.py",
    "cdktf/roster",
    "cdktf/sources",
    "cdktf/synthesized/resources.py",
    "cdktf/workbooks/cell_text.py",
    "enforcer/board/assemble.py",
    "enforcer/board/chart.py",
    "enforcer/board/model.py",
    "enforcer/domain",
    "enforcer/metrics/catalogue.py",
    "enforcer/pages/content.py",
    "enforcer/pages/dates.py",
    "enforcer/pages/markdown.py",
    "enforcer/pages/notebook.py",
    "enforcer/time_requests/answers.py",
    "enforcer/time_requests/decide.py",
    "enforcer/time_requests/model.py",
    "enforcer/time_requests/parse.py",
    "enforcer/time_requests/sentences.py",
    "enforcer/fleet/schedule.py",
    "enforcer/reports/daily_usage.py",
    "enforcer/reports/day_report.py",
    "enforcer/reports/forecast.py",
    "enforcer/reports/week_report.py",
    "inventory/backup/manifest.py",
    "inventory/backup/names.py",
    "inventory/restore/destination.py",
    "inventory/results",
    "inventory/spark/address.py",
    "inventory/spark/errors.py",
    "inventory/spark/rate_share.py",
    "inventory/transport/limiter.py",
    "inventory/transport/retry.py",
    "inventory/tree",
    "labkit/addresses.py",
    "labkit/course_file.py",
    "labkit/csv_cells.py",
    "labkit/formats",
    "labkit/tables.py",
    "labkit/text.py",
    "labkit/workspace/choice.py",
)
EXECUTED = "inventory/spark/worker.py"
"""The module that Spark executors run. Executors have only the standard library and certifi, not the project."""


@pytest.mark.parametrize(
    "rule",
    [
        import_graph.cross_program_imports,
        import_graph.upward_imports,
        import_graph.import_cycles,
        import_graph.too_large,
        import_graph.missing_docstrings,
        import_graph.tests_that_import_tests,
        import_graph.third_party_imports,
    ],
)
def test_the_project_obeys_every_structure_rule(rule):
    assert rule(TREE) == []


@pytest.mark.parametrize("path", PURE)
def test_pure_packages_and_their_imports_are_pure(path):
    assert any(file == path or file.startswith(f"{path}/") for file in TREE.files)
    assert import_graph.impurities(TREE, [path]) == []


def test_executors_need_the_standard_library_and_certifi_only():
    needed = TREE.closure([EXECUTED])
    foreign = {
        one.target.partition(".")[0] for path in needed for one in TREE.imports[path] if one.target not in needed
    }
    assert (foreign - sys.stdlib_module_names, "inventory/scan/scan_work.py" in needed) == ({"certifi"}, True)


@pytest.mark.process
def test_the_folder_cdktf_does_not_hide_the_library():
    import cdktf

    assert not (ROOT / "cdktf" / "__init__.py").exists()
    assert hasattr(cdktf, "App")


def test_tests_hide_no_package():
    assert [path for path in TREE.files if path.startswith("tests/") and path.endswith("__init__.py")] == []
    assert not list(ROOT.glob("*.py"))


def test_modules_imported_by_bare_name_shadow_no_library():
    bare = {path.split("/")[1].removesuffix(".py") for path in TREE.files if program_of(path) == "cdktf"}
    site = Path(pytest.__file__).parents[1]
    assert bare & sys.stdlib_module_names == set()
    assert [name for name in bare if (site / name).exists() or (site / f"{name}.py").exists()] == []


@pytest.mark.process
def test_the_top_level_has_only_known_files_and_folders():
    found = tracked_files()
    assert {path.parts[0] for path in found if len(path.parts) > 1} <= FOLDERS
    assert {path.name for path in found if len(path.parts) == 1} <= FILES


def test_only_programs_read_the_environment():
    readers = {path for path in TREE.files if program_of(path) in PROGRAMS and reads_environment(path)}
    assert {path for path in readers if not is_program(path)} == set()


def reads_environment(path: str) -> bool:
    """Return whether a module reads os.environ itself."""
    names = {node.attr for node in TREE.nodes(path) if isinstance(node, ast.Attribute)}
    names |= {name.name for node in TREE.nodes(path) if isinstance(node, ast.ImportFrom) for name in node.names}
    return bool(names & {"environ", "getenv"})


def is_program(path: str) -> bool:
    """Return whether a module is a program: it has a `__main__` part."""
    return path.endswith("__main__.py") or 'if __name__ == "__main__":' in TREE.files[path]
