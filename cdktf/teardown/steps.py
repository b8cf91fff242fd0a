"""The steps that close a term and their status, decided from facts: done, pending, or blocked and why. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from labkit.text import redact_secrets

NO_LEDGER_MESSAGE = "there is no enforcer's ledger to archive (--no-archive)"
MAX_POLL_AGE = timedelta(hours=1)
"""An older poll no longer counts as the final one."""


class Status(StrEnum):
    DONE = "done"
    TO_DO = "to do"
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True)
class Step:
    name: str
    status: Status
    message: str
    items: tuple[str, ...] = ()
    """The names of the objects or files that the step concerns."""


@dataclass(frozen=True)
class ManualStep:
    """A task that none of the lab's programs does, only an administrator, with its command."""

    message: str
    command: str


@dataclass(frozen=True)
class CommandResult:
    """A program's exit status and its last output lines."""

    status: int
    output_lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class VerifiedBackup:
    """The newest backup of the workspace, as verified by `inventory verify --live`."""

    address: str
    excluded_parts: tuple[str, ...]
    """The parts that it excludes: homes, file systems, large files. Empty means that the backup is complete."""
    is_finished: bool
    is_current: bool
    """Whether its files match its manifest and the homes have not changed since."""
    objects: int
    left_out: int
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class LedgerFacts:
    """A term's last poll and last settled day in the enforcer's ledger or in an archive."""

    course: str
    term: str
    last_poll: datetime | None
    last_poll_failed: int
    settled_up_to: str | None


@dataclass(frozen=True)
class EnforcerArchive:
    """An archive written by the enforcer, as described by its manifest."""

    path: str
    made_at: datetime
    facts: LedgerFacts


@dataclass(frozen=True)
class LedgerEvidence:
    """What is known about a term outside the workspace: ledger and archive."""

    course: str
    term: str
    ledger: LedgerFacts | CommandResult
    """This machine's ledger, or the result of the enforcer's command if it failed."""
    archived: EnforcerArchive | None
    is_destroyed: bool
    """True if the lab is destroyed, so that later polls have no information about it."""
    is_waived: bool = False

    @property
    def is_ledger_of_term(self) -> bool:
        """Return whether this machine's ledger belongs to the term."""
        ledger = self.ledger
        return isinstance(ledger, LedgerFacts) and (ledger.course, ledger.term) == (self.course, self.term)

    @property
    def is_archive_complete(self) -> bool:
        """Return whether this machine can add nothing to the archive."""
        return self.archived is not None and (self.is_destroyed or not self.is_ledger_of_term)

    @property
    def output_lines(self) -> tuple[str, ...]:
        return self.ledger.output_lines if isinstance(self.ledger, CommandResult) else ()

    @property
    def other_machine_advice(self) -> str:
        return (
            f"this machine's ledger does not contain {self.course} {self.term}; on the enforcer's machine, run "
            f"python -m enforcer end-of-day && python -m enforcer archive --output enforcer-{self.course}-{self.term}"
        )


@dataclass(frozen=True)
class ManagedObject:
    """An object that belongs to the lab."""

    kind: str
    name: str
    id: str


@dataclass(frozen=True)
class StateFacts:
    """The content of Terraform's state. `problem` is why it cannot be read; then the other fields are empty."""

    managed: tuple[ManagedObject, ...] = ()
    files: tuple[str, ...] = ()
    """The state's local files."""
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.managed and not self.problem


@dataclass(frozen=True)
class LabRemains:
    """The lab's objects in the workspace, independent of any state: course file, groups, clusters."""

    found: tuple[ManagedObject, ...] = ()
    unread: tuple[str, ...] = ()
    """The kinds that could not be read."""

    @property
    def is_nothing(self) -> bool:
        """Return whether everything was read and nothing was found."""
        return not self.found and not self.unread


@dataclass(frozen=True)
class RunningCluster:
    id: str
    name: str
    is_of_lab: bool


@dataclass(frozen=True)
class WorkspaceContents:
    """What the workspace contains: running clusters, names of other objects by kind, and leftovers of the lab."""

    running: tuple[RunningCluster, ...] | None = ()
    """The running clusters; None if they could not be listed."""
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    remains: LabRemains = LabRemains()


