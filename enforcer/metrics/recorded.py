"""Gathers the state for the metrics from the ledger, without requests to the workspace."""

import logging
from dataclasses import replace
from datetime import datetime

from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import day_bounds
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.metrics.catalogue import LedgerState
from enforcer.metrics.exposition import text_of, write_textfile
from enforcer.reports.day_report import missed_polls
from enforcer.settings import Settings
from enforcer.tick.history import load_past_snapshot
from enforcer.tick.workspace_notes import other_clusters
from enforcer.time_requests import store
from enforcer.time_requests.model import State

log = logging.getLogger(__name__)


def metrics_of(ledger: Ledger, settings: Settings, *, now: datetime, snapshot: Snapshot | None = None) -> bytes:
    """Return the metrics at `now` in the text format.

    `snapshot` is the one of a tick that has just ended; without it, the course is loaded from the ledger.
    """
    snapshot = snapshot or load_past_snapshot(ledger, settings, now=now)
    if not snapshot.course.id and settings.course:
        # No cluster was ever seen. The labels are those that the series have later.
        course = replace(snapshot.course, id=settings.course, term=settings.term or "")
        snapshot = replace(snapshot, course=course)
    return text_of(state_of(ledger, snapshot))


def state_of(ledger: Ledger, snapshot: Snapshot) -> LedgerState:
    """Return the state for the metrics."""
    done, failed = queries.action_counts(ledger)
    ticks, tick_failures = queries.poll_totals(ledger)
    return LedgerState(
        snapshot,
        queries.restricted_clusters(ledger),
        done,
        failed,
        stored_messages.waiting_by_kind(ledger),
        stored_messages.undelivered_by_kind(ledger),
        stored_messages.oldest_waiting(ledger),
        _waiting_requests(ledger, snapshot),
        other_clusters(ledger),
        queries.last_poll_record(ledger),
        ticks,
        tick_failures,
        _missed_today(ledger, snapshot),
    )


def _waiting_requests(ledger: Ledger, snapshot: Snapshot) -> tuple[datetime, ...] | None:
    """Return when the waiting time requests were made; None if groups cannot ask for more time."""
    if snapshot.course.requests is None:
        return None
    return tuple(one.asked_at for one in store.load(ledger, snapshot.course) if one.state is State.WAITING)


def _missed_today(ledger: Ledger, snapshot: Snapshot) -> int:
    """Return how many polls were missed since the day began, or since the ledger's first poll if it was later."""
    begins, _ = day_bounds(snapshot.today, snapshot.course.calendar.tz)
    first = queries.first_poll(ledger)
    if first is None:
        return 0
    return missed_polls(queries.polls_between(ledger, begins, snapshot.now), max(begins, first), snapshot.now)


def update_textfile(settings: Settings, ledger: Ledger, *, now: datetime, snapshot: Snapshot | None) -> str:
    """Write the metrics to LAB_METRICS if it is set. Return what went wrong, or an empty string.

    It never raises, because metrics must not prevent the next tick.
    """
    if settings.metrics_file is None:
        return ""
    try:
        write_textfile(settings.metrics_file, metrics_of(ledger, settings, now=now, snapshot=snapshot))
    except OSError as error:
        return f"LAB_METRICS: {settings.metrics_file} cannot be written ({error.strerror}); check the folder"
    except Exception as error:  # noqa: BLE001 - see above
        log.exception("the metrics cannot be made")
        return f"LAB_METRICS: the metrics cannot be made: {error}"
    return ""
