"""Each rule of the project's structure finds a tree that violates it."""

from __future__ import annotations

import pytest

import import_graph
from import_graph import Tree

VALID = {
    "labkit/__init__.py": '"""Shared."""',
    "labkit/clock.py": "import json",
    "labkit/extras/__init__.py": '"""Shared, with libraries."""',
    "labkit/extras/cli.py": "import click\nfrom labkit import clock",
    "enforcer/__init__.py": '"""A program."""',
    "enforcer/domain/__init__.py": '"""Pure."""',
    "enforcer/domain/quota.py": "from datetime import timedelta",
    "enforcer/tick/__init__.py": '"""One tick."""',
    "enforcer/tick/run.py": "from enforcer.domain.quota import decide\nfrom labkit import clock",
    "cdktf/roster/__init__.py": '"""Groups and their members."""',
    "cdktf/roster/model.py": "import re",
    "cdktf/main.py": "from roster.model import Roster\nfrom cdktf import App",
    "tests/support/emulated_course.py": "import enforcer.tick.run",
    "tests/enforcer/test_run.py": "from emulated_course import EmulatedCourse",
}
RULES = {
    "cross_program_imports": import_graph.cross_program_imports,
    "upward_imports": import_graph.upward_imports,
    "import_cycles": import_graph.import_cycles,
    "too_large": import_graph.too_large,
    "missing_docstrings": import_graph.missing_docstrings,
    "tests_that_import_tests": import_graph.tests_that_import_tests,
    "third_party_imports": import_graph.third_party_imports,
    "impurities": lambda tree: import_graph.impurities(tree, ["enforcer/domain", "cdktf/roster"]),
}


def violations(changes: dict[str, str]) -> dict[str, list[str]]:
    """Return the violations of each rule in the valid tree with these changes; rules without violations are omitted."""
    tree = Tree(VALID | changes)
    return {name: found for name, rule in RULES.items() if (found := rule(tree))}


def test_a_valid_tree_obeys_all_rules() -> None:
    assert violations({}) == {}


@pytest.mark.parametrize(
    ("changes", "rule", "sentence"),
    [
        (
            {"enforcer/tick/run.py": "import inventory.scan", "inventory/scan.py": ""},
            "cross_program_imports",
            "enforcer/tick/run.py:1: enforcer imports inventory/scan.py",
        ),
        (
            {"labkit/clock.py": "def now():\n    from enforcer.tick import run"},
            "cross_program_imports",
            "labkit/clock.py:2: labkit imports enforcer/tick/run.py",
        ),
        (
            {"enforcer/domain/quota.py": "from enforcer.tick.run import run_tick"},
            "upward_imports",
            "enforcer/domain/quota.py:1: domain is below tick (enforcer/tick/run.py)",
        ),
        (
            {"enforcer/domain/quota.py": "if TYPE_CHECKING:\n    from enforcer.tick import run"},
            "upward_imports",
            "enforcer/domain/quota.py:2: domain is below tick (enforcer/tick/run.py)",
        ),
        (
            {"cdktf/roster/model.py": "def f():\n    import main"},
            "upward_imports",
            "cdktf/roster/model.py:2: roster is below main (cdktf/main.py)",
        ),
        (
            {"enforcer/unknown/a.py": ""},
            "upward_imports",
            "enforcer/unknown/a.py: its package is in no layer of enforcer",
        ),
        (
            {"enforcer/tick/a.py": "from enforcer.tick import b", "enforcer/tick/b.py": "import enforcer.tick.a"},
            "import_cycles",
            "an import cycle: enforcer/tick/a.py, enforcer/tick/b.py",
        ),
        (
            {
                "enforcer/mail/a.py": "import enforcer.ledger.a",
                "enforcer/ledger/a.py": "",
                "enforcer/ledger/b.py": "def f():\n    from enforcer.mail import a",
            },
            "import_cycles",
            "an import cycle: enforcer/ledger, enforcer/mail",
        ),
        ({"enforcer/tick/run.py": "\n" * 601}, "too_large", "enforcer/tick/run.py has 601 lines, more than 600"),
        (
            {f"enforcer/tick/m{number}.py": "" for number in range(14)},
            "too_large",
            "enforcer/tick/ has 15 modules, more than 14",
        ),
        ({"enforcer/tick/__init__.py": ""}, "missing_docstrings", "enforcer/tick/__init__.py has no docstring"),
        (
            {"tests/enforcer/test_run.py": "from test_other import x", "tests/support/test_other.py": ""},
            "tests_that_import_tests",
            "tests/enforcer/test_run.py:1: imports the test tests/support/test_other.py",
        ),
        (
            {"labkit/clock.py": "def f():\n    import click"},
            "third_party_imports",
            "labkit/clock.py:2: imports click, which is not in the standard library",
        ),
        (
            {"labkit/clock.py": 'click = LazyModule("click")'},
            "third_party_imports",
            "labkit/clock.py:1: imports click, which is not in the standard library",
        ),
        (
            {"enforcer/domain/quota.py": "import socket"},
            "impurities",
            "enforcer/domain/quota.py:1: imports socket",
        ),
        (
            {"cdktf/roster/model.py": "from labkit.text import f", "labkit/text.py": "def f(): return open('x')"},
            "impurities",
            "labkit/text.py:1: calls open",
        ),
        (
            {"enforcer/domain/quota.py": "from datetime import date\nTODAY = date.today()"},
            "impurities",
            "enforcer/domain/quota.py:2: calls date.today",
        ),
        (
            {"enforcer/domain/quota.py": "from zoneinfo import ZoneInfo\nZONE = ZoneInfo('UTC')"},
            "impurities",
            "enforcer/domain/quota.py:2: calls ZoneInfo",
        ),
    ],
)
def test_a_broken_rule_is_reported(changes: dict[str, str], rule: str, sentence: str) -> None:
    assert sentence in violations(changes).get(rule, [])
