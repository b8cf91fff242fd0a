"""The schema of the ledger, version by version. Each step and its record are one transaction."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from peewee import CharField, Database, Model, SchemaManager

from enforcer.ledger.models import LEDGER_ID, TABLES, AcceptedRow, ClusterRow, EventRow, NoteRow, StarterRow
from labkit.course_file import legacy_group_of

Step = Callable[[Database], None]
STARTS = ("CREATING", "STARTING", "RESTARTING")


def create_tables(database: Database) -> None:
    for table in TABLES:
        SchemaManager(table, database).create_all(safe=False)


def mark_imported_days(database: Any) -> None:
    # A ledger that was made since has the column.
    if not _has_column(database, "day", "imported"):
        database.execute_sql("ALTER TABLE day ADD COLUMN imported BOOLEAN NOT NULL DEFAULT FALSE")


def follow_accepted_mails(database: Any) -> None:
    """What was accepted before this step is not asked about."""
    for name in ("final", "refused"):
        if not _has_column(database, "letter", name):
            database.execute_sql(f"ALTER TABLE letter ADD COLUMN {name} BIGINT")
    database.execute_sql("UPDATE letter SET final = accepted")


def name_ledger(database: Any) -> None:
    """Names of mails follow from the ledger's id, so a copy from before the first mail has to have it, too."""
    row = NoteRow.insert(name=LEDGER_ID, value=str(uuid.uuid4()))
    row.on_conflict_ignore().bind(database).execute()


def note_starters_and_clusters(database: Any) -> None:
    """Who started what, as the version before judged it; and the clusters that it served are accepted.

    Of days that are not settled a member alone is decided: for anybody else the groups are asked.
    """
    for table in (StarterRow, AcceptedRow):
        if not database.table_exists(table._meta.table_name):
            SchemaManager(table, database).create_all(safe=False)
    notes = {row.name: row.value for row in NoteRow.select().bind(database)}
    members, settled_to = _members(notes.get("members")), _millis_after(notes.get("settled"))
    groups: dict[str, str] = {}
    for cluster in ClusterRow.select().bind(database):
        groups[cluster.cluster_id] = cluster.group_name or legacy_group_of(cluster.name) or cluster.name
        if cluster.course and cluster.term and cluster.group_name:
            place = dict(course=cluster.course, term=cluster.term, group_name=cluster.group_name)
            accepted: Any = AcceptedRow.insert(cluster_id=cluster.cluster_id, **place, since=cluster.first_seen)
            accepted.on_conflict_ignore().execute(database)
    started: Any = EventRow.select(EventRow.cluster_id, EventRow.at, EventRow.user_name)
    started = started.where(EventRow.type.in_(STARTS) & (EventRow.user_name != ""))
    for id, at, user in list(started.bind(database).tuples()):
        role, own = "unknown", None if members is None else members.get(groups.get(id, ""), set())
        if own is not None and user.casefold() in own:
            role = "student"
        elif own is not None and at < settled_to:
            role = "staff"
        starter: Any = StarterRow.insert(cluster_id=id, at=at, user_name=user, role=role)
        starter.on_conflict_ignore().execute(database)


def _members(note: str | None) -> dict[str, set[str]] | None:
    """Addresses by group as an earlier version noted them; None: it never read them."""
    noted = json.loads(note or "null")
    if noted is None:
        return None
    gone = {group: known["names"] for group, known in noted.get("gone", {}).items()}
    return {group: set(names) for group, names in {**gone, **noted["groups"]}.items()}


def _millis_after(day: str | None) -> int:
    """About the end of a local day; which zone it is in does not matter here."""
    if day is None:
        return 0
    return int(datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), UTC).timestamp() * 1000)


def _has_column(database: Any, table: str, name: str) -> bool:
    return any(column.name == name for column in database.get_columns(table))


STEPS: tuple[tuple[str, Step], ...] = (
    ("0001 tables", create_tables),
    ("0002 imported days", mark_imported_days),
    ("0003 accepted mails", follow_accepted_mails),
    ("0004 ledger id", name_ledger),
    ("0005 starters", note_starters_and_clusters),
)
"""Applied in this order, each once. A step is never changed after a release; a new one is added."""


EARLIER_TABLE = "clustercumulativeuptime"
"""The table in which the earlier system kept its days."""


class Applied(Model):
    """The names of the steps this ledger has."""

    name: Any = CharField(primary_key=True)

    class Meta:
        table_name = "migration"


class EarlierLedgerError(OSError):
    """The database is that of the earlier system; a clause that says so."""


def migrate(database: Database, steps: tuple[tuple[str, Step], ...] = STEPS) -> list[str]:
    """Apply what is missing; return the names. A step that fails leaves the ledger as it was before it.

    Raises EarlierLedgerError for the database of the earlier system, which gets no table.
    """
    tables = database.get_tables()
    if EARLIER_TABLE in tables and Applied._meta.table_name not in tables:
        raise EarlierLedgerError("it is the database of the earlier system, whose days import-history takes over")
    SchemaManager(Applied, database).create_all(safe=True)
    known = {row.name for row in Applied.select().bind(database)}
    done = []
    for name, step in steps:
        if name not in known:
            with database.atomic():
                step(database)
                Applied.insert(name=name).execute(database)
            done.append(name)
    return done
