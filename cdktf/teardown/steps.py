"""The steps that close a term, judged from facts: done, to do, or not possible and why. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from labkit.text import without_secrets

WAIVED = "there is no enforcer's ledger to be kept (--no-archive)"
FRESH = timedelta(hours=1)
"""A last poll that is older is not the last."""


class Status(StrEnum):
    DONE = "done"
    TO_DO = "to do"
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True)
class Step:
    name: str
    status: Status
    says: str
    items: tuple[str, ...] = ()
    """What it is about, by name."""


@dataclass(frozen=True)
class ByHand:
    """What no program of the lab does, and the command that does it."""

    says: str
    command: str


@dataclass(frozen=True)
class Answer:
    """How a program ended, and the last that it said."""

    status: int
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verified:
    """The newest backup of the workspace, by `inventory verify --live`."""

    address: str
    not_asked: tuple[str, ...]
    """What it was told to leave out: users, file systems, large files. Empty: it was asked for everything."""
    is_finished: bool
    is_whole: bool
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
class Archived:
    """An archive of the enforcer's, by its manifest."""

    path: str
    made_at: datetime
    facts: LedgerFacts


@dataclass(frozen=True)
class Remembered:
    """What is known of a term beside the workspace."""

    course: str
    term: str
    ledger: LedgerFacts | Answer
    """Of this machine; an answer is what the enforcer said instead."""
    archived: Archived | None
    is_gone: bool
    """The lab is destroyed: later polls tell nothing of it."""
    is_waived: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the ledger of this machine is the term's."""
        ledger = self.ledger
        return isinstance(ledger, LedgerFacts) and (ledger.course, ledger.term) == (self.course, self.term)

    @property
    def is_archive_all(self) -> bool:
        """Whether nothing can be added to the archive from here."""
        return self.archived is not None and (self.is_gone or not self.is_known)

    @property
    def said(self) -> tuple[str, ...]:
        return self.ledger.said if isinstance(self.ledger, Answer) else ()

    @property
    def elsewhere(self) -> str:
        return (
            f"the ledger of this machine does not know {self.course} {self.term}; where the enforcer runs: "
            f"python -m enforcer end-of-day && python -m enforcer archive --output enforcer-{self.course}-{self.term}"
        )


@dataclass(frozen=True)
class Managed:
    """One object of the lab, as the state has it."""

    kind: str
    name: str
    id: str


@dataclass(frozen=True)
class StateFacts:
    """What Terraform's state holds. `problem` is why nobody can tell; then the rest is empty."""

    managed: tuple[Managed, ...] = ()
    files: tuple[str, ...] = ()
    """What lies on this disk of it."""
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.managed and not self.problem


@dataclass(frozen=True)
class Remains:
    """What of the lab the workspace itself has, whatever a state says: course file, groups, clusters."""

    found: tuple[Managed, ...] = ()
    unread: tuple[str, ...] = ()
    """The kinds that could not be looked at."""

    @property
    def is_nothing(self) -> bool:
        """Whether everything was looked at and nothing was found."""
        return not self.found and not self.unread


@dataclass(frozen=True)
class Running:
    id: str
    name: str
    is_ours: bool


@dataclass(frozen=True)
class Inventory:
    """What else is in the workspace: names by kind, and the kinds that could not be looked at."""

    running: tuple[Running, ...] | None = ()
    """None: could not be listed."""
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    remains: Remains = Remains()


