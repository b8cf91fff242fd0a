"""A restore that is interrupted at any request never replaces objects that a person has changed since it started."""

from __future__ import annotations

import base64
import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from example_counts import exactly_examples
from in_process_backup import BackupWorkspace, run_backup, run_restore
from inventory.restore.existing_check import alternative_path
from inventory.restore.run import RestoreResult
from inventory.transport.response import Response, TransportError

pytestmark = pytest.mark.waits

DANA = "dana@x.org"
HOME = f"/Users/{DANA}"
DAY = "2026-11-27"
LARGE = bytes(range(256)) * 4096 + b"more than one block"
THREE: dict[str, Any] = {f"{HOME}/a.txt": b"saved", f"{HOME}/nb": "1+1", f"dbfs:{HOME}/d.bin": LARGE}
SIXTY: dict[str, Any] = {
    **{f"{HOME}/week {number % 5}/file {number}.txt": f"saved {number}".encode() for number in range(30)},
    **{f"{HOME}/week {number % 5}/nb {number}": f"{number}+1" for number in range(15)},
    **{f"dbfs:{HOME}/data/{number}.bin": f"saved {number}".encode() for number in range(13)},
    f"dbfs:{HOME}/large.bin": LARGE,
    f"{HOME}/sales.lvdash.json": b'{"pages": []}',
}
ALL_REQUESTS = 150
"""At least as many requests as the restore of all sixty objects sends."""


class Killed(BaseException):
    """The process was killed."""


