"""A course in an emulated workspace, as after a deployment; the enforcer's commands run on it in the test's process."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from click.testing import CliRunner

from emulator_process import EmulatorProcess
from enforcer.__main__ import main
from labkit.course_file import hash_address

JERUSALEM = ZoneInfo("Asia/Jerusalem")
FOLDER = "/lab-94290-2030w"
STAFF = "assistant@example.ac.il"
SUNDAY = date(2030, 11, 3)
"""The first day of the week in which the tests run; later than the start time of any emulator."""


@dataclass(frozen=True)
class CommandResult:
    """A command's exit status and output."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def local_time(day: date, clock: str) -> datetime:
    """Return a time in the course's time zone."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=JERUSALEM)


class EmulatedCourse:
    """Groups `group_01`, `group_02`, … with two students and a stopped cluster each, at 8:00 on a Sunday."""

    def __init__(
        self,
        emulator: EmulatorProcess,
        folder: Path,
        *,
        groups: int = 2,
        limits: Mapping[str, int | None] | None = None,
        prefix: str = "",
    ) -> None:
        self.emulator, self.folder = emulator, folder
        self.limits = {"soft_minutes": 150, "hard_minutes": 180, "week_minutes": None, "term_minutes": None} | dict(
            limits or {}
        )
        self.environment = {
            **emulator.environment(),
            "LAB_CLOCK": f"{emulator.url}/_emulator/clock",
            "CLUSTER_UPTIMES_DB": str(folder / "ledger" / "uptimes.db"),
        }
        self.tokens: dict[str, str] = {}
        self.set_time(SUNDAY, "07:59")
        self.create_user(STAFF)
        self.clusters: dict[str, str] = {}
        self.names = [f"{prefix}group_{number:02}" for number in range(1, groups + 1)]
        for number, name in enumerate(self.names, 1):
            self.make_group(number, name, prefix)
        self.write_course()
        self.set_time(SUNDAY, "08:00")

    def make_group(self, number: int, name: str, prefix: str) -> None:
        members = [self.create_user(f"student{number}{letter}@campus.example.ac.il") for letter in "ab"]
        self.call(
            "POST", "/api/2.0/preview/scim/v2/Groups", {"displayName": name, "members": [{"value": m} for m in members]}
        )
        spec = {
            "cluster_name": f"{prefix}cluster_{number:02}",
            "spark_version": "15.4.x-scala2.12",
            "node_type_id": "Standard_DS3_v2",
            "num_workers": 1,
            "autotermination_minutes": 0,
            "custom_tags": {"origin": "terraform", "lab_course": "94290", "lab_term": "2030w", "lab_group": name},
        }
        id = self.call("POST", "/api/2.1/clusters/create", spec)["cluster_id"]
        self.clusters[name] = id
        self.separate_events()
        self.call("POST", "/api/2.1/clusters/delete", {"cluster_id": id})
        self.separate_events()
        self.grant(name, {"group_name": name}, "CAN_RESTART")

    def create_user(self, address: str) -> str:
        """Create an account, remember its token, and return its id."""
        created = self.emulator.control("POST", "users", {"user_name": address})
        self.tokens[address] = created["token"]
        return str(created["id"])

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Any:
        """Return the JSON response of a request that must succeed."""
        status, response = self.emulator.request(method, path, body, token=token)
        assert status < 300, f"{method} {path}: {status} {response}"
        return response

    def write_course(self, **changes: Any) -> None:
        """Write the course file as a deployment does."""
        document = {
            "version": 2,
            "course": "94290",
            "term": "2030w",
            "title": "Data Engineering",
            "timezone": "Asia/Jerusalem",
            "first_day": "2030-10-20",
            "last_day": "2031-01-31",
            "first_weekday": "Sunday",
            "count_all_sessions": False,
            "staff": {"application_ids": [], "address_hashes": [hash_address(STAFF, "94290", "2030w")]},
            "groups": [
                {"name": name, "number": n, "moodle_id": str(1000 + n), "title": f"Team {n}", "limits": self.limits}
                for n, name in enumerate(self.names, 1)
            ],
        } | changes
        self.call("POST", "/api/2.0/workspace/mkdirs", {"path": f"{FOLDER}/allowances"})
        plain = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        document["checksum"] = hashlib.sha256(plain.encode()).hexdigest()
        self.put(f"{FOLDER}/course.json", json.dumps(document))

    def write_roster(self, *, existing: Sequence[str] = ()) -> str:
        """Write a roster with all groups and return its path; `existing` has addresses with an older account."""
        rows = ["number,moodle_group_id,moodle_group_name,email,status,account"]
        for number in range(1, len(self.names) + 1):
            for address in (f"student{number}{letter}@campus.example.ac.il" for letter in "ab"):
                account = "existing:demo" if address in existing else "managed"
                rows.append(f"{number},{1000 + number},Team {number},{address},active,{account}")
        path = self.folder / "roster.csv"
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return str(path)

    def put(self, path: str, text: str) -> None:
        """Write a workspace file."""
        content = base64.b64encode(text.encode()).decode()
        body = {"path": path, "content": content, "format": "RAW", "overwrite": True}
        self.call("POST", "/api/2.0/workspace/import", body)

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.emulator.control("GET", "clock")["now"])

    def set_time(self, day: date, clock: str) -> None:
        """Set the clock to a local time."""
        self.emulator.control("POST", "clock", {"now": local_time(day, clock).isoformat()})

    def advance_minutes(self, minutes: float) -> None:
        self.emulator.control("POST", "clock", {"advance_seconds": minutes * 60})

    def separate_events(self) -> None:
        """Advance the clock slightly, so that two events of a cluster never have the same time."""
        self.emulator.control("POST", "clock", {"advance_seconds": 0.01})

    def student(self, group: str, letter: str = "a") -> str:
        """Return a group member's token."""
        return self.tokens[f"student{self.names.index(group) + 1}{letter}@campus.example.ac.il"]

    def start(self, group: str, *, token: str | None = None) -> int:
        """Start the group's cluster as a member, or with the given token; return the status of the response."""
        body = {"cluster_id": self.clusters[group]}
        status, _ = self.emulator.request("POST", "/api/2.1/clusters/start", body, token=token or self.student(group))
        if status == 200:
            self.separate_events()
        return status

    def stop(self, group: str) -> None:
        self.call("POST", "/api/2.1/clusters/delete", {"cluster_id": self.clusters[group]})

    def grant(self, group: str, principal: Mapping[str, str], level: str) -> None:
        """Grant a permission level on the group's cluster."""
        entry = {**principal, "permission_level": level}
        path = f"/api/2.0/permissions/clusters/{self.clusters[group]}"
        self.call("PATCH", path, {"access_control_list": [entry]})

    def state(self, group: str) -> str:
        return str(self.call("GET", f"/api/2.1/clusters/get?cluster_id={self.clusters[group]}")["state"])

    def levels(self, group: str) -> dict[str, str]:
        """Map each principal to the level granted directly on the group's cluster."""
        response = self.call("GET", f"/api/2.0/permissions/clusters/{self.clusters[group]}")
        return {
            entry.get("group_name") or entry.get("user_name") or entry["service_principal_name"]: grant[
                "permission_level"
            ]
            for entry in response["access_control_list"]
            for grant in entry["all_permissions"]
            if not grant["inherited"]
        }

    def level(self, group: str) -> str:
        return self.levels(group)[group]

    def used_ms(self, group: str, begins: datetime, ends: datetime) -> int:
        """Return the uptime that the emulator itself computes for the group's cluster."""
        query = f"from={begins.isoformat()}&to={ends.isoformat()}".replace("+", "%2B")
        response = self.emulator.control("GET", f"uptime?cluster_id={self.clusters[group]}&{query}")
        return int(response["milliseconds"])

    def run(self, *arguments: str, **variables: str) -> CommandResult:
        """Run `python -m enforcer …` in this process; a traceback is raised."""
        environment = {**self.environment, **variables}
        # The SDK reads os.environ itself.
        runner = CliRunner(env=environment)
        with contextlib.chdir(self.folder):
            result = runner.invoke(main, list(arguments), obj=environment, prog_name="enforcer")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return CommandResult(result.exit_code, result.stdout, result.stderr)

    def poll(self, *arguments: str) -> CommandResult:
        done = self.run("poll", *arguments)
        assert done.status == 0, done
        return done

    def actions(self) -> Sequence[str]:
        """Return the actions that a poll would take now, without taking them."""
        return self.poll("--dry-run").out.splitlines()
