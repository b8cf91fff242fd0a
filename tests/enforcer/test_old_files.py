"""Files are deleted only if their name and marker identify them as the lab's."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.mail import eml
from emulator.models.mail import SendOperation
from enforcer.reports.day_report import DayReport
from enforcer.reports.formats import render_day, to_csv
from enforcer.retention.old_files import NO_MARKER, OTHER_NAME, KeptFile, Removal, find, remove
from enforcer.settings import load_settings
from labkit.files import MARKER_HEADER, marker_line, with_marker
from labkit.logs import FORMAT

pytestmark = [pytest.mark.waits, pytest.mark.xdist_group("matplotlib")]

DAY = date(2030, 11, 3)
OLD = "2030-11-02"
LONG_AGO = datetime(2030, 1, 1, 12, tzinfo=UTC).timestamp()
SUFFIXES = (".html", ".eml", ".txt", ".csv", ".png")


def write(path: Path, content: bytes) -> Path:
    """Write a file that was last changed long ago."""
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(content)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def report_of(day: date) -> DayReport:
    begins = datetime.combine(day, time(), UTC)
    ends = begins + timedelta(days=1)
    return DayReport("Whales", day, begins, ends, begins, is_over=True, now=ends, rows=(), polls=(), failures=())


def line(day: str, text: str) -> str:
    """Return a line as in the lab's logs."""
    return FORMAT % {"asctime": f"{day} 10:00:00,123", "levelname": "INFO", "message": text} + "\n"


def found(folder: Path) -> tuple[list[Removal], list[KeptFile]]:
    return find([folder, folder / "missing"], before=DAY, tz=UTC)


@pytest.mark.parametrize("suffix", [".html", ".eml", ".txt", ".png"])
def test_reports_are_recognised_by_file_name_and_marker(tmp_path: Path, suffix: str) -> None:
    settings = load_settings({})
    old = render_day(report_of(date.fromisoformat(OLD)), suffix, settings)
    names = [f"report-{OLD}{suffix}", f"report{suffix}", f"report-{OLD} (1){suffix}"]
    removed = [write(tmp_path / name, old) for name in names]
    renamed = write(tmp_path / f"thesis{suffix}", old)
    write(tmp_path / f"report-{DAY}{suffix}", render_day(report_of(DAY), suffix, settings))
    removals, left = found(tmp_path)
    assert {one.path for one in removals} == set(removed)
    assert left == [KeptFile(renamed, OTHER_NAME)]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_without_the_marker_is_only_listed(tmp_path: Path, suffix: str) -> None:
    unmarked = write(tmp_path / "deep" / f"report-{OLD}{suffix}", b"ana@x")
    write(tmp_path / "deep" / f"thesis{suffix}", b"ana@x")
    write(tmp_path / f"report-{DAY}{suffix}", b"ana@x")
    assert found(tmp_path) == ([], [KeptFile(unmarked, NO_MARKER)])


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(before=st.binary(max_size=300), after=st.binary(min_size=1, max_size=300))
def test_a_marker_elsewhere_in_a_file_does_not_count(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, before: bytes, after: bytes
) -> None:
    folder = tmp_path_factory.mktemp("files")
    quoted = f"> {marker_line('report', OLD)} <".encode()
    write(folder / f"report-{OLD}{suffix}", before + quoted + after)
    assert found(folder)[0] == []


def test_messages_of_emulator_and_rehearsal_are_recognised(tmp_path: Path) -> None:
    message = {
        "senderAddress": "lab@x.example",
        "content": {"subject": "s", "plainText": "t"},
        "recipients": {"to": [{"address": "ana@x.example"}]},
    }
    accepted = int(datetime(2030, 11, 2, tzinfo=UTC).timestamp() * 1000)
    name = "00000000-0000-4000-8000-000000000001"
    eml.write(tmp_path, 1, SendOperation(name, "", message, accepted, accepted))
    shown = [
        write(tmp_path / f"1-warning{suffix}", with_marker("ana@x", suffix, "mail", OLD).encode())
        for suffix in (".html", ".txt")
    ]
    removals, left = found(tmp_path)
    assert [one.path for one in removals] == [tmp_path / f"00001-{name}.eml", *shown]
    assert left == []


def test_the_labs_logs_are_deleted_or_shortened(tmp_path: Path) -> None:
    old, new = line(OLD, "ana@x") + "  more\n", line(str(DAY), "noa@x")
    gone = [
        write(tmp_path / "watch.log", old.encode()),
        write(tmp_path / "watch.log.2.gz", gzip.compress(old.encode())),
        write(tmp_path / "poll.log-20301102", old.encode()),
    ]
    goes_on = write(tmp_path / "end-of-day.log", (old + new).encode())
    rotated = write(tmp_path / "enforcer.log.1", (old + new).encode())
    write(tmp_path / "poll.log", new.encode())
    write(tmp_path / "teaching-lab.log", b"")
    (tmp_path / "enforcer.log").symlink_to(gone[0])
    removals, left = found(tmp_path)
    assert removals == sorted([*map(Removal, gone), Removal(goes_on, len(old))], key=lambda removal: removal.path)
    assert left == [KeptFile(rotated, "it also has later lines; log rotation will delete it")]
    for removal in removals:
        remove(removal)
    assert goes_on.read_text() == new
    assert [path for path in gone if path.exists()] == []


@pytest.mark.parametrize(
    "content",
    [
        f"{OLD} 10:00:00,123 INFO ana@x\n",
        line(OLD, "ours") + f"{OLD} 10:00:01,123 INFO somebody else's\n" + line(str(DAY), "ours"),
        "ana@x\n",
        "ana@x\n" + line(str(DAY), "ours"),
    ],
)
def test_a_log_whose_old_lines_lack_the_marker_is_kept_and_listed(tmp_path: Path, content: str) -> None:
    path = write(tmp_path / "poll.log", content.encode())
    assert found(tmp_path) == ([], [KeptFile(path, NO_MARKER)])


def test_a_log_of_a_different_program_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "nginx.log", line(OLD, "ana@x").encode())
    write(tmp_path / "poll.log.gz", b"not compressed")
    assert found(tmp_path) == ([], [])


def test_a_csv_report_is_recognised_by_its_columns(tmp_path: Path) -> None:
    table = to_csv(report_of(date.fromisoformat(OLD))) + f"{OLD},group_01,Whales\r\n".encode()
    ours = write(tmp_path / "report.csv", table)
    fewer = write(tmp_path / f"report-{OLD}.csv", f"day,group\r\n{OLD},x\r\n".encode())
    renamed = write(tmp_path / "marks.csv", table)
    removals, left = found(tmp_path)
    assert removals == [Removal(ours)]
    assert left == [KeptFile(renamed, OTHER_NAME), KeptFile(fewer, NO_MARKER)]


def test_the_marker_of_an_email_counts_only_in_its_header(tmp_path: Path) -> None:
    text = f"Subject: s\n\n{MARKER_HEADER}: {marker_line('mail', OLD)}\n".encode()
    write(tmp_path / "00001-a.eml", text)
    assert found(tmp_path) == ([], [KeptFile(tmp_path / "00001-a.eml", NO_MARKER)])
