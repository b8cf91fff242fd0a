"""`board` writes or prints the page, and `board --serve` serves it to this machine alone."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

import enforcer.commands.board  # noqa: F401 - a library that it imports binds a socket
from enforcer.__main__ import main
from enforcer.board.serve import bind

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30
NO_COURSE = "the ledger uptimes.db has no course; check CLUSTER_UPTIMES_DB, or run poll first"


def run(folder: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Run `board` in a folder; return exit status, output and errors."""
    environment = {"HOME": str(folder), "CLUSTER_UPTIMES_DB": "uptimes.db", **variables}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner(env=environment).invoke(main, ["board", *arguments], obj=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_the_demo_needs_no_settings_and_is_written_privately(tmp_path: Path) -> None:
    status, out, err = run(tmp_path, "--demo", "--output", "lab.html", ADMIN_EMAIL="not an address")
    page = tmp_path / "lab.html"
    assert (status, out, err, page.stat().st_mode & 0o777) == (0, "", "", 0o600)
    assert "invented data" in page.read_text(encoding="utf-8")
    assert run(tmp_path, "--demo")[1] == page.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab.html"]


def test_a_ledger_without_a_course_is_reported_and_gives_no_file(tmp_path: Path) -> None:
    assert run(tmp_path, "--output", "lab.html") == (1, "", f"{NO_COURSE}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_ledger_is_reported(tmp_path: Path) -> None:
    (tmp_path / "uptimes.db").write_bytes(b"not a database" * 100)
    status, out, err = run(tmp_path)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("the ledger is unavailable at the moment (file is not a database)")


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    status, out, err = run(tmp_path, "--demo", "--output", "missing/lab.html")
    assert (status, out, err) == (2, "", "missing/lab.html cannot be written: No such file or directory.\n")


def test_serving_and_writing_cannot_be_combined(tmp_path: Path) -> None:
    status, _, err = run(tmp_path, "--demo", "--serve", "--output", "lab.html")
    assert (status, "--serve and --output cannot be combined" in err) == (2, True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "lab.example.org", "127.0.0.1.example.org"])
def test_only_loopback_addresses_are_served(tmp_path: Path, host: str) -> None:
    status, out, err = run(tmp_path, "--demo", "--serve", "--host", host)
    assert (status, out) == (2, "")
    assert err.startswith(f"--host {host} is not a loopback address; the page is served on this machine only")
    with pytest.raises(ValueError, match="is not a loopback address"):
        bind(host, 0)


@contextmanager
def serving(folder: Path, *arguments: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run `board --serve` on a free port; yield the process and the port."""
    environment = {**os.environ, "CLUSTER_UPTIMES_DB": "uptimes.db", "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "enforcer", "board", "--serve", "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as service:
        try:
            assert service.stderr
            url = service.stderr.readline().strip()
            assert url.startswith("http://") and url.endswith("/"), url
            yield service, int(url.rstrip("/").rpartition(":")[2])
        finally:
            service.kill()


def ask(
    port: int, method: str = "GET", path: str = "/", headers: Mapping[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as connection:
        connection.putrequest(method, path, skip_host=True)
        for name, value in (headers or {"Host": f"127.0.0.1:{port}"}).items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("demo"), "--demo") as (_, port):
        yield port


@pytest.mark.process
def test_the_server_shows_the_page_with_strict_headers(demo: int) -> None:
    status, headers, body = ask(demo)
    assert (status, "invented data" in body, headers["Content-Type"]) == (200, True, "text/html; charset=utf-8")
    assert headers["Content-Security-Policy"].endswith("form-action 'none'; frame-ancestors 'none'")
    found = [headers[name] for name in ("X-Content-Type-Options", "Referrer-Policy", "Cache-Control", "Server")]
    assert found == ["nosniff", "no-referrer", "no-store", None]


@pytest.mark.process
def test_only_get_and_head_are_answered(demo: int) -> None:
    status, headers, body = ask(demo, "HEAD")
    assert (status, int(headers["Content-Length"]) > 10_000, body) == (200, True, "")
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        assert ask(demo, method)[0] == 405, method
    assert ask(demo, path="/ledger")[0] == 404
    assert ask(demo, path="/../etc/passwd")[0] == 404


@pytest.mark.process
def test_a_request_with_another_host_is_refused(demo: int) -> None:
    own = (f"127.0.0.1:{demo}", f"localhost:{demo}", f"[::1]:{demo}", f"LOCALHOST:{demo}")
    assert [ask(demo, headers={"Host": host})[0] for host in own] == [200] * 4
    others = ("evil.example", f"evil.example:{demo}", "localhost", "127.0.0.1", f"localhost:{demo + 1}", "", "[::1]")
    for host in others:
        status, headers, body = ask(demo, headers={"Host": host})
        assert (status, "invented" in body, headers["Cache-Control"]) == (421, False, "no-store"), host
        assert body.startswith("This server answers only requests for 127.0.0.1:")
    assert ask(demo, headers={"X-Forwarded-Host": f"localhost:{demo}", "Host": "evil.example"})[0] == 421


@pytest.mark.process
def test_the_server_listens_on_loopback_only(demo: int) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; the kernel chooses this machine's own address
        own = probe.getsockname()[0]
    if own.startswith("127."):
        pytest.skip("this machine has no address but its loopback address")
    with pytest.raises(OSError):
        socket.create_connection((own, demo), timeout=2).close()


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path, "--demo", "--host", "localhost") as (service, port):
        assert ask(port)[0] == 200
        service.send_signal(number)
        assert service.wait(PATIENCE_SECONDS) == 0
        assert service.stderr and service.stderr.read() == ""


@pytest.mark.process
def test_a_port_in_use_is_reported(tmp_path: Path, demo: int) -> None:
    status, _, err = run(tmp_path, "--demo", "--serve", "--port", str(demo))
    assert (status, err) == (
        2,
        f"port {demo} on 127.0.0.1 cannot be used (Address already in use); choose another with --port.\n",
    )


@pytest.mark.process
def test_without_a_ledger_the_server_shows_a_sentence(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, port):
        status, _, body = ask(port)
        assert (status, NO_COURSE in body) == (503, True)
        status, headers, body = ask(port, path="/metrics")
        assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert "# TYPE " in body
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_a_locked_ledger_is_reported_until_it_is_free(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "uptimes.db")) as other:
        other.execute("CREATE TABLE t (n)")
        other.commit()
        with serving(tmp_path) as (_, port):
            other.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            status, _, body = ask(port)
            assert (status, "the ledger is unavailable at the moment (database is locked)" in body) == (503, True)
            assert time.monotonic() - began < PATIENCE_SECONDS
            assert ask(port, path="/metrics")[0] == 503
            other.rollback()
