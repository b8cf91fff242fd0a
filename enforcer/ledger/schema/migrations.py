"""The schema of the ledger, version by version. Each step and its record are one transaction.

Steps use SQL instead of models, because models change and steps do not.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from peewee import CharField, Database, Model, SchemaManager, SqliteDatabase

from enforcer.ledger.schema import schema_0_1
from labkit.course_file import legacy_group_of

Step = Callable[[Any], None]
"""A function that changes a peewee Database."""
LAUNCH_EVENTS = "('CREATING', 'STARTING', 'RESTARTING')"


def create_tables(database: Any) -> None:
    for statement in schema_0_1.TABLES:
        _create(database, statement)


def mark_imported_days(database: Any) -> None:
    # Version 0.1 created new ledgers with the column and applied this step afterwards.
    if not _has_column(database, "day", "imported"):
        _run(database, "ALTER TABLE day ADD COLUMN imported BOOLEAN NOT NULL DEFAULT FALSE")


def follow_accepted_mails(database: Any) -> None:
    """Add columns for the status of accepted messages. Messages accepted before are not checked."""
    for name in ("final", "refused"):
        if not _has_column(database, "letter", name):
            _run(database, f"ALTER TABLE letter ADD COLUMN {name} BIGINT")
    _run(database, "UPDATE letter SET final = accepted")


def add_ledger_id(database: Any) -> None:
    """Operation ids are derived from the ledger's id, so a copy made before the first message needs it, too."""
    add = "INSERT INTO note (name, value) VALUES ('ledger id', ?) ON CONFLICT DO NOTHING"
    _run(database, add, str(uuid.uuid4()))


def add_starters_and_accepted_clusters(database: Any) -> None:
    """Record the starters as the earlier version decided them, and accept the clusters that it managed.

    For days that are not settled, only members are decided; all others are looked up in the groups later.
    """
    if not database.table_exists("starter"):
        _create(
            database,
            """
            CREATE TABLE starter (
                cluster_id VARCHAR(255) NOT NULL, at BIGINT NOT NULL, user_name VARCHAR(255) NOT NULL,
                role VARCHAR(255) NOT NULL, asked BIGINT, PRIMARY KEY (cluster_id, at, user_name))""",
        )
        _create(database, "CREATE INDEX starter_role ON starter (role)")
    if not database.table_exists("accepted"):
        _create(
            database,
            """
            CREATE TABLE accepted (
                cluster_id VARCHAR(255) NOT NULL PRIMARY KEY, course VARCHAR(255) NOT NULL,
                term VARCHAR(255) NOT NULL, group_name VARCHAR(255) NOT NULL, creator VARCHAR(255) NOT NULL,
                since BIGINT NOT NULL)""",
        )
    notes = dict(_rows(database, "SELECT name, value FROM note"))
    members, settled_to = _members(notes.get("members")), _millis_after(notes.get("settled"))
    groups: dict[str, str] = {}
    clusters = "SELECT cluster_id, name, group_name, course, term, first_seen FROM cluster"
    for cluster_id, name, group, course, term, first_seen in _rows(database, clusters):
        groups[cluster_id] = group or legacy_group_of(name) or name
        if course and term and group:
            accept = "INSERT INTO accepted VALUES (?, ?, ?, ?, '', ?) ON CONFLICT DO NOTHING"
            _run(database, accept, cluster_id, course, term, group, first_seen)
    launches = f"SELECT cluster_id, at, user_name FROM event WHERE type IN {LAUNCH_EVENTS} AND user_name <> ''"
    for cluster_id, at, user in _rows(database, launches):
        role, own = "unknown", None if members is None else members.get(groups.get(cluster_id, ""), set())
        if own is not None and user.casefold() in own:
            role = "student"
        elif own is not None and at < settled_to:
            role = "staff"
        add = "INSERT INTO starter (cluster_id, at, user_name, role) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        _run(database, add, cluster_id, at, user, role)


def _members(note: str | None) -> dict[str, set[str]] | None:
    """Return members by group as an earlier version stored them; None if it never read them."""
    stored = json.loads(note or "null")
    if stored is None:
        return None
    gone = {group: known["names"] for group, known in stored.get("gone", {}).items()}
    return {group: set(names) for group, names in {**gone, **stored["groups"]}.items()}


