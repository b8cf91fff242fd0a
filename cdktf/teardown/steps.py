"""The steps that close a term, judged from facts: done, to do, or not possible and why. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from labkit.text import redact_secrets

NO_LEDGER_MESSAGE = "there is no enforcer's ledger to be kept (--no-archive)"
MAX_POLL_AGE = timedelta(hours=1)
"""A last poll that is older is not the last."""


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
    """What it is about, by name."""


@dataclass(frozen=True)
class ManualStep:
    """What no program of the lab does, and the command that does it."""

    message: str
    command: str


@dataclass(frozen=True)
class CommandResult:
    """How a program ended, and the last that it said."""

    status: int
    output_lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class VerifiedBackup:
    """The newest backup of the workspace, by `inventory verify --live`."""

    address: str
    excluded_parts: tuple[str, ...]
    """What it was told to leave out: users, file systems, large files. Empty: it was asked for everything."""
    is_finished: bool
    is_current: bool
    """Its files are as its manifest says, and the homes have not changed since."""
    objects: int
    left_out: int
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class LedgerFacts:
    """How far the enforcer's ledger, or an archive of it, knows a term."""

    course: str
    term: str
    last_poll: datetime | None
    last_poll_failed: int
    settled_up_to: str | None


@dataclass(frozen=True)
class EnforcerArchive:
    """An archive of the enforcer's, by its manifest."""

    path: str
    made_at: datetime
    facts: LedgerFacts


@dataclass(frozen=True)
class LedgerEvidence:
    """What is known of a term beside the workspace."""

    course: str
    term: str
    ledger: LedgerFacts | CommandResult
    """Of this machine; an answer is what the enforcer said instead."""
    archived: EnforcerArchive | None
    is_destroyed: bool
    """The lab is destroyed: later polls tell nothing of it."""
    is_waived: bool = False

    @property
    def is_ledger_of_term(self) -> bool:
        """Whether the ledger of this machine is the term's."""
        ledger = self.ledger
        return isinstance(ledger, LedgerFacts) and (ledger.course, ledger.term) == (self.course, self.term)

    @property
    def is_archive_complete(self) -> bool:
        """Whether nothing can be added to the archive from here."""
        return self.archived is not None and (self.is_destroyed or not self.is_ledger_of_term)

    @property
    def output_lines(self) -> tuple[str, ...]:
        return self.ledger.output_lines if isinstance(self.ledger, CommandResult) else ()

    @property
    def other_machine_advice(self) -> str:
        return (
            f"the ledger of this machine does not know {self.course} {self.term}; where the enforcer runs: "
            f"python -m enforcer end-of-day && python -m enforcer archive --output enforcer-{self.course}-{self.term}"
        )


@dataclass(frozen=True)
class ManagedObject:
    """One object of the lab, as the state has it."""

    kind: str
    name: str
    id: str


@dataclass(frozen=True)
class StateFacts:
    """What Terraform's state holds. `problem` is why nobody can tell; then the rest is empty."""

    managed: tuple[ManagedObject, ...] = ()
    files: tuple[str, ...] = ()
    """What lies on this disk of it."""
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.managed and not self.problem


@dataclass(frozen=True)
class LabRemains:
    """What of the lab the workspace itself has, whatever a state says: course file, groups, clusters."""

    found: tuple[ManagedObject, ...] = ()
    unread: tuple[str, ...] = ()
    """The kinds that could not be looked at."""

    @property
    def is_nothing(self) -> bool:
        """Whether everything was looked at and nothing was found."""
        return not self.found and not self.unread


@dataclass(frozen=True)
class RunningCluster:
    id: str
    name: str
    is_of_lab: bool


@dataclass(frozen=True)
class WorkspaceContents:
    """What else is in the workspace: names by kind, and the kinds that could not be looked at."""

    running: tuple[RunningCluster, ...] | None = ()
    """None: could not be listed."""
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    remains: LabRemains = LabRemains()


