"""The schema of the ledger, version by version. Each step and its record are one transaction."""

import uuid
from collections.abc import Callable
from typing import Any

from peewee import CharField, Database, Model, SchemaManager

from enforcer.ledger.models import LEDGER_ID, TABLES, NoteRow

Step = Callable[[Database], None]


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


def _has_column(database: Any, table: str, name: str) -> bool:
    return any(column.name == name for column in database.get_columns(table))


STEPS: tuple[tuple[str, Step], ...] = (
    ("0001 tables", create_tables),
    ("0002 imported days", mark_imported_days),
    ("0003 accepted mails", follow_accepted_mails),
    ("0004 ledger id", name_ledger),
)
"""Applied in this order, each once. A step is never changed after a release; a new one is added."""


EARLIER_TABLE = "clustercumulativeuptime"
"""The table in which the earlier system kept its days."""


class Applied(Model):
    """The names of the steps this ledger has."""

    name = CharField(primary_key=True)

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
