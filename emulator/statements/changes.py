"""INSERT, UPDATE, DELETE, TRUNCATE: rows of a table change, all or none."""

from typing import Any

from emulator.grants.privileges import SELECT
from emulator.models.sql.statements import Column, Row
from emulator.models.unity_catalog.securables import Securable
from emulator.statements.engine import Relation
from emulator.statements.errors import StatementError, failed, unsupported
from emulator.statements.parsing import sqlglot
from emulator.statements.session import SqlSession, columns_of
from emulator.statements.values import from_text, to_text


def insert(session: SqlSession, tree: Any) -> Relation:
    """Append rows, or with OVERWRITE replace all. Returns the counts, as the platform does."""
    exp = sqlglot.exp
    target = tree.this
    names = [one.name.lower() for one in target.expressions] if isinstance(target, exp.Schema) else []
    table = session.written(target.this if isinstance(target, exp.Schema) else target)
    columns = columns_of(table)
    new = session.run(tree.expression)
    rows = fitted(new, columns, names)
    session.store(table, rows if tree.args.get("overwrite") else [*session.rows(table), *rows])
    return counts("num_affected_rows", len(rows), "num_inserted_rows", len(rows))


def fitted(new: Relation, columns: list[Column], names: list[str]) -> list[Row]:
    """The rows in the order of the columns, each value checked. Columns that are not named become NULL.

    Raises StatementError for another number of columns, an unknown one, or a value that is not of the type.
    """
    known = [column.name.lower() for column in columns]
    for name in names:
        if name not in known:
            raise failed(
                "UNRESOLVED_COLUMN.WITH_SUGGESTION", f"A column with name `{name}` cannot be resolved.", "42703"
            )
    places = [known.index(name) for name in names] if names else list(range(len(columns)))
    if len(new.columns) != len(places):
        kind = "TOO_MANY_DATA_COLUMNS" if len(new.columns) > len(places) else "NOT_ENOUGH_DATA_COLUMNS"
        text = f"Cannot write: the table has {len(places)} columns to fill, the data has {len(new.columns)}."
        raise failed(f"INSERT_COLUMN_ARITY_MISMATCH.{kind}", text, "21S01")
    rows: list[Row] = []
    for given in new.rows:
        row: Row = [None] * len(columns)
        for place, value in zip(places, given, strict=True):
            row[place] = checked(value, columns[place])
        rows.append(row)
    return rows


def checked(value: str | None, column: Column) -> str | None:
    """The value as the column keeps it. Raises StatementError for one that is not of its type."""
    try:
        return to_text(from_text(value, column.type), column.type)
    except ValueError:
        text = f"The value '{value}' of the column `{column.name}` cannot be cast to \"{column.type}\"."
        raise failed("CAST_INVALID_INPUT", text, "22018") from None


def delete(session: SqlSession, tree: Any) -> Relation:
    """Remove the rows for which the condition is true."""
    table = session.written(tree.this)
    kept = _marked(session, table, tree, [])
    left = [row for row, is_meant, _ in kept if not is_meant]
    session.store(table, left)
    return counts("num_affected_rows", len(kept) - len(left))


def update(session: SqlSession, tree: Any) -> Relation:
    """Set columns in the rows for which the condition is true."""
    table = session.written(tree.this)
    columns = columns_of(table)
    known = [column.name.lower() for column in columns]
    assignments = []
    for one in tree.expressions:
        if one.this.name.lower() not in known:
            raise failed("UNRESOLVED_COLUMN", f"A column with name `{one.this.name}` cannot be resolved.", "42703")
        assignments.append((known.index(one.this.name.lower()), one.expression))
    rows = []
    meant = 0
    for row, is_meant, values in _marked(session, table, tree, [expression for _, expression in assignments]):
        if is_meant:
            meant += 1
            row = list(row)
            for (place, _), value in zip(assignments, values, strict=True):
                row[place] = checked(value, columns[place])
        rows.append(row)
    session.store(table, rows)
    return counts("num_affected_rows", meant)


def truncate(session: SqlSession, tree: Any) -> Relation:
    """Remove all rows."""
    for node in tree.expressions:
        session.store(session.written(node), [])
    return Relation([], [])


def counts(*pairs: Any) -> Relation:
    """One row of numbers by name."""
    names, values = pairs[::2], pairs[1::2]
    return Relation([Column(name, "BIGINT") for name in names], [[str(value) for value in values]])


def _marked(
    session: SqlSession, table: Securable, tree: Any, expressions: list[Any]
) -> list[tuple[Row, bool, list[str | None]]]:
    """Each row of the table, whether the condition holds for it, and the values of the expressions in it."""
    exp = sqlglot.exp
    session.require(table, SELECT)
    node = tree.this
    if not isinstance(node, exp.Table) or tree.args.get("using"):
        raise unsupported("changes that join tables")
    where = tree.args.get("where")
    condition = where.this if where else exp.true()
    selected = [exp.alias_(exp.cast(condition.copy(), "BOOLEAN"), "is_meant")]
    selected += [exp.alias_(one.copy(), f"value_{number}") for number, one in enumerate(expressions)]
    found = session.run(exp.select(*selected).from_(node.copy()))
    rows = session.rows(table)
    if len(found.rows) != len(rows):
        raise StatementError("[INTERNAL_ERROR] The condition has another number of rows than the table.")
    return [(row, one[0] == "true", one[1:]) for row, one in zip(rows, found.rows, strict=True)]
