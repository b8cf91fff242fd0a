"""Listings are parsed correctly, and folders are queued in the right order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_counts import exactly_examples
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import Failure, File, Folder, InvalidListing, Listing, parse_listing

HOME = Folder("dana", "workspace", "/Users/dana")
DBFS = Folder("dana", "dbfs", "/Users/dana")


def entry(name: str, kind: str, **more: object) -> dict[str, object]:
    return {"path": f"/Users/dana/{name}", "object_type": kind, **more}


def test_an_empty_response_is_an_empty_folder():
    assert parse_listing(HOME, {}) == Listing()
    assert parse_listing(DBFS, {}) == Listing()


def test_git_folders_are_folders_and_unknown_sizes_are_estimated():
    answer = {
        "objects": [
            entry("a", "DIRECTORY"),
            entry("git", "REPO"),
            entry("data.csv", "FILE", size=12, modified_at=1_760_000_000_000),
            entry("nb", "NOTEBOOK", language="PYTHON", size=99),
            entry("x", "MLFLOW_EXPERIMENT"),
        ]
    }

    found = parse_listing(HOME, answer)

    assert found.folders == ("/Users/dana/a", "/Users/dana/git")
    assert found.files == (
        File("/Users/dana/data.csv", "FILE", 12, 1_760_000_000_000),
        File("/Users/dana/nb", "NOTEBOOK", None, None, "PYTHON"),
        File("/Users/dana/x", "MLFLOW_EXPERIMENT", None),
    )
    assert [file.counted_size for file in found.files] == [12, 10_000, 10_000]


def test_dbfs_sizes_are_exact_and_a_missing_size_is_not_zero():
    files = [{"path": "/Users/dana/f", "is_dir": False, "file_size": 0}, {"path": "/Users/dana/g", "is_dir": False}]
    assert [file.size for file in parse_listing(DBFS, {"files": files}).files] == [0, None]


def test_duplicate_entries_count_once():
    answer = {"objects": [entry("a", "FILE", size=1), entry("a", "FILE", size=1), *[entry("d", "DIRECTORY")] * 2]}
    assert parse_listing(HOME, answer) == Listing(("/Users/dana/d",), (File("/Users/dana/a", "FILE", 1),))


def test_a_folder_replaced_by_a_file_counts_as_that_file():
    answer = {"objects": [{"path": HOME.path, "object_type": "FILE", "size": 3}]}
    assert parse_listing(HOME, answer) == Listing((), (File(HOME.path, "FILE", 3),))


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "text",
        {"objects": None},
        {"objects": {}},
        {"message": "no list at all"},
    ],
    ids=str,
)
def test_a_response_without_a_listing_is_rejected(answer):
    with pytest.raises(InvalidListing):
        parse_listing(HOME, answer)


@pytest.mark.parametrize(
    ("odd", "path", "reason"),
    [
        ("x", f"{HOME.path}/entry 2 of the response", "it has no path"),
        ({"object_type": "FILE"}, f"{HOME.path}/entry 2 of the response", "it has no path"),
        ({"path": 7, "object_type": "FILE"}, f"{HOME.path}/entry 2 of the response", "it has no path"),
        (
            {"path": "/Users/carol/f", "object_type": "FILE"},
            "/Users/carol/f",
            "it is not in /Users/dana, which was listed",
        ),
        (entry("../carol", "DIRECTORY"), "/Users/dana/../carol", "its name has a slash, so no request can address it"),
        (
            entry("Read / write", "NOTEBOOK"),
            "/Users/dana/Read / write",
            "its name has a slash, so no request can address it",
        ),
        (entry("..", "DIRECTORY"), "/Users/dana/..", "its name leads out of the folder"),
        (entry("", "FILE"), "/Users/dana/", "its name is empty, so no request can address it"),
        ({"path": HOME.path, "object_type": "DIRECTORY"}, HOME.path, "the response lists the folder inside itself"),
        (
            entry("\ud800", "FILE"),
            "/Users/dana/\\ud800",
            "its name has a lone surrogate, so no request can address it",
        ),
        (entry("q", "QUERY"), "/Users/dana/q", "it has the type QUERY, so its content is unknown"),
        (entry("q", ""), "/Users/dana/q", "it has no type, so its content is unknown"),
    ],
    ids=str,
)
def test_an_unusable_entry_is_a_separate_failure(odd, path, reason):
    answer = {"objects": [entry("a", "FILE", size=1), odd, entry("d", "DIRECTORY")]}
    assert parse_listing(HOME, answer) == Listing(
        ("/Users/dana/d",), (File("/Users/dana/a", "FILE", 1),), (Failure(path, reason),)
    )


def test_a_dbfs_entry_without_a_type_is_a_failure():
    found = parse_listing(DBFS, {"files": [{"path": "/Users/dana/f", "is_dir": "no", "file_size": 1}]})
    assert found == Listing((), (), (Failure("/Users/dana/f", "the response does not show whether it is a folder"),))


ENTRIES = st.lists(
    st.dictionaries(
        st.sampled_from(["path", "object_type", "size", "is_dir", "file_size", "modified_at", "language"]),
        st.sampled_from(["/Users/dana/a", "/Users/dana/a/b", "/Users/dana/\ud800", "/Users/dana/", "FILE", "DIRECTORY"])
        | st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=3)
        | st.lists(st.integers(), max_size=2)
        | st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
    )
    | st.none()
    | st.integers()
    | st.text(max_size=3)
    | st.lists(st.integers(), max_size=2),
    max_size=5,
)


@exactly_examples(100)
@given(ENTRIES, ENTRIES, st.sampled_from([HOME, DBFS, Folder("v", "volumes", "/Users/dana")]))
def test_a_file_is_counted_whatever_its_sibling_entries_are(before, after, folder):
    good = {"path": "/Users/dana/good", "object_type": "FILE", "size": 3, "file_size": 3, "is_dir": False}
    key = {"workspace": "objects", "dbfs": "files", "volumes": "contents"}[folder.source]

    found = parse_listing(folder, {key: [*before, good, *after]})

    assert File("/Users/dana/good", "FILE", 3) in found.files
    assert len(found.files) + len(found.folders) + len(found.failures) <= len(before) + len(after) + 1


def walked(root: Folder, tree: dict[str, Listing | Failure]) -> list[tuple[str, Listing | Failure]]:
    """List everything below a folder, in the order given by the queue; `tree` has the result for each path."""
    queue, found = FolderQueue([root]), []
    while folder := queue.next_folder():
        queue.complete(folder, tree[folder.path])
        found.append((folder.path, tree[folder.path]))
    return found


def test_a_folder_that_cannot_be_listed_does_not_stop_the_others():
    tree: dict[str, Listing | Failure] = {
        "/Users/dana": Listing(("/Users/dana/a", "/Users/dana/b"), (File("/Users/dana/f", "FILE", 1),)),
        "/Users/dana/a": Failure("/Users/dana/a", "403 PERMISSION_DENIED"),
        "/Users/dana/b": Listing(),
    }
    assert walked(HOME, tree) == list(tree.items())


def test_a_large_home_does_not_delay_another():
    queue = FolderQueue([HOME, Folder("carol", "workspace", "/Users/carol")])
    first = queue.next_folder()
    assert first == HOME
    queue.complete(first, Listing(tuple(f"/Users/dana/{number}" for number in range(1000))))
    assert queue.next_folder() == Folder("carol", "workspace", "/Users/carol")


def test_each_file_system_has_its_own_queue():
    queue = FolderQueue([HOME, DBFS])
    assert [queue.next_folder("dbfs"), queue.next_folder("dbfs"), queue.next_folder()] == [DBFS, None, HOME]


def taken(queue: FolderQueue) -> Folder:
    folder = queue.next_folder()
    assert folder
    return folder


def test_a_user_is_unfinished_until_the_last_folder_is_done():
    queue = FolderQueue([HOME])
    queue.complete(taken(queue), Listing(("/Users/dana/a",)))
    assert queue.open_folders == {"dana": 1}
    queue.complete(taken(queue), Failure("/Users/dana/a", "no"))
    assert queue.open_folders == {}


@given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=5)))
def test_every_folder_is_listed_once_even_in_a_cyclic_tree(children):
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
