"""A day of the deployed lab on the workspace's clock: use, warnings, stops, an allowance and a report."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.service.workspace import ExportFormat

import inspection
from labkit.files import with_marker, write_private
from processes import Emulator, end, run
from screen import Screen

ROOT = Path(__file__).resolve().parents[1]
ZONE = ZoneInfo("Asia/Jerusalem")
M = timedelta(minutes=1)
STEP_SECONDS = 0.4
"""The real time between two clock steps, during which the enforcer's service can poll."""
TIMEOUT_SECONDS = 60.0
PAGE_NAME = "cluster_time"
MAX_LINES = 8
"""At most this many lines of a command's output are shown."""
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ INFO ")


class DayError(RuntimeError):
    """An expected event did not happen; the message names it."""


@dataclass(frozen=True)
class Group:
    """A group in the lab: its cluster and one of its students."""

    name: str
    cluster_id: str
    student: str
    token: str


def rehearse_day(
    screen: Screen, workspace: Emulator, environment: Mapping[str, str], folder: Path, mails_folder: Path, board: Path
) -> None:
    """Run a day with the enforcer watching. Raise DayError if an expected event does not happen.

    `environment` is the environment for the lab's programs; ledger and logs go into `folder`. `mails_folder` is
    recreated: every email and the report are saved there, as a mail program shows them. The staff's board is written to
    the file `board`.
    """
    day = _Day(screen, workspace, environment, folder)
    screen.step("A day in the lab, on the workspace's clock: the enforcer watches")
    day.set_clock(
        datetime.combine(day.date - timedelta(days=1), datetime.min.time(), ZONE) + timedelta(hours=23, minutes=50)
    )
    with day.enforcer_service():
        day.morning()
        day.noon()
        day.night()
    day.write_mails(mails_folder)
    day.write_board(board)


