"""What surrounds a run of poll, watch or end-of-day: a monitor is told, and the admin of a crash."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from enforcer.operations.healthcheck import BEGINS, FAILED, SUCCEEDED, ping
from enforcer.settings import Settings
from labkit import exit_status

if TYPE_CHECKING:
    from enforcer.mail.mail_service import Carrier

log = logging.getLogger(__name__)


def guarded(settings: Settings, run: Callable[[], int], *, now: datetime) -> int:
    """The exit status of `run`; 1 where it ends unexpectedly. HEALTHCHECK_URL hears of begin and end."""
    ping(settings.healthcheck, BEGINS)
    status = exit_status.PARTLY_FAILED
    try:
        status = run()
    except Exception as error:  # noqa: BLE001 - the last one who can tell anybody
        log.exception("this run ended unexpectedly")
        tell_admin(settings, error, now=now)
    finally:
        # Also where a setting or the ledger ended the process.
        ping(settings.healthcheck, FAILED if status else SUCCEEDED)
    return status


def tell_admin(settings: Settings, error: BaseException, *, now: datetime) -> None:
    """Mail the admin why this run could not do its work, once for each cause and hour."""
    from enforcer.operations import crash_mail

    crash_mail.tell(settings, error, now=now, make_carrier=_carrier)


def carrier_of(settings: Settings) -> "Carrier":
    """The mail service of the settings; without one it is never asked."""
    return _carrier(settings.mail.connection_string if settings.mail else "")


def _carrier(connection_string: str) -> "Carrier":
    from enforcer.mail.azure import Mailer

    return Mailer(connection_string)
