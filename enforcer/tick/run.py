"""One run on the workspace: a poll or a settlement, the letters about it, and the record that it was made."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from enforcer.domain.quota import WarningKey
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.mail.mail_service import Carrier
from enforcer.mail.sender import send_due
from enforcer.settings import Settings
from enforcer.tick.carry_out import Outcome, Tell
from enforcer.tick.notify import Teller, finish, warned
from enforcer.workspace.client import Workspace, WorkspaceError
from labkit.clock import Deadline

Work = Callable[[Workspace, Callable[[], frozenset[WarningKey]], Tell], Outcome]
"""What is done between looking at the workspace and sending letters: `poll`, or what contains one."""


@dataclass(frozen=True)
class Run:
    outcome: Outcome | None
    """None: the workspace could not be used."""
    failures: tuple[str, ...] = ()
    unable: WorkspaceError | None = None
    """Why the workspace could not be used."""


def run(
    ledger: Ledger,
    settings: Settings,
    connect: Callable[[], Workspace],
    work: Work,
    *,
    carrier: Carrier,
    now: datetime,
    deadline: Deadline,
) -> Run:
    """Do the work and send the letters that are due, also where the workspace cannot be used.

    Raises SettingsError where it is not clear which course is meant.
    """
    teller = Teller(ledger, settings)
    try:
        workspace = connect()
        before = Counter(workspace.calls)
        outcome = work(workspace, warned(ledger, now), teller)
    except WorkspaceError as error:
        # Letters about what was done before are sent all the same.
        sent = send_due(ledger, carrier, settings, now=now, deadline=deadline)
        return Run(None, (str(error), *sent.failures), error)
    sent = finish(ledger, settings, outcome, teller, carrier, now=now, deadline=deadline)
    failures = (*outcome.failures, *sent.failures)
    calls = dict(workspace.calls - before)
    queries.record_poll(ledger, began=now, ended=now + deadline.elapsed, failed=len(failures), calls=calls)
    return Run(outcome, failures)
