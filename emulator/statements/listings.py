"""SHOW and DESCRIBE: what the user may see of Unity Catalog, as rows."""

import fnmatch
import re
from collections.abc import Callable
from typing import Any

from emulator.grants import access
from emulator.grants.principals import name_of
from emulator.models.sql.statements import Column, Row
from emulator.models.unity_catalog.securables import CATALOG, SCHEMA, TABLE, VOLUME, Securable
from emulator.statements import parsing
from emulator.statements.engine import Relation
from emulator.statements.errors import unsupported
from emulator.statements.session import SqlSession, columns_of

_SHOW = re.compile(
    r"\s*(?P<what>CATALOGS|SCHEMAS|DATABASES|TABLES|VIEWS|VOLUMES|COLUMNS)"
    r"(?:\s+(?:IN|FROM)\s+(?P<place>[^\s']+))?(?:\s+(?:LIKE\s+)?'(?P<pattern>[^']*)')?\s*",
    re.IGNORECASE,
)
_GRANTS = re.compile(
    r"\s*GRANTS?\s+(?:`?(?P<principal>[^`\s]+)`?\s+)?ON\s+(?P<kind>CATALOG|SCHEMA|DATABASE|TABLE|VIEW|VOLUME)?\s*(?P<name>\S+)\s*",
    re.IGNORECASE,
)


def show(session: SqlSession, text: str) -> Relation:
    """`text` is what follows the word SHOW. Raises StatementError for what is not listed."""
    grants = _GRANTS.fullmatch(text)
    if grants:
        return _show_grants(session, grants)
    found = _SHOW.fullmatch(text)
    if not found:
        raise unsupported(f"SHOW {text}")
    what = found["what"].upper().replace("DATABASES", "SCHEMAS")
    wanted = _pattern(found["pattern"])
    relation = _SHOWN[what](session, _parts(found["place"]))
    name = {"TABLES": 1, "VIEWS": 1, "VOLUMES": 1}.get(what, 0)
    return Relation(relation.columns, [row for row in relation.rows if wanted.fullmatch(str(row[name]))])


def describe(session: SqlSession, node: Any) -> Relation:
    """DESCRIBE TABLE: names, types and comments of the columns."""
    table = session.found(TABLE, session.full_name(node))
    session.require_sight(table)
    comments = {one.get("name"): one.get("comment") for one in table.details.get("columns") or []}
    rows: list[Row] = [[one.name, one.type.lower(), comments.get(one.name)] for one in columns_of(table)]
    return _texts(("col_name", "data_type", "comment"), rows)


def _show_catalogs(session: SqlSession, parts: list[str]) -> Relation:
    found = access.visible(session.request, access.unity_catalog(session.request).of_type(CATALOG))
    return _texts(("catalog",), [[one.full_name] for one in found])


def _show_schemas(session: SqlSession, parts: list[str]) -> Relation:
    catalog = session.found(CATALOG, parts[-1] if parts else session.catalog)
    session.require_sight(catalog)
    return _texts(("databaseName",), [[one.name] for one in _children(session, SCHEMA, catalog)])


def _show_tables(session: SqlSession, parts: list[str], views: bool = False) -> Relation:
    schema = _schema(session, parts)
    found = _children(session, TABLE, schema)
    rows: list[Row] = [
        [schema.name, one.name, "false"] for one in found if not views or one.details.get("view_definition")
    ]
    columns = [Column("database", "STRING"), Column("tableName", "STRING"), Column("isTemporary", "BOOLEAN")]
    if views:
        columns = [Column("namespace", "STRING"), Column("viewName", "STRING"), Column("isTemporary", "BOOLEAN")]
    return Relation(columns, rows)


def _show_volumes(session: SqlSession, parts: list[str]) -> Relation:
    schema = _schema(session, parts)
    found = _children(session, VOLUME, schema)
    return _texts(("database", "volume_name"), [[schema.name, one.name] for one in found])


def _show_columns(session: SqlSession, parts: list[str]) -> Relation:
    missing = [session.catalog, session.schema][: 3 - len(parts)]
    table = session.found(TABLE, ".".join([*missing, *parts]))
    session.require_sight(table)
    return _texts(("col_name",), [[one.name] for one in columns_of(table)])


_SHOWN: dict[str, Callable[[SqlSession, list[str]], Relation]] = {
    "CATALOGS": _show_catalogs,
    "SCHEMAS": _show_schemas,
    "TABLES": _show_tables,
    "VIEWS": lambda session, parts: _show_tables(session, parts, views=True),
    "VOLUMES": _show_volumes,
    "COLUMNS": _show_columns,
}


def _show_grants(session: SqlSession, found: re.Match[str]) -> Relation:
    kind = (found["kind"] or "TABLE").upper()
    type = {"DATABASE": SCHEMA, "VIEW": TABLE}.get(kind, kind.lower())
    parts = _parts(found["name"])
    depth = {CATALOG: 1, SCHEMA: 2}.get(type, 3)
    name = ".".join([*[session.catalog, session.schema][: depth - len(parts)], *parts])
    securable = session.found(type, name)
    session.require_sight(securable)
    wanted = (found["principal"] or "").casefold()
    rows: list[Row] = []
    for holder, grant in securable.grants.items():
        name = name_of(session.workspace, holder, grant.principal)
        if wanted in ("", name.casefold()):
            rows += [
                [name, privilege.replace("_", " "), type.upper(), securable.full_name] for privilege in grant.privileges
            ]
    return _texts(("Principal", "ActionType", "ObjectType", "ObjectKey"), rows)


def _schema(session: SqlSession, parts: list[str]) -> Securable:
    name = ".".join(parts) if len(parts) > 1 else f"{session.catalog}.{parts[0] if parts else session.schema}"
    schema = session.found(SCHEMA, name)
    session.require_sight(schema)
    return schema


def _children(session: SqlSession, type: str, parent: Securable) -> list[Securable]:
    catalog = access.unity_catalog(session.request)
    return access.visible(session.request, catalog.children(type, parent.full_name))


def _parts(name: str | None) -> list[str]:
    return [part.strip("`").lower() for part in (name or "").split(".") if part]


def _pattern(text: str | None) -> re.Pattern[str]:
    """A pattern of SHOW, in which * is any text and | separates alternatives."""
    choices = [fnmatch.translate(choice.strip()) for choice in (text or "*").split("|")]
    return re.compile("|".join(choices), re.IGNORECASE)


def _texts(names: tuple[str, ...], rows: list[Row]) -> Relation:
    return Relation([Column(name, "STRING") for name in names], rows)


def is_show(tree: Any) -> bool:
    """Whether a tree is a SHOW, which sqlglot keeps as a text."""
    return isinstance(tree, parsing.sqlglot.exp.Command) and str(tree.this).upper() == "SHOW"
