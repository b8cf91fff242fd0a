"""Supervises a run of poll, watch or end-of-day: pings the monitor, and mails the admin if the run crashes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from enforcer.ledger.lock import LedgerUnavailable, is_temporary
from enforcer.mail.azure import Mailer
from enforcer.mail.mail_service import MailService
from enforcer.operations import crash_mail
from enforcer.operations.healthcheck import FAILED, STARTED, SUCCEEDED, ping
from enforcer.operations.markers import Marker
from enforcer.settings import Settings, SettingsError
from enforcer.tick.run import TickResult
from enforcer.workspace.client import Workspace
from enforcer.workspace.errors import WorkspaceError
from enforcer.workspace.server_time import TickTime, tick_time
from labkit import exit_status
from labkit.extras import cli
from labkit.logs import print_problem

log = logging.getLogger(__name__)


class ClockSkewError(WorkspaceError):
    """The clocks of this machine and the workspace differ."""


class HeldStopsError(WorkspaceError):
    """Due stops are held until the next poll."""


class AmbiguousCourseError(WorkspaceError):
    """The course is ambiguous, or its file is invalid; the last known course and limits are used."""


class Supervision:
    """State of a run. `status` is its exit status, which is 1 until everything has been done."""

    def __init__(self, settings: Settings, *, now: datetime) -> None:
        self._settings, self.now = settings, now
        self.status = exit_status.PARTLY_FAILED
        self.ledger_error: BaseException | None = None
        """The ledger error that ended the block, if any."""

    def report(self, result: TickResult) -> None:
        """Set the exit status from the result of a tick, print the failures, and mail the admin if necessary."""
        self.status = exit_status.PARTLY_FAILED if result.failures else exit_status.DONE
        if result.workspace_error:
            self.notify_admin(result.workspace_error)
        if result.hold_notice:
            self.notify_admin(HeldStopsError(result.hold_notice))
        if result.snapshot:
            self._notify_of_course(result.snapshot.notices)
        for failure in result.failures:
            print_problem(failure)

    def report_problem(self, problem: str) -> None:
        """Print a problem outside the tick, such as a file that cannot be written, and set the exit status; ignore an
        empty string.
        """
        if problem:
            self.status = exit_status.PARTLY_FAILED
            print_problem(problem)

    def _notify_of_course(self, notices: tuple[str, ...]) -> None:
        """Mail the problems of the course to the admin; again only if they changed or were absent in between."""
        marker = Marker(self._settings.ledger_location, "course")
        noted = marker.read()
        if not notices:
            if noted is not None:
                marker.clear()
        elif (noted or {}).get("notices") != list(notices):
            marker.write({"notices": list(notices)})
            self.notify_admin(AmbiguousCourseError("; ".join(notices)))

    def prepare_workspace(
        self, workspace: Workspace | WorkspaceError, *, is_rehearsal: bool
    ) -> tuple[Workspace | WorkspaceError, TickTime]:
        """Return the workspace for a tick, or the error that makes it unusable, and the time that the tick uses.

        Mails the admin once if this machine's clock is wrong.
        """
        if isinstance(workspace, WorkspaceError):
            return workspace, TickTime(self.now, False)
        try:
            workspace.begin_tick()
        except WorkspaceError as error:
            return error, TickTime(self.now, False)
        workspace.is_rehearsal = is_rehearsal
        time = tick_time(self.now, workspace.server_timestamps[0] if workspace.server_timestamps else None)
        marker = Marker(self._settings.ledger_location, "clock")
        if time.notice is None:
            if time.is_confirmed:
                marker.clear()
            return workspace, time
        print_problem(time.notice)
        if marker.read() is None:
            marker.write({"notice": time.notice})
            self.notify_admin(ClockSkewError(time.notice))
        return workspace, time

    def notify_admin(self, error: BaseException) -> None:
        """Mail the admin why this run failed, at most once per cause and hour."""
        crash_mail.send_crash_mail(self._settings, error, now=self.now, make_mail_service=Mailer)


@contextmanager
def supervised(settings: Settings, *, now: datetime) -> Iterator[Supervision]:
    """Ping HEALTHCHECK_URL at the start and end of the block; mail the admin about an exception and suppress it.

    For invalid settings, print messages and exit.
    """
    ping(settings.healthcheck_url, STARTED)
    supervision = Supervision(settings, now=now)
    try:
        yield supervision
    except SettingsError as error:
        cli.fail(*error.problems)
    except Exception as error:  # noqa: BLE001 - the last place that can report it
        supervision.status = exit_status.PARTLY_FAILED
        if is_temporary(error):
            supervision.ledger_error = error if isinstance(error, LedgerUnavailable) else LedgerUnavailable(error)
            return
        log.exception("this run ended unexpectedly")
        supervision.notify_admin(error)
    finally:
        # This also applies if an invalid setting or the ledger ended the process.
        ping(settings.healthcheck_url, FAILED if supervision.status else SUCCEEDED)


def mail_service(settings: Settings) -> MailService:
    """Return the mail service in the settings; without mail settings, the returned one is never used."""
    return Mailer(settings.mail.connection_string if settings.mail else "")
