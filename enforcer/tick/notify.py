"""Queues the messages about actions: each once, also after a crash between action and message."""

import logging
import re
from collections.abc import Iterable
from datetime import timedelta

from enforcer.domain.message_kinds import Kind
from enforcer.domain.quota import Action, LimitKey, Restrict, Stop, Use, Warn, limit_key
from enforcer.domain.snapshot import Picture, group_of
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.mail import messages, outbox
from enforcer.mail.messages import Message, Notice
from enforcer.settings import Settings

log = logging.getLogger(__name__)

RECENT = timedelta(days=2)
"""Messages about limits of days that ended longer ago are not looked up."""
_ADDRESS = re.compile(r'[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+')


def warned(ledger: Ledger, picture: Picture) -> frozenset[LimitKey]:
    """Return the limits that groups were warned about."""
    return _told(ledger, picture, Kind.WARNING)


def _told(ledger: Ledger, picture: Picture, kind: Kind) -> frozenset[LimitKey]:
    """Return the limits that groups were notified about for any of their clusters, including replaced ones."""
    told = stored_messages.notified_limits(ledger, kind, since=(picture.now - RECENT).date())
    groups = picture.group_by_cluster
    return frozenset((groups[about], *limit) for about, *limit in told if about in groups)  # type: ignore[misc]


def queue_letter_about(ledger: Ledger, settings: Settings, picture: Picture, action: Action) -> list[str]:
    """Queue the message about an action: a warning, or that the cluster is off.

    The group of a running cluster is notified when the cluster is stopped. Returns a sentence if the message could not
    be rendered, and never raises: whatever is wrong with a message, the next cluster has to be stopped.
    """
    match action:
        case Warn(cluster_id, _, use):
            return _queue(ledger, settings, Kind.WARNING, picture, cluster_id, use)
        case Stop(cluster_id, _, use):
            return _queue(ledger, settings, Kind.STOPPED, picture, cluster_id, use)
        case Restrict(cluster_id, _, use) if not _is_running(picture, cluster_id):
            return _queue(ledger, settings, Kind.STOPPED, picture, cluster_id, use)
    return []


def queue_missing_letters(ledger: Ledger, settings: Settings, picture: Picture, actions: Iterable[Action]) -> list[str]:
    """Queue messages about stops and restrictions in force whose run ended before it could queue them.

    A message is unique, so none is sent twice. `actions` are those of this run. Returns a sentence for each message
    that could not be rendered.
    """
    failures: list[str] = []
    lowered, acted = queries.restricted_clusters(ledger), {action.cluster_id for action in actions}
    told = _told(ledger, picture, Kind.STOPPED)
    for cluster in picture.clusters:
        if cluster.id not in lowered or cluster.id in acted or cluster.sighting.running:
            continue
        use = next((use for use in picture.uses(cluster) if use.is_over), None)
        if use and limit_key(group_of(cluster), use.limit) not in told and not picture.is_in_window(group_of(cluster)):
            failures += _queue(ledger, settings, Kind.STOPPED, picture, cluster.id, use)
    return failures + _queue_letters_of_yesterday(ledger, settings, picture)


def _queue_letters_of_yesterday(ledger: Ledger, settings: Settings, picture: Picture) -> list[str]:
    """Queue missing messages about yesterday's stops, whose limits ended at midnight."""
    failures: list[str] = []
    yesterday = picture.today - timedelta(days=1)
    clusters = {cluster.id: cluster for cluster in picture.clusters}
    for action in queries.actions_on(ledger, yesterday):
        cluster = clusters.get(action.cluster_id)
        if action.kind != "stop" or action.error or cluster is None:
            continue
        ended = any(
            session.start <= action.noted and session.end is not None and session.end >= action.noted
            for session in picture.sessions.get(cluster.id, [])
        )
        use = next((use for use in picture.uses(cluster, yesterday) if use.is_over), None)
        if ended and use and not stored_messages.was_queued_since(ledger, Kind.STOPPED, cluster.id, action.noted):
            failures += _queue(ledger, settings, Kind.STOPPED, picture, cluster.id, use)
    return failures


def _queue(ledger: Ledger, settings: Settings, kind: Kind, picture: Picture, cluster_id: str, use: Use) -> list[str]:
    limit = use.limit
    try:
        group = picture.group_by_cluster[cluster_id]
        if kind is Kind.STOPPED and limit_key(group, limit) in _told(ledger, picture, kind):
            return []
        letter = _letter(kind, picture, cluster_id, use, settings)
        period, first, hard = limit.period.value, limit.first, limit.hard
        outbox.queue(
            ledger, kind, cluster_id, letter, now=picture.now, period=period, period_start=first, hard_limit=hard
        )
    except Exception as error:  # noqa: BLE001 - see queue_letter_about
        log.exception("the %s message of cluster %s cannot be rendered", kind.value, cluster_id)
        return [f"the {kind.value} message of cluster {cluster_id} cannot be rendered: {error}"]
    return []


def _letter(kind: Kind, picture: Picture, cluster_id: str, use: Use, settings: Settings) -> Message:
    cluster = next(cluster for cluster in picture.clusters if cluster.id == cluster_id)
    group = group_of(cluster)
    known = picture.course.groups.get(group)
    course = picture.course
    notice = Notice(
        course=course.title or course.id or "Teaching lab",
        group=known.title if known else group,
        cluster=cluster.name,
        use=use,
        tz=course.calendar.tz,
        now=picture.now,
    )
    members = (picture.members or {}).get(group, frozenset())
    to = [name for name in members if _ADDRESS.fullmatch(name)]
    write = messages.warning if kind is Kind.WARNING else messages.stopped
    return write(notice, to=to, admin=settings.admin, folder=settings.mail_templates)


def _is_running(picture: Picture, cluster_id: str) -> bool:
    return any(cluster.id == cluster_id and picture.is_counting(cluster) for cluster in picture.clusters)
