"""Executing statements: at the instant at which their query begins, as the user who submitted them."""

import logging
from collections.abc import Callable
from typing import Any

from emulator.api.errors import ApiError
from emulator.base.clock import Millis
from emulator.base.scheduler import task_handler
from emulator.models.clusters import SQL_COMMAND
from emulator.models.scim import ServicePrincipal, User
from emulator.models.sql.statements import Row, Statement
from emulator.models.warehouses import Query, Warehouse
from emulator.state.workspace import EmulatedWorkspace
from emulator.statements import alterations, changes, definitions, listings, parsing
from emulator.statements.engine import Relation
from emulator.statements.errors import StatementError, failed, unsupported
from emulator.statements.parsing import sqlglot
from emulator.statements.session import SqlSession, is_query
from emulator.warehouses import queries

log = logging.getLogger("emulator")

CLOSE = "statements.close"
FORGET = "statements.forget"
CLOSED_AFTER = 60 * 60 * 1000
"""Milliseconds after the end of a statement for which its result can be fetched."""
FORGOTTEN_AFTER = 12 * 60 * 60 * 1000
"""Milliseconds after the end of a statement for which its state can be read."""
MAX_RESULT_BYTES = 25 * 2**20
"""Bytes of a result that is returned inline."""
DEFAULT_SCHEMA = "default"


def submit(
    workspace: EmulatedWorkspace,
    warehouse: Warehouse,
    user: User | ServicePrincipal,
    statement: Statement,
    at: Millis,
    client: str,
) -> Query:
    """Submit a statement, whose id becomes that of its query. It is executed when its warehouse runs."""
    query = queries.submit(
        workspace,
        warehouse,
        user,
        statement.text,
        0,
        at,
        type=statement_type(statement.text),
        client=client,
        is_executed=True,
    )
    statement.id = query.id
    workspace.state.statements.by_id[query.id] = statement
    return query


def statement_type(text: str) -> str:
    """The type of a statement in the query history, from its first word."""
    word = text.strip().partition(" ")[0].upper().strip("(")
    words = {"WITH": "SELECT", "VALUES": "SELECT", "DESC": "DESCRIBE"}
    known = "ALTER ANALYZE COPY CREATE DELETE DESCRIBE DROP EXPLAIN GRANT INSERT MERGE OPTIMIZE REFRESH REPLACE REVOKE"
    word = words.get(word, word)
    return word if word in (*known.split(), "SELECT", "SET", "SHOW", "TRUNCATE", "UPDATE", "USE") else "OTHER"


@task_handler(queries.EXECUTE)
def execute(workspace: EmulatedWorkspace, at: Millis, *, query_id: str) -> None:
    """Execute the statement of a query; store its result, or fail the query."""
    statement = workspace.state.statements.by_id[query_id]
    query = workspace.state.warehouses.queries[query_id]
    try:
        result = _result(workspace, query, statement, at)
        _store(statement, result)
        query.rows = len(statement.rows)
    except StatementError as error:
        statement.error = str(error)
        queries.fail(workspace, query, str(error), at)
    except Exception as error:  # noqa: BLE001 - a statement that the engine cannot cope with fails alone
        log.exception("statement %s", query_id)
        statement.error = str(unsupported(f"this statement ({type(error).__name__})"))
        queries.fail(workspace, query, statement.error, at)
    workspace.state.scheduler.schedule(at + CLOSED_AFTER, CLOSE, statement_id=query_id)
    workspace.state.scheduler.schedule(at + FORGOTTEN_AFTER, FORGET, statement_id=query_id)


@task_handler(CLOSE)
def close(workspace: EmulatedWorkspace, at: Millis, *, statement_id: str) -> None:
    """Drop the result of a statement."""
    statement = workspace.state.statements.by_id[statement_id]
    statement.rows, statement.closed = [], True


@task_handler(FORGET)
def forget(workspace: EmulatedWorkspace, at: Millis, *, statement_id: str) -> None:
    """Drop a statement; its query stays in the history."""
    workspace.state.statements.by_id.pop(statement_id, None)


