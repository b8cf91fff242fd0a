"""The facts about the end of a term: Terraform's state, the archives, and the output of other programs.

Read-only. Other programs run as processes.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from labkit.terraform import terraform_program
from teardown.steps import CommandResult, EnforcerArchive, LedgerFacts, ManagedObject, StateFacts, VerifiedBackup

MAX_OUTPUT_LINES = 20
_NAMED_TYPES = {
    "databricks_user": ("account", "user_name"),
    "databricks_group": ("group", "display_name"),
    "databricks_cluster": ("cluster", "cluster_name"),
    "databricks_cluster_policy": ("policy override", "name"),
    "databricks_directory": ("folder", "path"),
    "databricks_workspace_file": ("file", "path"),
}
"""Terraform's types whose objects have names that people know: type, kind, and the attribute that holds the name."""
_NO_FAULTS = ("gone", "rewritten")
"""The kinds of findings of `inventory verify` that are no faults of the backup."""
_SOURCE_NAMES = {"workspace": "the Workspace", "dbfs": "DBFS"}
"""The file systems that a complete backup contains."""


@dataclass(frozen=True)
class Programs:
    """The project's other programs, run in the current folder with an environment based on this process's."""

    root: Path
    variables: Mapping[str, str]

    def capture(
        self, *arguments: str, captures_stderr: bool = True, **extra_variables: str
    ) -> tuple[CommandResult, str]:
        """Run `python …` and return its result and standard output.

        Unless `captures_stderr`, its errors and progress go to this process's standard error.
        """
        done = subprocess.run(
            self._command(arguments),
            env={**self._environment(), **extra_variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if captures_stderr else None,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        lines = [line for line in f"{done.stdout}\n{done.stderr or ''}".splitlines() if line.strip()]
        return CommandResult(done.returncode, tuple(lines[-MAX_OUTPUT_LINES:])), done.stdout

    def run(self, *arguments: str, in_root: bool = False) -> int:
        """Run `python …` with its whole output on this process's standard error; return its exit status.

        Ctrl-C interrupts only the child: Terraform then shuts down in order, and must not be killed.
        """
        with _left_to_child(signal.SIGINT):
            return subprocess.run(
                self._command(arguments),
                cwd=self.root if in_root else None,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),
                check=False,
            ).returncode

    def terraform(self, stack: Path, *arguments: str) -> tuple[CommandResult, str]:
        """Run Terraform in a stack's folder; return its result and standard output."""
        terraform = terraform_program(self.variables)
        command = [terraform, f"-chdir={stack}", *arguments]
        try:
            done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False)
        except OSError as error:
            return CommandResult(127, (f"{terraform} cannot be started ({error.strerror})",)), ""
        lines = [line.strip("│╷╵ ") for line in done.stderr.splitlines()]
        return CommandResult(done.returncode, tuple(line for line in lines if line)[-MAX_OUTPUT_LINES:]), done.stdout

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [os.path.abspath(sys.executable), *arguments]

    def _environment(self) -> dict[str, str]:
        paths = [str(self.root), *filter(None, [self.variables.get("PYTHONPATH")])]
        return {**self.variables, "PYTHONPATH": os.pathsep.join(paths), "CHECKPOINT_DISABLE": "1"}


@contextmanager
def _left_to_child(number: signal.Signals) -> Iterator[None]:
    # Not SIG_IGN, which the child would inherit.
    before = signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(number, before)


def local_state(folder: Path, stack: str) -> StateFacts:
    """Read a local state: its managed objects and its files."""
    path = folder / f"{stack}.tfstate"
    files = tuple(str(one) for one in state_files(folder, stack))
    if not path.exists():
        return StateFacts(files=files)
    try:
        return StateFacts(managed_objects(path.read_text(encoding="utf-8")), files)
    except (OSError, ValueError) as error:
        return StateFacts(files=files, problem=f"{path} cannot be read ({error})")


def state_files(folder: Path, stack: str) -> list[Path]:
    """Return the state, Terraform's backups of it, and the queue folder through which a deployment requests stops of
    clusters.
    """
    return sorted(
        path
        for path in folder.glob(f"{stack}.*")
        if path.name.startswith((f"{stack}.tfstate", f"{stack}.stopping")) and ".lock" not in path.name
    )


