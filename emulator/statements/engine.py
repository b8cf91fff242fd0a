"""Queries on relations that are held in memory: types are inferred by sqlglot, rows are computed by SQLite."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from emulator.models.sql.statements import Column, Row
from emulator.statements import dates
from emulator.statements.errors import StatementError, failed, unsupported
from emulator.statements.parsing import DIALECT, sqlglot
from emulator.statements.values import base_type, from_text, to_text
from labkit.lazy_package import LazyModule

qualifying = LazyModule("sqlglot.optimizer.qualify")
annotating = LazyModule("sqlglot.optimizer.annotate_types")
schemas = LazyModule("sqlglot.schema")

MAX_STEPS = 10_000_000
"""Instructions of SQLite's machine, about a second. A statement that needs more fails."""
STEPS_PER_CHECK = 1_000_000
MAX_VALUE_BYTES = 2**25
MAX_ROWS = 1_000_000
ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
"""What a query may do in SQLite."""
_COLLATION = "COLLATE BINARY"


@dataclass(frozen=True)
class Relation:
    """Columns and rows of a table, a view or a function."""

    columns: Sequence[Column]
    rows: Sequence[Row]


Resolve = Callable[[Any], Relation]
"""The relation that a node of the tree names. Raises StatementError for one that is missing or forbidden."""


def run(tree: Any, resolve: Resolve, bind: Callable[[Any], Any], catalog: str, schema: str) -> Relation:
    """The result of a query. Raises StatementError for one that cannot be computed.

    `bind` puts the values of the session into the tree.
    """
    exp = sqlglot.exp
    if isinstance(tree, exp.Values):
        return _values(tree, resolve, bind, catalog, schema)
    if not isinstance(tree, exp.Query):
        raise unsupported(f"the statement {tree.key.upper()}")
    tree = _named(tree)
    names = [] if any(one.is_star for one in tree.selects) else [one.alias_or_name for one in tree.selects]
    tree = bind(tree)
    relations = _relations(tree, resolve, catalog, schema)
    tree = _qualified(tree, relations, catalog, schema)
    selects = list(tree.selects)
    columns = [Column(names[place] if names else one.alias_or_name, _type_of(one)) for place, one in enumerate(selects)]
    rows = _computed(_for_sqlite(tree, relations), relations)
    return Relation(columns, [[to_text(value, c.type) for value, c in zip(row, columns, strict=True)] for row in rows])


def _values(tree: Any, resolve: Resolve, bind: Callable[[Any], Any], catalog: str, schema: str) -> Relation:
    """The rows of VALUES, each a query of its own; the first one has the types."""
    exp = sqlglot.exp
    rows = []
    for row in tree.expressions:
        cells = row.expressions if isinstance(row, exp.Tuple) else [row]
        named = [exp.alias_(cell.copy(), f"col{number}") for number, cell in enumerate(cells, 1)]
        rows.append(run(exp.select(*named), resolve, bind, catalog, schema))
    if len({len(row.columns) for row in rows}) > 1:
        raise failed("INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "The rows have different lengths.", "42000")
    return Relation(rows[0].columns, [row.rows[0] for row in rows])


def _named(tree: Any) -> Any:
    """Name columns that have no name after their text, as the platform does."""
    exp = sqlglot.exp
    for select in tree.find_all(exp.Select):
        for one in select.expressions:
            if isinstance(one, exp.Alias | exp.Column | exp.Star | exp.Subquery | exp.Dot | exp.Bracket):
                continue
            name = one.name if isinstance(one, exp.Literal) else one.sql(DIALECT, normalize_functions="lower")
            one.replace(exp.alias_(one.copy(), name, quoted=True))
        group = select.args.get("group")
        if group and group.args.get("all"):
            plain = [one for one in select.expressions if not one.find(exp.AggFunc)]
            group.set("all", None)
            group.set("expressions", [one.unalias().copy() for one in plain])
    return tree


def _relations(tree: Any, resolve: Resolve, catalog: str, schema: str) -> dict[str, Relation]:
    """The relations of the tree by full name; each node is given its full name."""
    exp = sqlglot.exp
    found: dict[str, Relation] = {}
    inner = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for number, table in enumerate(list(tree.find_all(exp.Table))):
        if not isinstance(table.this, exp.Identifier):
            # A function, such as range: a relation of its own.
            relation, name = _function(table.this), f"function{number}"
            node = exp.to_table(f"system.function.{name}")
            node.set("alias", table.args.get("alias") or exp.TableAlias(this=exp.to_identifier("function")))
            table.replace(node)
            found[f"system.function.{name}"] = relation
        elif table.db or table.name.lower() not in inner:
            alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name.lower()))
            table.set("catalog", exp.to_identifier((table.catalog or catalog).lower(), quoted=True))
            table.set("db", exp.to_identifier((table.db or schema).lower(), quoted=True))
            table.set("this", exp.to_identifier(table.name.lower(), quoted=True))
            table.set("alias", alias)
            found[f"{table.catalog}.{table.db}.{table.name}"] = resolve(table)
    return found


