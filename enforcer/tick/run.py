"""Runs one tick: collects the state of the workspace, decides, carries out actions, sends messages."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime

from enforcer.domain.allowances import Allowance
from enforcer.domain.quota import Action, Level, Restrict, Stop, decide
from enforcer.domain.snapshot import Snapshot
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.mail.mail_service import MailService
from enforcer.mail.sender import send_due
from enforcer.pages.content import AskingForTime
from enforcer.pages.publish import publish_pages
from enforcer.settings import Settings
from enforcer.tick import mass_stop
from enforcer.tick.carry_out import carry_out
from enforcer.tick.collect import cache_caller, collect, jobs_are_due, load_cached_caller, note_job_listing, read_levels
from enforcer.tick.corrections import apply_corrections
from enforcer.tick.course_reader import WorkspaceReader
from enforcer.tick.history import load_past_snapshot
from enforcer.tick.notify import queue_missing_messages, warned_limits
from enforcer.tick.settle import Settlement, plan_days, queue_weekly_digest, settle_days
from enforcer.tick.totals_file import update_gone_clusters
from enforcer.tick.workspace_notes import note_workspace
from enforcer.time_requests.files import files_of_groups, make_request_files
from enforcer.time_requests.model import TimeRequest, by_group
from enforcer.time_requests.read import RequestsRead, Write, create_entry, read_requests
from enforcer.time_requests.staff_mail import queue_staff_message
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.server_time import clock_problem
from labkit.clock import Deadline


@dataclass(frozen=True)
class TickResult:
    """Result of a tick. Whatever failed is still due."""

    snapshot: Snapshot | None = None
    """None if the workspace is unusable."""
    actions: tuple[Action, ...] = ()
    """Actions that were due."""
    settled_days: tuple[date, ...] = ()
    """Days that were settled or, when planning, would be."""
    problems: tuple[str, ...] = ()
    """Messages about what could not be read or carried out."""
    message_failures: tuple[str, ...] = ()
    """Errors about messages that could not be rendered or sent."""
    settlement_failures: tuple[str, ...] = ()
    """Messages about what could not be settled."""
    workspace_error: WorkspaceError | None = None
    """Why the workspace is unusable."""
    hold_notice: str = ""
    """Message for the admin about stops held until the next poll, or an empty string."""

    @property
    def failures(self) -> tuple[str, ...]:
        return (*self.problems, *self.message_failures, *self.settlement_failures)


def run_tick(
    settings: Settings,
    ledger: Ledger,
    workspace: Workspace | WorkspaceError,
    mail: MailService,
    *,
    now: datetime,
    deadline: Deadline,
    settles: bool = False,
    up_to: date | None = None,
    is_confirmed: bool = True,
    stop_now: bool = False,
) -> TickResult:
    """Enforce the quota of every cluster of the course, and send the messages that are due.

    `workspace` may be the error of a failed connection. An unusable workspace is a result, not an exception: messages
    about earlier actions are still sent. With `settles`, every permission is read, and past days up to `up_to` or
    yesterday are settled before messages are sent. `is_confirmed` means that the workspace's clock agrees with `now`.
    With `stop_now`, no stop is held. Raises SettingsError if the course is ambiguous.
    """
    if isinstance(workspace, WorkspaceError):
        return _only_send(settings, ledger, workspace, mail, now=now, deadline=deadline)
    before = Counter(workspace.calls)
    workspace.lists_job_clusters = jobs_are_due(ledger, now=now)
    load_cached_caller(ledger, workspace)
    try:
        with workspace.read_budget(deadline):
            due = _find_due(settings, ledger, workspace, now=now, everything=settles, write=_writer(workspace))
    except WorkspaceError as error:
        return _only_send(settings, ledger, error, mail, now=now, deadline=deadline)
    note_job_listing(ledger, workspace, due.snapshot)
    note_workspace(ledger, workspace, due.snapshot)
    cache_caller(ledger, workspace)
    due, held = _remove_unsafe_stops(settings, ledger, workspace, due, is_confirmed=is_confirmed, stop_now=stop_now)
    done = carry_out(ledger, workspace, settings, due.snapshot, due.actions)
    file_problems = make_request_files(ledger, workspace, due.snapshot, deadline=deadline)
    settled = settle_days(settings, ledger, workspace, due.snapshot, up_to=up_to) if settles else Settlement()
    leave_problems = _update_gone_clusters(settings, ledger, workspace, due.snapshot)
    unwritten = (
        *done.unwritten,
        *queue_missing_messages(ledger, settings, due.snapshot, due.actions),
        *queue_staff_message(ledger, settings, due.snapshot, due.requests),
        *queue_weekly_digest(settings, ledger, due.snapshot),
    )
    page_problems = publish_pages(
        ledger,
        workspace,
        settings,
        due.snapshot,
        due.actions,
        deadline=deadline,
        requests=by_group(due.requests),
        asking=_asking(settings, ledger, workspace, due.snapshot),
    )
    sent = send_due(ledger, mail, settings, now=now, deadline=deadline)
    problems = (*due.problems, *done.failures, *file_problems, *leave_problems, *page_problems)
    unsent = (*unwritten, *sent.failures)
    calls = dict(workspace.calls - before)
    failed = len(problems) + len(unsent)
    queries.record_poll(ledger, began=now, ended=now + deadline.elapsed, failed=failed, calls=calls)
    return TickResult(due.snapshot, due.actions, settled.days, problems, unsent, settled.failures, hold_notice=held)


def _asking(settings: Settings, ledger: Ledger, workspace: Workspace, snapshot: Snapshot) -> dict[str, AskingForTime]:
    """Return how each group that has a file for time requests asks for more time."""
    return {
        group: AskingForTime(settings.admin_email or "", file.path, workspace.file_address(file.object_id))
        for group, file in files_of_groups(ledger, snapshot).items()
    }


def _remove_unsafe_stops(
    settings: Settings, ledger: Ledger, workspace: Workspace, due: "_Due", *, is_confirmed: bool, stop_now: bool
) -> tuple["_Due", str]:
    """Remove actions that are unsafe because the time is uncertain, and held stops; return the rest and a message about
    held stops.
    """
    snapshot, now = due.snapshot, due.snapshot.now
    newest = _newest_event(snapshot)
    if unsure := clock_problem(
        workspace.server_timestamps, now=now, newest=newest, is_rehearsal=workspace.is_rehearsal
    ):
        actions = tuple(action for action in due.actions if not isinstance(action, Restrict | Stop))
        return replace(due, actions=actions, problems=(*due.problems, unsure)), ""
    history = mass_stop.read_poll_history(ledger, now=now)
    running = [cluster.id for cluster in snapshot.clusters if cluster.observation.running]
    threshold = settings.mass_stop_threshold
    held = mass_stop.clusters_to_hold(due.actions, running, history, threshold, now=now, is_confirmed=is_confirmed)
    held = frozenset() if stop_now else held
    mass_stop.write_poll_history(ledger, snapshot, history, held)
    if not held:
        return due, ""
    notice = mass_stop.hold_notice(snapshot, held)
    return replace(due, actions=mass_stop.without_held(due.actions, held), problems=(*due.problems, notice)), notice


def _newest_event(snapshot: Snapshot) -> datetime | None:
    """Return the time of the newest event in the sessions of the clusters."""
    timestamps = (
        time
        for sessions in snapshot.sessions.values()
        for session in sessions[-1:]
        for time in (session.start, session.end, session.last_reported)
    )
    return max((time for time in timestamps if time), default=None)


def _update_gone_clusters(settings: Settings, ledger: Ledger, workspace: Workspace, snapshot: Snapshot) -> list[str]:
    """Update the usage of former clusters for `restricted`; return an error message if it failed."""
    try:
        update_gone_clusters(ledger, settings, workspace, snapshot)
    except WorkspaceError as error:
        return [f"{error}; deployments do not know the usage of former clusters"]
    return []


def _only_send(
    settings: Settings, ledger: Ledger, error: WorkspaceError, mail: MailService, *, now: datetime, deadline: Deadline
) -> TickResult:
    sent = send_due(ledger, mail, settings, now=now, deadline=deadline)
    return TickResult(problems=(str(error),), message_failures=sent.failures, workspace_error=error)


def stop_by_events(
    settings: Settings,
    memory_ledger: Ledger,
    workspace: Workspace,
    *,
    now: datetime,
    deadline: Deadline,
    is_confirmed: bool = True,
) -> TickResult:
    """Stop and restrict groups past a limit according to the events, without the ledger; do nothing else.

    `memory_ledger` is a ledger in memory, which contains what was read from the workspace since it was created. Raises
    WorkspaceError if the clusters cannot be listed, SettingsError if the course is ambiguous.
    """
    with workspace.read_budget(deadline):
        due = _find_due(settings, memory_ledger, workspace, now=now, everything=False, reads_requests=False)
    due = replace(due, actions=tuple(action for action in due.actions if isinstance(action, Stop | Restrict)))
    due, held = _remove_unsafe_stops(settings, memory_ledger, workspace, due, is_confirmed=is_confirmed, stop_now=False)
    done = carry_out(memory_ledger, workspace, settings, due.snapshot, due.actions)
    queries.record_poll(memory_ledger, began=now, ended=now + deadline.elapsed, failed=len(done.failures), calls={})
    return TickResult(due.snapshot, due.actions, problems=(*due.problems, *done.failures), hold_notice=held)


def plan_tick(
    settings: Settings,
    ledger: Ledger,
    workspace: WorkspaceReader,
    *,
    now: datetime,
    settles: bool = False,
    up_to: date | None = None,
) -> TickResult:
    """Return what `run_tick` would do. It writes what it reads to `ledger`, which therefore has to be a copy.

    Raises WorkspaceError if the clusters cannot be listed, SettingsError if the course is ambiguous.
    """
    due = _find_due(settings, ledger, workspace, now=now, everything=settles)
    planned = TickResult(due.snapshot, due.actions, problems=due.problems)
    if not settles:
        return planned
    settlement = plan_days(ledger, load_past_snapshot(ledger, settings, now=now), due.snapshot, up_to=up_to)
    return replace(planned, settled_days=settlement.days, settlement_failures=settlement.failures)


@dataclass(frozen=True)
class _Due:
    snapshot: Snapshot
    actions: tuple[Action, ...]
    problems: tuple[str, ...]
    requests: tuple[TimeRequest, ...] = ()


def _writer(workspace: Workspace) -> Write:
    """Return the function that creates allowances' files, as long as that takes no time from the actions."""

    def write(allowance: Allowance, folder: str) -> None:
        workspace.require_time()
        create_entry(workspace, folder, allowance)

    return write


