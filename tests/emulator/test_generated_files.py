"""Generated homes: the ground truth equals their contents, in memory and on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.base.content import GeneratedContent
from emulator.generated_files.ground_truth import ground_truth
from emulator.generated_files.homes import GeneratedHome, GeneratedTree, generated_tree
from emulator.generated_files.layout import write_layout
from emulator.generated_files.shapes import apportion, parse_shape

SOURCES = ("dbfs", "workspace")
shapes = st.builds("users={},files={}".format, st.integers(1, 20), st.integers(0, 250))


def counted(home: GeneratedHome | None) -> dict[str, int]:
    """Compute the counts in the ground truth by listing everything."""
    counts = dict.fromkeys(("files", "directories", "size", "estimated_files", "exact_size"), 0)
    if home is None:
        return counts
    waiting = [home.root]
    for folder in waiting:
        counts["directories"] += 1
        for item in home.children(home.number(folder)):
            if item.is_container:
                waiting.append(item)
                continue
            estimated = item.kind in ("NOTEBOOK", "DASHBOARD")
            counts["files"] += 1
            counts["size"] += 10_000 if estimated else item.size
            counts["estimated_files"] += estimated
            counts["exact_size"] += item.size
    return counts


def walked(tree: GeneratedTree) -> list[dict[str, object]]:
    return [
        {"user_name": user, **{source: counted(tree.homes.get(cast(Any, (source, user)))) for source in SOURCES}}
        for user in tree.users
    ]


@given(shapes, st.text(max_size=5))
def test_the_ground_truth_of_any_shape_matches_its_homes(shape, seed):
    tree = GeneratedTree(parse_shape(shape), seed)
    assert ground_truth(tree)["users"] == walked(tree)


@pytest.mark.parametrize("shape", ["term", pytest.param("heavy", marks=pytest.mark.acceptance)])
def test_the_ground_truth_of_named_shapes_matches_their_homes(shape):
    tree = generated_tree(shape, "7")
    assert ground_truth(tree)["users"] == walked(tree)


def test_the_heavy_shape_has_the_measured_counts():
    truth = ground_truth(generated_tree("heavy", "7"))
    files = sorted((sum(user[source]["files"] for source in SOURCES) for user in truth["users"]), reverse=True)
    total = {name: sum(truth["total"][source][name] for source in SOURCES) for name in ("files", "directories")}
    assert (len(files), total) == (27, {"files": 258_824, "directories": 23_143})
    assert round(sum(files[:3]) / sum(files), 2) == 0.58


def test_the_term_shape_has_small_homes_and_some_empty_homes():
    files = [
        sum(user[source]["files"] for source in SOURCES) for user in ground_truth(generated_tree("term", "7"))["users"]
    ]
    assert (len(files), sum(files), max(files), files.count(0)) == (100, 3000, 104, 2)


@given(shapes, st.text(max_size=3))
def test_items_are_found_by_name_and_number(shape, seed):
    tree = GeneratedTree(parse_shape(shape), seed)
    for home in tree.homes.values():
        waiting = [0]
        for folder in waiting:
            items = list(home.children(folder))
            assert len({item.name for item in items}) == len(items)
            assert [home.child(folder, item.name) for item in items] == items
            assert [home.item(home.number(item)) for item in items] == items
            assert {home.folder_of(home.number(item)) for item in items} <= {folder}
            assert {tree.find(item.id) for item in items} == {(home, home.number(item)) for item in items}
            waiting.extend(home.number(item) for item in items if item.is_container)


@pytest.mark.parametrize(
    "name", ["", "notes", "notes_", "notes_0", "notes_99999999999", "_1", "notes_1.exe", "notes_٣", "week-0", "a/b_1"]
)
def test_an_unknown_name_is_not_found(name):
    home = next(home for home in generated_tree("term", "7").homes.values() if home.directories > 3)
    assert home.child(0, name) is None


def test_equal_seeds_give_equal_files_and_different_seeds_do_not():
    first, again, other = (GeneratedTree(parse_shape("term"), seed) for seed in ("1", "1", "2"))
    assert walked(first) == walked(again) != walked(other)


def test_ten_million_files_are_counted_without_listing_them():
    tree = generated_tree("users=100,files=10000000", "7")
    truth = ground_truth(tree)["total"]
    assert sum(truth[source]["files"] for source in SOURCES) == 10_000_000
    largest = max(tree.homes.values(), key=lambda home: home.files)
    folder = largest.folder_of(largest.directories + largest.files // 2)
    assert all(largest.folder_of(largest.number(item)) == folder for item in largest.children(folder))


@given(st.integers(0, 10**6), st.lists(st.integers(0, 50), min_size=1))
def test_apportioned_numbers_add_up_to_the_total(total, weights):
    assert sum(apportion(total, weights)) == (total if any(weights) else 0)


@pytest.mark.parametrize("text", ["", "Term", "users=0,files=1", "users=3", "users=3,files=-1", "files=1,users=3"])
def test_an_unknown_shape_is_rejected_with_the_known_ones(text):
    with pytest.raises(ValueError, match="users"):
        parse_shape(text)


@given(
    st.sampled_from(["", "PYTHON", "SQL", "SCALA", "R", "dashboard"]),
    st.integers(64, 300_000),
    st.integers(0, 310_000),
    st.integers(0, 310_000),
)
def test_a_partial_read_equals_this_part_of_the_whole_generated_file(flavour, size, offset, length):
    content = GeneratedContent(flavour, 12, size)
    whole = content.read()
    assert len(whole) == size == content.size
    assert content.read(offset, length) == whole[offset : offset + length]


def disk(folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for path, folders, files in os.walk(folder):
        found["files"] += len(files)
        found["directories"] += len(folders)
        found["exact_size"] += sum(os.stat(f"{path}/{name}").st_size for name in files)
    return found


def test_the_layout_on_disk_is_the_same_tree(tmp_path):
    tree = generated_tree("users=12,files=360", "7")
    assert write_layout(tree, tmp_path, ["admin@lab.example"]) == 360
    truth = ground_truth(tree)["total"]
    expected = {
        mount: {name: truth[source][name] for name in ("files", "directories", "exact_size")}
        for mount, source in (("Workspace/Users", "workspace"), ("dbfs/Users", "dbfs"))
    }
    expected["Workspace/Users"]["directories"] += 1
    assert {mount: disk(tmp_path / mount) for mount in expected} == expected
    homes = {user: tree.homes["workspace", user] for user in tree.users}
    for user, item in ((user, item) for user, home in homes.items() for item in home.children(0)):
        laid = tmp_path / "Workspace/Users" / user / item.name
        if item.kind == "NOTEBOOK":
            assert laid.read_bytes().splitlines()[0].endswith(b" Databricks notebook source")
        if not item.is_container:
            assert (laid.stat().st_size, laid.stat().st_mtime_ns) == (item.size, item.modified_at * 10**6)


@pytest.mark.process
def test_the_layout_command_does_not_overwrite_a_folder(tmp_path):
    command = [sys.executable, "-m", "emulator", "layout", "--files", "users=2,files=9", "--seed", "1", str(tmp_path)]
    first, second = (subprocess.run(command, capture_output=True, text=True, timeout=60) for _ in range(2))
    assert (first.returncode, first.stdout) == (
        0,
        '{"files": 9, "users": 2, "shape": "users=2,files=9", "seed": "1"}\n',
    )
    assert second.returncode == 2
    assert "File exists; choose an empty folder" in second.stderr