def backup_step(target: str | None, verified: VerifiedBackup | CommandResult | None, *, is_waived: bool) -> Step:
    """Whether every home is saved, unchanged since, and readable: what `inventory verify --live` says."""
    name = "backup"
    if is_waived:
        return Step(name, Status.DONE, "nothing of the homes is to be kept (--no-backup)")
    if target is None or verified is None:
        command = f"python {' '.join(backup_command('TARGET', None))}"
        return Step(name, Status.NOT_POSSIBLE, f"name it with --backup TARGET; where there is none: {command}")
    command = redact_secrets(f"python {' '.join(backup_command(target, verified))}")
    if isinstance(verified, CommandResult):
        return Step(
            name,
            Status.TO_DO,
            f"there is none in {redact_secrets(target)} that could be verified: {command}",
            verified.output_lines,
        )
    if verified.excluded_parts:
        left = ", ".join(verified.excluded_parts)
        return Step(name, Status.TO_DO, f"{verified.address} was asked to leave out {left}: {command}")
    if not verified.is_current:
        message = f"{verified.address} is not what the homes are now, or not what its manifest says: {command}"
        return Step(name, Status.TO_DO, message, verified.findings)
    message = f"{verified.address} has every home as it is now, and its {verified.objects} objects were verified"
    if verified.left_out:
        message += f"; {verified.left_out} are not in it, because nothing exports them or they were deleted meanwhile"
    return Step(name, Status.DONE, message)


def backup_command(target: str, verified: VerifiedBackup | CommandResult | None) -> tuple[str, ...]:
    """What makes the backup, or goes on with it: what did not change since the last is not read again."""
    command = ("-m", "inventory", "backup", "--all-homes", "--shared", "--output", target)
    if not isinstance(verified, VerifiedBackup):
        return command
    if verified.is_finished:
        return (*command, "--since", f"{verified.address}/manifest.jsonl")
    return command if verified.excluded_parts else (*command, "--resume")


def poll_step(evidence: LedgerEvidence, *, now: datetime, is_outdated: bool) -> Step:
    """Whether the enforcer's last poll succeeded and is really the last. `is_outdated`: clusters were stopped since."""
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
        return Step(name, Status.TO_DO, "clusters were stopped since")
    return _poll_result_step(name, evidence.ledger, now, "in the ledger")


def _poll_result_step(name: str, facts: LedgerFacts, at: datetime, where: str) -> Step:
    if facts.last_poll is None:
        return Step(name, Status.TO_DO, f"there is none {where}")
    shown = f"{facts.last_poll:%Y-%m-%d %H:%M} UTC"
    if facts.last_poll_failed:
        return Step(name, Status.TO_DO, f"{facts.last_poll_failed} things failed in that of {shown}")
    if at - facts.last_poll > MAX_POLL_AGE:
        return Step(name, Status.TO_DO, f"that of {shown} is more than an hour old")
    return Step(name, Status.DONE, f"{shown}; settled up to {facts.settled_up_to or 'no day'}")


def archive_step(evidence: LedgerEvidence, *, folder: str) -> Step:
    """Whether ledger, reports, course file and allowances are archived as of the last poll."""
    name = "archive"
    if evidence.is_waived:
        return Step(name, Status.DONE, NO_LEDGER_MESSAGE)
    if evidence.archived and (evidence.is_archive_complete or evidence.archived.facts == evidence.ledger):
        return Step(name, Status.DONE, f"{evidence.archived.path} has ledger, reports, course file and allowances")
    if not evidence.is_ledger_of_term:
        return Step(name, Status.NOT_POSSIBLE, f"{evidence.other_machine_advice}, and copy the folder into {folder}")
    if evidence.archived:
        return Step(
            name, Status.TO_DO, f"{evidence.archived.path} is older than the ledger; another goes into {folder}"
        )
    return Step(name, Status.TO_DO, f"ledger, reports, course file and allowances go into {folder}")


def clusters_step(contents: WorkspaceContents) -> Step:
    """Whether no cluster of the lab runs."""
    if contents.running is None:
        return Step("clusters", Status.NOT_POSSIBLE, "the clusters could not be listed")
    ours = tuple(cluster.name for cluster in contents.running if cluster.is_of_lab)
    if ours:
        return Step("clusters", Status.TO_DO, f"{len(ours)} of the lab's clusters run; they are stopped", ours)
    return Step("clusters", Status.DONE, "no cluster of the lab runs")


