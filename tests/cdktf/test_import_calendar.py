"""`import_calendar.py`: the table beside lab.toml, its differences, and downloads from a secret address."""

from __future__ import annotations

import http.server
import json
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import ClassVar

import pytest
import trustme
from click.testing import CliRunner

import calendar_files
from calendar_files import calendar, event
from course_calendar.download import download
from course_calendar.events import CalendarError
from import_calendar import main
from lab_settings import LabSettingsError
from minimal_lab import minimal_lab
from preflight.course_input import read_course_input
from roster.model import Roster, format_roster
from stack.course_document import course_text

RULES = '[calendar_rules]\n"Lecture*" = "class"\n"Exam *" = "exam"\nHanukkah = "holiday"\n'
TABLE = """kind,first_day,last_day,hours
class,2026-10-19,2026-10-19,10:00-12:00
class,2026-10-26,2026-10-26,10:00-12:00
class,2026-11-10,2026-11-10,14:00-16:00
class,2026-11-16,2026-11-16,10:00-12:00
holiday,2026-12-06,2026-12-07,
exam,2027-01-21,2027-01-21,
"""
NAME = "calendar-94290-2026w.csv"
SECRET = "s3cr3t-t0ken"
UNMATCHED = calendar(event("a", "DTSTART:20261101T080000Z", title="\x1b"))


def write_settings(folder: Path, rules: str) -> None:
    (folder / "lab.toml").write_text(minimal_lab("[targets.lab]\n") + rules)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_settings(tmp_path, RULES)
    (tmp_path / "course.ics").write_bytes(calendar_files.google())
    return tmp_path


