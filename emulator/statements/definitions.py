"""CREATE and DROP of tables, views and schemas; GRANT and REVOKE: what Unity Catalog's API does, in SQL."""

import json
from collections.abc import Callable
from typing import Any

from emulator.api.errors import ApiError
from emulator.api.routing import Request
from emulator.base.content import BytesContent
from emulator.grants.privileges import CREATE_SCHEMA, CREATE_TABLE
from emulator.grants.routes import change as change_grants
from emulator.models.sql.statements import Column
from emulator.models.unity_catalog.securables import CATALOG, SCHEMA, TABLE, Securable
from emulator.statements import parsing
from emulator.statements.changes import counts, fitted
from emulator.statements.engine import Relation
from emulator.statements.errors import StatementError, already_exists, failed, insufficient, unsupported
from emulator.statements.parsing import DIALECT, sqlglot
from emulator.statements.session import SqlSession, is_query
from emulator.statements.values import TYPE_NAMES, base_type
from emulator.unity_catalog import records, tables
from emulator.unity_catalog import schemas as schema_routes
from emulator.unity_catalog.storage import require_location

NOTHING = Relation([], [])


def create(session: SqlSession, tree: Any) -> Relation:
    """CREATE TABLE, with columns or from a query, CREATE VIEW and CREATE SCHEMA."""
    kind = str(tree.args.get("kind") or "").upper()
    if tree.args.get("clone") or _has(tree, "TemporaryProperty"):
        raise unsupported(f"CREATE {kind} of this form")
    match kind:
        case "SCHEMA" | "DATABASE":
            return _create_schema(session, tree)
        case "TABLE":
            return _create_table(session, tree)
        case "VIEW":
            return _create_view(session, tree)
    raise unsupported(f"CREATE {kind}")


def drop(session: SqlSession, tree: Any) -> Relation:
    """DROP TABLE, VIEW and SCHEMA; with IF EXISTS nothing happens to what is not there."""
    kind = str(tree.args.get("kind") or "").upper()
    nodes = tree.args.get("tables") or ([tree.this] if tree.this else [])
    if kind not in ("TABLE", "VIEW", "SCHEMA", "DATABASE") or len(nodes) != 1:
        raise unsupported(f"DROP {kind}")
    is_schema = kind in ("SCHEMA", "DATABASE")
    name = parsing.schema_name(nodes[0], session.catalog) if is_schema else session.full_name(nodes[0])
    try:
        found = session.found(SCHEMA if is_schema else TABLE, name)
    except StatementError as error:
        if tree.args.get("exists") and "NOT_FOUND" in str(error):
            return NOTHING
        raise
    session.require_manage(found)
    if is_schema:
        path = f"/api/2.1/unity-catalog/schemas/{name}"
        _ask(session, schema_routes.delete, "DELETE", path, full_name=name, force=bool(tree.args.get("cascade")))
    else:
        if (kind == "VIEW") != bool(found.details.get("view_definition")):
            raise failed("WRONG_COMMAND_FOR_OBJECT_TYPE", f"DROP {kind} is for another kind than `{name}`.", "42809")
        records.drop(session.request, found)
    forget_rows(session)
    return NOTHING


def forget_rows(session: SqlSession) -> None:
    """Drop the rows of tables that are gone."""
    state = session.workspace.state
    known = {table.id for table in state.unity_catalog.of_type(TABLE)}
    state.statements.rows = {id: rows for id, rows in state.statements.rows.items() if id in known}


def grant(session: SqlSession, tree: Any) -> Relation:
    """GRANT and REVOKE on a securable of Unity Catalog."""
    exp = sqlglot.exp
    securable = tree.args.get("securable")
    kind = str(tree.args.get("kind") or "TABLE").upper()
    type = {"TABLE": "table", "VIEW": "table", "SCHEMA": "schema", "DATABASE": "schema", "CATALOG": "catalog"}.get(kind)
    if type is None or securable is None:
        raise unsupported(f"grants on {kind}")
    if type == "table":
        name = session.full_name(securable)
    else:
        # Here the schema is parsed as if it were a table: `catalog.schema` is a database and a name.
        name = f"{securable.db or session.catalog}.{securable.name}" if type == "schema" else str(securable.name)
        name = name.lower()
    session.found(type, name)
    privileges = [one.this.name.upper().replace(" ", "_") for one in tree.args.get("privileges") or []]
    word = "add" if isinstance(tree, exp.Grant) else "remove"
    body = {"changes": [{"principal": one.this.name, word: privileges} for one in tree.args.get("principals") or []]}
    path = f"/api/2.1/unity-catalog/permissions/{type}/{name}"
    _ask(session, change_grants, "PATCH", path, body=body, type=type, name=name)
    return NOTHING


