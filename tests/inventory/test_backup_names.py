"""Names are encoded so that every file system can hold them, and decoded again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory.backup.names import PathParts, decode_name, encode_name
from inventory.backup.names import assign_names as arrange_items


def arrange(names: Iterable[str], taken: Mapping[str, PathParts] | None = None) -> dict[str, PathParts]:
    """Assign names without suffixes."""
    before = {(name, ""): parts for name, parts in (taken or {}).items()}
    return {name: parts for (name, _), parts in arrange_items(((name, "") for name in names), before).items()}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("analysis.py", ("analysis.py",)),
        ("מחברת ראשונה.ipynb", ("מחברת ראשונה.ipynb",)),
        ("🎓 final (2)", ("🎓 final (2)",)),
        ("..", (".%2E",)),
        (".", ("%2E",)),
        ("../../etc/passwd", ("..%2F..%2Fetc%2Fpasswd",)),
        ("/etc/passwd", ("%2Fetc%2Fpasswd",)),
        ("a\0b", ("a%00b",)),
        ("100%", ("100%25",)),
        ("%2F", ("%252F",)),
        ("ends with a dot.", ("ends with a dot%2E",)),
        ("ends with a space ", ("ends with a space%20",)),
        ('what? "yes": a|b<c>*', ("what%3F %22yes%22%3A a%7Cb%3Cc%3E%2A",)),
        ("C:\\windows", ("C%3A\\windows".replace("\\", "%5C"),)),
        ("con", ("%63on",)),
        ("NUL.txt", ("%4EUL.txt",)),
        ("com1 .tar.gz", ("%63om1 .tar.gz",)),
        ("console", ("console",)),
        ("\x1b[2J", ("%1B[2J",)),
        ("", ("%00",)),
    ],
)
def test_a_name_is_encoded_as_expected(name, parts):
    assert encode_name(name) == parts


def test_names_that_differ_only_in_case_are_kept_apart():
    assert arrange(["readme.md", "README.md", "Readme.md"]) == {
        "README.md": ("README.md",),
        "Readme.md": ("%~2Readme.md",),
        "readme.md": ("%~3readme.md",),
    }


def test_names_that_differ_only_in_unicode_normalization_are_kept_apart():
    one, other = normalize("NFC", "é"), normalize("NFD", "é")
    assert sorted(arrange([one, other]).values()) == sorted([("%~2" + one,), (other,)])


def test_a_notebook_and_a_file_with_the_same_name_are_kept_apart():
    assert arrange_items([("a", ".py"), ("a.py", ""), ("a", "")]) == {
        ("a", ""): ("a",),
        ("a.py", ""): ("a.py",),
        ("a", ".py"): ("%~2a.py",),
    }


def test_encoding_of_names_is_stable_across_versions():
    earlier = arrange(["readme.md"])
    assert arrange(["README.md", "readme.md"], earlier) == {
        "readme.md": ("readme.md",),
        "README.md": ("%~2README.md",),
    }


def test_a_long_name_is_a_folder_with_the_rest_in_it():
    assert encode_name("x" * 255) == ("x" * 255,)
    assert encode_name("x" * 300) == ("x" * 253 + "%-", "%+" + "x" * 47)
    assert encode_name("%" * 255)[-1].startswith("%+")


def test_long_names_that_differ_only_in_case_share_no_folder():
    found = arrange(["A" * 300, "a" * 300, "a" * 299 + "b"])
    assert len({parts[0].casefold() for parts in found.values()}) == 2
    assert {decode_name(parts) for parts in found.values()} == set(found)


ANY = st.text(st.characters(codec=None), max_size=40)
HARD = st.text(st.sampled_from("aA.% /\\:\0é~-+2F"), max_size=12)
LONG = st.builds(lambda part, times: part * times, st.text("aA%.ש", min_size=1, max_size=3), st.integers(60, 300))
NAMES = ANY | HARD | LONG | st.sampled_from(["con", "CON.txt", "nul", "lpt1.x", "..", "."])


@given(NAMES.filter(bool))
def test_decoding_restores_every_name(name):
    assert decode_name(encode_name(name)) == name


@given(st.sets(NAMES.filter(bool), max_size=12))
@example({"ss", "ß", "SS", "ẞ"})
@example({"%~2a", "A", "a"})
def test_names_in_a_folder_never_collide_and_can_be_decoded(names):
    found = arrange(names)

    assert {name: decode_name(parts) for name, parts in found.items()} == {name: name for name in names}
    folded = [tuple(normalize("NFC", normalize("NFC", part).casefold()) for part in parts) for parts in found.values()]
    assert len(set(folded)) == len(names)
    files, folders = set(folded), {parts[:depth] for parts in folded for depth in range(1, len(parts))}
    assert files & folders == set()


@given(st.sets(NAMES.filter(bool), max_size=8))
def test_a_real_file_system_holds_all_names_inside_the_folder(names):
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder) / "inside"
        inside.mkdir()
        for name, parts in arrange(names).items():
            place = inside.joinpath(*parts)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(repr(name))
        assert os.listdir(folder) == ["inside"]
        read = {
            decode_name(path.relative_to(inside).parts): path.read_text()
            for path in inside.rglob("*")
            if path.is_file()
        }
        assert read == {name: repr(name) for name in names}


@given(st.sets(NAMES.filter(bool), max_size=8), st.sets(NAMES.filter(bool), max_size=8))
def test_adding_names_does_not_change_earlier_ones(earlier, later):
    before = arrange(earlier)
    after = arrange(earlier | later, before)
    assert {name: after[name] for name in earlier} == before
    assert len(set(after.values())) == len(earlier | later)
