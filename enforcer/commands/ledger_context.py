"""The course in the ledger; on an error, these functions print a message and exit."""

import sys
from datetime import datetime

from enforcer.domain.snapshot import Snapshot
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings
from enforcer.tick.history import load_past_snapshot
from labkit import exit_status
from labkit.addresses import is_database_url, redact_database_url
from labkit.text import escaped


def course_on_record(ledger: Ledger, settings: Settings, *, now: datetime) -> Snapshot:
    """Return the course of the last poll; exit with status 1 if the ledger has none."""
    snapshot = load_past_snapshot(ledger, settings, now=now)
    if not snapshot.clusters:
        print(escaped(no_course(settings)), file=sys.stderr)
        raise SystemExit(exit_status.PARTLY_FAILED)
    return snapshot


def no_course(settings: Settings) -> str:
    """Return the error message for a course that is not in the ledger."""
    place = (
        redact_database_url(settings.ledger_location)
        if is_database_url(settings.ledger_location)
        else settings.ledger_location
    )
    if not settings.course:
        return f"the ledger {place} has no course; check CLUSTER_UPTIMES_DB, or run poll first"
    course = " ".join(filter(None, (settings.course, settings.term)))
    return (
        f"the ledger {place} has no course {course}; check CLUSTER_UPTIMES_DB, LAB_COURSE and LAB_TERM, "
        "or run poll first"
    )
