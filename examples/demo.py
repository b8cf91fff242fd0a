"""`make demo`: a term in a few minutes. Deploys, changes and destroys a lab in an emulated workspace.

All files go into a temporary folder, except three: the emails from the rehearsed day in `.lab/letters`, the staff's
board in `.lab/board.html`, the inventory's results in `.lab/inventory`. Your own rosters, settings and state are not
changed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))

import click
from databricks.sdk import WorkspaceClient

import inspection
from demo_close import TermEnd
from demo_day import rehearse_day
from demo_inventory import rehearse_inventory
from labkit.terraform import terraform_program
from processes import Emulator, emulator, run
from screen import Screen
from terraform_output import Progress, plain_line

ROOT = Path(__file__).resolve().parents[1]
OCTOBER = ROOT / "examples/Groupself-selection_94290_2026-10-18.csv"
NOVEMBER = ROOT / "examples/Groupself-selection_94290_2026-11-08.csv"
SETTINGS = ROOT / "examples/lab.toml"
MAILS = ROOT / ".lab/letters"
"""The emails from the rehearsed day, for inspection after the demo. Each demo recreates the folder."""
BOARD = ROOT / ".lab/board.html"
"""The staff's board after the rehearsed day. Each demo rewrites it."""
INVENTORY = ROOT / ".lab/inventory"
"""The inventory's result and report. Each demo recreates the folder."""
STACK = "94290-2026w-demo"
STAFF = "assistant@example.ac.il"
NO_PROVIDER = re.compile(r"(?:Failed to query available provider packages|Failed to install provider)")
PROVIDER = re.compile(r"provider\s+(?:registry\.terraform\.io/)?([\w-]+/[\w-]+)")
# Variables that could point the demo at a real workspace or change Terraform's output.
EXCLUDED_VARIABLES = (
    "DATABRICKS_",
    "ARM_",
    "AZURE_",
    "LAB_",
    "CDKTF_",
    "TF_CLI_ARGS",
    "TF_LOG",
    "TF_DATA_DIR",
    "TF_WORKSPACE",
)


class DemoError(Exception):
    """A command failed; the message contains the command and its output."""


