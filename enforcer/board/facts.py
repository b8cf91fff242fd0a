"""Gathers the facts for the board only from the ledger; sends no request to the workspace."""

from datetime import datetime, timedelta

from enforcer.board.assemble import SHOWN_FOR, moment_of
from enforcer.board.model import BoardFacts
from enforcer.ledger import queries, stored_messages
from enforcer.ledger.database import Ledger
from enforcer.settings import Settings
from enforcer.tick.history import load_past_snapshot
from enforcer.tick.mass_stop import held_cluster_ids
from enforcer.tick.workspace_notes import other_clusters, users_without_group
from enforcer.time_requests import store


def gather(ledger: Ledger, settings: Settings, *, now: datetime) -> BoardFacts:
    """Return the facts about the course of the last poll. Without a course in the ledger, the snapshot has no clusters.

    Writes nothing, so that the ledger itself can be used instead of a copy.
    """
    polled = queries.last_poll(ledger)
    snapshot = load_past_snapshot(ledger, settings, now=moment_of(polled, now))
    calendar, since = snapshot.course.calendar, now - SHOWN_FOR
    first_day = since.astimezone(calendar.tz).date()
    days = (first_day + timedelta(days=number) for number in range(SHOWN_FOR.days + 1))
    polls = tuple(queries.poll_records(ledger, since=min(since, polled or since)))
    return BoardFacts(
        snapshot=snapshot,
        made_at=now,
        last_poll=polls[-1] if polls else None,
        first_poll=queries.first_poll(ledger),
        settled=queries.settled_usage(ledger, since=min(calendar.first_day, snapshot.today) - timedelta(days=7)),
        actions=tuple(action for day in days for action in queries.actions_on(ledger, day)),
        polls=polls,
        restricted=queries.restricted_clusters(ledger),
        held=held_cluster_ids(ledger),
        failed_messages=tuple(stored_messages.failed_messages(ledger, since=since)),
        waiting_messages=stored_messages.waiting_count(ledger),
        others=other_clusters(ledger),
        users_without_group=users_without_group(ledger),
        time_requests=store.load(ledger, snapshot.course),
    )