def remote_state(programs: Programs, stack_folder: Path) -> tuple[StateFacts, str]:
    """Read a state in a storage account; return its facts and its content. The stack must be synthesized."""
    if not (stack_folder / ".terraform").exists():
        answer, _ = programs.terraform(stack_folder, "init", "-input=false", "-no-color")
        if answer.status:
            return StateFacts(problem=" ".join(answer.output_lines) or f"terraform init failed in {stack_folder}"), ""
    answer, text = programs.terraform(stack_folder, "state", "pull")
    if answer.status:
        return StateFacts(problem=" ".join(answer.output_lines)), ""
    try:
        return StateFacts(managed_objects(text) if text.strip() else ()), text
    except ValueError as error:
        return StateFacts(problem=f"terraform state pull gave no state ({error})"), ""


def managed_objects(text: str) -> tuple[ManagedObject, ...]:
    """Return the managed objects in a state. Raise ValueError if the string is not a state."""
    state = json.loads(text)
    if not isinstance(state, dict) or state.get("version") != 4:
        raise ValueError("its version is not 4")
    return tuple(
        _managed(resource["type"], instance.get("attributes") or {})
        for resource in state.get("resources", [])
        if resource.get("mode") == "managed"
        for instance in resource.get("instances", [])
    )


def _managed(type: str, attributes: Mapping[str, Any]) -> ManagedObject:
    kind, name = _NAMED_TYPES.get(type, (type, ""))
    return ManagedObject(kind, str(attributes.get(name) or ""), str(attributes.get("id") or ""))


def ledger_facts(programs: Programs, folder: Path) -> LedgerFacts | CommandResult:
    """Return facts from this machine's ledger, or the result of `enforcer archive` if it failed."""
    arguments = ("archive", "--output", str(folder / "enforcer"), "--dry-run", "--json")
    answer, text = programs.capture("-m", "enforcer", *arguments)
    try:
        return CommandResult(answer.status, answer.output_lines) if answer.status else _facts(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        return CommandResult(1, (f"python -m enforcer archive: its output cannot be read ({error})",))


def verified_backup(programs: Programs, target: str) -> VerifiedBackup | CommandResult:
    """Verify the target's newest backup of the workspace against its manifest and the live workspace."""
    answer, text = programs.capture("-m", "inventory", "verify", target, "--live", "--json", captures_stderr=False)
    if answer.status not in (0, 1):
        return answer
    try:
        (manifest,) = (one for one in json.loads(text)["backups"] if one["compared"])
        options = manifest["options"]
        return VerifiedBackup(
            manifest["backup"],
            excluded_parts(options),
            manifest["finished_at"] is not None,
            manifest["whole"],
            manifest["objects"],
            manifest["left_out"],
            tuple(
                f"{found['kind']}: {found['what']}" for found in manifest["findings"] if found["kind"] not in _NO_FAULTS
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        return CommandResult(1, (f"python -m inventory verify: its output cannot be read ({error})",))


def excluded_parts(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the parts that a backup excludes, according to the options it was made with."""
    left = []
    if options["users"] or not options["all_homes"]:
        left.append("homes")
    if not options["shared"]:
        left.append("shared folders")
    left += [name for source, name in _SOURCE_NAMES.items() if source not in options["sources"]]
    if (most := options.get("max_size")) is not None:
        left.append(f"files larger than {most} bytes")
    return tuple(left)


def newest_archive(folder: Path, *, course: str, term: str) -> EnforcerArchive | None:
    """Return the term's last archive in this folder."""
    return max(archives(folder, course=course, term=term), key=lambda one: one.made_at, default=None)


def archives(folder: Path, *, course: str, term: str) -> list[EnforcerArchive]:
    """Return all of the term's archives in this folder, read from their manifests."""
    found = []
    for path in folder.glob("*/manifest.json"):
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            archived = EnforcerArchive(str(path.parent), datetime.fromisoformat(manifest["made_at"]), _facts(manifest))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if (archived.facts.course, archived.facts.term) == (course, term):
            found.append(archived)
    return found


def _facts(manifest: Mapping[str, Any]) -> LedgerFacts:
    last = manifest["last_poll"]
    return LedgerFacts(
        manifest["course"],
        manifest["term"],
        datetime.fromisoformat(last) if last else None,
        int(manifest["last_poll_failed"]),
        manifest["settled_up_to"],
    )
