"""`watch --labs` as a process, with several emulated workspaces: one failure is never another lab's."""

from __future__ import annotations

import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulated_course import SUNDAY, EmulatedCourse
from emulator_process import EmulatorProcess

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
FARM = ROOT / "tests/support/workspace_farm.py"
PATIENCE_SECONDS = 90
Workspaces = list[dict[str, str]]


@pytest.fixture(scope="module")
def farm() -> Iterator[Workspaces]:
    """Four workspaces with two clusters each."""
    command = [sys.executable, str(FARM), "--workspaces", "4", "--clusters", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield json.loads(process.stdout.readline())
        process.terminate()


class LabsFolder:
    """A folder with `labs.toml` and the labs' `.env` files, and the watch of these labs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.log = folder, folder / "labs.toml", folder / "watch.log"
        self.file.write_text("")

    def add(self, name: str, workspace: dict[str, str], *, course: str = "", env: str = "") -> None:
        """Add a lab in a workspace. `env` is added to its `.env`."""
        place = self.folder / name
        place.mkdir()
        host = f"DATABRICKS_HOST={workspace['url']}\nDATABRICKS_TOKEN={workspace['token']}\n"
        ledger = f"CLUSTER_UPTIMES_DB={place}/uptimes.db\n"
        (place / ".env").write_text(host + ledger + env)
        course = course or workspace["course"]
        table = f'[[lab]]\nname = "{name}"\nenv = "{name}/.env"\ncourse = "{course}"\nterm = "{workspace["term"]}"\n'
        self.file.write_text(self.file.read_text() + table)

    def start(self, *more: str, **variables: str) -> subprocess.Popen[bytes]:
        # A workspace in the environment of the process must not be used by any lab.
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "DATABRICKS_HOST": "http://127.0.0.1:9", **UNUSED}
        environment |= variables
        command = [sys.executable, "-m", "enforcer", "watch", "--labs", str(self.file), *more]
        with self.log.open("wb") as stream:
            return subprocess.Popen(command, cwd=self.folder, env=environment, stderr=stream, stdout=stream)

    def text(self) -> str:
        return self.log.read_text()


@contextmanager
def watching(labs: LabsFolder, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the watch; at the end of the block, SIGTERM must end it with status 0."""
    watch = labs.start(**variables)
    try:
        yield watch
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(timeout=PATIENCE_SECONDS) == 0, labs.text()
    finally:
        watch.kill()
        watch.wait()


class Monitor(http.server.ThreadingHTTPServer):
    """Records the paths of all pings."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MonitorHandler)
        self.paths: list[str] = []


class MonitorHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Monitor)
        self.server.paths.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    with Monitor() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


UNUSED = {"DATABRICKS_TOKEN": "token-of-the-process", "ARM_CLIENT_ID": "x", "ARM_CLIENT_SECRET": "y"}


@pytest.fixture
def labs(tmp_path: Path) -> LabsFolder:
    return LabsFolder(tmp_path)


def until(holds: Callable[[], bool], text: Callable[[], str]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < ends, text()
        time.sleep(0.1)


def requests(workspace: dict[str, str]) -> Counter[tuple[str, int]]:
    """Count the API requests to a workspace by path and status."""
    with urllib.request.urlopen(f"{workspace['url']}/_emulator/journal", timeout=30) as response:
        lines = [json.loads(line) for line in response.read().splitlines() if line.strip()]
    return Counter((line["path"], line["status"]) for line in lines if line["path"].startswith("/api/"))


def control(workspace: dict[str, str], path: str, body: object) -> None:
    request = urllib.request.Request(f"{workspace['url']}/_emulator/{path}", json.dumps(body).encode(), method="POST")
    urllib.request.urlopen(request, timeout=30).close()


def test_a_failing_lab_does_not_affect_the_others(farm: Workspaces, labs: LabsFolder) -> None:
    first, second, slow, shared = farm
    labs.add("first", first)
    labs.add("invalid", first, course="1", env="MAIL_SENDS_PER_HOUR=none\n")
    labs.add("down", {**first, "url": "http://127.0.0.1:9"}, course="2")
    labs.add("damaged", second)
    (labs.folder / "damaged/uptimes.db").write_bytes(b"no database" * 1000)
    labs.add("slow", slow)
    control(slow, "faults", {"rules": [{"kind": "latency", "seconds": 2.0}]})
    labs.add("refused", {**shared, "token": "dapi00000000000000000000000000000000"}, course="3")
    labs.add("shared-1", shared)
    labs.add("shared-2", shared, course="4")

    with watching(labs):
        checked = [f": {name}: checked {n} clusters" for name, n in CHECKED.items()]
        others = ["down: http://127.0.0.1:9 cannot be used", "refused: http://"]
        # Without its ledger, a lab is tried again by another thread.
        until(lambda: labs.text().count("damaged: the ledger is unavailable") >= 2, labs.text)
        until(lambda: all(line in labs.text() for line in [*checked, *others]), labs.text)

    text = labs.text()
    assert "invalid: MAIL_SENDS_PER_HOUR" in text and "Traceback" not in text
    assert re.search(r"the watch ends after \d+ turns; the latest began [\d.]+ seconds late", text)
    assert not any(workspace["token"] in text for workspace in farm)
    for workspace in (first, second, slow):
        assert {status for _, status in requests(workspace)} == {200}, "no workspace saw another one's token"
    assert {status for _, status in requests(shared)} == {200, 403, 404}, (
        "one token is invalid, one course has no folder"
    )
    # The damaged ledger is kept, and the other labs have ledgers of their own.
    assert (labs.folder / "damaged/uptimes.db").read_bytes().startswith(b"no database")
    assert all((labs.folder / name / "uptimes.db").exists() for name in CHECKED)


CHECKED = {"first": 2, "slow": 2, "shared-1": 2, "shared-2": 0}


def test_the_check_reports_each_invalid_lab(farm: Workspaces, labs: LabsFolder) -> None:
    labs.add("first", farm[0])
    labs.add("second", farm[1])

    assert labs.start("--check").wait(timeout=PATIENCE_SECONDS) == 0
    assert labs.text() == f"{labs.file} is valid: 2 labs\n"

    (labs.folder / "second/.env").write_text("ADMIN_EMAIL=nobody\n")
    before = requests(farm[0])

    assert labs.start("--check").wait(timeout=PATIENCE_SECONDS) == 2
    assert [line.partition(" ")[0] for line in labs.text().splitlines()] == ["second:", "second:"]
    assert requests(farm[0]) == before, "a check needs no workspace"


def test_without_a_valid_lab_the_watch_exits_with_status_2(farm: Workspaces, labs: LabsFolder) -> None:
    labs.add("first", farm[0], env="ADMIN_EMAIL=nobody\n")
    assert labs.start().wait(timeout=PATIENCE_SECONDS) == 2
    assert labs.text().splitlines()[-1] == f"no lab in {labs.file} can be watched; correct the settings."

    labs.file.write_text('[[lab]]\nname = "x"\ntoken = "dapi1234567890"\n')
    assert labs.start().wait(timeout=PATIENCE_SECONDS) == 2
    assert "is or contains a secret" in labs.text() and "dapi1234567890" not in labs.text()


def test_each_lab_pings_its_own_monitor(farm: Workspaces, labs: LabsFolder, monitor: Monitor) -> None:
    url = f"HEALTHCHECK_URL=http://127.0.0.1:{monitor.server_port}"
    labs.add("first", farm[0], env=f"{url}/first\n")
    labs.add("down", {**farm[1], "url": "http://127.0.0.1:9"}, env=f"{url}/down\n")

    with watching(labs):
        until(lambda: {"/first", "/down/fail"} <= set(monitor.paths), labs.text)

    assert set(monitor.paths) == {"/first/start", "/first", "/down/start", "/down/fail"}


def test_systemd_is_notified_that_the_fleet_is_ready_alive_and_stopping(farm: Workspaces, labs: LabsFolder) -> None:
    labs.add("first", farm[0])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(labs.folder / "notify"))
        with watching(labs, NOTIFY_SOCKET=str(labs.folder / "notify")):
            until(lambda: "checked" in labs.text(), labs.text)
        channel.setblocking(False)
        received = []
        try:
            while True:
                received.append(channel.recv(100).decode())
        except BlockingIOError:
            pass
    assert (received[0], set(received[1:-1]), received[-1]) == ("READY=1", {"WATCHDOG=1"}, "STOPPING=1")


def test_labs_stay_within_the_limits_of_their_mail_account_together(
    farm: Workspaces, labs: LabsFolder, emulator: EmulatorProcess
) -> None:
    emulator.control("POST", "faults", {"profile": "mail-managed-domain"})
    account = f"AZURE_EMAIL_CONNECTION_STRING={emulator.mail_connection_string}\n"
    account += "AZURE_EMAIL_SENDER=DoNotReply@lab.azurecomm.net\nADMIN_EMAIL=admin@campus.example\n"
    names = [f"down-{number}" for number in range(8)]
    for number, name in enumerate(names):
        # The admin of each lab is mailed that its workspace does not respond.
        labs.add(name, {**farm[0], "url": "http://127.0.0.1:9"}, course=str(number + 1), env=account)

    with watching(labs, REQUESTS_CA_BUNDLE=emulator.mail_ca):
        until(lambda: all(f"{name}: http://127.0.0.1:9 cannot" in labs.text() for name in names), labs.text)

    sends = [entry["status"] for entry in emulator.request_log() if entry["path"] == "/emails:send"]
    assert sends == [202] * 5, "five in a minute, and none is refused"


def test_a_fleet_stops_a_group_at_its_limit_and_reads_corrected_settings(
    frozen_emulator: EmulatorProcess, labs: LabsFolder
) -> None:
    frozen_emulator.control("POST", "reset")
    course = EmulatedCourse(frozen_emulator, labs.folder, groups=2)
    workspace = {"url": frozen_emulator.url, "token": frozen_emulator.admin_token, "course": "94290", "term": "2030w"}
    labs.add("rehearsal", workspace)
    labs.add("refused", {**workspace, "token": "dapi0000"}, course="2")
    labs.add("invalid", workspace, course="3", env="ADMIN_EMAIL=nobody\n")

    with watching(labs, LAB_CLOCK=course.environment["LAB_CLOCK"]):
        until(lambda: "rehearsal: checked 2 clusters" in labs.text() and "refused: http" in labs.text(), labs.text)
        # Settings and credentials are corrected while the watch runs.
        corrected = (labs.folder / "rehearsal/.env").read_text()
        for name in ("refused", "invalid"):
            (labs.folder / name / ".env").write_text(corrected.replace("rehearsal", name))
        assert course.start("group_01") == 200
        course.advance_minutes(1)
        until(lambda: labs.text().count("rehearsal: checked") == 2, labs.text)
        until(lambda: "refused: checked 0 clusters" in labs.text(), labs.text)
        assert "invalid: checked" not in labs.text()
        course.set_time(SUNDAY, "11:00:01")
        restricted = ("TERMINATED", "CAN_ATTACH_TO")
        until(lambda: (course.state("group_01"), course.level("group_01")) == restricted, labs.text)
        until(lambda: "invalid: checked 0 clusters" in labs.text(), labs.text)

    assert course.level("group_02") == "CAN_RESTART"
