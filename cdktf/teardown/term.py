"""Closes a term: reads the facts and carries out the steps. Other programs run as processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import databricks.sdk as sdk

from labkit.clock import clock_starting_at
from labkit.extras.sdk import DatabricksError
from labkit.files import make_private, make_private_folder, write_private
from labkit.text import escaped
from labkit.workspace import expected
from stopping.new_clusters import await_termination
from teardown.close_request import CloseRequest
from teardown.facts import (
    Programs,
    ledger_facts,
    local_state,
    newest_archive,
    remote_state,
    state_files,
    verified_backup,
)
from teardown.steps import (
    CommandResult,
    EnforcerArchive,
    LedgerEvidence,
    LedgerFacts,
    StateFacts,
    Status,
    Step,
    VerifiedBackup,
    WorkspaceContents,
    archive_step,
    backup_command,
    backup_step,
    clusters_step,
    destroy_step,
    poll_step,
    state_step,
)
from teardown.workspace_contents import read_workspace_contents

ROOT = Path(__file__).resolve().parents[2]


def programs_of(request: CloseRequest, environ: Mapping[str, str]) -> Programs:
    """Return the other programs, with an environment for the same target and its expected workspace.

    `environ` contains no other host and credential than the target's.
    """
    named = {
        "LAB_CONFIG": str(request.settings),
        "LAB_TARGET": request.target_name,
        # Set even if empty: .env may specify a different target's workspace.
        expected.EXPECTED_HOST: request.target.expected_host,
        expected.EXPECTED_ID: request.target.expected_workspace_id,
    }
    return Programs(ROOT, {**environ, **named})


def read_state(request: CloseRequest, programs: Programs) -> tuple[StateFacts, str]:
    """Read the target's state; return its facts and, if it is remote, its content."""
    if not request.is_remote:
        return local_state(request.state_folder, request.stack), ""
    if not (request.stack_folder / "cdk.tf.json").exists():
        answer, _ = programs.capture(str(ROOT / "cdktf" / "main.py"), CDKTF_OUTDIR=str(request.output))
        if answer.status:
            return StateFacts(problem=" ".join(answer.output_lines)), ""
    state, text = remote_state(programs, request.stack_folder)
    # A local state may remain from the time before the move to the storage account.
    return replace(state, files=tuple(map(str, state_files(request.state_folder, request.stack)))), text


class TermClosing:
    """The facts about a term, and the actions that close it."""

    def __init__(
        self, request: CloseRequest, client: sdk.WorkspaceClient, environ: Mapping[str, str], *, now: datetime
    ) -> None:
        self._now = clock_starting_at(now)
        self.request = request
        self.client = client
        self.programs = programs_of(request, environ)
        self._has_stopped_clusters = False
        """Whether clusters were stopped since the last poll."""
        self._state_text = ""
        self.verified: VerifiedBackup | CommandResult | None = None
        self.ledger: LedgerFacts | CommandResult = CommandResult(0)
        self.archived: EnforcerArchive | None = None
        self.state = StateFacts()
        self.contents = WorkspaceContents()

    def assess(self) -> list[Step]:
        """Read all facts and return the steps in the order in which they are carried out."""
        self._read_state()
        self._verify_backup()
        self._read_ledger()
        self.read_workspace()
        return self._steps()

    def _read_state(self) -> None:
        self.state, self._state_text = read_state(self.request, self.programs)

    def _read_state_and_workspace(self) -> None:
        self._read_state()
        self.read_workspace()

    def _verify_backup(self) -> None:
        if self.request.backup and not self.request.without_backup:
            self.verified = verified_backup(self.programs, self.request.backup)

    def _read_ledger(self) -> None:
        course = self.request.lab.course
        if not self.request.without_archive:
            self.ledger = ledger_facts(self.programs, self.request.archive)
            self.archived = newest_archive(self.request.archive, course=course.id, term=course.term)

    def read_workspace(self) -> None:
        """Read the running clusters, and the objects in the workspace that do not belong to the lab."""
        course = self.request.lab.course
        self.contents = read_workspace_contents(
            self.client, self.state.managed, course=course.id, term=course.term, groups=self.request.group_names
        )

    def _steps(self) -> list[Step]:
        request, course = self.request, self.request.lab.course
        folder = str(request.archive)
        is_destroyed = self.state.is_empty and self.contents.remains.is_nothing
        evidence = LedgerEvidence(
            course.id, course.term, self.ledger, self.archived, is_destroyed, request.without_archive
        )
        return [
            clusters_step(self.contents),
            backup_step(request.backup, self.verified, is_waived=request.without_backup),
            poll_step(evidence, now=self._now(), is_outdated=self._has_stopped_clusters),
            archive_step(evidence, folder=folder),
            destroy_step(self.state, self.contents.remains, location=request.state_location),
            state_step(
                self.state,
                folder=folder,
                is_remote=request.is_remote,
                is_archived=any(request.archive.glob("state-*")),
            ),
        ]

    def run_steps(self, steps: Sequence[Step]) -> list[Step]:
        """Carry out the pending steps in order until one fails; return the updated steps."""
        actions: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "clusters": (self._stop, self.read_workspace),
            "backup": (self._back_up, self._verify_backup),
            "last poll": (self._poll, self._read_ledger),
            "archive": (self._archive, self._read_ledger),
            "destroy": (self._destroy, self._read_state_and_workspace),
            "state": (self._archive_state, self._read_state),
        }
        for name, (action, refresh) in actions.items():
            step = next(one for one in steps if one.name == name)
            if step.status is Status.TO_DO:
                print(f"\n{name} …", file=sys.stderr, flush=True)
                action()
                refresh()
                steps = self._steps()
                step = next(one for one in steps if one.name == name)
            if step.status is not Status.DONE:
                print(f"\n{name}: {step.status.value}; no later step was started.", file=sys.stderr)
                break
        return list(steps)

    def _back_up(self) -> None:
        if self.request.backup:
            self.programs.run(*backup_command(self.request.backup, self.verified))

    def _poll(self) -> None:
        for verb in ("end-of-day", "poll"):
            self.programs.run("-m", "enforcer", verb)
        self._has_stopped_clusters = False

    def _archive(self) -> None:
        self.programs.run("-m", "enforcer", "archive", "--output", str(self._new_folder("enforcer")))

    def _stop(self) -> None:
        ids = [cluster.id for cluster in self.contents.running or () if cluster.is_of_lab]
        for id in ids:
            try:
                self.client.clusters.delete(id)
            except (DatabricksError, OSError, TimeoutError) as error:
                print(escaped(f"{id} was not stopped: {error}"), file=sys.stderr)
        await_termination(self.client.api_client, ids)
        self._has_stopped_clusters = True

    def _destroy(self) -> None:
        arguments = ("destroy", "--auto-approve", "--output", str(self.request.output))
        self.programs.run(str(ROOT / "cdktf" / "run_cdktf.py"), *arguments, in_root=True)

    def _archive_state(self) -> None:
        folder = self._new_folder("state")
        folder.mkdir(mode=0o700)
        for path in state_files(self.request.state_folder, self.request.stack):
            os.replace(path, folder / path.name)
            if path.name.startswith(f"{self.request.stack}.tfstate"):
                # Terraform creates it with the umask of the user who deployed.
                make_private(folder / path.name)
        if self.request.is_remote:
            write_private(folder / f"{self.request.stack}.remote.tfstate", self._state_text)

    def _new_folder(self, kind: str) -> Path:
        make_private_folder(self.request.archive)
        return self.request.archive / f"{kind}-{self._now():%Y%m%dT%H%M%SZ}"
