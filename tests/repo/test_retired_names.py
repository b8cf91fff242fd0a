"""Retired names are not used again."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tracked_files import ROOT, tracked_files

NAMES = Path(__file__).with_name("retired_names.txt")
HISTORY = ("CHANGELOG.md", "docs/json.md", "tests/data/", "tests/repo/retired_names.txt")
"""Files that mention old names next to new ones, and files from older versions."""
PATHS = [path.as_posix() for path in tracked_files()]


def retired_names() -> list[tuple[str, str]]:
    """Return the path and the regular expression for each retired name."""
    lines = NAMES.read_text(encoding="utf-8").splitlines()
    fields = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
    return [(path, pattern) for path, pattern in fields]


@cache
def texts() -> dict[str, str]:
    """Map each tracked file's path to its content."""
    kept = [path for path in PATHS if not path.startswith(HISTORY)]
    return {path: (ROOT / path).read_text(encoding="utf-8", errors="replace") for path in kept}


def words_of(pattern: str) -> list[str]:
    """Return words of which each match contains at least one, or nothing if there may be matches without one.

    Most files and lines have none of them, and looking for a word takes much less time than a regular expression.
    """
    alternatives = re.sub(r"\\.", " ", pattern).split("|")
    words = [re.findall(r"[A-Za-z_]{3,}", each) for each in alternatives]
    return [word for each in words for word in each] if all(words) else []


def lines_with(text: str, word: str) -> Iterator[tuple[int, str]]:
    """Yield the place and the text of each line that contains the word."""
    at = text.find(word)
    while at >= 0:
        end = text.find("\n", at)
        begin, end = text.rfind("\n", 0, at) + 1, end if end >= 0 else len(text)
        yield begin, text[begin:end]
        at = text.find(word, end + 1)


def uses(path: str, pattern: str) -> list[str]:
    """Return the lines that contain the name, as `file:line: text`."""
    search, words = re.compile(pattern), words_of(pattern) or [""]
    found = set()
    for file, text in texts().items():
        if path == "." or file == path or file.startswith(f"{path}/"):
            lines = (each for word in words for each in lines_with(text, word))
            found |= {(file, text.count("\n", 0, at) + 1, line) for at, line in lines if search.search(line)}
    return [f"{file}:{number}: {line}" for file, number, line in sorted(found)]


def test_retired_names_do_not_come_back() -> None:
    found = {pattern: uses(path, pattern) for path, pattern in retired_names()}
    assert {pattern: lines for pattern, lines in found.items() if lines} == {}


def test_words_leave_out_no_alternative() -> None:
    assert words_of(r"\b(Letter|Stored)Row\b") == ["Letter", "Stored", "Row"]
    assert words_of(r"\b(Letter|w)\b") == []


def test_the_search_finds_a_name_in_use() -> None:
    assert uses("tests/repo/test_retired_names.py", r"\bdef retired_names\b")
