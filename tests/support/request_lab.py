"""A course in this process whose groups can ask for more time in a file."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

from emulator.models.scim import User
from enforcer.ledger.database import Ledger
from enforcer.mail.mail_service import MailService
from enforcer.settings import Settings
from enforcer.tick.run import TickResult, run_tick
from enforcer.time_requests import store
from enforcer.time_requests.model import TimeRequest
from enforcer.workspace.client import Workspace
from fake_mail_service import FakeMailService
from in_process_course import FOLDER, SETTINGS, START, InProcessCourse
from labkit.clock import Deadline

M = timedelta(minutes=1)
REQUESTS = f"{FOLDER}/requests"
RULE = {"minutes": 30, "per_week": 1, "not_in": ["exam"]}
EXPORT, IMPORT = "/api/2.0/workspace/export", "/api/2.0/workspace/import"


class RequestLab(InProcessCourse):
    """Like `InProcessCourse`, on a Monday morning, with time requests and, by default, 30 minutes a week at once."""

    def __init__(
        self,
        groups: int = 2,
        *,
        hard: timedelta = 180 * M,
        week: timedelta | None = None,
        start: datetime = START,
        **keys: Any,
    ) -> None:
        self.keys: dict[str, Any] = {"requests": {"expire_days": 7}, "extensions": RULE} | keys
        super().__init__(groups, soft=hard - 30 * M, hard=hard, week=week, start=start)

    def write_course(self, **changes: object) -> None:
        """Write the course file and the file that changes with it, in the deployment's order."""
        self.keys |= changes
        super().write_course(**{key: value for key, value in self.keys.items() if value is not None})
        if self.keys["requests"]:
            self.workspace.call("POST", "/api/2.0/workspace/mkdirs", {"path": REQUESTS})
            content = f"version at {self.workspace.now} of {sorted(self.keys)}\n"
            self.save(f"{REQUESTS}/course-version.txt", content, None)

    def path(self, group: str) -> str:
        return f"{REQUESTS}/{group}.txt"

    def write_request(self, group: str, content: str | bytes, by: User | None = None) -> None:
        """Save the group's file as its student does, and let a minute pass, so that the next poll reads it."""
        self.save(self.path(group), content, by or self.student(group))
        self.workspace.advance(60)

    def save(self, path: str, content: str | bytes, user: User | None) -> None:
        data = content.encode() if isinstance(content, str) else content
        body = {"path": path, "content": base64.b64encode(data).decode(), "format": "RAW", "overwrite": True}
        self.workspace.call("POST", IMPORT, body, user)

    def text(self, path: str, user: User | None = None) -> str:
        answer = self.workspace.call("GET", f"{EXPORT}?path={path}&format=AUTO", user=user)
        return base64.b64decode(answer["content"]).decode()

    def listed(self, folder: str) -> list[str]:
        answer = self.workspace.call("GET", f"/api/2.0/workspace/list?path={folder}")
        return [str(entry["path"]).removeprefix(f"{folder}/") for entry in answer.get("objects", [])]

    @property
    def given(self) -> list[str]:
        """The names of the allowances' files."""
        return self.listed(f"{FOLDER}/allowances")

    def poll(
        self,
        ledger: Ledger,
        *,
        mail: MailService | None = None,
        settings: Settings = SETTINGS,
        workspace: Workspace | None = None,
        seconds: float = 60,
    ) -> TickResult:
        deadline = Deadline(timedelta(seconds=seconds))
        service = mail or FakeMailService()
        return run_tick(settings, ledger, workspace or self.connect(), service, now=self.now(), deadline=deadline)

    def requests(self, ledger: Ledger, result: TickResult) -> tuple[TimeRequest, ...]:
        """Return the time requests that the ledger has for the course of a poll."""
        assert result.snapshot
        return store.load(ledger, result.snapshot.course)
