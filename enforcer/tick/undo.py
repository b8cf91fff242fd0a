"""Corrects the effects of sessions that counted while their starter was unknown and turned out to be staff.

Restrictions need no correction here: `decide` restores groups with quota left.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from enforcer.domain.message_kinds import Kind
from enforcer.domain.quota import LimitKey, limit_key
from enforcer.domain.snapshot import Picture
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings
from enforcer.tick.history import recall
from enforcer.tick.settle import totals_of


def undo(ledger: Ledger, settings: Settings, picture: Picture) -> None:
    """Settle the affected days again, and delete unsent messages about limits that are not reached."""
    if not picture.cleared:
        return
    last = queries.last_settled_day(ledger)
    if last is not None:
        past = recall(ledger, settings, now=picture.now)
        for cluster_id, day in _days(picture, last):
            totals = [total for total in totals_of(past, day) if total.cluster_id == cluster_id]
            queries.settle_again(ledger, totals, now=picture.now)
    groups = {picture.group_by_cluster[id] for id, _ in picture.cleared if id in picture.group_by_cluster}
    for kind in (Kind.WARNING, Kind.STOPPED):
        true = frozenset(key for group in groups for key in _reached(picture, group, kind))
        for id, group in picture.group_by_cluster.items():
            if group in groups:
                stored_messages.delete_unsent(ledger, kind, id, keep=[key for key in true if key[0] == group])


def _days(picture: Picture, last: date) -> Iterable[tuple[str, date]]:
    """Yield cluster and day of settled totals that may be too high."""
    tz = picture.course.calendar.tz
    for id in sorted({id for id, _ in picture.cleared}):
        day = min(at for of, at in picture.cleared if of == id).astimezone(tz).date()
        while day <= last:
            yield id, day
            day += timedelta(days=1)


def _reached(picture: Picture, group: str, kind: Kind) -> Iterable[LimitKey]:
    """Yield the limits of today and yesterday about which a message is still true."""
    for day in (picture.today - timedelta(days=1), picture.today):
        for use in picture.uses_of(group, day):
            if use.is_over or (use.is_near and kind is Kind.WARNING):
                yield limit_key(group, use.limit)
