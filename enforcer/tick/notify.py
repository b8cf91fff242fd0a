"""Queues the messages about actions, each exactly once even after a crash between action and message."""

import logging
import re
from collections.abc import Iterable
from datetime import timedelta

from enforcer.domain.message_kinds import MessageKind
from enforcer.domain.quota import Action, LimitKey, LimitUsage, Restrict, Stop, Warn, limit_key
from enforcer.domain.snapshot import Snapshot, group_of
from enforcer.ledger import page_rows, queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.mail import messages, outbox
from enforcer.mail.messages import Message, Notice
from enforcer.pages.publish import folder_of
from enforcer.settings import Settings

log = logging.getLogger(__name__)

RECENT = timedelta(days=2)
"""Messages about limits of days that ended more than this long ago are not looked up."""
_ADDRESS = re.compile(r'[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+')


def warned_limits(ledger: Ledger, snapshot: Snapshot) -> frozenset[LimitKey]:
    """Return the limits about which groups were warned."""
    return _notified_limits(ledger, snapshot, MessageKind.WARNING)


def _notified_limits(ledger: Ledger, snapshot: Snapshot, kind: MessageKind) -> frozenset[LimitKey]:
    """Return the limits about which groups were notified for any of their clusters, including replaced clusters."""
    notified = stored_messages.notified_limits(ledger, kind, since=(snapshot.now - RECENT).date())
    groups = snapshot.group_by_cluster
    return frozenset((groups[about], *limit) for about, *limit in notified if about in groups)  # type: ignore[misc]


def queue_message_about(ledger: Ledger, settings: Settings, snapshot: Snapshot, action: Action) -> list[str]:
    """Queue the message about an action: a warning, or that the cluster is off.

    If the cluster is running, the group is notified when it is stopped. Returns an error if the message could not be
    rendered, and never raises: an invalid message must not prevent the next stop.
    """
    match action:
        case Warn(cluster_id, _, usage):
            return _queue(ledger, settings, MessageKind.WARNING, snapshot, cluster_id, usage)
        case Stop(cluster_id, _, usage):
            return _queue(ledger, settings, MessageKind.STOPPED, snapshot, cluster_id, usage)
        case Restrict(cluster_id, _, usage) if not _is_running(snapshot, cluster_id):
            return _queue(ledger, settings, MessageKind.STOPPED, snapshot, cluster_id, usage)
    return []


def queue_missing_messages(
    ledger: Ledger, settings: Settings, snapshot: Snapshot, actions: Iterable[Action]
) -> list[str]:
    """Queue messages about stops and restrictions in force that an interrupted run could not queue.

    A message is unique, so none is sent twice. `actions` are the actions of this run. Returns an error for each message
    that could not be rendered.
    """
    failures: list[str] = []
    restricted, acted = queries.restricted_clusters(ledger), {action.cluster_id for action in actions}
    notified = _notified_limits(ledger, snapshot, MessageKind.STOPPED)
    for cluster in snapshot.clusters:
        if cluster.id not in restricted or cluster.id in acted or cluster.observation.running:
            continue
        usage = next((usage for usage in snapshot.limit_usages(cluster) if usage.is_over), None)
        if (
            usage
            and limit_key(group_of(cluster), usage.limit) not in notified
            and not snapshot.is_in_window(group_of(cluster))
        ):
            failures += _queue(ledger, settings, MessageKind.STOPPED, snapshot, cluster.id, usage)
    return failures + _queue_messages_of_yesterday(ledger, settings, snapshot)


def _queue_messages_of_yesterday(ledger: Ledger, settings: Settings, snapshot: Snapshot) -> list[str]:
    """Queue missing messages about yesterday's stops, whose limits ended at midnight."""
    failures: list[str] = []
    yesterday = snapshot.today - timedelta(days=1)
    clusters = {cluster.id: cluster for cluster in snapshot.clusters}
    for action in queries.actions_on(ledger, yesterday):
        cluster = clusters.get(action.cluster_id)
        if action.kind != "stop" or action.error or cluster is None:
            continue
        ended = any(
            session.start <= action.noted and session.end is not None and session.end >= action.noted
            for session in snapshot.sessions.get(cluster.id, [])
        )
        usage = next((usage for usage in snapshot.limit_usages(cluster, yesterday) if usage.is_over), None)
        if (
            ended
            and usage
            and not stored_messages.was_queued_since(ledger, MessageKind.STOPPED, cluster.id, action.noted)
        ):
            failures += _queue(ledger, settings, MessageKind.STOPPED, snapshot, cluster.id, usage)
    return failures


def _queue(
    ledger: Ledger, settings: Settings, kind: MessageKind, snapshot: Snapshot, cluster_id: str, usage: LimitUsage
) -> list[str]:
    limit = usage.limit
    try:
        group = snapshot.group_by_cluster[cluster_id]
        if kind is MessageKind.STOPPED and limit_key(group, limit) in _notified_limits(ledger, snapshot, kind):
            return []
        page = page_rows.address_of(ledger, folder_of(snapshot.course, group)) if snapshot.course.pages else ""
        message = _render(kind, snapshot, cluster_id, usage, settings, page=page)
        period, first, hard = limit.period.value, limit.first_day, limit.hard
        outbox.queue(
            ledger, kind, cluster_id, message, now=snapshot.now, period=period, period_start=first, hard_limit=hard
        )
    except Exception as error:  # noqa: BLE001 - see queue_message_about
        log.exception("the %s message of cluster %s cannot be rendered", kind.value, cluster_id)
        return [f"the {kind.value} message of cluster {cluster_id} cannot be rendered: {error}"]
    return []


def _render(
    kind: MessageKind, snapshot: Snapshot, cluster_id: str, usage: LimitUsage, settings: Settings, *, page: str
) -> Message:
    cluster = next(cluster for cluster in snapshot.clusters if cluster.id == cluster_id)
    group = group_of(cluster)
    known = snapshot.course.groups.get(group)
    course = snapshot.course
    notice = Notice(
        course=course.title or course.id or "Teaching lab",
        group=known.title if known else group,
        cluster=cluster.name,
        limit_usage=usage,
        tz=course.calendar.tz,
        now=snapshot.now,
        resets=snapshot.first_usable_day(group, usage.limit.last_day + timedelta(days=1)),
        page=page,
    )
    members = (snapshot.members or {}).get(course.principal_of(group), frozenset())
    to = [name for name in members if _ADDRESS.fullmatch(name)]
    write = messages.warning if kind is MessageKind.WARNING else messages.stopped
    return write(notice, to=to, admin=settings.admin_email, folder=settings.mail_templates)


def _is_running(snapshot: Snapshot, cluster_id: str) -> bool:
    return any(cluster.id == cluster_id and snapshot.is_counting(cluster) for cluster in snapshot.clusters)
