"""Creates the report for a day from the ledger alone."""

from datetime import date

from enforcer.domain.snapshot import Snapshot
from enforcer.domain.uptime import day_bounds
from enforcer.ledger import queries
from enforcer.ledger.database import Ledger
from enforcer.reports.day_report import DayReport, make_report


def report_of(ledger: Ledger, snapshot: Snapshot, day: date) -> DayReport:
    """Return the report for a day."""
    begins, ends = day_bounds(day, snapshot.course.calendar.tz)
    return make_report(
        snapshot,
        day,
        settled=queries.settled(ledger, day),
        actions=queries.actions_on(ledger, day),
        polls=queries.polls_between(ledger, begins, ends),
        first_poll=queries.first_poll(ledger),
    )