class Demo:
    """The state of a demo: its folder, its workspace and its screen."""

    def __init__(self, folder: Path, workspace: Emulator, screen: Screen) -> None:
        self.folder = folder
        self.output = folder / "cdktf.out"
        self.roster = folder / "rosters/94290-2026w.csv"
        self.workspace = workspace
        self.screen = screen
        self.environment = environment(folder, workspace)
        self.shown_warnings: list[str] = []
        """Warnings that have already been shown."""
        self.client = WorkspaceClient(host=workspace.url, token=workspace.token, auth_type="pat")

    def run_python(self, *arguments: str) -> list[str]:
        """Run one of the project's programs and return its output lines. Raise DemoError if it fails."""
        lines: list[str] = []
        self._run([sys.executable, *arguments], lines.append, lines)
        return lines

    def run_cdktf(self, verb: str, *arguments: str) -> Progress:
        """Run `cdktf <verb>` as `pipenv run cdktf` does, and show its progress. Raise DemoError if it fails."""
        command = [sys.executable, "cdktf/run_cdktf.py", verb, "--output", str(self.output), *arguments]
        return self.run_with_progress(command, f"cdktf {verb}")[0]

    def run_with_progress(
        self, command: list[str], label: str, environment: Mapping[str, str] | None = None
    ) -> tuple[Progress, list[str]]:
        """Run a command that runs Terraform and show its progress; return the progress and the output lines.

        With `environment`, the command starts in the demo's folder. Raise DemoError if it fails.
        """
        progress = Progress(STACK)
        lines: list[str] = []
        with self.screen.show_progress(progress, label) as display:

            def add_line(line: str) -> None:
                lines.append(progress.feed(line))
                display.update()

            self._run(command, add_line, lines, environment)
        for message in map(str, progress.messages):
            if message not in self.shown_warnings:
                self.shown_warnings.append(message)
                self.screen.print_text(message, "yellow")
        return progress, lines

    def deploy(self) -> None:
        """Deploy the current roster."""
        started_at = self.screen.elapsed_seconds()
        progress = self.run_cdktf("deploy", "--auto-approve")
        self.screen.print_text(
            f"Done in {self.screen.elapsed_seconds() - started_at:.0f} s: {progress.summary() or 'nothing to do'}."
        )

    def _run(
        self,
        command: list[str],
        add_line: Callable[[str], None],
        lines: list[str],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        cwd = self.folder if environment else ROOT
        status = run(command, cwd=cwd, environment=environment or self.environment, lines=add_line)
        if status:
            shown = " ".join(command[1:])
            output = [line for line in lines if line.strip()][-30:]
            raise DemoError("\n".join([f"`python {shown}` exited with status {status}:", *output]))

    def synthesize(self) -> None:
        """Synthesize the stack. Without Terraform, which cdktf-cli needs, run the app directly."""
        if self.has_terraform():
            self.run_cdktf("synth")
            return
        command = [sys.executable, str(ROOT / "cdktf/main.py")]
        self.run_with_progress(command, "main.py", {**self.environment, "CDKTF_OUTDIR": str(self.output)})

    def has_terraform(self) -> bool:
        """Return whether Terraform, or the program in TERRAFORM_BINARY_NAME, is installed."""
        name = terraform_program(self.environment)
        return shutil.which(name, path=self.environment["PATH"]) is not None

    def terraform_problem(self) -> str:
        """Return why Terraform cannot deploy the synthesized stack; empty if it can."""
        if not self.has_terraform():
            return (
                "Terraform is not installed: get 1.5 or newer from https://developer.hashicorp.com/terraform/install."
            )
        missing = self.missing_providers()
        return (
            f"terraform init cannot get {missing}: no registry responds and no local mirror has it." if missing else ""
        )

    def missing_providers(self) -> str:
        """Return the synthesized stack's providers that `terraform init` cannot get; empty if it gets all."""
        lines: list[str] = []
        stack = self.folder / "cdktf.out/stacks" / STACK
        command = [terraform_program(self.environment), f"-chdir={stack}", "init", "-input=false", "-no-color"]
        status = run(command, cwd=ROOT, environment=self.environment, lines=lines.append)
        output = " ".join(plain_line(line, STACK).lstrip("│╷╵ ") for line in lines)
        if status == 0:
            return ""
        if NO_PROVIDER.search(output):
            return " and ".join(sorted(set(PROVIDER.findall(output))))
        raise DemoError("\n".join(["`terraform init` failed:", *lines]))

    def control(self, path: str, body: Any) -> Any:
        """Send a request to the emulator's control API."""
        request = urllib.request.Request(
            f"{self.workspace.url}/_emulator/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def environment(folder: Path, workspace: Emulator) -> dict[str, str]:
    """Return the environment for the demo's commands: emulated workspace, demo settings, no real credentials."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(EXCLUDED_VARIABLES)}
    if not Path(variables.get("TF_CLI_CONFIG_FILE", os.devnull)).exists():
        # Terraform would warn about the missing file on every run.
        del variables["TF_CLI_CONFIG_FILE"]
    return {
        **variables,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), variables.get("PATH", os.defpath)]),
        "DATABRICKS_HOST": workspace.url,
        "DATABRICKS_TOKEN": workspace.token,
        "DATABRICKS_CONFIG_FILE": str(folder / "no-profiles"),
        "LAB_CONFIG": str(folder / "lab.toml"),
        # Set and empty, so that a developer's .env does not choose a different target.
        "LAB_TARGET": "",
        "LAB_CLOCK": f"{workspace.url}/_emulator/clock",
        # Plain lines instead of an animated display: this program shows its own progress bar.
        "CI": "true",
        "FORCE_COLOR": "0",
        "TF_CLI_ARGS_plan": "-no-color",
        "TF_CLI_ARGS_apply": "-no-color",
        "TF_CLI_ARGS_init": "-no-color",
        "CHECKPOINT_DISABLE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def rehearse(demo: Demo) -> None:
    """Run the demo step by step."""
    screen = demo.screen
    before = inspection.counts(demo.client)
    screen.print_text(f"Its URL is {demo.workspace.url}, its id {demo.workspace.workspace_id}, and it is still empty.")

    screen.step("October: import the groups that Moodle exported")
    import_roster(demo, OCTOBER)

    screen.step("Synthesize the stack and get Terraform's providers")
    demo.synthesize()
    problem = demo.terraform_problem()
    if problem:
        load_without_terraform(demo, problem)
        return
    screen.print_text("terraform init found all providers.")

    screen.step("cdktf deploy")
    demo.deploy()
    october = inspection.groups(demo.client, demo.roster)
    screen.lab(october)
    during = inspection.counts(demo.client)

    rehearse_day(screen, demo.workspace, demo.environment, demo.folder, MAILS, BOARD)

    screen.step("November: one group was removed, one student moved, two joined late")
    import_roster(demo, NOVEMBER)

    screen.step("cdktf diff")
    diff = demo.run_cdktf("diff")
    screen.plan(diff.planned)
    verbs = Counter(diff.planned.values())
    announced = ", ".join(
        f"{verbs[verb]} to {verb}" for verb in ("create", "change", "replace", "destroy") if verbs[verb]
    )
    screen.print_text(f"{announced or 'Nothing to do'}; everything else is unchanged.")

    screen.step("cdktf deploy")
    demo.deploy()
    november = inspection.groups(demo.client, demo.roster)
    changed = [row for row in november if row not in october]
    removed = sorted({row.name for row in october} - {row.name for row in november})
    screen.lab(changed)
    screen.print_text(
        f"Removed: {' and '.join(removed) or 'no group'}; the other {len(november) - len(changed)} are unchanged."
    )

    end = TermEnd(screen, demo.workspace, demo.environment, demo.folder)
    screen.step("January: the students' homes are backed up and verified")
    end.create_student_files()
    end.back_up()

    screen.step("The end of the term: close_term.py")
    started_at = screen.elapsed_seconds()
    destroyed, lines = demo.run_with_progress(end.close_command(demo.output), "close_term.py", end.environment)
    end.show_checklist(lines)
    screen.print_text(f"Done in {screen.elapsed_seconds() - started_at:.0f} s: {destroyed.summary()}.")
    screen.compare(before, during, inspection.counts(demo.client))

    screen.step("A student needs the home folder: the folder is restored into a different workspace")
    end.restore()


def import_roster(demo: Demo, export: Path) -> None:
    """Import a groups export and show the importer's report."""
    lines = demo.run_python("cdktf/import_roster.py", str(export), "--out", str(demo.roster))
    for line in shortened(lines):
        demo.screen.print_output(line)


def shortened(lines: list[str]) -> list[str]:
    """Return the lines; if there are many, only the first and last ones."""
    left = len(lines) - 20
    return lines if left < 2 else [*lines[:10], f"  … {left} more", *lines[-10:]]


def load_without_terraform(demo: Demo, problem: str) -> None:
    """Without Terraform or its providers: create the synthesized resources through the SDK."""
    screen = demo.screen
    screen.print_text(problem, "bold yellow")
    screen.print_text("The demo continues without Terraform: the SDK creates the resources in the synthesized stack.")

    screen.step("Create the synthesized users, groups, clusters, permissions and the course file")
    stack = demo.folder / "cdktf.out/stacks" / STACK / "cdk.tf.json"
    for line in demo.run_python("cdktf/load_synthesized.py", str(stack)):
        screen.print_output(line)
    screen.lab(inspection.groups(demo.client, demo.roster))

    rehearse_day(screen, demo.workspace, demo.environment, demo.folder, MAILS, BOARD)

    end = TermEnd(screen, demo.workspace, demo.environment, demo.folder)
    screen.step("January: the homes are backed up and verified, and one is restored into a different workspace")
    end.create_student_files()
    end.back_up()
    end.restore()

    screen.step("Change, close and destroy: skipped")
    screen.print_text(
        "Updating and removing a lab need Terraform and its providers. Run `make demo` on a machine that can reach "
        "registry.terraform.io, or put the providers into ~/.terraform.d/plugins (see docs/deploy.md)."
    )


def interrupted(number: int, frame: FrameType | None) -> None:
    """Stop the demo in order after a signal, so that no process remains. Later signals are ignored."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


@click.command()
@click.option(
    "--keep", is_flag=True, help="Keep the temporary folder with settings, roster and state, and print its path."
)
def main(keep: bool) -> None:
    """Rehearse a term: deploy, change and destroy the lab for an invented course in an emulated workspace."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, interrupted)
    screen = Screen()
    folder = Path(tempfile.mkdtemp(prefix="teaching-lab-demo-"))
    status = 0
    try:
        (folder / "rosters").mkdir()
        screen.step("Start an emulated Databricks workspace")
        with emulator(ROOT, folder / "emulator.log") as workspace:
            expected = f'expected_workspace_id = "{workspace.workspace_id}"\n'
            (folder / "lab.toml").write_text(SETTINGS.read_text(encoding="utf-8") + expected, encoding="utf-8")
            demo = Demo(folder, workspace, screen)
            demo.control("users", {"user_name": STAFF})
            rehearse(demo)
        rehearse_inventory(screen, demo.environment, folder, INVENTORY)
        screen.end(f"Done after {screen.elapsed_seconds():.0f} s. No process remains running.")
    except (DemoError, RuntimeError) as error:
        screen.print_output(str(error))
        status = 1
    except KeyboardInterrupt:
        screen.end("Interrupted. No process remains running.")
        status = 130
    finally:
        if keep:
            screen.print_text(f"Settings, roster and state are in {folder}.")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