def backup_step(target: str | None, verified: VerifiedBackup | CommandResult | None, *, is_waived: bool) -> Step:
    """Return the backup step: done if `inventory verify --live` confirms a current backup of every home."""
    name = "backup"
    if is_waived:
        return Step(name, Status.DONE, "the homes are not kept (--no-backup)")
    if target is None or verified is None:
        command = f"python {' '.join(backup_command('TARGET', None))}"
        return Step(name, Status.NOT_POSSIBLE, f"specify it with --backup TARGET; to create one: {command}")
    command = redact_secrets(f"python {' '.join(backup_command(target, verified))}")
    if isinstance(verified, CommandResult):
        return Step(
            name,
            Status.TO_DO,
            f"no backup in {redact_secrets(target)} could be verified: {command}",
            verified.output_lines,
        )
    if verified.excluded_parts:
        left = ", ".join(verified.excluded_parts)
        return Step(name, Status.TO_DO, f"{verified.address} excludes {left}: {command}")
    if not verified.is_current:
        message = f"{verified.address} differs from the homes or from its manifest: {command}"
        return Step(name, Status.TO_DO, message, verified.findings)
    message = f"{verified.address} matches every home, and its {verified.objects} objects were verified"
    if verified.left_out:
        message += f"; {verified.left_out} are not in it, because they cannot be exported or were deleted meanwhile"
    return Step(name, Status.DONE, message)


def backup_command(target: str, verified: VerifiedBackup | CommandResult | None) -> tuple[str, ...]:
    """Return the command that creates or resumes the backup, incremental if there is a finished backup."""
    command = ("-m", "inventory", "backup", "--all-homes", "--shared", "--output", target)
    if not isinstance(verified, VerifiedBackup):
        return command
    if verified.is_finished:
        return (*command, "--since", f"{verified.address}/manifest.jsonl")
    return command if verified.excluded_parts else (*command, "--resume")


def poll_step(evidence: LedgerEvidence, *, now: datetime, is_outdated: bool) -> Step:
    """Return the poll step: done if the enforcer's last poll is recent and successful.

    `is_outdated` means that clusters were stopped since the last poll.
    """
    name = "last poll"
    if evidence.is_waived:
        return Step(name, Status.DONE, NO_LEDGER_MESSAGE)
    if evidence.archived and evidence.is_archive_complete:
        return _poll_result_step(
            name, evidence.archived.facts, evidence.archived.made_at, f"in {evidence.archived.path}"
        )
    if not evidence.is_ledger_of_term:
        return Step(name, Status.NOT_POSSIBLE, evidence.other_machine_advice, evidence.output_lines)
    assert isinstance(evidence.ledger, LedgerFacts)
    if is_outdated:
        return Step(name, Status.TO_DO, "clusters were stopped since the last poll")
    return _poll_result_step(name, evidence.ledger, now, "in the ledger")


def _poll_result_step(name: str, facts: LedgerFacts, at: datetime, where: str) -> Step:
    if facts.last_poll is None:
        return Step(name, Status.TO_DO, f"there is no poll {where}")
    shown = f"{facts.last_poll:%Y-%m-%d %H:%M} UTC"
    if facts.last_poll_failed:
        return Step(name, Status.TO_DO, f"{facts.last_poll_failed} actions failed in the poll at {shown}")
    if at - facts.last_poll > MAX_POLL_AGE:
        return Step(name, Status.TO_DO, f"the poll at {shown} is more than an hour old")
    return Step(name, Status.DONE, f"{shown}; settled up to {facts.settled_up_to or 'no day'}")


def archive_step(evidence: LedgerEvidence, *, folder: str) -> Step:
    """Return the archive step: done if an archive of ledger, reports, course file and allowances has the last poll."""
    name = "archive"
    if evidence.is_waived:
        return Step(name, Status.DONE, NO_LEDGER_MESSAGE)
    if evidence.archived and (evidence.is_archive_complete or evidence.archived.facts == evidence.ledger):
        return Step(name, Status.DONE, f"{evidence.archived.path} has ledger, reports, course file and allowances")
    if not evidence.is_ledger_of_term:
        return Step(name, Status.NOT_POSSIBLE, f"{evidence.other_machine_advice}, and copy the folder into {folder}")
    if evidence.archived:
        return Step(
            name,
            Status.TO_DO,
            f"{evidence.archived.path} is older than the ledger; a new one will be saved in {folder}",
        )
    return Step(name, Status.TO_DO, f"ledger, reports, course file and allowances will be saved in {folder}")


def clusters_step(contents: WorkspaceContents) -> Step:
    """Return the clusters step: done if no lab cluster is running."""
    if contents.running is None:
        return Step("clusters", Status.NOT_POSSIBLE, "the clusters could not be listed")
    ours = tuple(cluster.name for cluster in contents.running if cluster.is_of_lab)
    if ours:
        return Step("clusters", Status.TO_DO, f"running clusters of the lab, which will be stopped: {len(ours)}", ours)
    return Step("clusters", Status.DONE, "no lab cluster is running")


