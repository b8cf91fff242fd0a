"""Closing a term: how it is found, and what brings it nearer to its end. Other programs are called as processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError

from labkit.clock import going_on_from
from labkit.files import private_folder, restrict, write_private
from labkit.text import escaped
from labkit.workspace import expected
from stopping.new_clusters import await_termination
from teardown.close_request import Wanted
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
    Answer,
    Archived,
    Inventory,
    LedgerFacts,
    Remembered,
    StateFacts,
    Status,
    Step,
    Verified,
    archive_step,
    backup_command,
    backup_step,
    clusters_step,
    destroy_step,
    poll_step,
    state_step,
)
from teardown.workspace_contents import inventory_of

ROOT = Path(__file__).resolve().parents[2]


def programs_of(wanted: Wanted, environ: Mapping[str, str]) -> Programs:
    """The other programs, for the same target and the workspace that it expects.

    The environment holds the target's host and credential, and no other.
    """
    named = {
        "LAB_CONFIG": str(wanted.settings),
        "LAB_TARGET": wanted.target_name,
        # Also if they are empty: .env may name the workspace of another target.
        expected.HOST: wanted.target.expected_host,
        expected.ID: wanted.target.expected_workspace_id,
    }
    return Programs(ROOT, {**environ, **named})


def read_state(wanted: Wanted, programs: Programs) -> tuple[StateFacts, str]:
    """What the state of the target holds, and its text where it is not on this disk."""
    if not wanted.is_remote:
        return local_state(wanted.state_folder, wanted.stack), ""
    if not (wanted.stack_folder / "cdk.tf.json").exists():
        answer, _ = programs.ask(str(ROOT / "cdktf" / "main.py"), CDKTF_OUTDIR=str(wanted.output))
        if answer.status:
            return StateFacts(problem=" ".join(answer.said)), ""
    state, text = remote_state(programs, wanted.stack_folder)
    # What was on this disk before the state was moved there.
    return replace(state, files=tuple(map(str, state_files(wanted.state_folder, wanted.stack)))), text


class Term:
    """The term as it is found, and what brings it nearer to its end."""

    def __init__(self, wanted: Wanted, client: WorkspaceClient, environ: Mapping[str, str], *, now: datetime) -> None:
        self._now = going_on_from(now)
        self.wanted = wanted
        self.client = client
        self.programs = programs_of(wanted, environ)
        self._has_stopped = False
        """Clusters, since the last poll."""
        self._state_text = ""
        self.verified: Verified | Answer | None = None
        self.ledger: LedgerFacts | Answer = Answer(0)
        self.archived: Archived | None = None
        self.state = StateFacts()
        self.inventory = Inventory()

    def look(self) -> list[Step]:
        """Find out how things are and judge them, in the order in which they are done."""
        self._look_at_state()
        self._look_at_backup()
        self._look_at_ledger()
        self.look_around()
        return self._judged()

    def _look_at_state(self) -> None:
        self.state, self._state_text = read_state(self.wanted, self.programs)

    def _look_at_lab(self) -> None:
        self._look_at_state()
        self.look_around()

    def _look_at_backup(self) -> None:
        if self.wanted.backup and not self.wanted.without_backup:
            self.verified = verified_backup(self.programs, self.wanted.backup)

    def _look_at_ledger(self) -> None:
        course = self.wanted.lab.course
        if not self.wanted.without_archive:
            self.ledger = ledger_facts(self.programs, self.wanted.archive)
            self.archived = newest_archive(self.wanted.archive, course=course.id, term=course.term)

    def look_around(self) -> None:
        """See what runs, and what is there besides the lab's own."""
        course = self.wanted.lab.course
        self.inventory = inventory_of(
            self.client, self.state.managed, course=course.id, term=course.term, groups=self.wanted.group_names
        )

    def _judged(self) -> list[Step]:
        wanted, course = self.wanted, self.wanted.lab.course
        folder = str(wanted.archive)
        is_gone = self.state.is_empty and self.inventory.remains.is_nothing
        known = Remembered(course.id, course.term, self.ledger, self.archived, is_gone, wanted.without_archive)
        return [
            clusters_step(self.inventory),
            backup_step(wanted.backup, self.verified, is_waived=wanted.without_backup),
            poll_step(known, now=self._now(), is_outdated=self._has_stopped),
            archive_step(known, folder=folder),
            destroy_step(self.state, self.inventory.remains, place=wanted.state_place),
            state_step(
                self.state,
                folder=folder,
                is_remote=wanted.is_remote,
                is_archived=any(wanted.archive.glob("state-*")),
            ),
        ]

    def act(self, steps: Sequence[Step]) -> list[Step]:
        """Do what is to do, in order, until something stays undone; the steps as they are then."""
        doing: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "clusters": (self._stop, self.look_around),
            "backup": (self._back_up, self._look_at_backup),
            "last poll": (self._poll, self._look_at_ledger),
            "archive": (self._archive, self._look_at_ledger),
            "destroy": (self._destroy, self._look_at_lab),
            "state": (self._put_state_away, self._look_at_state),
        }
        for name, (do, look) in doing.items():
            step = next(one for one in steps if one.name == name)
            if step.status is Status.TO_DO:
                print(f"\n{name} …", file=sys.stderr, flush=True)
                do()
                look()
                steps = self._judged()
                step = next(one for one in steps if one.name == name)
            if step.status is not Status.DONE:
                print(f"\n{name} is {step.status.value}, so nothing after it was begun.", file=sys.stderr)
                break
        return list(steps)

    def _back_up(self) -> None:
        if self.wanted.backup:
            self.programs.run(*backup_command(self.wanted.backup, self.verified))

    def _poll(self) -> None:
        for verb in ("end-of-day", "poll"):
            self.programs.run("-m", "enforcer", verb)
        self._has_stopped = False

    def _archive(self) -> None:
        self.programs.run("-m", "enforcer", "archive", "--output", str(self._new_folder("enforcer")))

    def _stop(self) -> None:
        ids = [cluster.id for cluster in self.inventory.running or () if cluster.is_ours]
        for id in ids:
            try:
                self.client.clusters.delete(id)
            except (DatabricksError, OSError, TimeoutError) as error:
                print(escaped(f"{id} was not stopped: {error}"), file=sys.stderr)
        await_termination(self.client.api_client, ids)
        self._has_stopped = True

    def _destroy(self) -> None:
        words = ("destroy", "--auto-approve", "--output", str(self.wanted.output))
        self.programs.run(str(ROOT / "cdktf" / "run_cdktf.py"), *words, in_root=True)

    def _put_state_away(self) -> None:
        folder = self._new_folder("state")
        folder.mkdir(mode=0o700)
        for path in state_files(self.wanted.state_folder, self.wanted.stack):
            os.replace(path, folder / path.name)
            if path.name.startswith(f"{self.wanted.stack}.tfstate"):
                # Terraform makes it as the umask of whoever deployed has it.
                restrict(folder / path.name)
        if self.wanted.is_remote:
            write_private(folder / f"{self.wanted.stack}.remote.tfstate", self._state_text)

    def _new_folder(self, kind: str) -> Path:
        private_folder(self.wanted.archive)
        return self.wanted.archive / f"{kind}-{self._now():%Y%m%dT%H%M%SZ}"