@task_handler(SQL_COMMAND)
def run_command(workspace: EmulatedWorkspace, at: Millis, *, command_id: str) -> None:
    """Execute a command in SQL on a cluster, as the user of its context, and finish it."""
    clusters = workspace.state.clusters
    command = clusters.commands.get(command_id)
    context = clusters.contexts.get(command.context_id) if command else None
    if command is None or context is None or command.status != "Running":
        return
    command.status = "Finished"
    try:
        session = _session(workspace, context.user, None, DEFAULT_SCHEMA, at)
        command.results = _table(_executed(session, command.text, []))
    except StatementError as error:
        command.results = _error(str(error))
    except Exception as error:  # noqa: BLE001 - a command that the engine cannot cope with fails alone
        log.exception("command %s", command_id)
        command.results = _error(str(unsupported(f"this statement ({type(error).__name__})")))


def _table(result: Relation) -> dict[str, Any]:
    """A result as API 1.2 shows it."""
    schema = [{"name": one.name, "type": f'"{one.type.lower()}"', "metadata": "{}"} for one in result.columns]
    data = [list(row) for row in result.rows]
    return {"resultType": "table", "data": data, "schema": schema, "truncated": False, "isJsonSchema": True, "pos": 1}


def _error(message: str) -> dict[str, Any]:
    return {"resultType": "error", "summary": message, "cause": message}


def _result(workspace: EmulatedWorkspace, query: Query, statement: Statement, at: Millis) -> Relation:
    session = _session(workspace, query.user_name, statement.catalog, statement.schema, at)
    return _executed(session, statement.text, statement.parameters)


def _session(workspace: EmulatedWorkspace, name: str, catalog: str | None, schema: str, at: Millis) -> SqlSession:
    directory = workspace.state.directory
    user = directory.find_user(name) or directory.find_service_principal(name)
    if user is None:
        raise failed("PRINCIPAL_DOES_NOT_EXIST", f"The user {name} does not exist.", "42704")
    default = workspace.state.unity_catalog.default_catalog
    return SqlSession(workspace, user, (catalog or default).lower(), schema.lower(), at)


def _executed(session: SqlSession, text: str, parameters: list[dict[str, Any]]) -> Relation:
    tree, session.text = parsing.parse(text, parameters), text
    try:
        return carry_out(session, tree)
    except ApiError as error:
        raise StatementError(error.message) from None


def carry_out(session: SqlSession, tree: Any) -> Relation:
    """The result of one statement. Raises StatementError where it fails."""
    exp = sqlglot.exp
    if is_query(tree):
        return session.run(tree)
    if listings.is_show(tree):
        return listings.show(session, tree.expression.name if tree.expression else "")
    if isinstance(tree, exp.Describe):
        if not isinstance(tree.this, exp.Table):
            raise unsupported("DESCRIBE of this form")
        return listings.describe(session, tree.this)
    if isinstance(tree, exp.Use | exp.Set):
        # There is no session that lasts longer than a statement.
        return definitions.NOTHING
    carriers: dict[Any, Callable[[SqlSession, Any], Relation]] = {
        exp.Insert: changes.insert,
        exp.Delete: changes.delete,
        exp.Update: changes.update,
        exp.TruncateTable: changes.truncate,
        exp.Create: definitions.create,
        exp.Drop: definitions.drop,
        exp.Alter: alterations.alter,
        exp.Comment: alterations.comment,
        exp.Grant: definitions.grant,
        exp.Revoke: definitions.grant,
    }
    carrier = carriers.get(type(tree))
    if carrier is None:
        word = str(tree.this) if isinstance(tree, exp.Command) else tree.key
        raise unsupported(f"the statement {word.upper()}")
    return carrier(session, tree)


def _store(statement: Statement, result: Relation) -> None:
    """Keep the result, as long as the limits of the request allow. Raises StatementError for one that is too large."""
    rows = list(result.rows)
    if statement.row_limit is not None and len(rows) > statement.row_limit:
        rows, statement.truncated = rows[: statement.row_limit], True
    kept: list[Row] = []
    size = 0
    for row in rows:
        size += sum(len(value or "null") + 3 for value in row) + 2
        if statement.byte_limit is not None and size > statement.byte_limit:
            statement.truncated = True
            break
        if size > MAX_RESULT_BYTES:
            raise StatementError(
                f"Inline byte limit exceeded. Statements executed with disposition=INLINE can have a result size of at "
                f"most {MAX_RESULT_BYTES} bytes. Please execute the statement with disposition=EXTERNAL_LINKS if you "
                "want to download the full result."
            )
        kept.append(row)
    statement.columns, statement.rows = list(result.columns), kept