def destroy_step(state: StateFacts, remains: LabRemains, *, location: str) -> Step:
    """Return the destroy step. `location` is the state's location; `remains` are the lab's objects in the workspace."""
    name = "destroy"
    if state.problem:
        return Step(name, Status.NOT_POSSIBLE, f"the lab's objects are unknown: {state.problem}")
    if state.managed:
        return Step(
            name, Status.TO_DO, f"{len(state.managed)} objects will be removed, including memberships and permissions"
        )
    if remains.found:
        message = (
            f"there is no state in {location}, or it is empty, but the workspace still has the lab: put the "
            "deployment's state there, or remove the lab without a state (docs/term-end.md, Without a state)"
        )
        return Step(name, Status.NOT_POSSIBLE, message, tuple(f"{one.kind} {one.name}" for one in remains.found))
    if remains.unread:
        message = (
            f"the state is empty, and it is unknown whether the workspace has the lab: {', '.join(remains.unread)}"
        )
        return Step(name, Status.NOT_POSSIBLE, f"{message} could not be read")
    return Step(name, Status.DONE, "the state is empty, and the workspace has no objects of the lab")


def removed_objects(managed: Sequence[ManagedObject]) -> dict[str, tuple[str, ...]]:
    """Return the names of the removed objects by kind, without memberships and permissions, which have no names."""
    kinds = sorted({one.kind for one in managed if one.name})
    return {kind: tuple(sorted(one.name for one in managed if one.kind == kind)) for kind in kinds}


def state_step(state: StateFacts, *, folder: str, is_remote: bool, is_archived: bool) -> Step:
    """Return the state step: done if the state, which contains people's names, is in the archive."""
    if state.problem:
        return Step("state", Status.NOT_POSSIBLE, "it cannot be read")
    if state.managed:
        return Step("state", Status.TO_DO, f"it will be moved to {folder} once everything is destroyed", state.files)
    if is_remote and not is_archived:
        return Step("state", Status.TO_DO, f"a copy of it will be saved in {folder}; delete the blob itself by hand")
    if state.files:
        return Step("state", Status.TO_DO, f"it will be moved to {folder}", state.files)
    return Step("state", Status.DONE, f"{'a copy of it' if is_remote else 'it'} is in {folder}")


def kept_objects(contents: WorkspaceContents) -> list[Step]:
    """Return the objects that destroy does not remove, because they do not belong to the lab, as one step per kind."""
    found = [
        Step(kind, Status.DONE, f"{len(names)} are kept", names) for kind, names in contents.others.items() if names
    ]
    return found + [Step(kind, Status.NOT_POSSIBLE, "could not be read") for kind in contents.unread]


def by_hand(
    *, workspace_id: str, host: str, contents: WorkspaceContents, target: str, backend: str
) -> list[ManualStep]:
    """Return the manual steps for what still costs money or contains people's names, with commands."""
    query = f"[?workspaceId=='{workspace_id}'].{{name:name, group:resourceGroup, managed:managedResourceGroupId}}"
    others = [cluster.name for cluster in contents.running or () if not cluster.is_of_lab]
    steps = [
        ManualStep(f"a running cluster does not belong to the lab: {name}", "databricks clusters delete ID")
        for name in others
    ]
    if backend:
        steps.append(ManualStep("the state's blob, and older versions if the account keeps them", backend))
    return [
        *steps,
        ManualStep(
            "the enforcer keeps polling, as a service or with cron; disable it tomorrow, after end-of-day has settled "
            "today",
            "sudo systemctl disable --now teaching-lab-watch.service teaching-lab-poll.timer "
            "teaching-lab-end-of-day.timer; sudo rm -f /etc/cron.d/teaching-lab",
        ),
        ManualStep(
            f"the workspace at {host} remains, with its managed resource group: storage account, network, and a NAT "
            "gateway if it has one; an idle workspace is reported to cost up to 700 dollars a month",
            f'az databricks workspace list --query "{query}" -o table',
        ),
        ManualStep(
            "the resources in its managed resource group that cost money",
            "az network nat gateway list -g MANAGED -o table; az storage account list -g MANAGED -o table; "
            "az network public-ip list -g MANAGED -o table",
        ),
        ManualStep(
            "delete all of it with its contents, including the homes: only after a test restore from the backup",
            "az databricks workspace delete --name NAME --resource-group GROUP",
        ),
        ManualStep(
            "delete people's names from roster, synthesized stack, archived state and archive when they may no longer "
            "be kept",
            f"python cdktf/close_term.py --anonymise --target {target}; python -m enforcer anonymise --before DAY; "
            "python -m inventory delete-old-files --before DAY; and Moodle's exports, wherever they were saved",
        ),
    ]


def is_closed(steps: Sequence[Step]) -> bool:
    return all(step.status is Status.DONE for step in steps)


def as_json(step: Step) -> dict[str, Any]:
    """Return the JSON object that docs/json.md defines."""
    return {**asdict(step), "status": step.status.value, "items": list(step.items)}