def destroy_step(state: StateFacts, remains: LabRemains, *, location: str) -> Step:
    """What `cdktf destroy` removes. `location` is where the state belongs; `remains` is what the workspace has."""
    name = "destroy"
    if state.problem:
        return Step(name, Status.NOT_POSSIBLE, f"what belongs to the lab is unknown: {state.problem}")
    if state.managed:
        return Step(name, Status.TO_DO, f"{len(state.managed)} objects are removed, memberships and rights included")
    if remains.found:
        message = (
            f"there is no state in {location}, or it holds nothing, and the workspace still has the lab: put the state "
            "of its deploy there, or let the programs remove it that need no state (docs/term-end.md, Without a state)"
        )
        return Step(name, Status.NOT_POSSIBLE, message, tuple(f"{one.kind} {one.name}" for one in remains.found))
    if remains.unread:
        message = (
            f"the state holds nothing, and whether the workspace has the lab is unknown: {', '.join(remains.unread)}"
        )
        return Step(name, Status.NOT_POSSIBLE, f"{message} could not be looked at")
    return Step(name, Status.DONE, "the state holds nothing, and the workspace has nothing of the lab")


def removed_objects(managed: Sequence[ManagedObject]) -> dict[str, tuple[str, ...]]:
    """What a person would miss of it, by kind and name: not each membership and each right."""
    kinds = sorted({one.kind for one in managed if one.name})
    return {kind: tuple(sorted(one.name for one in managed if one.kind == kind)) for kind in kinds}


def state_step(state: StateFacts, *, folder: str, is_remote: bool, is_archived: bool) -> Step:
    """Whether the state, which names everybody, is out of the way."""
    if state.problem:
        return Step("state", Status.NOT_POSSIBLE, "it cannot be read")
    if state.managed:
        return Step("state", Status.TO_DO, f"it goes into {folder} once everything is destroyed", state.files)
    if is_remote and not is_archived:
        return Step("state", Status.TO_DO, f"a copy of it goes into {folder}; the blob itself is removed by hand")
    if state.files:
        return Step("state", Status.TO_DO, f"it goes into {folder}", state.files)
    return Step("state", Status.DONE, f"{'a copy' if is_remote else 'what there was'} of it is in {folder}")


def kept_objects(contents: WorkspaceContents) -> list[Step]:
    """What destroy does not touch because it is not the lab's, by kind."""
    found = [Step(kind, Status.DONE, f"{len(names)} stay", names) for kind, names in contents.others.items() if names]
    return found + [Step(kind, Status.NOT_POSSIBLE, "could not be looked at") for kind in contents.unread]


def by_hand(
    *, workspace_id: str, host: str, contents: WorkspaceContents, target: str, backend: str
) -> list[ManualStep]:
    """What still costs money or names people afterwards, and the commands of an administrator."""
    query = f"[?workspaceId=='{workspace_id}'].{{name:name, group:resourceGroup, managed:managedResourceGroupId}}"
    others = [cluster.name for cluster in contents.running or () if not cluster.is_of_lab]
    steps = [
        ManualStep(f"a cluster that is not the lab's runs: {name}", "databricks clusters delete ID") for name in others
    ]
    if backend:
        steps.append(ManualStep("the state's blob, which has older versions where the account keeps them", backend))
    return [
        *steps,
        ManualStep(
            "the enforcer goes on polling, by service or by cron; once end-of-day has settled today, tomorrow",
            "sudo systemctl disable --now teaching-lab-watch.service teaching-lab-poll.timer "
            "teaching-lab-end-of-day.timer; sudo rm -f /etc/cron.d/teaching-lab",
        ),
        ManualStep(
            f"the workspace at {host} stays, with its managed resource group: storage account, network, and a NAT "
            "gateway where it has one; an idle one is said to cost up to 700 dollars a month",
            f'az databricks workspace list --query "{query}" -o table',
        ),
        ManualStep(
            "what in its managed resource group costs",
            "az network nat gateway list -g MANAGED -o table; az storage account list -g MANAGED -o table; "
            "az network public-ip list -g MANAGED -o table",
        ),
        ManualStep(
            "to remove all of it with everything that is in it, the homes too: only after the backup was restored once",
            "az databricks workspace delete --name NAME --resource-group GROUP",
        ),
        ManualStep(
            "names of people in roster, synthesized stack, archived state and archive, when they may no longer be kept",
            f"python cdktf/close_term.py --anonymise --target {target}; python -m enforcer anonymise --before DAY; "
            "python -m inventory delete-old-files --before DAY; and Moodle's exports, wherever they were saved",
        ),
    ]


def is_closed(steps: Sequence[Step]) -> bool:
    return all(step.status is Status.DONE for step in steps)


def as_json(step: Step) -> dict[str, Any]:
    """The object that docs/json.md defines."""
    return {**asdict(step), "status": step.status.value, "items": list(step.items)}