def _find_due(
    settings: Settings,
    ledger: Ledger,
    workspace: WorkspaceReader,
    *,
    now: datetime,
    everything: bool,
    reads_requests: bool = True,
    write: Write | None = None,
) -> _Due:
    """Collect and decide. Raises the same errors as `plan_tick`.

    Time requests are answered first: a limit has to be raised before the permission is given back. Without `write`,
    grants are only in the result.
    """
    snapshot = collect(ledger, workspace, settings, now=now)
    asked = read_requests(ledger, workspace, snapshot, write) if reads_requests else RequestsRead(snapshot)
    snapshot = asked.snapshot
    apply_corrections(ledger, settings, snapshot)
    levels, unread = read_levels(ledger, workspace, snapshot, everything=everything)
    actions = snapshot.without_waiting(decide(snapshot.quota_statuses(levels), warned_limits(ledger, snapshot)))
    newly_restricted = {action.cluster_id for action in actions if isinstance(action, Restrict)}
    for id in queries.restricted_clusters(ledger) & levels.keys() - newly_restricted:
        if levels[id] is not Level.ATTACH:
            # Somebody else restored the group, so that the enforcer no longer restricts it.
            queries.note_restored(ledger, id)
    problems = (*snapshot.problems, *asked.problems, *unread, *workspace.pop_problems())
    return _Due(snapshot, actions, problems, asked.requests)
