"""What surrounds a tick of poll, watch or end-of-day: a monitor is told, and the admin of a crash."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from enforcer.ledger.lock import LedgerUnavailable, is_temporary
from enforcer.mail.azure import Mailer
from enforcer.mail.mail_service import MailService
from enforcer.operations import crash_mail
from enforcer.operations.healthcheck import BEGINS, FAILED, SUCCEEDED, ping
from enforcer.operations.markers import Marker
from enforcer.settings import Settings, SettingsError
from enforcer.tick.run import TickResult
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.server_time import TickTime, tick_time
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped

log = logging.getLogger(__name__)


class ClockWrong(WorkspaceError):
    """This machine's clock and the workspace's differ."""


class StopsHeld(WorkspaceError):
    """Clusters that are due are not stopped before the next poll."""


class CourseUnclear(WorkspaceError):
    """Which course is meant, or what its file says, is not clear; what was known before is served."""


class Supervision:
    """How a run is going: `status` is its exit status, 1 until it is known to have done everything."""

    def __init__(self, settings: Settings, *, now: datetime) -> None:
        self._settings, self.now = settings, now
        self.status = exit_status.PARTLY_FAILED
        self.trouble: BaseException | None = None
        """Why the ledger did not work, which ended the block."""

    def report(self, result: TickResult) -> None:
        """Take the status from what a tick did, print what failed, and tell the admin of an unusable workspace."""
        self.status = exit_status.PARTLY_FAILED if result.failures else exit_status.DONE
        if result.unusable:
            self.tell_admin(result.unusable)
        if result.held:
            self.tell_admin(StopsHeld(result.held))
        if result.picture:
            self._tell_of_course(result.picture.notices)
        for failure in result.failures:
            print(escaped(failure), file=sys.stderr)

    def _tell_of_course(self, notices: tuple[str, ...]) -> None:
        """Mail the admin once what is not clear about the course, and again only after it was clear or has changed."""
        marker = Marker(self._settings.ledger, "course")
        noted = marker.read()
        if not notices:
            if noted is not None:
                marker.clear()
        elif (noted or {}).get("notices") != list(notices):
            marker.write({"notices": list(notices)})
            self.tell_admin(CourseUnclear("; ".join(notices)))

    def meet(
        self, workspace: Workspace | WorkspaceError, *, is_rehearsal: bool
    ) -> tuple[Workspace | WorkspaceError, TickTime]:
        """The workspace for a tick, or why it cannot be used, and the time that the tick goes by.

        The admin is told once of a clock that is wrong.
        """
        if isinstance(workspace, WorkspaceError):
            return workspace, TickTime(self.now, False)
        try:
            workspace.begin_tick()
        except WorkspaceError as error:
            return error, TickTime(self.now, False)
        workspace.is_rehearsal = is_rehearsal
        time = tick_time(self.now, workspace.stamps[0] if workspace.stamps else None)
        marker = Marker(self._settings.ledger, "clock")
        if time.notice is None:
            if time.is_confirmed:
                marker.clear()
            return workspace, time
        print(escaped(time.notice), file=sys.stderr)
        if marker.read() is None:
            marker.write({"notice": time.notice})
            self.tell_admin(ClockWrong(time.notice))
        return workspace, time

    def tell_admin(self, error: BaseException) -> None:
        """Mail the admin why this run could not do its work, once for each cause and hour."""
        crash_mail.tell(self._settings, error, now=self.now, make_carrier=Mailer)


@contextmanager
def supervised(settings: Settings, *, now: datetime) -> Iterator[Supervision]:
    """Tell HEALTHCHECK_URL of begin and end of the block, and the admin if it ends unexpectedly, which ends there.

    Wrong settings end the process with their sentences.
    """
    ping(settings.healthcheck, BEGINS)
    supervision = Supervision(settings, now=now)
    try:
        yield supervision
    except SettingsError as error:
        cli.fail(*error.problems)
    except Exception as error:  # noqa: BLE001 - the last one who can tell anybody
        supervision.status = exit_status.PARTLY_FAILED
        if is_temporary(error):
            supervision.trouble = error if isinstance(error, LedgerUnavailable) else LedgerUnavailable(error)
            return
        log.exception("this run ended unexpectedly")
        supervision.tell_admin(error)
    finally:
        # Also where a setting or the ledger ended the process.
        ping(settings.healthcheck, FAILED if supervision.status else SUCCEEDED)


def mail_service(settings: Settings) -> MailService:
    """The mail service of the settings; without one it is never asked."""
    return Mailer(settings.mail.connection_string if settings.mail else "")