def _millis_after(day: str | None) -> int:
    """Return roughly the end of a local day; the time zone does not matter here."""
    if day is None:
        return 0
    return int(datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), UTC).timestamp() * 1000)


RENAMED_TABLES = {"letter": "message", "lowered": "restricted", "accepted": "accepted_cluster"}
RENAMED_COLUMNS = {
    "cluster": {"moved": "list_fingerprint", "last_since": "last_started", "gone": "gone_at"},
    "session": {"last_told": "last_reported"},
    "starter": {"asked": "first_asked_at"},
    "accepted_cluster": {"since": "accepted_at"},
    "day": {"over": "overrun", "shown_apart": "uncounted", "settled": "settled_at"},
    "action": {"noted": "noted_at", "done": "done_at"},
    "restricted": {"since": "restricted_at"},
    "message": {
        "first": "period_start",
        "about": "topic",
        "limit": "hard_limit",
        "payload": "request_body",
        "queued": "queued_at",
        "sealed": "sealed_at",
        "wants_digest": "needs_digest",
        "due": "due_at",
        "last_failure": "last_failed_at",
        "failing": "failing_for",
        "is_unclear": "is_outcome_unknown",
        "accepted": "accepted_at",
        "final": "final_at",
        "refused": "refused_at",
        "given_up": "given_up_at",
    },
}


def rename_tables_and_columns(database: Any) -> None:
    for old, new in RENAMED_TABLES.items():
        _run(database, f"ALTER TABLE {old} RENAME TO {new}")
    for table, columns in RENAMED_COLUMNS.items():
        for old, new in columns.items():
            _run(database, f'ALTER TABLE {table} RENAME COLUMN "{old}" TO {new}')
    for index in ("operation_id", "kind_period_first_about_limit_part", "accepted_given_up", "sealed"):
        _run(database, f"DROP INDEX letter_{index}")
    _run(database, "CREATE UNIQUE INDEX message_operation_id ON message (operation_id)")
    key = "kind, period, period_start, topic, hard_limit, part"
    _run(database, f"CREATE UNIQUE INDEX message_key ON message ({key})")
    _run(database, "CREATE INDEX message_accepted_at_given_up_at ON message (accepted_at, given_up_at)")
    _run(database, "CREATE INDEX message_sealed_at ON message (sealed_at)")
    if not _is_sqlite(database):
        _run(database, "ALTER SEQUENCE letter_id_seq RENAME TO message_id_seq")
        for old, new in RENAMED_TABLES.items():
            _run(database, f"ALTER INDEX {old}_pkey RENAME TO {new}_pkey")
    _run(database, "UPDATE note SET name = 'anonymised before' WHERE name = 'purged before'")
    dropped = (
        "UPDATE message SET error = 'a later message made it untrue' WHERE error = 'a later letter made it untrue'"
    )
    _run(database, dropped)


def add_pages(database: Any) -> None:
    _create(
        database,
        """
        CREATE TABLE page (
            folder VARCHAR(255) NOT NULL PRIMARY KEY, principal VARCHAR(255) NOT NULL, address TEXT NOT NULL,
            content VARCHAR(255) NOT NULL, facts VARCHAR(255) NOT NULL, text VARCHAR(255) NOT NULL,
            written_at BIGINT NOT NULL)""",
    )


def add_time_requests(database: Any) -> None:
    _create(
        database,
        """
        CREATE TABLE time_request (
            id VARCHAR(255) NOT NULL PRIMARY KEY, course VARCHAR(255) NOT NULL, term VARCHAR(255) NOT NULL,
            group_name VARCHAR(255) NOT NULL, asked_at BIGINT NOT NULL, minutes INTEGER, reason TEXT NOT NULL,
            state VARCHAR(255) NOT NULL, answer TEXT NOT NULL, answered_at BIGINT, minutes_given INTEGER)""",
    )
    _create(database, "CREATE INDEX time_request_course_term_asked_at ON time_request (course, term, asked_at)")
    _create(
        database,
        """
        CREATE TABLE time_request_file (
            path VARCHAR(255) NOT NULL PRIMARY KEY, version VARCHAR(255) NOT NULL, object_id VARCHAR(255) NOT NULL,
            principal VARCHAR(255) NOT NULL, read_day VARCHAR(255) NOT NULL, reads INTEGER NOT NULL)""",
    )