def enforcer_environment(environment: Mapping[str, str], workspace: Emulator, folder: Path) -> dict[str, str]:
    """Return the enforcer's environment. It starts in a separate folder, so that a real lab's .env is not read."""
    return {
        **{name: value for name, value in environment.items() if name != "FORCE_COLOR"},
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
        "CLUSTER_UPTIMES_DB": str(folder / "uptimes.db"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "AZURE_EMAIL_ENDPOINT": workspace.mail_endpoint,
        "AZURE_EMAIL_ACCESS_KEY": workspace.mail_key,
        "AZURE_EMAIL_CONNECTION_STRING": "",
        "AZURE_EMAIL_SENDER": "lab@example.ac.il",
        "ADMIN_EMAIL": "assistant@example.ac.il",
        "REPORT_RECIPIENT_EMAIL": "teacher@example.ac.il",
        "REQUESTS_CA_BUNDLE": workspace.mail_ca,
        "HEALTHCHECK_URL": "",
    }


def control(workspace: Emulator, method: str, path: str, body: Any = None) -> Any:
    """Send a request to the emulator's control API."""
    request = urllib.request.Request(
        f"{workspace.url}/_emulator/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


class _Day:
    def __init__(self, screen: Screen, workspace: Emulator, environment: Mapping[str, str], folder: Path) -> None:
        self.screen, self.workspace, self.folder = screen, workspace, folder
        self.client = WorkspaceClient(host=workspace.url, token=workspace.token, auth_type="pat")
        self.environment = enforcer_environment(environment, workspace, folder)
        self.date: date = self.now().date() + timedelta(days=1)
        self.groups = [self._group(number) for number in (1, 2, 3)]

    # --- the steps

    def morning(self) -> None:
        """Three groups start their clusters; one becomes idle."""
        self.advance_to(9, 0, step=15 * M)
        first, second, third = self.groups
        self.screen.print_text(f"09:00  Students in {first.name}, {second.name} and {third.name} start their clusters.")
        self.work(first, hours=6)
        self.work(second, hours=0.7)
        self.work(third, hours=6)
        self.advance_to(10, 15, step=5 * M)
        self.wait_until(
            lambda: self.state(second) == "TERMINATED", f"the idle cluster of {second.name} was not terminated"
        )
        self.print_text(
            f"{second.name} was idle for a long time: its cluster terminated automatically and no longer uses quota."
        )
        self.advance_to(11, 27, step=5 * M)
        self.advance_to(11, 34)
        self.wait_until(lambda: len(self.mails()) >= 2, "the warnings were not sent")
        self.print_text(f"{first.name} and {third.name} get a warning: they have used 2.5 of their 3 hours.")

    def noon(self) -> None:
        """Staff approve an hour for one group; another is stopped, and gets half an hour by the course's rule."""
        first, _, third = self.groups
        self.advance_to(11, 40)
        self.ask_for_time(third, "60 minutes: project deadline")
        self.advance_to(11, 45)
        self.print_text("An assistant looks at the time requests and approves this one:")
        (waiting,) = json.loads(self.enforcer_output("requests", "--json"))
        self.enforcer("requests")
        self.enforcer("approve", waiting["id"])
        self.advance_to(11, 57, step=5 * M)
        self.advance_to(12, 3)
        self.wait_until(lambda: self.state(first) == "TERMINATED", f"the cluster of {first.name} was not stopped")
        self.print_text(f"{first.name} has used its three hours and is stopped; {third.name} is {self.state(third)}.")
        self.check_start_is_refused(first)
        self.ask_for_time(first, "30 minutes: one last run")
        self.advance_to(12, 20, step=5 * M)
        self.wait_until(lambda: self.level(first) == "CAN_RESTART", f"the extension of {first.name} was not granted")
        self.print_text(
            f"The course grants half an hour a week at once. The page of {first.name}, as a student sees it:"
        )
        self.show_page(first)
        self.work(first, hours=1)
        self.enforcer("usage")
        self.advance_to(12, 47, step=5 * M)
        self.advance_to(12, 54)
        self.wait_until(lambda: self.state(first) == "TERMINATED", f"the cluster of {first.name} was not stopped again")
        self.print_text(f"{first.name} has used the half hour, too, and is stopped.")
        self.advance_to(12, 57, step=5 * M)
        self.advance_to(13, 3)
        self.wait_until(lambda: self.state(third) == "TERMINATED", f"the cluster of {third.name} was not stopped")
        self.print_text(f"{third.name} has used its four hours and is stopped, too.")

    def night(self) -> None:
        """At midnight all groups may start their clusters again, and the report is sent."""
        first = self.groups[0]
        self.advance_to(23, 58, step=15 * M)
        self.check_start_is_refused(first)
        self.set_clock(self.at(24, 0) + M)
        self.wait_until(lambda: self.level(first) == "CAN_RESTART", f"{first.name} may not restart after midnight")
        self.print_text(f"Midnight: {first.name} may start its cluster again.")
        self.as_student(first).clusters.start(first.cluster_id)
        self.print_text(f"A student of {first.name} does: it is {self.state(first)}. An assistant stops it.")
        self.client.clusters.delete(first.cluster_id)
        self.set_clock(self.at(24, 20))
        self.print_text("Cron closes the day:")
        self.enforcer("end-of-day")

    def write_mails(self, folder: Path) -> None:
        """Write the sent emails to files and list them."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        mails = self.mails()
        for number, mail in enumerate(mails, 1):
            arguments = (
                re.sub(r"[^A-Za-z0-9]+", "-", mail["subject"].encode("ascii", "ignore").decode()).strip("-").lower()
            )
            stem = folder / f"{number}-{arguments[:60].strip('-')}"
            html = mail["html"]
            for attachment in mail["attachments"]:
                content = attachment["content_in_base64"]
                if attachment["content_id"]:
                    inline = f"data:{attachment['content_type']};base64,{content}"
                    html = html.replace(f"cid:{attachment['content_id']}", inline)
                else:
                    stem.with_suffix(Path(attachment["name"]).suffix).write_bytes(base64.b64decode(content))
            for suffix, content in ((".html", html), (".txt", mail["text"])):
                write_private(stem.with_suffix(suffix), with_marker(content, suffix, "mail", self.date))
            first, others = mail["to"][0], len(mail["to"]) - 1
            self.screen.print_output(f"{first}{f' and {others} more' if others else ''}: {mail['subject']}")
        if not mails or not any("clusters ran" in mail["subject"] for mail in mails):
            raise DayError("the report was not sent")
        self.screen.print_text(f"{len(mails)} emails, including the report, are in {folder}, as text and HTML.")

    def write_board(self, file: Path) -> None:
        """Write the staff's board."""
        file.unlink(missing_ok=True)
        self.enforcer_output("board", "--output", str(file))
        self.screen.print_output(f"$ python -m enforcer board --output {file}")
        self.screen.print_text("The staff's board shows the same on one page; open it in a browser.")

    # --- time

    def now(self) -> datetime:
        return datetime.fromisoformat(self.control("GET", "clock")["now"]).astimezone(ZONE)

    def at(self, hour: int, minute: int) -> datetime:
        return datetime.combine(self.date, datetime.min.time(), ZONE) + timedelta(hours=hour, minutes=minute)

    def set_clock(self, instant: datetime) -> None:
        """Advance the clock to this instant and give the service time to poll."""
        if instant > self.now():
            self.control("POST", "clock", {"now": instant.isoformat()})
        time.sleep(STEP_SECONDS)

    def advance_to(self, hour: int, minute: int, step: timedelta = M) -> None:
        """Advance the clock in steps to this time of day."""
        goal = self.at(hour, minute)
        while (now := self.now()) < goal:
            self.set_clock(min(now + step, goal))

    def wait_until(self, condition: Callable[[], bool], message: str) -> None:
        """Wait in real time until the condition is true. Raise DayError with the message after a timeout."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise DayError(f"{message}; {self.folder / 'watch.log'} ends with: {self._log()[-500:]}")
            time.sleep(STEP_SECONDS)

    def print_text(self, text: str) -> None:
        self.screen.print_text(f"{self.now():%H:%M}  {text}")

    # --- people and programs

    @contextmanager
    def enforcer_service(self) -> Iterator[None]:
        """Run the enforcer's service while the `with` block lasts; it must exit with status 0 afterwards."""
        with (self.folder / "watch.log").open("wb") as log:
            service = subprocess.Popen(
                [sys.executable, "-m", "enforcer", "watch"],
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.wait_until(lambda: self._has_polled(service), "the enforcer did not start polling")
            yield
        finally:
            end(service)
        if service.returncode:
            raise DayError(f"the enforcer's service exited with status {service.returncode}: {self._log()[-500:]}")

    def _has_polled(self, service: subprocess.Popen[bytes]) -> bool:
        if service.poll() is not None:
            raise DayError(f"the enforcer exited with status {service.returncode}: {self._log()[-500:]}")
        return "checked" in self._log()

    def _log(self) -> str:
        return (self.folder / "watch.log").read_text(encoding="utf-8", errors="replace")

    def enforcer(self, *arguments: str) -> None:
        """Run a command of the enforcer and show its output."""
        lines: list[str] = []
        command = [sys.executable, "-m", "enforcer", *arguments]
        self.screen.print_output(
            f"$ python -m enforcer {' '.join(f'{word!r}' if ' ' in word else word for word in arguments)}"
        )
        status = run(command, cwd=self.folder, environment=self.environment, lines=lines.append)
        shown = lines if status else [line for line in lines if not LOG_LINE.match(line)]
        if len(shown) > MAX_LINES:
            shown = [*shown[: MAX_LINES - 2], f"  … {len(shown) - MAX_LINES + 1} more", shown[-1]]
        for line in shown:
            self.screen.print_output(line)
        if status:
            raise DayError(f"`enforcer {arguments[0]}` exited with status {status}")

    def enforcer_output(self, *arguments: str) -> str:
        """Run a command of the enforcer and return its standard output."""
        command = [sys.executable, "-m", "enforcer", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise DayError(f"`enforcer {arguments[0]}` exited with status {done.returncode}: {done.stderr}")
        return done.stdout

    def ask_for_time(self, group: Group, text: str) -> None:
        """Wait until the lab has created the group's request file, and write a time request into it as a student."""
        path = f"{self.course_folder()}/requests/{group.name}.txt"
        content = base64.b64encode(f"{text}\n".encode()).decode()
        self.wait_until(lambda: self.may_edit(group, path), f"{path} was not created")
        body = {"path": path, "format": "RAW", "overwrite": True, "content": content}
        self.as_student(group).api_client.do("POST", "/api/2.0/workspace/import", body=body)
        self.print_text(f"{group.student} writes into the request file of {group.name}: {text}")

    def may_edit(self, group: Group, path: str) -> bool:
        """Return whether the file exists and the group may edit it."""
        try:
            file = self.as_student(group).workspace.get_status(path)
        except (NotFound, PermissionDenied):
            return False
        found = self.client.permissions.get("files", str(file.object_id)).access_control_list or []
        return any(entry.group_name == group.name for entry in found)

    def show_page(self, group: Group) -> None:
        """Show the first text cell of the group's page, read as a student."""
        path = f"{self.course_folder()}/groups/{group.name}/{PAGE_NAME}"
        exported = self.as_student(group).workspace.export(path, format=ExportFormat.JUPYTER).content or ""
        for line in json.loads(base64.b64decode(exported))["cells"][0]["source"]:
            if line.strip():
                self.screen.print_output(line.rstrip("\n"))

    def course_folder(self) -> str:
        """Return the lab's folder in the workspace."""
        names = [one.path or "" for one in self.client.workspace.list("/")]
        return next(name for name in names if name.startswith(inspection.FOLDER_PREFIX))

    def work(self, group: Group, *, hours: float) -> None:
        """Start the cluster as a student and run commands for this long."""
        body = {"cluster_id": group.cluster_id, "seconds": int(hours * 3600), "token": group.token}
        self.control("POST", "work", body)

    def check_start_is_refused(self, group: Group) -> None:
        """Check that a student may not start the cluster."""
        try:
            self.as_student(group).clusters.start(group.cluster_id)
        except PermissionDenied as error:
            refusal = str(error).split(" Config:")[0]
            self.print_text(f"{group.student} of {group.name} tries to start the cluster and is refused: {refusal}")
        else:
            raise DayError(f"{group.student} could start the cluster of {group.name} after it reached its limit")

    def as_student(self, group: Group) -> WorkspaceClient:
        return WorkspaceClient(host=self.workspace.url, token=group.token, auth_type="pat")

    # --- the workspace

    def state(self, group: Group) -> str:
        state = self.client.clusters.get(group.cluster_id).state
        return state.value if state else "?"

    def level(self, group: Group) -> str:
        return inspection.permission(self.client, group.cluster_id, group.name)

    def mails(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "mail")
        return found

    def _group(self, number: int) -> Group:
        name = f"group_{number:02}"
        cluster = next(c for c in self.client.clusters.list() if (c.custom_tags or {}).get("lab_group") == name)
        found = next(g for g in self.client.groups.list(attributes="displayName,members") if g.display_name == name)
        member = (found.members or [])[0]
        student = self.client.users.get(member.value or "").user_name or ""
        token = self.control("POST", "users", {"user_name": student})["token"]
        return Group(name, cluster.cluster_id or "", student, token)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        return control(self.workspace, method, path, body)
