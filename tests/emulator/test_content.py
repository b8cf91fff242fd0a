"""Contents of files and requests: equal bytes in memory and on disk, and little memory for large contents."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.workspace import ImportFormat
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from emulator.base.content import (
    CHUNK_SIZE,
    EMPTY,
    FILE_THRESHOLD,
    BytesContent,
    Content,
    FileContent,
    GeneratedContent,
)
from emulator_process import EmulatorProcess
from example_counts import exactly_examples

ADAPTER: TypeAdapter[Content] = TypeAdapter(Content)
MB = 2**20

pieces = st.lists(st.binary(max_size=40), max_size=8)
ranges = st.tuples(st.integers(0, 300), st.integers(0, 300))


def same(content: Content, data: bytes) -> bool:
    return content.size == len(data) and content.read() == data


@given(pieces, pieces, ranges)
@exactly_examples(50)
def test_content_on_disk_equals_content_in_memory(first: list[bytes], more: list[bytes], part: tuple[int, int]) -> None:
    content: Content = FileContent.of(b"before")
    for piece in first:
        content = content.plus(piece)
    data = b"before" + b"".join(first)
    # Two contents appended to the same content are independent.
    extended = content
    for piece in more:
        extended = extended.plus(piece)
    other = content.plus(b"other")
    offset, length = part
    assert same(content, data) and same(extended, data + b"".join(more)) and same(other, data + b"other")
    assert content.read(offset, length) == data[offset : offset + length]
    assert same(content.slice(offset, length), data[offset : offset + length])
    assert same(content.slice(offset, length).plus(b"x"), data[offset : offset + length] + b"x")
    assert same(ADAPTER.validate_json(ADAPTER.dump_json(extended)), data + b"".join(more))


@given(st.integers(-3, 3), st.integers(0, 5), st.booleans())
@exactly_examples(50)
def test_a_pattern_is_found_across_chunk_boundaries(shift: int, begin: int, on_disk: bool) -> None:
    data = bytes(CHUNK_SIZE + shift) + b"abcd" + bytes(10) + b"abcd"
    content = FileContent.of(data) if on_disk else BytesContent(data)
    assert content.find(b"abcd", begin) == CHUNK_SIZE + shift
    assert content.find(b"abcd", CHUNK_SIZE + shift + 1) == CHUNK_SIZE + shift + 14
    assert content.find(b"abce", begin) == -1


def test_large_content_is_in_a_file_that_is_deleted_with_it() -> None:
    small = EMPTY.plus(b"x")
    large = small.plus(bytes(FILE_THRESHOLD))
    assert isinstance(small, BytesContent) and isinstance(large, FileContent)
    path = large.file.path
    part = large.slice(1, 10)
    del large
    assert (path.stat().st_size, path.stat().st_mode & 0o777) == (FILE_THRESHOLD + 1, 0o600)
    assert part.read() == bytes(10)
    del part
    assert not path.exists()


@pytest.mark.parametrize("dumped", ['"no base64"', "7", '{"flavour": "R"}', "[]"])
def test_invalid_dumped_content_is_rejected(dumped: str) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_json(dumped)


def test_a_dump_has_the_parameters_of_generated_content() -> None:
    content = GeneratedContent("SQL", 12, 10**12)
    assert len(ADAPTER.dump_json(content)) < 100
    assert ADAPTER.validate_json(ADAPTER.dump_json(content)) == content


# --- over HTTP


def peak_megabytes(emulator: EmulatorProcess) -> int:
    """Return the peak memory of the process."""
    lines = Path(f"/proc/{emulator.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


@pytest.fixture
def fresh(start_emulator: Callable[..., EmulatorProcess]) -> Iterator[EmulatorProcess]:
    yield start_emulator()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_large_files_need_little_memory(fresh: EmulatorProcess, tmp_path: Path, acceptance: bool) -> None:
    size = (2048 if acceptance else 64) * MB
    workspace_size = min(size, 480 * MB)
    source, target = tmp_path / "source", tmp_path / "target"
    with source.open("wb") as file:
        for _ in range(size // MB):
            file.write(os.urandom(MB))
    client = fresh.client()
    before = peak_megabytes(fresh)

    client.files.upload_from("/Volumes/main/lab/files/large", str(source))
    client.files.download_to("/Volumes/main/lab/files/large", str(target))
    assert same_file(source, target, size)

    with source.open("rb") as file, client.dbfs.open("/large", write=True) as upload:
        while block := file.read(MB):
            upload.write(block)
    with client.dbfs.open("/large", read=True) as download, target.open("wb") as file:
        while block := download.read(MB):
            file.write(block)
    assert same_file(source, target, size)

    with source.open("rb") as file:
        part = io.BytesIO(file.read(workspace_size))
    client.workspace.upload("/Shared/large.bin", part, format=ImportFormat.RAW)
    read: Any = client.api_client.do("GET", "/api/2.0/workspace-files/Shared/large.bin", raw=True)
    with read["contents"] as download, target.open("wb") as file:
        while block := download.read(MB):
            file.write(block)
    assert same_file(source, target, workspace_size)
    assert peak_megabytes(fresh) < before + 40


def same_file(first: Path, second: Path, size: int) -> bool:
    """Return whether the second file equals the first `size` bytes of the first."""
    if second.stat().st_size != size:
        return False
    with first.open("rb") as one, second.open("rb") as other:
        return all(one.read(len(block)) == block for block in iter(lambda: other.read(MB), b""))


def test_large_files_are_in_the_state_file(start_emulator: Callable[..., EmulatorProcess], tmp_path: Path) -> None:
    emulator = start_emulator("--state", tmp_path / "lab.json")
    data = os.urandom(9 * MB)
    emulator.client().files.upload("/Volumes/main/lab/files/large", io.BytesIO(data))
    emulator.stop()
    again = start_emulator("--state", tmp_path / "lab.json").client()
    contents = again.files.download("/Volumes/main/lab/files/large").contents
    assert contents is not None and contents.read() == data
