"""Statements as the API shows them: state, manifest, and a result in chunks."""

from typing import Any

from emulator.models.sql.statements import Statement, StatementState
from emulator.models.warehouses import Query
from emulator.statements.values import column_document

CHUNK_ROWS = 1000
STATES: dict[str, StatementState] = {
    "QUEUED": "PENDING",
    "RUNNING": "RUNNING",
    "FINISHED": "SUCCEEDED",
    "FAILED": "FAILED",
    "CANCELED": "CANCELED",
}


def state_of(statement: Statement, query: Query) -> StatementState:
    """The state of a statement, which is CLOSED once its result is dropped."""
    state = STATES[query.status]
    return "CLOSED" if statement.closed and state == "SUCCEEDED" else state


def statement_document(statement: Statement, query: Query) -> dict[str, Any]:
    """The state, and of a statement that succeeded the manifest and the first chunk."""
    state = state_of(statement, query)
    status: dict[str, Any] = {"state": state}
    if state == "FAILED":
        status["error"] = {"error_code": "BAD_REQUEST", "message": query.error or statement.error or ""}
    document: dict[str, Any] = {"statement_id": statement.id, "status": status}
    if state != "SUCCEEDED":
        return document
    return document | {"manifest": _manifest(statement), "result": chunk_document(statement, 0)}


def chunk_document(statement: Statement, index: int) -> dict[str, Any]:
    """The rows of one chunk, and the way to the next one if there is one."""
    start = index * CHUNK_ROWS
    rows = statement.rows[start : start + CHUNK_ROWS]
    document: dict[str, Any] = {
        "chunk_index": index,
        "row_offset": start,
        "row_count": len(rows),
        "data_array": rows,
    }
    if start + CHUNK_ROWS < len(statement.rows):
        link = f"/api/2.0/sql/statements/{statement.id}/result/chunks/{index + 1}?row_offset={start + CHUNK_ROWS}"
        document |= {"next_chunk_index": index + 1, "next_chunk_internal_link": link}
    return document


def chunk_count(statement: Statement) -> int:
    """The number of chunks; 0 for a result without rows."""
    return -(-len(statement.rows) // CHUNK_ROWS)


def _manifest(statement: Statement) -> dict[str, Any]:
    total = len(statement.rows)
    return {
        "format": "JSON_ARRAY",
        "schema": {
            "column_count": len(statement.columns),
            "columns": [column_document(column, place) for place, column in enumerate(statement.columns)],
        },
        "total_chunk_count": chunk_count(statement),
        "chunks": [
            {
                "chunk_index": index,
                "row_offset": index * CHUNK_ROWS,
                "row_count": min(CHUNK_ROWS, total - index * CHUNK_ROWS),
            }
            for index in range(chunk_count(statement))
        ],
        "total_row_count": total,
        "truncated": statement.truncated,
    }
