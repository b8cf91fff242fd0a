"""Corrects the effects of sessions that counted while their starter was unknown, who turned out to be staff.

Restrictions need no correction here: `decide` restores groups with quota left.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.quota import LimitKey, limit_key
from enforcer.domain.snapshot import Snapshot
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings
from enforcer.tick.history import load_past_snapshot
from enforcer.tick.settle import totals_of


def apply_corrections(ledger: Ledger, settings: Settings, snapshot: Snapshot) -> None:
    """Settle the affected days again, and delete unsent messages about limits that are not reached."""
    if not snapshot.reclassified:
        return
    last = queries.last_settled_day(ledger)
    if last is not None:
        past = load_past_snapshot(ledger, settings, now=snapshot.now)
        for cluster_id, day in _days(snapshot, last):
            totals = [total for total in totals_of(past, day) if total.cluster_id == cluster_id]
            queries.settle_again(ledger, totals, now=snapshot.now)
    groups = {snapshot.group_by_cluster[id] for id, _ in snapshot.reclassified if id in snapshot.group_by_cluster}
    for kind in (MessageKind.WARNING, MessageKind.STOPPED):
        true = frozenset(key for group in groups for key in _reached(snapshot, group, kind))
        for id, group in snapshot.group_by_cluster.items():
            if group in groups:
                stored_messages.delete_unsent(ledger, kind, id, keep=[key for key in true if key[0] == group])


def _days(snapshot: Snapshot, last: date) -> Iterable[tuple[str, date]]:
    """Yield cluster and day of each settled total that may be too high."""
    tz = snapshot.course.calendar.tz
    for id in sorted({id for id, _ in snapshot.reclassified}):
        day = min(at for of, at in snapshot.reclassified if of == id).astimezone(tz).date()
        while day <= last:
            yield id, day
            day += timedelta(days=1)


def _reached(snapshot: Snapshot, group: str, kind: MessageKind) -> Iterable[LimitKey]:
    """Yield the limits of today and yesterday for which a message is still true."""
    for day in (snapshot.today - timedelta(days=1), snapshot.today):
        for usage in snapshot.limit_usages_of(group, day):
            if usage.is_over or (usage.is_near and kind is MessageKind.WARNING):
                yield limit_key(group, usage.limit)
