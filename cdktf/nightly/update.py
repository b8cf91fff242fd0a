"""The nightly update: imports the roster from Moodle, and applies the change as far as lab.toml permits.

The other programs and Terraform run as processes. The caller holds the deploy's lock. Terraform's own lock protects the
state, and a saved plan is refused if the state has changed since.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab_settings import LabSettings
from labkit.terraform import terraform_program
from nightly.mail_text import Night, Outcome
from nightly.plan_policy import Decision, decide
from preflight import provider_lock

CDKTF_FOLDER = Path(__file__).resolve().parents[1]
MAX_REMOVED_PERCENT = 20.0
"""The share of the memberships that a plan may remove with `apply = "all"`, as an import's limit for moved students."""
PLAN_FILE = "nightly.tfplan"
_MAX_FAILURE_LINES = 20
_PLAN_OPTIONS = ("-input=false", "-no-color", "-parallelism=50", f"-out={PLAN_FILE}", "-detailed-exitcode")
_APPLY_OPTIONS = ("-input=false", "-no-color", "-parallelism=50")
_PLAN_HAS_CHANGES = 2


class UpdateError(Exception):
    """A step failed; `lines` are a sentence and the last lines of the program's output."""

    def __init__(self, sentence: str, output: str = "") -> None:
        super().__init__(sentence)
        cleaned = (line.strip("│╷╵ ") for line in output.splitlines())
        self.lines = (sentence, *[line for line in cleaned if line][-_MAX_FAILURE_LINES:])


@dataclass(frozen=True)
class UpdateRequest:
    """The course and where its roster comes from. `token` is Moodle's; empty if `token_file` has it."""

    lab: LabSettings
    settings: Path
    """Absolute path of lab.toml."""
    target_name: str
    output: Path
    """The folder of the synthesized stacks."""
    environment: Mapping[str, str]
    """For other programs; without Moodle's token."""
    token_file: Path | None = None
    token: str = field(default="", repr=False)

    @property
    def stack(self) -> str:
        return self.lab.stack_id(self.target_name)

    @property
    def roster(self) -> Path:
        return self.settings.parent / self.lab.course.rosters[0]

    @property
    def stack_folder(self) -> Path:
        return self.output / "stacks" / self.stack


def update_roster(request: UpdateRequest) -> Night:
    """Import the roster, and apply the plan if lab.toml permits all of it."""
    before = _content(request.roster)
    imported = _import(request)
    report = tuple(line for line in (imported.stderr + imported.stdout).splitlines() if line)
    if imported.returncode:
        return Night(Outcome.REFUSED, report)
    is_changed = _content(request.roster) != before
    mode = request.lab.roster.apply
    if mode == "nothing":
        return Night(Outcome.WAITING if is_changed else Outcome.UNCHANGED, report)
    decision: Decision | None = None
    try:
        try:
            decision = _plan(request)
            if decision is None:
                return Night(Outcome.APPLIED if is_changed else Outcome.UNCHANGED, report)
            if not decision.is_applicable:
                return Night(Outcome.WAITING, report, decision)
            _apply(request)
        finally:
            # It contains people's names.
            (request.stack_folder / PLAN_FILE).unlink(missing_ok=True)
    except UpdateError as error:
        return Night(Outcome.FAILED, report, decision, error.lines)
    return Night(Outcome.APPLIED, report, decision)


def _import(request: UpdateRequest) -> subprocess.CompletedProcess[str]:
    settings = request.lab.roster
    command = [sys.executable, str(CDKTF_FOLDER / "import_roster.py"), "--out", str(request.roster), "--check-accounts"]
    command += ["--moodle", settings.moodle, "--course", settings.moodle_course or request.lab.course.id]
    command += ["--grouping", settings.grouping] if settings.grouping else []
    command += ["--token-file", str(request.token_file)] if request.token_file else []
    return _run(command, {**request.environment, "MOODLE_TOKEN": request.token})


def _plan(request: UpdateRequest) -> Decision | None:
    """Synthesize the stack, save a plan and return the decision; None if nothing would change. Raises UpdateError."""
    synthesis = {**request.environment, "CDKTF_OUTDIR": str(request.output)}
    done = _run([sys.executable, str(CDKTF_FOLDER / "main.py")], synthesis)
    if done.returncode:
        raise UpdateError("The stack was not synthesized.", done.stderr)
    has_lock_file = (request.settings.parent / provider_lock.FILE_NAME).exists()
    _terraform(
        request, "init", "-input=false", "-no-color", *([provider_lock.READ_ONLY_OPTION] if has_lock_file else [])
    )
    planned = _terraform(request, "plan", *_PLAN_OPTIONS, allowed=(0, _PLAN_HAS_CHANGES))
    if planned.returncode != _PLAN_HAS_CHANGES:
        return None
    shown = _terraform(request, "show", "-json", PLAN_FILE)
    try:
        plan = json.loads(shown.stdout)
    except ValueError:
        raise UpdateError("terraform show printed no JSON.", shown.stdout) from None
    return decide(plan, request.lab.roster.apply, max_removed_percent=MAX_REMOVED_PERCENT)


def _apply(request: UpdateRequest) -> None:
    _terraform(request, "apply", *_APPLY_OPTIONS, PLAN_FILE)


def _terraform(
    request: UpdateRequest, command: str, *arguments: str, allowed: Sequence[int] = (0,)
) -> subprocess.CompletedProcess[str]:
    program = terraform_program(request.environment)
    words = [program, f"-chdir={request.stack_folder}", command, *arguments]
    try:
        done = _run(words, {**request.environment, "CHECKPOINT_DISABLE": "1"})
    except OSError as error:
        raise UpdateError(f"{program} cannot be started ({error.strerror}).") from None
    if done.returncode not in allowed:
        raise UpdateError(f"terraform {command} failed; nothing more was done.", done.stderr)
    return done


def _run(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def send_mail(request: UpdateRequest, *, subject: str, text: Path) -> UpdateError | None:
    """Send the text in a file to the staff, through the enforcer's outbox; return the error if that fails."""
    command = [sys.executable, "-m", "enforcer", "mail-staff", "--subject", subject, str(text)]
    root = str(CDKTF_FOLDER.parent)
    paths = os.pathsep.join(filter(None, [root, request.environment.get("PYTHONPATH")]))
    done = _run(command, {**request.environment, "PYTHONPATH": paths})
    if done.returncode:
        return UpdateError("The mail was not sent; python -m enforcer doctor checks the settings.", done.stderr)
    return None
