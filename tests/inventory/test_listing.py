"""What a listing means, and which folder comes next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.tree.listing import Failure, File, Folder, Listing, NotAListing, read
from inventory.tree.walk import Walk

HOME = Folder("dana", "workspace", "/Users/dana")
DBFS = Folder("dana", "dbfs", "/Users/dana")


def entry(name: str, kind: str, **more: object) -> dict[str, object]:
    return {"path": f"/Users/dana/{name}", "object_type": kind, **more}


def test_an_empty_answer_is_an_empty_folder():
    assert read(HOME, {}) == Listing()
    assert read(DBFS, {}) == Listing()


def test_git_folders_are_opened_and_what_has_no_size_is_estimated():
    answer = {
        "objects": [
            entry("a", "DIRECTORY"),
            entry("git", "REPO"),
            entry("data.csv", "FILE", size=12, modified_at=1_760_000_000_000),
            entry("nb", "NOTEBOOK", language="PYTHON", size=99),
            entry("x", "MLFLOW_EXPERIMENT"),
        ]
    }

    found = read(HOME, answer)

    assert found.folders == ("/Users/dana/a", "/Users/dana/git")
    assert found.files == (
        File("/Users/dana/data.csv", "FILE", 12, 1_760_000_000_000),
        File("/Users/dana/nb", "NOTEBOOK", None, None, "PYTHON"),
        File("/Users/dana/x", "MLFLOW_EXPERIMENT", None),
    )
    assert [file.counted_size for file in found.files] == [12, 10_000, 10_000]


def test_sizes_of_dbfs_are_exact_and_a_missing_one_is_not_zero():
    files = [{"path": "/Users/dana/f", "is_dir": False, "file_size": 0}, {"path": "/Users/dana/g", "is_dir": False}]
    assert [file.size for file in read(DBFS, {"files": files}).files] == [0, None]


def test_what_an_answer_repeats_counts_once():
    answer = {"objects": [entry("a", "FILE", size=1), entry("a", "FILE", size=1), *[entry("d", "DIRECTORY")] * 2]}
    assert read(HOME, answer) == Listing(("/Users/dana/d",), (File("/Users/dana/a", "FILE", 1),))


def test_a_folder_that_was_replaced_by_a_file_is_that_file():
    answer = {"objects": [{"path": HOME.path, "object_type": "FILE", "size": 3}]}
    assert read(HOME, answer) == Listing((), (File(HOME.path, "FILE", 3),))


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "text",
        {"objects": None},
        {"objects": {}},
        {"objects": ["x"]},
        {"objects": [{"object_type": "FILE"}]},
        {"objects": [{"path": "/Users/carol/f", "object_type": "FILE"}]},
        {"objects": [{"path": "/Users/dana/../carol", "object_type": "DIRECTORY"}]},
        {"objects": [{"path": "/Users/dana/..", "object_type": "DIRECTORY"}]},
        {"objects": [{"path": "/Users/dana/a/b", "object_type": "DIRECTORY"}]},
        {"objects": [{"path": "/Users/dana", "object_type": "DIRECTORY"}]},
        {"objects": [{"path": "/Users/dana/\ud800", "object_type": "FILE"}]},
    ],
    ids=str,
)
def test_an_answer_that_is_no_listing_of_the_folder_is_refused(answer):
    with pytest.raises(NotAListing):
        read(HOME, answer)


def walked(root: Folder, tree: dict[str, Listing | Failure]) -> list[tuple[str, Listing | Failure]]:
    """Everything below a folder, in the order in which it is listed; `tree` says what is found where."""
    queue, found = Walk([root]), []
    while folder := queue.take():
        queue.visited(folder, tree[folder.path])
        found.append((folder.path, tree[folder.path]))
    return found


def test_a_folder_that_cannot_be_listed_does_not_end_the_walk():
    tree: dict[str, Listing | Failure] = {
        "/Users/dana": Listing(("/Users/dana/a", "/Users/dana/b"), (File("/Users/dana/f", "FILE", 1),)),
        "/Users/dana/a": Failure("/Users/dana/a", "403 PERMISSION_DENIED"),
        "/Users/dana/b": Listing(),
    }
    assert walked(HOME, tree) == list(tree.items())


def test_no_home_waits_behind_another():
    queue = Walk([HOME, Folder("carol", "workspace", "/Users/carol")])
    first = queue.take()
    assert first == HOME
    queue.visited(first, Listing(tuple(f"/Users/dana/{number}" for number in range(1000))))
    assert queue.take() == Folder("carol", "workspace", "/Users/carol")


def test_each_file_system_has_a_queue_of_its_own():
    queue = Walk([HOME, DBFS])
    assert [queue.take("dbfs"), queue.take("dbfs"), queue.take()] == [DBFS, None, HOME]


def taken(queue: Walk) -> Folder:
    folder = queue.take()
    assert folder
    return folder


def test_a_user_is_open_until_the_last_folder_is_done():
    queue = Walk([HOME])
    queue.visited(taken(queue), Listing(("/Users/dana/a",)))
    assert queue.open == {"dana": 1}
    queue.visited(taken(queue), Failure("/Users/dana/a", "no"))
    assert queue.open == {}


@given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=5)))
def test_every_folder_is_listed_once_even_if_the_tree_has_circles(children):
    tree: dict[str, Listing | Failure] = {
        f"/{number}": Listing(tuple(f"/{child}" for child in children.get(number, ()))) for number in range(10)
    }
    listed = [path for path, _ in walked(Folder("u", "workspace", "/0"), tree)]

    reached, waiting = {0}, [0]
    while waiting:
        for child in children.get(waiting.pop(), []):
            if child not in reached:
                reached.add(child)
                waiting.append(child)
    assert sorted(listed) == sorted(f"/{number}" for number in reached)