class KillableWorkspace(BackupWorkspace):
    """A workspace whose client can die during a request: the request is carried out, but its response is lost."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.RLock()
        self.is_killed: Callable[[], bool] = lambda: False
        """Called after each request was carried out, until it returns True once."""
        self.on_request: Callable[[str], None] = lambda request: None
        """Called with method and URL after each request was carried out; an exception becomes its outcome."""
        self._is_killed = False

    def revive(self) -> None:
        self.is_killed, self._is_killed = lambda: False, False

    def _ask(self, method: str, path: str, *arguments: Any) -> Response:
        with self._turn:
            if self._is_killed:
                raise Killed
            answer = super()._ask(method, path, *arguments)
            self._is_killed = self.is_killed()
            if self._is_killed:
                raise Killed
            self.on_request(f"{method} {path}")
            return answer


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """Restores keep their checkpoints in the working directory."""
    monkeypatch.chdir(tmp_path)


def workspace() -> KillableWorkspace:
    lab = KillableWorkspace()
    lab.user(DANA)
    return lab


def put(lab: BackupWorkspace, path: str, content: Any) -> None:
    """Create or change an object as a student: a file for bytes, a notebook for a string."""
    clock = lab.workspace.clock
    clock.reset(clock.now() + 1000)
    if not path.startswith("dbfs:"):
        form = {"format": "SOURCE", "language": "PYTHON"} if isinstance(content, str) else {}
        form = {"format": "AUTO"} if path.endswith(".lvdash.json") else form
        lab.put(path, content.encode() if isinstance(content, str) else content, **form)
        return
    handle = lab.request("POST", "/api/2.0/dbfs/create", {"path": path[5:], "overwrite": True})[1]["handle"]
    for begin in range(0, len(content), 2**20):
        data = base64.b64encode(content[begin : begin + 2**20]).decode()
        lab.request("POST", "/api/2.0/dbfs/add-block", {"handle": handle, "data": data})
    lab.request("POST", "/api/2.0/dbfs/close", {"handle": handle})


def delete(lab: BackupWorkspace, path: str) -> None:
    source = "dbfs" if path.startswith("dbfs:") else "workspace"
    lab.request("POST", f"/api/2.0/{source}/delete", {"path": path.removeprefix("dbfs:")})


def files(lab: BackupWorkspace) -> dict[str, bytes | None]:
    """Return every object in the home by path, with its first megabyte."""
    return {path: each.content for path, each in lab.tree(HOME).items() if each.type != "FOLDER"}


def saved(objects: Mapping[str, Any], folder: Path) -> dict[str, bytes | None]:
    """Back up these objects and return the expected result of a restore."""
    lab = workspace()
    for path, content in objects.items():
        put(lab, path, content)
    assert not run_backup(lab, folder, DANA).failed
    return files(lab)


def restored(
    lab: KillableWorkspace, folder: Path, *, is_killed: Callable[[], bool] = lambda: False, **fields: Any
) -> RestoreResult | None:
    """Start or resume a restore; return None if it was killed."""
    lab.is_killed = is_killed
    others = set(threading.enumerate())
    try:
        return run_restore(lab, folder / "saved", DANA, resume=True, **fields)
    except Killed:
        return None
    finally:
        # No thread of a killed process sends a request later.
        for thread in set(threading.enumerate()) - others:
            thread.join()
        lab.revive()


def after(requests: int) -> Callable[[], bool]:
    """Return True after this many requests were carried out."""
    left = iter(range(requests - 1))
    return lambda: next(left, None) is None


def student_s(content: Any) -> Any:
    return "'the student'" if isinstance(content, str) else b"the student's"


def sentence(path: str) -> str:
    return f"{path.removeprefix('dbfs:')} was changed since the restore started; the saved object is beside it"


@pytest.mark.parametrize("path", THREE)
@pytest.mark.parametrize("existing", ["refuse", "skip"])
def test_a_student_s_change_before_a_resume_is_kept(tmp_path, path, existing):
    expected = saved(THREE, tmp_path / "saved")
    lab = workspace()
    assert restored(lab, tmp_path, existing=existing, is_killed=lambda: path in files(lab)) is None
    put(lab, path, student_s(THREE[path]))
    theirs = files(lab)[path]

    outcome = restored(lab, tmp_path, existing=existing)

    aside = f"{path} (restored {DAY})"
    assert files(lab) == expected | {path: theirs, aside: expected[path]}
    assert outcome and (outcome.failures, outcome.beside) == ([], [(aside, sentence(path))])


@pytest.mark.parametrize("path", THREE)
def test_overwrite_keeps_objects_changed_since_the_restore_started(tmp_path, path):
    expected = saved(THREE, tmp_path / "saved")
    lab = workspace()
    for each, content in THREE.items():
        put(lab, each, student_s(content) * 2)
    # The listing of a home is recorded before the first upload into it.
    same_home = [each for each in THREE if each.startswith("dbfs:") == path.startswith("dbfs:")]

    def is_uploading() -> bool:
        return any(files(lab).get(each) == expected[each] for each in same_home)

    assert restored(lab, tmp_path, existing="overwrite", is_killed=is_uploading) is None
    put(lab, path, student_s(THREE[path]))
    theirs = files(lab)[path]

    outcome = restored(lab, tmp_path, existing="overwrite")

    aside = f"{path} (restored {DAY})"
    assert files(lab) == expected | {path: theirs, aside: expected[path]}
    assert outcome and (outcome.failures, outcome.beside) == ([], [(aside, sentence(path))])


def test_an_unchanged_upload_counts_as_restored(tmp_path):
    expected = saved(THREE, tmp_path / "saved")
    lab = workspace()
    for path in THREE:
        assert restored(lab, tmp_path, is_killed=partial(lambda path: path in files(lab), path)) is None

    outcome = restored(lab, tmp_path)

    assert files(lab) == expected
    assert outcome and (outcome.failures, outcome.beside, outcome.users[DANA].restored) == ([], [], 3)


@pytest.mark.parametrize("existing", ["refuse", "overwrite"])
def test_a_retry_within_a_run_does_not_replace_a_student_s_object(tmp_path, existing):
    expected = saved(THREE, tmp_path / "saved")
    lab = workspace()
    if existing == "overwrite":
        put(lab, f"{HOME}/a.txt", b"to be replaced")
    edited: list[str] = []

    def edit(request: str) -> None:
        if not edited and files(lab).get(f"{HOME}/a.txt") == b"saved":
            edited.append(request)
            put(lab, f"{HOME}/a.txt", b"the student's")
            raise TransportError("the connection was closed before the response")

    lab.on_request = edit
    outcome = restored(lab, tmp_path, existing=existing)

    aside = f"{HOME}/a.txt (restored {DAY})"
    assert files(lab) == expected | {f"{HOME}/a.txt": b"the student's", aside: b"saved"}
    assert outcome and outcome.beside == [(aside, sentence(f"{HOME}/a.txt"))]


def test_an_object_restored_beside_an_existing_one_gets_a_unique_name():
    assert [
        alternative_path("/a/b.txt", DAY, 1),
        alternative_path("/a/b.txt", DAY, 2),
        alternative_path("/a/s.LVDASH.json", DAY, 1),
    ] == [
        f"/a/b.txt (restored {DAY})",
        f"/a/b.txt (restored {DAY} 2)",
        f"/a/s (restored {DAY}).LVDASH.json",
    ]


@pytest.fixture(scope="module")
def sixty(tmp_path_factory) -> tuple[Path, dict[str, bytes | None]]:
    folder = tmp_path_factory.mktemp("sixty")
    return folder, saved(SIXTY, folder / "saved")


EDITS = st.lists(st.tuples(st.sampled_from(sorted(SIXTY)), st.sampled_from(["edit", "delete"])), max_size=6)
RUNS = st.lists(st.tuples(st.integers(1, ALL_REQUESTS), EDITS), min_size=1, max_size=3)


@exactly_examples(8, acceptance=1000)
@example([(1, [(f"{HOME}/sales.lvdash.json", "edit")])], "overwrite")
@given(RUNS, st.sampled_from(["refuse", "skip", "overwrite"]))
def test_a_student_s_objects_are_never_replaced_despite_kills_and_edits(sixty, runs, existing):
    check_kills(sixty, runs, existing)


@pytest.mark.acceptance
@pytest.mark.parametrize("request_number", range(1, ALL_REQUESTS))
def test_a_kill_after_each_request_loses_nothing(sixty, request_number):
    edits = [(path, "edit") for path in sorted(SIXTY)[request_number % 7 :: 7]]
    check_kills(sixty, [(request_number, edits)], "refuse")


def check_kills(sixty: tuple[Path, dict[str, bytes | None]], runs: list[tuple[int, Any]], existing: str) -> None:
    folder, expected = sixty
    lab = workspace()
    theirs: dict[str, bytes | None] = {}
    deleted: set[str] = set()
    own: set[str] = set()
    """Return paths that a student created, possibly before the restore started, so that --overwrite may replace
    them."""
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        for kill, edits in runs:
            has_ended = restored(lab, folder, is_killed=after(kill), existing=existing) is not None
            for path, action in edits:
                if action == "delete":
                    delete(lab, path)
                    deleted.add(path)
                    theirs.pop(path, None)
                elif path in files(lab) or path.rpartition("/")[0] == HOME:
                    if path not in files(lab):
                        own.add(path)
                    time.sleep(0.002)  # the API reports modification times in milliseconds
                    put(lab, path, student_s(SIXTY[path]))
                    theirs[path] = files(lab)[path]
            if has_ended:
                # The last run starts a new restore.
                own |= theirs.keys()
                break
        outcome = restored(lab, folder, existing=existing)
    found = files(lab)
    assert outcome and outcome.complete
    # A student's objects are kept, unless they existed before the restore and are to be overwritten.
    replaced = {path for path in theirs if found.get(path) != theirs[path]}
    assert replaced <= (own if existing == "overwrite" else set())
    # Saved objects are at their path or beside it, unless a student deleted them or they are to be skipped.
    for path, content in expected.items():
        assert path in theirs or path in deleted or found[path] == content
    # Nothing else was created.
    known = expected.keys() | {alternative_path(path, DAY, 1) for path in expected}
    assert found.keys() <= known | {alternative_path(path, DAY, 2) for path in expected}
    assert all(found[path] in (content, theirs.get(path)) for path, content in expected.items() if path in found)
    for path in found.keys() - expected.keys():
        assert found[path] in expected.values()
