"""A truncated or modified manifest is detected, and no path in it leads out of the target."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.backup.append_only import ManifestWriter
from inventory.backup.manifest import InvalidManifest, ManifestEntry, ManifestHeader, ManifestReader
from inventory.restore.destination import Destination, NoDestination, parse_map

HEADER = ManifestHeader(
    "https://lab.example", "2026-11-27", "2026-11-27T07:00:00Z", {"users": ["dana@x.org"]}, "2027-11-27"
)
FOLDER = ManifestEntry(
    "dana@x.org", "workspace", "/Users/dana@x.org", "DIRECTORY", "saved", "lab/2026-11-27/dana@x.org/workspace"
)
FILE = ManifestEntry(
    "dana@x.org",
    "workspace",
    "/Users/dana@x.org/מחברת\n",
    "NOTEBOOK",
    "saved",
    "lab/2026-11-27/dana@x.org/workspace/x.py",
    language="PYTHON",
    format="source",
    size=7,
    modified_at=1_790_000_000_000,
    sha256="0" * 64,
)
FAILED = ManifestEntry("dana@x.org", "dbfs", "/Users/dana@x.org/f", "FILE", "failed", size=9, reason="403 no")


def manifest(tmp_path) -> bytes:
    """A manifest that was written in two runs."""
    path = tmp_path / "manifest.jsonl"
    journal = ManifestWriter(path, HEADER)
    journal.add([FOLDER, FAILED])
    journal.finish("2026-11-27T07:01:00Z", 1)
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"user":"a kill left th')
    journal = ManifestWriter(path, HEADER)
    journal.add([FILE])
    journal.finish("2026-11-27T07:02:00Z", 1)
    journal.close()
    return path.read_bytes()


def read(content: bytes) -> tuple[list[ManifestEntry], ManifestReader]:
    reading = ManifestReader()
    return list(reading.read_all(content.splitlines(keepends=True))), reading


def test_a_written_manifest_is_read_back(tmp_path):
    entries, reading = read(manifest(tmp_path))
    assert (entries, reading.header, reading.is_complete, reading.problems) == (
        [FOLDER, FAILED, FILE],
        HEADER,
        True,
        [],
    )
    assert reading.end is not None
    assert (reading.end.finished_at, reading.end.failed) == ("2026-11-27T07:02:00Z", 1)


def test_a_truncated_manifest_is_not_complete(tmp_path):
    whole = manifest(tmp_path)
    for length in range(1, len(whole)):
        cut = whole[:length]
        if length < whole.index(b"\n") + 1:
            with pytest.raises(InvalidManifest):
                read(cut)
        else:
            first_end = cut.endswith(b"\n") and json.loads(cut.splitlines()[-1]).get("end")
            assert read(cut)[1].is_complete is bool(first_end)


@given(st.data())
def test_a_flipped_bit_in_a_manifest_is_detected(tmp_path_factory, data):
    whole = bytearray(manifest(tmp_path_factory.mktemp("m")))
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert not read(bytes(whole))[1].is_complete
    except InvalidManifest:
        assert position <= whole.index(b"\n")


@pytest.mark.parametrize(
    "change",
    [
        {"place": "../../etc/passwd"},
        {"place": "/etc/passwd"},
        {"place": "lab/./x"},
        {"place": "lab\\x"},
        {"place": None},
        {"sha256": None},
        {"size": "7"},
        {"path": "Users/x"},
        {"source": "elsewhere"},
        {"state": "fine"},
        {"git": ["url"]},
        {"further": 1},
    ],
)
def test_a_line_with_invalid_values_is_a_problem(tmp_path, change):
    path = tmp_path / "manifest.jsonl"
    journal = ManifestWriter(path, HEADER)
    journal.add([FILE])
    journal.close()
    first, line = path.read_bytes().splitlines()
    document = {name: value for name, value in (json.loads(line) | change).items() if value is not None}
    entries, reading = read(first + b"\n" + json.dumps(document).encode() + b"\n")
    assert (entries, reading.problems) == ([], ["line 2 is not a manifest line"])


def test_a_file_that_is_not_a_manifest_is_rejected(tmp_path):
    for content in (b"", b"{}\n", b"[1]\n", b'{"backup":2}\n', b"\xff\n", b"user,place\n"):
        with pytest.raises(InvalidManifest):
            read(content)


def entry(path: str, user: str = "dana@x.org", source: str = "workspace") -> ManifestEntry:
    return ManifestEntry(user, source, path, "FILE", "failed")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("destination", "what", "path"),
    [
        (Destination(), entry("/Users/dana@x.org/a/b"), "/Users/dana@x.org/a/b"),
        (Destination({"dana@x.org": "d@y.org"}), entry("/Users/dana@x.org/a"), "/Users/d@y.org/a"),
        (Destination({}, "/Shared/x/"), entry("/Users/dana@x.org/a"), "/Shared/x/dana@x.org/a"),
        (Destination({"dana@x.org": "d@y.org"}, "/x"), entry("/Users/dana@x.org"), "/x/d@y.org"),
        (Destination(), entry("/Shared/a", "/Shared"), "/Shared/a"),
        (Destination({}, "/x"), entry("/Shared/a", "/Shared"), "/x/Shared/a"),
        (Destination({}, "/x"), entry("/Volumes/a/b/c/d", "/Volumes/a/b/c", "volumes"), "/Volumes/a/b/c/d"),
    ],
)
def test_an_object_has_the_expected_destination(destination, what, path):
    assert destination.path_of(what) == path


@pytest.mark.parametrize(
    "path", ["/Users/carol@x.org/a", "/Users/dana@x.org/../carol@x.org", "/Users/dana@x.orga", "/a"]
)
def test_no_entry_in_a_manifest_leads_out_of_its_home(path):
    with pytest.raises(NoDestination):
        Destination().path_of(entry(path))


@pytest.mark.parametrize("text", ["a", "a=", "=b", "a/b=c", "..=c", "a=\x1b"])
def test_an_invalid_map_is_rejected(text):
    with pytest.raises(ValueError, match="--map"):
        parse_map(text)
