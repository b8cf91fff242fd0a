"""Each rule of the structure finds the tree that breaks it."""

from __future__ import annotations

import pytest

import import_graph
from import_graph import Tree

SOUND = {
    "labkit/__init__.py": '"""Shared."""',
    "labkit/clock.py": "import json",
    "labkit/extras/__init__.py": '"""Shared, with libraries."""',
    "labkit/extras/cli.py": "import click\nfrom labkit import clock",
    "enforcer/__init__.py": '"""A program."""',
    "enforcer/domain/__init__.py": '"""Pure."""',
    "enforcer/domain/quota.py": "from datetime import timedelta",
    "enforcer/tick/__init__.py": '"""One tick."""',
    "enforcer/tick/run.py": "from enforcer.domain.quota import decide\nfrom labkit import clock",
    "cdktf/roster/__init__.py": '"""Who is in which group."""',
    "cdktf/roster/model.py": "import re",
    "cdktf/main.py": "from roster.model import Roster\nfrom cdktf import App",
    "tests/support/emulated_course.py": "import enforcer.tick.run",
    "tests/enforcer/test_run.py": "from emulated_course import EmulatedCourse",
}
RULES = {
    "strangers": import_graph.cross_program_imports,
    "upward": import_graph.upward_imports,
    "circles": import_graph.import_cycles,
    "too_large": import_graph.too_large,
    "without_reason": import_graph.missing_docstrings,
    "tests_that_import_tests": import_graph.tests_that_import_tests,
    "beyond_the_standard_library": import_graph.third_party_imports,
    "impure": lambda tree: import_graph.impurities(tree, ["enforcer/domain", "cdktf/roster"]),
}


def broken(changes: dict[str, str]) -> dict[str, list[str]]:
    """What each rule says of the sound tree with these changes; rules that say nothing are left out."""
    tree = Tree(SOUND | changes)
    return {name: found for name, rule in RULES.items() if (found := rule(tree))}


def test_a_sound_tree_breaks_no_rule() -> None:
    assert broken({}) == {}


@pytest.mark.parametrize(
    ("changes", "rule", "sentence"),
    [
        (
            {"enforcer/tick/run.py": "import inventory.scan", "inventory/scan.py": ""},
            "strangers",
            "enforcer/tick/run.py:1: enforcer imports inventory/scan.py",
        ),
        (
            {"labkit/clock.py": "def now():\n    from enforcer.tick import run"},
            "strangers",
            "labkit/clock.py:2: labkit imports enforcer/tick/run.py",
        ),
        (
            {"enforcer/domain/quota.py": "from enforcer.tick.run import run_tick"},
            "upward",
            "enforcer/domain/quota.py:1: domain is below tick (enforcer/tick/run.py)",
        ),
        (
            {"enforcer/domain/quota.py": "if TYPE_CHECKING:\n    from enforcer.tick import run"},
            "upward",
            "enforcer/domain/quota.py:2: domain is below tick (enforcer/tick/run.py)",
        ),
        (
            {"cdktf/roster/model.py": "def f():\n    import main"},
            "upward",
            "cdktf/roster/model.py:2: roster is below main (cdktf/main.py)",
        ),
        ({"enforcer/odd/a.py": ""}, "upward", "enforcer/odd/a.py: its room is in no layer of enforcer"),
        (
            {"enforcer/tick/a.py": "from enforcer.tick import b", "enforcer/tick/b.py": "import enforcer.tick.a"},
            "circles",
            "a circle: enforcer/tick/a.py, enforcer/tick/b.py",
        ),
        (
            {
                "enforcer/mail/a.py": "import enforcer.ledger.a",
                "enforcer/ledger/a.py": "",
                "enforcer/ledger/b.py": "def f():\n    from enforcer.mail import a",
            },
            "circles",
            "a circle: enforcer/ledger, enforcer/mail",
        ),
        ({"enforcer/tick/run.py": "\n" * 601}, "too_large", "enforcer/tick/run.py has 601 lines, more than 600"),
        (
            {f"enforcer/tick/m{number}.py": "" for number in range(14)},
            "too_large",
            "enforcer/tick/ has 15 modules, more than 14",
        ),
        ({"enforcer/tick/__init__.py": ""}, "without_reason", "enforcer/tick/__init__.py has no docstring"),
        (
            {"tests/enforcer/test_run.py": "from test_other import x", "tests/support/test_other.py": ""},
            "tests_that_import_tests",
            "tests/enforcer/test_run.py:1: imports the test tests/support/test_other.py",
        ),
        (
            {"labkit/clock.py": "def f():\n    import click"},
            "beyond_the_standard_library",
            "labkit/clock.py:2: imports click, which is not in the standard library",
        ),
        (
            {"labkit/clock.py": 'click = LazyModule("click")'},
            "beyond_the_standard_library",
            "labkit/clock.py:1: imports click, which is not in the standard library",
        ),
        (
            {"enforcer/domain/quota.py": "import socket"},
            "impure",
            "enforcer/domain/quota.py:1: imports socket",
        ),
        (
            {"cdktf/roster/model.py": "from labkit.text import f", "labkit/text.py": "def f(): return open('x')"},
            "impure",
            "labkit/text.py:1: calls open",
        ),
        (
            {"enforcer/domain/quota.py": "from datetime import date\nTODAY = date.today()"},
            "impure",
            "enforcer/domain/quota.py:2: calls date.today",
        ),
        (
            {"enforcer/domain/quota.py": "from zoneinfo import ZoneInfo\nZONE = ZoneInfo('UTC')"},
            "impure",
            "enforcer/domain/quota.py:2: calls ZoneInfo",
        ),
    ],
)
def test_a_broken_tree_is_named(changes: dict[str, str], rule: str, sentence: str) -> None:
    assert sentence in broken(changes).get(rule, [])
