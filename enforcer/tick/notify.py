"""From what a poll did to the letters about it: who is told what, once, also after a crash between deed and letter."""

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from enforcer.domain.message_kinds import Kind
from enforcer.domain.observations import SeenCluster
from enforcer.domain.quota import Action, Restrict, Stop, Use, Warn, WarningKey
from enforcer.domain.snapshot import Picture, group_of
from enforcer.ledger import letters, queries
from enforcer.ledger.database import Ledger
from enforcer.mail import messages, outbox
from enforcer.mail.mail_service import Carrier
from enforcer.mail.messages import Letter, Notice
from enforcer.mail.sender import Sent, send_due
from enforcer.settings import Settings
from enforcer.tick.carry_out import Outcome
from labkit.clock import Deadline

log = logging.getLogger(__name__)

RECENT = timedelta(days=2)
"""Limits of days that ended longer ago concern no poll."""
_ADDRESS = re.compile(r'[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+')


def warned(ledger: Ledger, now: datetime) -> Callable[[], frozenset[WarningKey]]:
    """What a poll asks for: the limits that groups were warned of."""
    return partial(letters.told, ledger, Kind.WARNING, since=(now - RECENT).date())


class Teller:
    """Queues the letter about each action of a poll. `failures` are sentences about letters that could not be written.

    It never raises: whatever is wrong with a letter, the next cluster has to be stopped.
    """

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings
        self.failures: list[str] = []

    def __call__(self, picture: Picture, action: Action) -> None:
        """A warning, or that the cluster is off. A group whose cluster still runs is told when it is stopped."""
        match action:
            case Warn(cluster_id, _, use):
                self._tell(Kind.WARNING, picture, cluster_id, use)
            case Stop(cluster_id, _, use):
                self._tell(Kind.STOPPED, picture, cluster_id, use)
            case Restrict(cluster_id, _, use) if not _is_running(picture, cluster_id):
                self._tell(Kind.STOPPED, picture, cluster_id, use)

    def tell_again(self, outcome: Outcome) -> None:
        """Tell of what was done by a run that ended before it could tell: of stops and restrictions in force.

        A letter is unique, so nobody is told twice.
        """
        picture = outcome.picture
        lowered, acted = queries.lowered(self._ledger), {action.cluster_id for action in outcome.actions}
        told = letters.told(self._ledger, Kind.STOPPED, since=(picture.now - RECENT).date())
        for cluster in picture.clusters:
            if cluster.id not in lowered or cluster.id in acted or cluster.sighting.running:
                continue
            use = next((use for use in picture.uses(cluster) if use.is_over), None)
            if use and _key(cluster, use) not in told and not picture.is_in_window(group_of(cluster)):
                self._tell(Kind.STOPPED, picture, cluster.id, use)
        self._tell_of_yesterday(picture)

    def _tell_of_yesterday(self, picture: Picture) -> None:
        """Stops of yesterday that nobody was told of: at midnight the limit they were made for was over."""
        yesterday = picture.today - timedelta(days=1)
        clusters = {cluster.id: cluster for cluster in picture.clusters}
        for action in queries.actions_on(self._ledger, yesterday):
            cluster = clusters.get(action.cluster_id)
            if action.kind != "stop" or action.error or cluster is None:
                continue
            ended = any(
                session.start <= action.noted and session.end is not None and session.end >= action.noted
                for session in picture.sessions.get(cluster.id, [])
            )
            use = next((use for use in picture.uses(cluster, yesterday) if use.is_over), None)
            if ended and use and not letters.told_since(self._ledger, Kind.STOPPED, cluster.id, action.noted):
                self._tell(Kind.STOPPED, picture, cluster.id, use)

    def _tell(self, kind: Kind, picture: Picture, cluster_id: str, use: Use) -> None:
        limit = use.limit
        try:
            letter = _letter(kind, picture, cluster_id, use, self._settings)
            period = limit.period.value
            outbox.queue(
                self._ledger,
                kind,
                cluster_id,
                letter,
                now=picture.now,
                period=period,
                first=limit.first,
                limit=limit.hard,
            )
        except Exception as error:  # noqa: BLE001 - see above
            log.exception("the %s letter of cluster %s cannot be written", kind.value, cluster_id)
            self.failures.append(f"the {kind.value} letter of cluster {cluster_id} cannot be written: {error}")


def finish(
    ledger: Ledger,
    settings: Settings,
    outcome: Outcome,
    teller: Teller,
    carrier: Carrier,
    *,
    now: datetime,
    deadline: Deadline,
) -> Sent:
    """After a poll: tell what is left to be told, and send what is due in the time that is left."""
    teller.tell_again(outcome)
    sent = send_due(ledger, carrier, settings, now=now, deadline=deadline)
    return Sent(sent.accepted, (*teller.failures, *sent.failures), sent.waiting)


def _letter(kind: Kind, picture: Picture, cluster_id: str, use: Use, settings: Settings) -> Letter:
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
    return write(notice, to=to, admin=settings.admin, folder=settings.letters)


def _is_running(picture: Picture, cluster_id: str) -> bool:
    return any(cluster.id == cluster_id and picture.is_counting(cluster) for cluster in picture.clusters)


def _key(cluster: SeenCluster, use: Use) -> WarningKey:
    return cluster.id, use.limit.period, use.limit.first, use.limit.hard
