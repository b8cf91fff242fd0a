"""Keeps the file of LAB_BOARD up to date. A failure is logged and never stops the service."""

import logging
from datetime import datetime, timedelta

from enforcer.board.page import NoCourseError, board_page, write_page
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings
from labkit.text import first_line

log = logging.getLogger(__name__)

LOG_EVERY = timedelta(hours=1)


class BoardFile:
    """The file of the board. Without LAB_BOARD, `refresh` does nothing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._logged_at: datetime | None = None

    def refresh(self, ledger: Ledger, *, now: datetime) -> None:
        """Write the board. A failure is logged at most once an hour."""
        path = self._settings.board
        if path is None:
            return
        try:
            write_page(path, board_page(ledger, self._settings, now=now))
        except NoCourseError:
            log.debug("the ledger has no course yet, so there is no board")
        except Exception as error:  # noqa: BLE001 - enforcing the quota does not depend on a page
            if self._logged_at is None or not timedelta() <= now - self._logged_at < LOG_EVERY:
                self._logged_at = now
                log.warning("LAB_BOARD %s cannot be written: %s", path, first_line(error))
        else:
            self._logged_at = None