def _create_schema(session: SqlSession, tree: Any) -> Relation:
    node = tree.this
    name = parsing.schema_name(node, session.catalog)
    catalog_name, _, short = name.partition(".")
    catalog = session.found(CATALOG, catalog_name)
    session.require(catalog, CREATE_SCHEMA)
    if session.workspace.state.unity_catalog.find(SCHEMA, name):
        if tree.args.get("exists"):
            return NOTHING
        raise already_exists("schema", name)
    body = {"name": short, "catalog_name": catalog_name}
    _ask(session, schema_routes.create, "POST", "/api/2.1/unity-catalog/schemas", body=body)
    return NOTHING


def _create_table(session: SqlSession, tree: Any) -> Relation:
    exp = sqlglot.exp
    has_columns = isinstance(tree.this, exp.Schema)
    node = tree.this.this if has_columns else tree.this
    query = tree.expression if tree.expression is not None and is_query(tree.expression) else None
    definitions = [one for one in tree.this.expressions if isinstance(one, exp.ColumnDef)] if has_columns else []
    schema, short = _place(session, node)
    result = session.run(query) if query is not None else None
    columns = [parsed_column(one) for one in definitions] or list(result.columns if result else [])
    names = [column.name.lower() for column in columns]
    if len(set(names)) < len(names):
        raise failed("COLUMN_ALREADY_EXISTS", "Two columns have the same name.", "42711")
    location = _location(session, tree)
    if not _make_room(session, tree, f"{schema.full_name}.{short}"):
        return NOTHING
    details: dict[str, Any] = {
        "columns": _partitioned(described_columns(columns, definitions), tree),
        "data_source_format": "DELTA",
        "comment": _comment(tree),
        "properties": _properties(tree),
    }
    made = tables.add(session.request, schema, short, "EXTERNAL" if location else "MANAGED", details, location)
    if result is None:
        session.store(made, [])
        return NOTHING
    rows = fitted(result, columns, [])
    session.store(made, rows)
    return counts("num_affected_rows", len(rows), "num_inserted_rows", len(rows))


def _location(session: SqlSession, tree: Any) -> str:
    """Where an external table is; empty for a managed one. Raises StatementError unless the user may write there."""
    found = [one for one in _property_nodes(tree) if isinstance(one, sqlglot.exp.LocationProperty)]
    location = str(found[0].this.name).rstrip("/") if found else ""
    if location:
        try:
            require_location(session.request, location, "CREATE_EXTERNAL_TABLE")
        except ApiError as error:
            raise _refusal(error) from None
    return location


def _refusal(error: ApiError) -> StatementError:
    return insufficient(error.message) if error.status == 403 else StatementError(f"[{error.code}] {error.message}")


def _create_view(session: SqlSession, tree: Any) -> Relation:
    exp = sqlglot.exp
    node = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if tree.expression is None or not is_query(tree.expression):
        raise unsupported("CREATE VIEW of this form")
    schema, short = _place(session, node)
    definition = parsing.text_after_as(session.text) or tree.expression.sql(DIALECT)
    columns = list(session.run(tree.expression.copy()).columns)
    names = list(tree.this.expressions) if isinstance(tree.this, exp.Schema) else []
    if names and len(names) != len(columns):
        raise failed("CREATE_VIEW_COLUMN_ARITY_MISMATCH", "The view and its query have different columns.", "21S01")
    columns = [Column(one.name, column.type) for one, column in zip(names, columns, strict=True)] if names else columns
    if not _make_room(session, tree, f"{schema.full_name}.{short}"):
        return NOTHING
    details = {"columns": described_columns(columns, names), "view_definition": definition, "comment": _comment(tree)}
    tables.add(session.request, schema, short, "VIEW", details)
    return NOTHING


def _place(session: SqlSession, node: Any) -> tuple[Securable, str]:
    """The schema for a new table, in which the user may create one, and the name of the table."""
    schema_name, _, short = session.full_name(node).rpartition(".")
    schema = session.found(SCHEMA, schema_name)
    session.require(schema, CREATE_TABLE)
    return schema, short