def run(folder: Path, *arguments: str, **variables: str) -> tuple[int, list[str], str]:
    """Return exit status, lines of stdout and stderr, with the folder's name replaced."""
    environment = {"HOME": str(folder), "LAB_CONFIG": str(folder / "lab.toml"), "LAB_CALENDAR_URL": "", **variables}
    with chdir(folder):
        done = CliRunner(env=environment).invoke(main, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout.replace(str(folder), "FOLDER").splitlines(), done.stderr


def test_the_first_import_writes_every_row(folder: Path) -> None:
    status, lines, error = run(folder, "course.ics")

    assert (status, error, (folder / NAME).read_text()) == (0, "", TABLE)
    assert lines == [
        "+ class 2026-10-19 10:00-12:00",
        "+ class 2026-10-26 10:00-12:00",
        "+ class 2026-11-10 14:00-16:00",
        "+ class 2026-11-16 10:00-12:00",
        "+ holiday 2026-12-06 to 2026-12-07",
        "+ exam 2027-01-21",
        "6 rows: 6 new, 0 removed",
        'ignored: "Staff lunch", 1 times',
        f"wrote FOLDER/{NAME}; deploy the course to put it into effect",
    ]


def test_a_second_import_shows_only_the_difference(folder: Path) -> None:
    run(folder, "course.ics")
    moved = (
        calendar_files.google()
        .replace(b"20270120T220000Z", b"20270122T080000Z")
        .replace(b"20270121T01", b"20270122T09")
    )
    (folder / "course.ics").write_bytes(moved)

    status, lines, _ = run(folder, "course.ics", "--dry-run")
    assert (status, lines[:3], lines[-1]) == (
        0,
        ["- exam 2027-01-21", "+ exam 2027-01-22", "6 rows: 1 new, 1 removed"],
        "nothing was written",
    )
    assert (folder / NAME).read_text() == TABLE
    run(folder, "course.ics")
    assert (folder / NAME).read_text() == TABLE.replace("2027-01-21", "2027-01-22")
    assert run(folder, "course.ics")[1][-1] == f"FOLDER/{NAME} is up to date"


@pytest.mark.parametrize(
    ("change", "arguments", "sentence"),
    [
        (lambda _: None, [], "give the file that a calendar program exported, or set LAB_CALENDAR_URL."),
        (lambda _: None, ["missing.ics"], "missing.ics cannot be read: No such file or directory."),
        (
            lambda _: None,
            [f"https://example.org/calendar.ics?token={SECRET}"],
            "set LAB_CALENDAR_URL to the address: other users can see the arguments of a command.",
        ),
        (
            lambda folder: write_settings(folder, ""),
            ["course.ics"],
            'lab.toml: add [calendar_rules] first, such as "Lecture*" = "class".',
        ),
        (
            lambda folder: write_settings(folder, RULES + 'Party = "party"\n'),
            ["course.ics"],
            'lab.toml: calendar_rules.Party must be "class", "exam", "holiday" or "blackout", not \'party\'.',
        ),
        (
            lambda folder: (folder / "course.ics").write_bytes(b"x" * 5_000_001),
            ["course.ics"],
            "course.ics has more than 5 MB; export only the course's calendar.",
        ),
        (
            lambda folder: (folder / "course.ics").write_bytes(UNMATCHED),
            ["course.ics"],
            "no event of the calendar matches [calendar_rules], so nothing was written",
        ),
        (
            lambda folder: (folder / NAME).write_text("damaged"),
            ["course.ics"],
            f"{NAME}:1: the header must be kind,first_day,last_day,hours; import the calendar again.",
        ),
    ],
)
def test_a_refused_import_writes_nothing(
    folder: Path, change: Callable[[Path], object], arguments: list[str], sentence: str
) -> None:
    change(folder)
    before = sorted((path.name, path.read_bytes()) for path in folder.iterdir())
    status, lines, error = run(folder, *arguments)

    assert (status, lines) == (2, [])
    assert sentence in error and SECRET not in error and "\x1b" not in error
    assert sorted((path.name, path.read_bytes()) for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    "address",
    [
        f"http://example.org/{SECRET}",
        f"https://dana:{SECRET}@example.org/a",
        f"https:///{SECRET}",
        f"ftp://example.org/{SECRET}",
        f"file:///etc/passwd?{SECRET}",
        f"https://[{SECRET}",
        f"https://example.org/{SECRET}\nX: 1",
        f"{SECRET}",
    ],
)
def test_only_an_https_address_is_used_and_never_shown(folder: Path, address: str) -> None:
    status, lines, error = run(folder, LAB_CALENDAR_URL=address)

    assert (status, lines) == (2, [])
    assert error.endswith(
        "LAB_CALENDAR_URL must be an https address, without user and password, to which a calendar is exported.\n"
    )
    assert SECRET not in error


class _Site(http.server.BaseHTTPRequestHandler):
    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.paths.append(self.path)
        name = self.path.partition("?")[0]
        data = b"x" * 2000 if name == "/large" else calendar_files.google()
        locations = {"/moved": f"/calendar.ics?{SECRET}", "/elsewhere": f"https://localhost:1/{SECRET}"}
        locations |= {"/insecure": f"http://{self.headers['Host']}/{SECRET}", "/loop": "/loop"}
        status = 302 if name in locations else 404 if name == "/missing" else 200
        data = data if status == 200 else b""
        self.send_response(status)
        if name in locations:
            self.send_header("Location", locations[name])
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if name == "/slow":
            for byte in data[:200]:
                self.wfile.write(bytes([byte]))
                time.sleep(0.05)
        elif status == 200:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Do not log requests to stderr."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, ssl.SSLContext]]:
    authority, context, client = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(client)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _Site.paths.clear()
        yield f"https://127.0.0.1:{server.server_address[1]}", client
        server.shutdown()


@pytest.mark.process
@pytest.mark.parametrize("path", ["/calendar.ics", "/moved"])
def test_a_calendar_is_downloaded_and_redirects_on_its_host_are_followed(
    site: tuple[str, ssl.SSLContext], path: str
) -> None:
    address, context = site

    assert download(f"{address}{path}?{SECRET}#x", context=context) == calendar_files.google()
    assert download(f"{address}{path}".replace("https", "webcal"), context=context) == calendar_files.google()


@pytest.mark.process
@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/missing", "answered with status 404: check LAB_CALENDAR_URL, or export the calendar's address again."),
        ("/elsewhere", 'redirects to "localhost:1", to which the token is not sent'),
        ("/insecure", "to which the token is not sent"),
        ("/loop", "answered with status 302"),
        ("/large", "sent more than 0 MB, which no course needs"),
        ("/slow", "did not send the calendar within 1 s; try again later."),
    ],
)
def test_a_failed_download_is_one_sentence_without_the_address(
    site: tuple[str, ssl.SSLContext], path: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    address, context = site
    caplog.set_level(logging.DEBUG)
    began = time.monotonic()
    with pytest.raises(CalendarError) as caught:
        download(f"{address}{path}?{SECRET}", context=context, timeout=1 if path == "/slow" else 10, max_bytes=1900)

    assert sentence in str(caught.value)
    assert str(caught.value).startswith("127.0.0.1:") and SECRET not in str(caught.value) + caplog.text
    assert time.monotonic() - began < 5


@pytest.mark.process
def test_an_untrusted_certificate_is_refused(site: tuple[str, ssl.SSLContext]) -> None:
    with pytest.raises(CalendarError, match=r"^the certificate of 127\.0\.0\.1:\d+ is not trusted"):
        download(f"{site[0]}/calendar.ics?{SECRET}")
    assert _Site.paths == []


@pytest.mark.process
def test_the_address_in_a_dotenv_file_is_imported(
    folder: Path, site: tuple[str, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    status, lines, error = run(folder, LAB_CALENDAR_URL=f"{site[0]}/calendar.ics?{SECRET}")

    assert (status, error, (folder / NAME).read_text()) == (0, "", TABLE)
    assert SECRET not in "".join(lines)


@pytest.mark.process
def test_a_host_that_does_not_respond_is_named() -> None:
    with pytest.raises(CalendarError, match=r"^127\.0\.0\.1:9 does not respond \(.*\): check LAB_CALENDAR_URL"):
        download(f"https://127.0.0.1:9/{SECRET}")


def course_document(folder: Path) -> dict[str, object]:
    course = read_course_input({"LAB_CONFIG": str(folder / "lab.toml")})
    text = course_text(course.lab, (), imported_calendar=course.imported_calendar)
    assert text == course_text(course.lab, (), imported_calendar=course.imported_calendar)
    document: dict[str, object] = json.loads(text)
    return document


def test_a_deployment_reads_the_table(folder: Path) -> None:
    (folder / "r.csv").write_text(format_roster(Roster()))
    (folder / "lab.toml").write_text(
        minimal_lab("[targets.lab]\n") + RULES + '[[calendar]]\nkind = "exam"\nfirst_day = 2026-12-01\n'
    )
    (folder / NAME).write_text(TABLE)
    days = {"last_day": "2026-12-01", "effect": "unlimited"}

    found = course_document(folder)["calendar"]

    assert isinstance(found, list)
    assert [found[0], found[4], *found[5:]] == [
        {
            "kind": "class",
            "title": "",
            "first_day": "2026-10-19",
            "last_day": "2026-10-19",
            "effect": "free",
            "hours": "10:00-12:00",
            "imported": True,
        },
        {
            "kind": "holiday",
            "title": "",
            "first_day": "2026-12-06",
            "last_day": "2026-12-07",
            "effect": "usual",
            "imported": True,
        },
        {
            "kind": "exam",
            "title": "",
            "first_day": "2027-01-21",
            "last_day": "2027-01-21",
            "effect": "unlimited",
            "imported": True,
        },
        {"kind": "exam", "title": "", "first_day": "2026-12-01", **days},
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            None,
            f"{NAME} cannot be read (No such file or directory), but lab.toml has [calendar_rules]; "
            "python cdktf/import_calendar.py FILE creates it from a calendar program's export.",
        ),
        (
            "kind,first_day,last_day,hours\nparty,2026-11-01,2026-11-01,\n",
            f"{NAME}:2: a kind, first and last day such as 2026-11-01, and optionally hours such as 10:00-12:00 are "
            "expected; import the calendar again.",
        ),
        (
            "kind,first_day,last_day,hours\n" + "exam,2026-11-01,2026-11-01,\n" * 1001,
            f"{NAME} has 1001 rows; a course has at most 1000.",
        ),
    ],
)
def test_a_missing_or_damaged_table_stops_the_deployment(folder: Path, content: str | None, sentence: str) -> None:
    (folder / "r.csv").write_text(format_roster(Roster()))
    if content is not None:
        (folder / NAME).write_text(content)
    with pytest.raises(LabSettingsError) as caught:
        course_document(folder)

    assert caught.value.problems == [sentence]


def test_a_table_without_rules_is_not_read(folder: Path) -> None:
    (folder / "r.csv").write_text(format_roster(Roster()))
    (folder / "lab.toml").write_text(minimal_lab("[targets.lab]\n"))
    (folder / NAME).write_text("damaged")

    assert "calendar" not in course_document(folder)