def backup_step(target: str | None, verified: Verified | Answer | None, *, is_waived: bool) -> Step:
    """Whether every home is saved, unchanged since, and readable: what `inventory verify --live` says."""
    name = "backup"
    if is_waived:
        return Step(name, Status.DONE, "nothing of the homes is to be kept (--no-backup)")
    if target is None or verified is None:
        command = f"python {' '.join(backup_command('TARGET', None))}"
        return Step(name, Status.NOT_POSSIBLE, f"name it with --backup TARGET; where there is none: {command}")
    command = without_secrets(f"python {' '.join(backup_command(target, verified))}")
    if isinstance(verified, Answer):
        return Step(
            name,
            Status.TO_DO,
            f"there is none in {without_secrets(target)} that could be verified: {command}",
            verified.said,
        )
    if verified.not_asked:
        left = ", ".join(verified.not_asked)
        return Step(name, Status.TO_DO, f"{verified.address} was asked to leave out {left}: {command}")
    if not verified.is_whole:
        says = f"{verified.address} is not what the homes are now, or not what its manifest says: {command}"
        return Step(name, Status.TO_DO, says, verified.findings)
    says = f"{verified.address} has every home as it is now, and its {verified.objects} objects were verified"
    if verified.left_out:
        says += f"; {verified.left_out} are not in it, because nothing exports them or they were deleted meanwhile"
    return Step(name, Status.DONE, says)


def backup_command(target: str, verified: Verified | Answer | None) -> tuple[str, ...]:
    """What makes the backup, or goes on with it: what did not change since the last is not read again."""
    command = ("-m", "inventory", "backup", "--all-homes", "--shared", "--output", target)
    if not isinstance(verified, Verified):
        return command
    if verified.is_finished:
        return (*command, "--since", f"{verified.address}/manifest.jsonl")
    return command if verified.not_asked else (*command, "--resume")


def poll_step(known: Remembered, *, now: datetime, is_outdated: bool) -> Step:
    """Whether the enforcer's last poll succeeded and is really the last. `is_outdated`: clusters were stopped since."""
    name = "last poll"
    if known.is_waived:
        return Step(name, Status.DONE, WAIVED)
    if known.archived and known.is_archive_all:
        return _judged_poll(name, known.archived.facts, known.archived.made_at, f"in {known.archived.path}")
    if not known.is_known:
        return Step(name, Status.NOT_POSSIBLE, known.elsewhere, known.said)
    assert isinstance(known.ledger, LedgerFacts)
    if is_outdated:
        return Step(name, Status.TO_DO, "clusters were stopped since")
    return _judged_poll(name, known.ledger, now, "in the ledger")


def _judged_poll(name: str, facts: LedgerFacts, at: datetime, where: str) -> Step:
    if facts.last_poll is None:
        return Step(name, Status.TO_DO, f"there is none {where}")
    shown = f"{facts.last_poll:%Y-%m-%d %H:%M} UTC"
    if facts.last_poll_failed:
        return Step(name, Status.TO_DO, f"{facts.last_poll_failed} things failed in that of {shown}")
    if at - facts.last_poll > FRESH:
        return Step(name, Status.TO_DO, f"that of {shown} is more than an hour old")
    return Step(name, Status.DONE, f"{shown}; settled up to {facts.settled_up_to or 'no day'}")


def archive_step(known: Remembered, *, folder: str) -> Step:
    """Whether ledger, reports, course file and allowances are archived as of the last poll."""
    name = "archive"
    if known.is_waived:
        return Step(name, Status.DONE, WAIVED)
    if known.archived and (known.is_archive_all or known.archived.facts == known.ledger):
        return Step(name, Status.DONE, f"{known.archived.path} has ledger, reports, course file and allowances")
    if not known.is_known:
        return Step(name, Status.NOT_POSSIBLE, f"{known.elsewhere}, and copy the folder into {folder}")
    if known.archived:
        return Step(name, Status.TO_DO, f"{known.archived.path} is older than the ledger; another goes into {folder}")
    return Step(name, Status.TO_DO, f"ledger, reports, course file and allowances go into {folder}")


def clusters_step(inventory: Inventory) -> Step:
    """Whether no cluster of the lab runs."""
    if inventory.running is None:
        return Step("clusters", Status.NOT_POSSIBLE, "the clusters could not be listed")
    ours = tuple(cluster.name for cluster in inventory.running if cluster.is_ours)
    if ours:
        return Step("clusters", Status.TO_DO, f"{len(ours)} of the lab's clusters run; they are stopped", ours)
    return Step("clusters", Status.DONE, "no cluster of the lab runs")