def _function(node: Any) -> Relation:
    numbers = [argument.name for argument in node.expressions] if node.name.lower() == "range" else []
    if not 1 <= len(numbers) <= 3 or not all(number.isdecimal() for number in numbers):
        raise unsupported(f"the table function {node.sql(DIALECT)}")
    values = range(*map(int, numbers))
    if len(values) > MAX_ROWS:
        raise unsupported(f"ranges of more than {MAX_ROWS} rows")
    return Relation([Column("id", "BIGINT")], [[str(value)] for value in values])


def _qualified(tree: Any, relations: Mapping[str, Relation], catalog: str, schema: str) -> Any:
    """The tree with every star expanded, every column bound and every type known."""
    known = schemas.MappingSchema(dialect=DIALECT)
    for name, relation in relations.items():
        parts = sqlglot.exp.table_(*reversed(name.split(".")))
        known.add_table(parts, {column.name: column.type for column in relation.columns}, dialect=DIALECT)
    try:
        tree = qualifying.qualify(
            tree,
            schema=known,
            dialect=DIALECT,
            catalog=catalog,
            db=schema,
            identify=False,
            quote_identifiers=False,
        )
        return annotating.annotate_types(tree, schema=known, dialect=DIALECT)
    except sqlglot.errors.OptimizeError as error:
        raise failed("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", f"{error}.".replace("..", "."), "42703") from None
    except (sqlglot.errors.SqlglotError, RecursionError, ValueError) as error:
        raise unsupported(f"this statement ({error})") from None


def _type_of(projection: Any) -> str:
    if projection.type is None:
        return "STRING"
    text = dates.result_type(projection, str(projection.type.sql(DIALECT)))
    base = base_type(text)
    if base == "DECIMAL" and "(" not in text:
        return "DECIMAL(10,0)"
    return text.replace(", ", ",") if "<" in text or "(" in text else base


def _for_sqlite(tree: Any, relations: Mapping[str, Relation]) -> Any:
    """The tree in the words of SQLite, its tables under the names that they have there."""
    exp = sqlglot.exp
    names = {name: f"t{number}" for number, name in enumerate(relations)}

    def replaced(node: Any) -> Any:
        if isinstance(node, exp.Table) and node.db:
            return exp.Table(
                this=exp.to_identifier(names[f"{node.catalog}.{node.db}.{node.name}".lower()]),
                alias=node.args.get("alias"),
            )
        if isinstance(node, exp.Column) and node.args.get("db"):
            return exp.column(node.this, table=node.args["table"])
        if isinstance(node, exp.Dot):
            return _json_value(node.this, node.expression.name)
        if isinstance(node, exp.Bracket) and len(node.expressions) == 1:
            return _json_value(node.this, node.expressions[0].name)
        if isinstance(node, exp.Cast):
            return _cast(node)
        return dates.in_sqlite(node)

    # From the leaves to the root, because what replaces a node contains its children.
    for node in reversed(list(tree.walk())):
        new = replaced(node)
        if new is not node:
            new.type = node.type
            node.replace(new)
    return tree


def _json_value(holder: Any, name: str) -> Any:
    """A field of a struct or the value of a map: both are held as JSON."""
    exp = sqlglot.exp
    quoted = name.replace('"', "")
    return exp.Anonymous(this="JSON_EXTRACT", expressions=[holder, exp.Literal.string(f'$."{quoted}"')])