def _is_sqlite(database: Any) -> bool:
    return isinstance(database, SqliteDatabase)


def _create(database: Any, statement: str) -> None:
    """Run a CREATE statement written with the types of PostgreSQL."""
    if _is_sqlite(database):
        for name in ("BIGINT", "BOOLEAN", "SERIAL"):
            statement = statement.replace(f" {name}", " INTEGER")
    database.execute_sql(statement)


def _run(database: Any, statement: str, *values: object) -> None:
    """Run a statement with question marks as parameters."""
    database.execute_sql(statement.replace("?", database.param), values)


def _rows(database: Any, statement: str) -> list[tuple[Any, ...]]:
    return list(database.execute_sql(statement).fetchall())


def _has_column(database: Any, table: str, name: str) -> bool:
    return any(column.name == name for column in database.get_columns(table))


STEPS: tuple[tuple[str, Step], ...] = (
    ("0001 tables", create_tables),
    ("0002 imported days", mark_imported_days),
    ("0003 accepted mails", follow_accepted_mails),
    ("0004 ledger id", add_ledger_id),
    ("0005 starters", add_starters_and_accepted_clusters),
    ("0006 names", rename_tables_and_columns),
    ("0007 pages", add_pages),
    ("0008 time requests", add_time_requests),
)
"""Steps, applied in this order, each once. A step is never changed after a release; a new one is added."""


LEGACY_TABLE = "clustercumulativeuptime"
"""The table of daily totals in the legacy system."""


class Applied(Model):
    """The names of the steps that were applied to this ledger."""

    name: Any = CharField(primary_key=True)

    class Meta:
        table_name = "migration"


class LegacyLedgerError(OSError):
    """The database is the legacy system's; the message explains it."""


class NewerLedgerError(OSError):
    """A newer version of the enforcer has migrated the ledger; the message explains it."""


def migrate(database: Any, steps: tuple[tuple[str, Step], ...] = STEPS) -> list[str]:
    """Apply the missing steps and return their names. A step that fails does not change the ledger.

    Two processes may migrate at once: each step is applied by one of them. Raises LegacyLedgerError for the legacy
    system's database, to which no table is added, and NewerLedgerError for a ledger with unknown steps.
    """
    tables = database.get_tables()
    if LEGACY_TABLE in tables and Applied._meta.table_name not in tables:
        raise LegacyLedgerError("it is the legacy system's database; import it with import-history")
    SchemaManager(Applied, database).create_all(safe=True)
    applied = applied_steps(database)
    require_known(applied, steps)
    added = []
    for name, step in steps:
        if name in applied:
            continue
        with _only_writer(database):
            # Another process may have applied the step meanwhile.
            if name not in applied_steps(database):
                step(database)
                Applied.insert(name=name).execute(database)
                added.append(name)
    return added


def require_known(applied: set[str], steps: tuple[tuple[str, Step], ...] = STEPS) -> None:
    """Raise NewerLedgerError if one of these applied steps is unknown."""
    if unknown := sorted(applied - {name for name, _ in steps}):
        raise NewerLedgerError(
            f"a newer version of the enforcer has migrated it (step {unknown[0]}); update this machine's checkout"
        )


@contextmanager
def _only_writer(database: Any) -> Iterator[None]:
    """Run the block in a transaction that no other process's migration can overlap."""
    if isinstance(database, SqliteDatabase):
        with database.atomic("IMMEDIATE"):
            yield
        return
    with database.atomic():
        database.execute_sql(f"LOCK TABLE {Applied._meta.table_name} IN EXCLUSIVE MODE")
        yield


def applied_steps(database: Database) -> set[str]:
    """Return the names of the steps that were applied to a ledger, which must have been migrated before."""
    return {row.name for row in Applied.select().bind(database)}