def destroy_step(state: StateFacts, remains: Remains, *, place: str) -> Step:
    """What `cdktf destroy` removes. `place` is where the state belongs; `remains` is what the workspace has."""
    name = "destroy"
    if state.problem:
        return Step(name, Status.NOT_POSSIBLE, f"what belongs to the lab is unknown: {state.problem}")
    if state.managed:
        return Step(name, Status.TO_DO, f"{len(state.managed)} objects are removed, memberships and rights included")
    if remains.found:
        says = (
            f"there is no state in {place}, or it holds nothing, and the workspace still has the lab: put the state of "
            "its deploy there, or let the programs remove it that need no state (docs/term-end.md, Without a state)"
        )
        return Step(name, Status.NOT_POSSIBLE, says, tuple(f"{one.kind} {one.name}" for one in remains.found))
    if remains.unread:
        says = f"the state holds nothing, and whether the workspace has the lab is unknown: {', '.join(remains.unread)}"
        return Step(name, Status.NOT_POSSIBLE, f"{says} could not be looked at")
    return Step(name, Status.DONE, "the state holds nothing, and the workspace has nothing of the lab")


def removes(managed: Sequence[Managed]) -> dict[str, tuple[str, ...]]:
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


def leaves(inventory: Inventory) -> list[Step]:
    """What destroy does not touch because it is not the lab's, by kind."""
    found = [Step(kind, Status.DONE, f"{len(names)} stay", names) for kind, names in inventory.others.items() if names]
    return found + [Step(kind, Status.NOT_POSSIBLE, "could not be looked at") for kind in inventory.unread]


def by_hand(*, workspace_id: str, host: str, inventory: Inventory, target: str, backend: str) -> list[ByHand]:
    """What still costs money or names people afterwards, and the commands of an administrator."""
    query = f"[?workspaceId=='{workspace_id}'].{{name:name, group:resourceGroup, managed:managedResourceGroupId}}"
    others = [cluster.name for cluster in inventory.running or () if not cluster.is_ours]
    hands = [
        ByHand(f"a cluster that is not the lab's runs: {name}", "databricks clusters delete ID") for name in others
    ]
    if backend:
        hands.append(ByHand("the state's blob, which has older versions where the account keeps them", backend))
    return [
        *hands,
        ByHand(
            "the enforcer goes on polling, by service or by cron; once end-of-day has settled today, tomorrow",
            "sudo systemctl disable --now teaching-lab-watch.service teaching-lab-poll.timer "
            "teaching-lab-end-of-day.timer; sudo rm -f /etc/cron.d/teaching-lab",
        ),
        ByHand(
            f"the workspace at {host} stays, with its managed resource group: storage account, network, and a NAT "
            "gateway where it has one; an idle one is said to cost up to 700 dollars a month",
            f'az databricks workspace list --query "{query}" -o table',
        ),
        ByHand(
            "what in its managed resource group costs",
            "az network nat gateway list -g MANAGED -o table; az storage account list -g MANAGED -o table; "
            "az network public-ip list -g MANAGED -o table",
        ),
        ByHand(
            "to remove all of it with everything that is in it, the homes too: only after the backup was restored once",
            "az databricks workspace delete --name NAME --resource-group GROUP",
        ),
        ByHand(
            "names of people in roster, synthesized stack, archived state and archive, when they may no longer be kept",
            f"python cdktf/close_term.py --purge --target {target}; python -m enforcer purge "
            "--before DAY; python -m inventory purge --before DAY; and Moodle's exports, wherever they were saved",
        ),
    ]


def is_closed(steps: Sequence[Step]) -> bool:
    return all(step.status is Status.DONE for step in steps)


def as_json(step: Step) -> dict[str, Any]:
    """The object that docs/json.md defines."""
    return {**asdict(step), "status": step.status.value, "items": list(step.items)}