def _cast(node: Any) -> Any:
    exp = sqlglot.exp
    text = node.to.sql(DIALECT)
    base = base_type(text)
    if base in CONVERSIONS:
        prefix = "TRY" if isinstance(node, exp.TryCast) else "TO"
        return exp.Anonymous(this=f"{prefix}_{base}", expressions=[node.this])
    if base in ("STRING", "VOID"):
        return exp.cast(node.this, "TEXT")
    if base == "DECIMAL":
        scale = node.to.expressions[1].name if len(node.to.expressions) > 1 else "0"
        return exp.Anonymous(this="ROUND", expressions=[exp.cast(node.this, "DOUBLE"), exp.Literal.number(scale)])
    return node


def _computed(tree: Any, relations: Mapping[str, Relation]) -> list[tuple[Any, ...]]:
    try:
        text = tree.sql("sqlite", identify=True, unsupported_level=sqlglot.errors.ErrorLevel.RAISE)
    except sqlglot.errors.SqlglotError as error:
        raise unsupported(f"this statement ({error})") from None
    with closing(sqlite3.connect(":memory:")) as connection:
        _fill(connection, relations)
        return _fetch(connection, text)


def _fill(connection: sqlite3.Connection, relations: Mapping[str, Relation]) -> None:
    for number, relation in enumerate(relations.values()):
        names = ", ".join(f'"{column.name.replace(chr(34), "")}" {_COLLATION}' for column in relation.columns)
        connection.execute(f"CREATE TABLE t{number} ({names})")
        marks = ", ".join("?" * len(relation.columns))
        rows = ([from_text(v, c.type) for v, c in zip(row, relation.columns, strict=True)] for row in relation.rows)
        connection.executemany(f"INSERT INTO t{number} VALUES ({marks})", rows)
    for name, convert in CONVERSIONS.items():
        connection.create_function(f"TO_{name}", 1, partial(_converted, convert), deterministic=True)
        connection.create_function(f"TRY_{name}", 1, partial(_tried, convert), deterministic=True)
    for name, (arguments, function) in dates.FUNCTIONS.items():
        connection.create_function(name, arguments, function, deterministic=True)


def _fetch(connection: sqlite3.Connection, text: str) -> list[tuple[Any, ...]]:
    left = MAX_STEPS // STEPS_PER_CHECK

    def check() -> int:
        nonlocal left
        left -= 1
        return left < 0

    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    connection.set_progress_handler(check, STEPS_PER_CHECK)
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY)
    try:
        rows = connection.execute(text).fetchmany(MAX_ROWS + 1)
    except (sqlite3.Error, sqlite3.Warning, MemoryError) as error:
        raise _refused(str(error)) from None
    if len(rows) > MAX_ROWS:
        raise unsupported(f"results of more than {MAX_ROWS} rows")
    return rows


def _refused(message: str) -> StatementError:
    if message == "interrupted":
        return unsupported("statements that compute for more than a second")
    if "user-defined function raised exception" in message:
        return failed("CAST_INVALID_INPUT", "The value cannot be cast to the type because it is malformed.", "22018")
    return unsupported(f"this statement ({message})")


def _converted(convert: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else convert(value)


def _tried(convert: Callable[[Any], Any], value: Any) -> Any:
    try:
        return _converted(convert, value)
    except ValueError:
        return None


def _date(value: Any) -> str:
    return date.fromisoformat(str(value)[:10]).isoformat()


def _instant(value: Any) -> str:
    instant = datetime.fromisoformat(str(value))
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _boolean(value: Any) -> int:
    return int(from_text(str(value), "BOOLEAN"))


def _whole(value: Any) -> int:
    return int(float(value)) if isinstance(value, float) else int(str(value).strip())


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "DATE": _date,
    "TIMESTAMP": _instant,
    "TIMESTAMP_NTZ": _instant,
    "BOOLEAN": _boolean,
    "INT": _whole,
    "BIGINT": _whole,
    "SMALLINT": _whole,
    "TINYINT": _whole,
    "DOUBLE": float,
    "FLOAT": float,
}
"""What a cast to a type does with a value that is not NULL. Raises ValueError for one that is not of the type."""
