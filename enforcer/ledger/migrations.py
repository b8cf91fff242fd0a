"""The schema of the ledger, version by version. Each step and its record are one transaction."""

from collections.abc import Callable
from typing import Any

from peewee import CharField, Database, Model, SchemaManager

from enforcer.ledger.models import TABLES

Step = Callable[[Database], None]


def create_tables(database: Database) -> None:
    for table in TABLES:
        SchemaManager(table, database).create_all(safe=False)


def mark_imported_days(database: Any) -> None:
    # A ledger that was made since has the column.
    if not any(column.name == "imported" for column in database.get_columns("day")):
        database.execute_sql("ALTER TABLE day ADD COLUMN imported BOOLEAN NOT NULL DEFAULT FALSE")


STEPS: tuple[tuple[str, Step], ...] = (("0001 tables", create_tables), ("0002 imported days", mark_imported_days))
"""Applied in this order, each once. A step is never changed after a release; a new one is added."""


class Applied(Model):
    """The names of the steps this ledger has."""

    name = CharField(primary_key=True)

    class Meta:
        table_name = "migration"


def migrate(database: Database, steps: tuple[tuple[str, Step], ...] = STEPS) -> list[str]:
    """Apply what is missing; return the names. A step that fails leaves the ledger as it was before it."""
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
