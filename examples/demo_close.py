"""The end of the term: back up and verify homes, close the term, restore a home into a different workspace."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.workspace import ExportFormat, ImportFormat, Language, ObjectType

from demo_day import control, enforcer_environment
from processes import Emulator, emulator, run
from screen import Screen

ROOT = Path(__file__).resolve().parents[1]
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ INFO ")
STEP = re.compile(r"(?:done|to do|not possible) {2,}")
STEP_STARTED = re.compile(r"[\w ]+ …")
"""The line that close_term.py prints when it starts a step."""
MAX_WIDTH = 160
HTML_PAGE = "<h1>Flights</h1>"
NOTEBOOKS = {
    "clean.py": (Language.PYTHON, "flights = spark.table('flights').dropna()\ndisplay(flights)\n"),
    "count.sql": (Language.SQL, "SELECT carrier, count(*) FROM flights GROUP BY carrier\n"),
    "plot.scala": (Language.SCALA, 'display(spark.table("flights"))\n'),
    "model.r": (Language.R, "summary(lm(delay ~ distance, flights))\n"),
}


class TermEndError(RuntimeError):
    """The end of the term failed; the message names the step."""


class TermEnd:
    """Ends the term with the programs that an administrator uses.

    `environment` is the environment for the lab's programs; backup and archive go into `folder`.
    """

    def __init__(self, screen: Screen, workspace: Emulator, environment: Mapping[str, str], folder: Path) -> None:
        self.screen, self.workspace, self.folder = screen, workspace, folder
        self.environment = enforcer_environment(environment, workspace, folder)
        self.client = WorkspaceClient(host=workspace.url, token=workspace.token, auth_type="pat")
        self.saved = folder / "saved"
        self.student = ""

    # --- the steps

    def create_student_files(self) -> None:
        """Create a student's notebooks and files, and leave the student's cluster running."""
        group = next(group for group in self.client.groups.list() if group.display_name == "group_01")
        member = (group.members or [])[0]
        self.student = self.client.users.get(member.value or "").user_name or ""
        token = control(self.workspace, "POST", "users", {"user_name": self.student})["token"]
        student = WorkspaceClient(host=self.workspace.url, token=token, auth_type="pat")
        home = f"/Users/{self.student}"
        student.workspace.mkdirs(f"{home}/project/empty")
        for name, (language, source) in NOTEBOOKS.items():
            student.workspace.import_(
                f"{home}/project/{name.partition('.')[0]}",
                content=base64.b64encode(source.encode()).decode(),
                format=ImportFormat.SOURCE,
                language=language,
            )
        student.workspace.upload(f"{home}/project/סיכום.html", HTML_PAGE.encode(), format=ImportFormat.RAW)
        student.dbfs.put(f"dbfs:{home}/flights.csv", contents=base64.b64encode(b"carrier,delay\n" * 9000).decode())
        for cluster in self.client.clusters.list():
            if (cluster.custom_tags or {}).get("lab_group") == "group_01":
                student.clusters.start(cluster.cluster_id or "")
        self.screen.print_text(
            f"{self.student} has notebooks in four languages, a page with a Hebrew name and a table in DBFS, and left "
            "a cluster running."
        )

    def back_up(self) -> None:
        """Back up all homes and verify the backup."""
        self._inventory("backup", "--all-homes", "--shared", "--output", str(self.saved))
        self._inventory("verify", str(self.saved), "--live")

    def close_command(self, output: Path) -> list[str]:
        """Return the command that closes the term."""
        archive = ["--archive", str(self.folder / "archive"), "--output", str(output)]
        return [sys.executable, str(ROOT / "cdktf/close_term.py"), "--backup", str(self.saved), *archive, "--yes"]

    def show_checklist(self, lines: Sequence[str]) -> None:
        """Show the checklist before and after, without Terraform's output."""
        first_step = next((number for number, line in enumerate(lines) if STEP_STARTED.fullmatch(line)), len(lines))
        steps = [line for line in lines[first_step:] if STEP.match(line)]
        for line in [line.replace(str(self.folder), "…") for line in [*lines[:first_step], *steps]]:
            self.screen.print_output(line if len(line) <= MAX_WIDTH else f"{line[: MAX_WIDTH - 1]}…")
        if not steps or any(not line.startswith("done") for line in steps):
            raise TermEndError("the term was not closed")

    def restore(self) -> None:
        """Restore one home into an empty workspace and check that the copy is identical."""
        with emulator(ROOT, self.folder / "fresh.log") as fresh:
            control(fresh, "POST", "users", {"user_name": self.student})
            expected = {"DATABRICKS_HOST": fresh.url, "DATABRICKS_TOKEN": fresh.token}
            self._inventory("restore", str(self.saved), self.student, **expected)
            other = WorkspaceClient(host=fresh.url, token=fresh.token, auth_type="pat")
            before, after = home_contents(self.client, self.student), home_contents(other, self.student)
        if before != after or len(before) < len(NOTEBOOKS):
            raise TermEndError(
                f"the home of {self.student} was not restored as it was: {sorted(before.keys() ^ after.keys())}"
            )
        self.screen.print_text(
            f"All {len(before)} objects of {self.student} have the same type, language and content as before."
        )

    # --- programs

    def _inventory(self, *arguments: str, **variables: str) -> None:
        """Run a command of the inventory and show its output."""
        lines: list[str] = []
        shown = " ".join(arguments).replace(str(self.folder), "…")
        self.screen.print_output(f"$ python -m inventory {shown}")
        command = [sys.executable, "-m", "inventory", *arguments]
        status = run(command, cwd=self.folder, environment={**self.environment, **variables}, lines=lines.append)
        for line in lines if status else [line for line in lines if not LOG_LINE.match(line)]:
            self.screen.print_output(line.replace(str(self.folder), "…"))
        if status:
            raise TermEndError(f"`inventory {arguments[0]}` exited with status {status}")


def home_contents(client: WorkspaceClient, student: str) -> dict[str, tuple[str, str, bytes]]:
    """Map each path in a home to type, language and content."""
    found = {}
    for one in client.workspace.list(f"/Users/{student}", recursive=True):
        path = one.path or ""
        kind = one.object_type or ObjectType.DIRECTORY
        content = b""
        if kind is not ObjectType.DIRECTORY:
            form = ExportFormat.SOURCE if kind is ObjectType.NOTEBOOK else ExportFormat.AUTO
            content = base64.b64decode(client.workspace.export(path, format=form).content or "")
        found[path] = (kind.value, one.language.value if one.language else "", content)
    for file in client.dbfs.list(f"/Users/{student}", recursive=True):
        found[f"dbfs:{file.path}"] = ("FILE", "", str(file.file_size).encode())
    return found
