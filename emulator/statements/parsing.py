"""From the text of a statement to its syntax tree, with the values of its parameters in it."""

import logging
import re
from typing import Any

from emulator.base.clock import Millis, to_iso
from emulator.statements.errors import StatementError, failed, unsupported
from labkit.lazy_package import LazyModule

sqlglot = LazyModule("sqlglot")
"""Imported with the first statement, so that an emulator without statements starts as fast as before."""
DIALECT = "databricks"
_ON_CATALOG = re.compile(r"\s+ON\s+CATALOG\s+", re.IGNORECASE)
# It warns of every statement that it keeps as a text, which is how SHOW is read here.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def parse(text: str, parameters: list[dict[str, Any]]) -> Any:
    """The tree of the only statement in the text. Raises StatementError for anything else."""
    try:
        trees = [tree for tree in sqlglot.parse(text, read=DIALECT) if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        raise syntax_error(error) from None
    except RecursionError:
        raise failed("FAILED_TO_PARSE_TOO_COMPLEX", "The statement is too deeply nested.", "54001") from None
    if not trees:
        raise failed("PARSE_EMPTY_STATEMENT", "Syntax error, unexpected empty statement.", "42617")
    if len(trees) > 1:
        raise failed("PARSE_SYNTAX_ERROR", "Syntax error at or near ';': extra input.", "42601")
    return with_parameters(_grant_on_catalog(trees[0], text) or trees[0], parameters)


def _grant_on_catalog(tree: Any, text: str) -> Any:
    """Return the tree of GRANT or REVOKE … ON CATALOG, which sqlglot keeps as a text; None for other statements."""
    exp = sqlglot.exp
    if not isinstance(tree, exp.Command) or str(tree.this).upper() not in ("GRANT", "REVOKE"):
        return None
    on_schema, changed = _ON_CATALOG.subn(" ON SCHEMA ", text, count=1)
    found = sqlglot.parse_one(on_schema, read=DIALECT) if changed else None
    if not isinstance(found, exp.Grant | exp.Revoke):
        return None
    found.set("kind", "CATALOG")
    return found


def text_after_as(text: str) -> str:
    """The query of a CREATE VIEW as it was written, or an empty string."""
    depth = 0
    for token in sqlglot.tokenize(text, read=DIALECT):
        word = token.text.upper()
        depth += (word == "(") - (word == ")")
        if word == "AS" and depth == 0:
            return text[token.end + 1 :].strip().rstrip(";").strip()
    return ""


def syntax_error(error: Any) -> StatementError:
    first = (getattr(error, "errors", None) or [{}])[0]
    near = first.get("highlight") or "end of input"
    place = f" (line {first['line']}, pos {first['col']})" if first.get("line") else ""
    return failed("PARSE_SYNTAX_ERROR", f"Syntax error at or near '{near}'.{place}", "42601")


def with_parameters(tree: Any, parameters: list[dict[str, Any]]) -> Any:
    """The tree with a literal in the place of every `:name`."""
    exp = sqlglot.exp
    values = {str(one.get("name")): one for one in parameters}

    def replaced(node: Any) -> Any:
        if not isinstance(node, exp.Placeholder | exp.Parameter):
            return node
        name = node.name
        if name not in values:
            raise failed("UNBOUND_SQL_PARAMETER", f"Found the unbound parameter: {name}.", "42P02")
        value, type = values[name].get("value"), str(values[name].get("type") or "STRING")
        literal = exp.Null() if value is None else exp.Literal.string(str(value))
        try:
            return exp.cast(literal, exp.DataType.build(type, dialect=DIALECT))
        except sqlglot.errors.SqlglotError:
            raise unsupported(f"parameters of the type {type}") from None

    return tree.transform(replaced)


def with_session_values(tree: Any, user: str, catalog: str, schema: str, now: Millis) -> Any:
    """The tree with user, default names and the emulator's time in the place of the functions that return them."""
    exp = sqlglot.exp
    date, _, time = to_iso(now).removesuffix("Z").partition("T")
    texts = {
        exp.CurrentUser: user,
        exp.CurrentCatalog: catalog,
        exp.CurrentSchema: schema,
        exp.CurrentDatabase: schema,
        exp.SessionUser: user,
    }

    def replaced(node: Any) -> Any:
        for kind, text in texts.items():
            if isinstance(node, kind):
                return exp.Literal.string(text)
        if isinstance(node, exp.CurrentTimestamp):
            return exp.cast(exp.Literal.string(f"{date} {time}"), "TIMESTAMP")
        if isinstance(node, exp.CurrentDate):
            return exp.cast(exp.Literal.string(date), "DATE")
        if isinstance(node, exp.Anonymous) and node.name.lower() in ("user", "session_user"):
            return exp.Literal.string(user)
        return node

    return tree.transform(replaced)


def full_name(table: Any, catalog: str, schema: str) -> str:
    """`catalog.schema.table` of a table's node, in lower case."""
    return ".".join((table.catalog or catalog, table.db or schema, table.name)).lower()


def schema_name(node: Any, catalog: str) -> str:
    """`catalog.schema` of the node of a schema, in lower case."""
    return f"{node.catalog or catalog}.{node.db or node.name}".lower()
