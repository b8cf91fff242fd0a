"""docs/architecture.md lists the main paths, and each function of a path calls the next one directly."""

from __future__ import annotations

import pytest

from call_paths import Step, gaps, hops, main_paths
from import_graph import ROOT, TREE, Tree

pytestmark = pytest.mark.xdist_group("syntax trees")
PATHS = main_paths((ROOT / "docs/architecture.md").read_text(encoding="utf-8"))
SMALL = {
    "a.py": "from b import middle\ndef first():\n    return middle()",
    "b.py": "from c import Last\ndef middle():\n    Last().do()",
    "c.py": "class Last:\n    def do(self): ...",
}
DOCUMENT = "# Paths\n\n## first → last\n\n1. `a.py` `first` calls\n2. `b.py` `middle`\n3. `c.py` `Last.do`\n"


def test_the_document_has_all_main_paths() -> None:
    assert set(PATHS) == {
        "poll → terminate",
        "scan → request",
        "backup → file",
        "restore → request",
        "deploy → resource",
        "clusters/start → state",
    }


@pytest.mark.parametrize("title", PATHS)
def test_each_function_of_a_path_calls_the_next(title: str) -> None:
    assert gaps(TREE, PATHS[title]) == []


@pytest.mark.parametrize("title", PATHS)
def test_a_path_has_at_most_four_calls_into_other_modules(title: str) -> None:
    assert 1 <= hops(PATHS[title]) <= 4


def test_a_path_is_read_from_the_numbered_list_of_its_section() -> None:
    assert main_paths(DOCUMENT) == {
        "first → last": [Step("a.py", "first"), Step("b.py", "middle"), Step("c.py", "Last.do")]
    }


PROTOCOL = "from typing import Protocol\nclass Doer(Protocol):\n    def do(self): ...\n"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, []),
        ({"a.py": "from b import middle\ndef first():\n    return [middle]"}, ["a.py:first does not call b.py:middle"]),
        ({"a.py": "def first(step):\n    return step()"}, ["a.py:first does not call b.py:middle"]),
        ({"b.py": "from c import Last\ndef middle(): ..."}, ["b.py:middle does not call c.py:Last.do"]),
        ({"b.py": "def middle(last):\n    last.do()"}, ["b.py:middle does not call c.py:Last.do"]),
        ({"b.py": f"{PROTOCOL}def middle(last: Doer):\n    last.do()"}, []),
        ({"b.py": f"{PROTOCOL}def middle(last):\n    last.do()"}, ["b.py:middle does not call c.py:Last.do"]),
        (
            {"b.py": f"{PROTOCOL}def middle(last: Doer, other):\n    other.do()"},
            ["b.py:middle does not call c.py:Last.do"],
        ),
        ({"c.py": "class Last: ..."}, ["c.py:Last.do does not exist"]),
    ],
)
def test_a_missing_call_is_reported(change: dict[str, str], sentence: list[str]) -> None:
    # The modules in examples/ are imported by bare name.
    files = {f"examples/{name}": text for name, text in (SMALL | change).items()}
    path = [Step(f"examples/{step.file}", step.name) for step in main_paths(DOCUMENT)["first → last"]]

    assert [one.replace("examples/", "") for one in gaps(Tree(files), path)] == sentence
