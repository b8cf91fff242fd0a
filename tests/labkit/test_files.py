"""Private files are complete or missing, and no other module writes files this way itself."""

from __future__ import annotations

import ast
import contextlib
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from import_graph import TREE, program_of
from labkit.files import (
    atomic_binary_file,
    atomic_path,
    atomic_text_file,
    create_private,
    ensure_private_file,
    make_contents_private,
    make_private,
    make_private_folder,
    move_into_place,
    write_private,
)
from labkit.folders import atomic_folder

PROGRAMS = ("cdktf", "enforcer", "inventory", "emulator", "examples")
ALLOWED = {
    ("cdktf/teardown/term.py", "os.replace"),  # moves Terraform's state files into the archive
    ("emulator/generated_files/layout.py", "O_EXCL"),  # creates sparse files for a mount that other users read
    ("emulator/statements/engine.py", "Path.replace"),  # replaces a node of a syntax tree, not a file
    ("inventory/backup/append_only.py", "fsync"),  # a file that is only appended to
    ("enforcer/retention/old_files.py", "fsync"),  # truncates a log in place, because a different process has it open
}
"""Modules that move, exclusively create or sync files themselves, with the reason."""


def content(folder: Path) -> dict[str, tuple[bytes, str]]:
    """Map the relative path of every file below a folder to its content and mode."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), oct(stat.S_IMODE(path.stat().st_mode)))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextlib.contextmanager
def text_by(writer: Callable[[Path], AbstractContextManager[object]], path: Path, text: str) -> Iterator[None]:
    """Write with one of the context managers, whatever it yields."""
    with writer(path) as file:
        if isinstance(file, Path):
            file.write_text(text)
        else:
            file.write(text if writer is atomic_text_file else text.encode())  # type: ignore[attr-defined]
        yield


WRITERS = pytest.mark.parametrize(
    "writer", [atomic_text_file, atomic_binary_file, atomic_path], ids=lambda one: one.__name__
)


@WRITERS
def test_a_replaced_file_is_complete_and_private(
    writer: Callable[[Path], AbstractContextManager[object]], tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    path.chmod(0o644)
    with text_by(writer, path, "new\r\n"):
        assert path.read_text() == "old"
    assert content(tmp_path) == {"a.csv": (b"new\r\n", "0o600")}


@WRITERS
def test_a_failed_write_leaves_the_old_file_unchanged(
    writer: Callable[[Path], AbstractContextManager[object]], tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    path.chmod(0o600)
    with pytest.raises(KeyboardInterrupt), text_by(writer, path, "new"):
        raise KeyboardInterrupt
    assert content(tmp_path) == {"a.csv": (b"old", "0o600")}


def test_a_single_writer_overwrites_a_killed_writers_file(tmp_path: Path) -> None:
    (tmp_path / ".a.draft").write_text("half")
    with atomic_binary_file(tmp_path / "a", single_writer=True) as file:
        file.write(b"whole")
    assert content(tmp_path) == {"a": (b"whole", "0o600")}


def test_two_writers_do_not_interfere(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with atomic_text_file(path) as first, atomic_text_file(path) as second:
        first.write("first")
        second.write("second")
    assert content(tmp_path) == {"a": (b"first", "0o600")}


@pytest.mark.parametrize(("written", "there"), [("Zoë\n", "Zoë\n".encode()), (b"\xff", b"\xff")])
def test_a_write_through_a_link_replaces_its_target(written: str | bytes, there: bytes, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "deep" / "folder" / "file")
    write_private(link, written)
    assert (link.is_symlink(), content(tmp_path / "deep")) == (True, {"folder/file": (there, "0o600")})


def test_creating_a_file_never_overwrites_one(tmp_path: Path) -> None:
    create_private(tmp_path / "deep/a", b"first")
    with pytest.raises(FileExistsError):
        create_private(tmp_path / "deep/a", b"second")
    assert content(tmp_path) == {"deep/a": (b"first", "0o600")}


def test_an_existing_file_becomes_private(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("kept")
    (tmp_path / "old").chmod(0o666)
    for name in ("old", "deep/new"):
        ensure_private_file(tmp_path / name)
    assert content(tmp_path) == {"old": (b"kept", "0o600"), "deep/new": (b"", "0o600")}


def test_the_target_of_a_link_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "file").chmod(0o644)
    (tmp_path / "folder").mkdir(mode=0o755)
    for name in ("file", "folder"):
        (tmp_path / f"{name}-link").symlink_to(tmp_path / name)
    ensure_private_file(tmp_path / "file-link")
    make_private(tmp_path / "file-link")
    make_private_folder(tmp_path / "folder-link", enforce=True)
    modes = [oct(stat.S_IMODE((tmp_path / name).stat().st_mode)) for name in ("file", "folder")]
    assert modes == ["0o644", "0o755"]


def test_a_finished_file_replaces_the_old_one(tmp_path: Path) -> None:
    create_private(tmp_path / "draft", b"new")
    create_private(tmp_path / "a", b"old")
    move_into_place(tmp_path / "draft", tmp_path / "a")
    assert content(tmp_path) == {"a": (b"new", "0o600")}


@pytest.mark.parametrize(("enforce", "old"), [(False, "0o755"), (True, "0o700")])
def test_existing_folders_become_private_only_on_demand(enforce: bool, old: str, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old").chmod(0o755)
    for path in (tmp_path / "old", tmp_path / "old/a/b"):
        make_private_folder(path, enforce=enforce)
    modes = [
        oct(stat.S_IMODE(path.stat().st_mode)) for path in (tmp_path / "old", tmp_path / "old/a", tmp_path / "old/a/b")
    ]
    assert modes == [old, "0o700", "0o700"]


def test_a_folders_own_files_become_private_and_its_subfolders_stay(tmp_path: Path) -> None:
    folder = tmp_path / "stacks"
    (folder / "other").mkdir(parents=True)
    for path in (folder, folder / "other"):
        path.chmod(0o755)
    (folder / "cdk.tf.json").write_text("{}")
    (folder / "cdk.tf.json").chmod(0o644)
    make_contents_private(folder)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {"stacks": 0o700, "cdk.tf.json": 0o600, "other": 0o755}


def test_a_file_is_not_accepted_as_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(FileExistsError):
        make_private_folder(tmp_path / "a")


def test_a_folder_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "deep/archive") as draft:
        create_private(draft / "a", b"1")
        assert not (tmp_path / "deep/archive").exists()
    with pytest.raises(OSError, match="full"), atomic_folder(tmp_path / "deep/other") as draft:
        create_private(draft / "a", b"1")
        raise OSError("the disk is full")
    assert content(tmp_path) == {"deep/archive/a": (b"1", "0o600")}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["archive"]


def own_writing(path: str) -> set[str]:
    """Return the calls in a module that only labkit should make."""
    found = set()
    for node in TREE.nodes(path):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in ("os.replace", "os.rename", "os.link"):
                found.add(name)
            if node.attr in ("O_EXCL", "fsync", "flock", "lockf"):
                found.add(node.attr)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("replace", "rename")
            and len(node.args) == 1
            and not node.keywords
        ):
            found.add(f"Path.{node.func.attr}")
        if isinstance(node, ast.ImportFrom) and node.module in ("os", "fcntl"):
            found |= {name.name for name in node.names} & {"replace", "rename", "link", "fsync", "flock"}
    return found


@pytest.mark.xdist_group("syntax trees")
def test_only_labkit_writes_atomically_and_locks_files() -> None:
    found = {(path, what) for path in TREE.files if program_of(path) in PROGRAMS for what in own_writing(path)}
    assert found == ALLOWED


def test_a_folder_that_cannot_be_created_causes_an_error() -> None:
    with pytest.raises(OSError, match="/proc/none"):
        make_private_folder(Path("/proc/none/deeper"))
