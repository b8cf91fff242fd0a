"""ALTER TABLE and COMMENT ON TABLE: columns, comments and properties change, and rows with their columns."""

from typing import Any

from emulator.models.sql.statements import Row
from emulator.models.unity_catalog.securables import TABLE, Securable
from emulator.statements.definitions import NOTHING, described_columns, parsed_column
from emulator.statements.engine import Relation
from emulator.statements.errors import failed, unsupported
from emulator.statements.parsing import sqlglot
from emulator.statements.session import SqlSession

Columns = list[dict[str, Any]]


def alter(session: SqlSession, tree: Any) -> Relation:
    """Change columns or properties. Columns that are added are NULL in the rows that there are."""
    exp = sqlglot.exp
    table = session.found(TABLE, session.full_name(tree.this))
    session.require_manage(table)
    if table.details.get("view_definition"):
        raise unsupported("ALTER of views")
    actions: list[Any] = []
    for action in tree.args.get("actions") or []:
        actions += action.expressions if isinstance(action, exp.Schema) else [action]
    columns = [dict(column) for column in table.details.get("columns") or []]
    properties = dict(table.details.get("properties") or {})
    rows = session.rows(table)
    for action in actions or [None]:
        match action:
            case exp.ColumnDef():
                rows = _add(columns, rows, action)
            case exp.Drop():
                rows = _remove(columns, rows, action)
            case exp.RenameColumn():
                columns[_place(columns, action.this.name)]["name"] = action.args["to"].name
            case exp.AlterColumn():
                _alter_column(columns[_place(columns, action.this.name)], action)
            case exp.AlterSet() if action.find(exp.Property):
                properties |= {one.name: one.args["value"].name for one in action.find_all(exp.Property)}
            case exp.ClusterProperty():
                pass  # How rows are stored has no effect here.
            case _:
                raise unsupported("ALTER of this form")
    _store(session, table, columns, properties)
    session.store(table, rows)
    return NOTHING


def comment(session: SqlSession, tree: Any) -> Relation:
    """COMMENT ON TABLE."""
    if str(tree.args.get("kind")).upper() not in ("TABLE", "VIEW"):
        raise unsupported(f"COMMENT ON {tree.args.get('kind')}")
    table = session.found(TABLE, session.full_name(tree.this))
    session.require_manage(table)
    table.details["comment"] = tree.expression.name
    return NOTHING


def _store(session: SqlSession, table: Securable, columns: Columns, properties: dict[str, str]) -> None:
    for position, column in enumerate(columns):
        column["position"] = position
    table.details |= {"columns": columns, "properties": properties}
    table.updated_at, table.updated_by = session.now, session.user.name


def _add(columns: Columns, rows: list[Row], node: Any) -> list[Row]:
    exp = sqlglot.exp
    [new] = described_columns([parsed_column(node)], [node])
    if any(column["name"].lower() == new["name"].lower() for column in columns):
        raise failed("FIELD_ALREADY_EXISTS", f"Cannot add column, because `{new['name']}` already exists.", "42710")
    place = len(columns)
    position = node.args.get("position")
    if isinstance(position, exp.ColumnPosition):
        place = _place(columns, position.this.name) + 1 if position.this else 0
    columns.insert(place, new)
    return [[*row[:place], None, *row[place:]] for row in rows]


def _remove(columns: Columns, rows: list[Row], node: Any) -> list[Row]:
    if str(node.args.get("kind")).upper() not in ("COLUMN", "COLUMNS"):
        raise unsupported("ALTER of this form")
    for holder in node.args.get("tables") or [node.this]:
        for one in list(holder.find_all(sqlglot.exp.Identifier)):
            if node.args.get("exists") and one.name.lower() not in [column["name"].lower() for column in columns]:
                continue
            place = _place(columns, one.name)
            del columns[place]
            rows = [[*row[:place], *row[place + 1 :]] for row in rows]
    return rows


def _alter_column(column: dict[str, Any], node: Any) -> None:
    if node.args.get("comment") is not None:
        column["comment"] = node.args["comment"].name
    elif node.args.get("allow_null") is not None:
        column["nullable"] = bool(node.args["allow_null"])
    else:
        raise unsupported("ALTER COLUMN of this form")


def _place(columns: Columns, name: str) -> int:
    """Raises StatementError for a column that the table has not."""
    found = [place for place, column in enumerate(columns) if column["name"].lower() == name.lower()]
    if not found:
        raise failed("FIELD_NOT_FOUND", f"No such struct field `{name}`.", "42704")
    return found[0]