def _make_room(session: SqlSession, tree: Any, full_name: str) -> bool:
    """Whether the name is free, or is made free by OR REPLACE. Raises StatementError if it is taken."""
    before = session.workspace.state.unity_catalog.find(TABLE, full_name)
    if before is None:
        return True
    if tree.args.get("exists"):
        return False
    if not tree.args.get("replace"):
        raise already_exists("table", full_name)
    session.require_manage(before)
    records.drop(session.request, before)
    forget_rows(session)
    return True


def parsed_column(node: Any) -> Column:
    """The name and type of a column's definition. Raises StatementError for one without a type."""
    type = node.args.get("kind")
    if type is None:
        raise unsupported(f"the column {node.name} without a type")
    text = str(type.sql(DIALECT)).replace(", ", ",")
    base = base_type(text)
    if base == "DECIMAL" and "(" not in text:
        text = "DECIMAL(10,0)"
    return Column(node.name, text if "(" in text or "<" in text else base)


def described_columns(columns: list[Column], nodes: list[Any], start: int = 0) -> list[dict[str, Any]]:
    """The columns as Unity Catalog's API describes them."""
    exp = sqlglot.exp
    found = []
    for place, column in enumerate(columns):
        base = base_type(column.type)
        text = column.type.lower()
        constraints = nodes[place].args.get("constraints") or [] if nodes else []
        kinds = [one.args.get("kind") for one in constraints]
        generated = [one for one in kinds if isinstance(one, exp.GeneratedAsIdentityColumnConstraint)]
        metadata = _identity(generated[0]) if generated else {}
        document: dict[str, Any] = {
            "name": column.name,
            "type_text": text,
            "type_name": TYPE_NAMES.get(base, base),
            "type_json": json.dumps({"name": column.name, "type": text, "nullable": True, "metadata": metadata}),
            "position": start + place,
            "nullable": not any(isinstance(one, exp.NotNullColumnConstraint) for one in kinds),
        }
        comments = [one.this.name for one in kinds if isinstance(one, exp.CommentColumnConstraint)]
        found.append(document | ({"comment": comments[0]} if comments else {}))
    return found


def _identity(node: Any) -> dict[str, Any]:
    """How Delta describes a column whose values are generated. The emulator generates none."""
    always = bool(node.this)
    return {
        "delta.identity.start": 1,
        "delta.identity.step": 1,
        "delta.identity.allowExplicitInsert": not always,
    }


def _partitioned(columns: list[dict[str, Any]], tree: Any) -> list[dict[str, Any]]:
    """The columns, those of PARTITIONED BY with their place in it."""
    exp = sqlglot.exp
    found = [one for one in _property_nodes(tree) if isinstance(one, exp.PartitionedByProperty)]
    names = [one.name.lower() for node in found for one in getattr(node.this, "expressions", [])]
    return [
        column | ({"partition_index": names.index(column["name"].lower())} if column["name"].lower() in names else {})
        for column in columns
    ]


def _properties(tree: Any) -> dict[str, str]:
    """TBLPROPERTIES, and OPTIONS under the names that the platform gives them among the properties."""
    exp = sqlglot.exp
    found: dict[str, str] = {}
    for node in _property_nodes(tree):
        if isinstance(node, exp.OptionsProperty):
            found |= {f"option.{one.name}": one.args["value"].name for one in node.expressions}
        elif type(node) is exp.Property:
            found[node.name] = node.args["value"].name
    return found


def _property_nodes(tree: Any) -> list[Any]:
    properties = tree.args.get("properties")
    return list(properties.expressions) if properties else []


def _has(tree: Any, name: str) -> bool:
    return any(type(one).__name__ == name for one in _property_nodes(tree))


def _comment(tree: Any) -> str | None:
    found = [one for one in _property_nodes(tree) if isinstance(one, sqlglot.exp.SchemaCommentProperty)]
    return str(found[0].this.name) if found else None


def _ask(
    session: SqlSession,
    handler: Callable[[Request], Any],
    method: str,
    path: str,
    *,
    body: Any = None,
    force: bool = False,
    **parameters: str,
) -> Any:
    """What Unity Catalog's API does for this request of the user. Raises StatementError where it refuses."""
    request = session.request
    request.method, request.path, request.parameters = method, path, parameters
    if body is not None:
        request.content = BytesContent(json.dumps(body).encode())
    if force:
        request.query = {"force": ["true"]}
    try:
        return handler(request)
    except ApiError as error:
        raise _refusal(error) from None
