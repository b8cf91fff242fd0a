"""Queries: they wait for their warehouse, run and end. All of them are in the query history."""

from emulator.base.clock import Millis
from emulator.base.scheduler import task_handler
from emulator.metering.makeup import begin_serverless, end_serverless
from emulator.models.jobs import TASK_OVER
from emulator.models.scim import ServicePrincipal, User
from emulator.models.warehouses import Query, QueryStatus, Warehouse
from emulator.state.workspace import EmulatedWorkspace

ENDS = "queries.end"
EXECUTE = "statements.execute"


def submit(
    workspace: EmulatedWorkspace,
    warehouse: Warehouse | None,
    user: User | ServicePrincipal,
    text: str,
    duration: Millis,
    at: Millis,
    *,
    type: str = "SELECT",
    client: str = "",
    is_executed: bool = False,
    task_run_id: int | None = None,
) -> Query:
    """Submit a query of the user; it begins now, or when its warehouse runs. Without a warehouse it is serverless.

    The permissions of the user are not checked, and the warehouse is not started.
    """
    query = Query(
        id=workspace.state.ids.uuid("query", user.id),
        user_id=user.id,
        user_name=user.name,
        text=text,
        type=type,
        warehouse_id=warehouse.id if warehouse else None,
        submitted_at=at,
        duration=duration,
        client=client,
        is_executed=is_executed,
        task_run_id=task_run_id,
    )
    workspace.state.warehouses.add_query(query)
    if warehouse is None or warehouse.state == "RUNNING":
        _begin(workspace, query, at)
    return query


def cancel(workspace: EmulatedWorkspace, query: Query, at: Millis) -> None:
    """Cancel the query; do nothing if it has ended."""
    if not query.is_over:
        _close(workspace, query, "CANCELED", at)


def fail(workspace: EmulatedWorkspace, query: Query, message: str, at: Millis) -> None:
    """End the query as failed; do nothing if it has ended."""
    if not query.is_over:
        query.error = message
        _close(workspace, query, "FAILED", at)


def on_running(workspace: EmulatedWorkspace, warehouse: Warehouse, at: Millis) -> None:
    """Begin the queries that waited for the warehouse."""
    for query in _open_queries(workspace, warehouse):
        if query.status == "QUEUED":
            _begin(workspace, query, at)


def on_stopped(workspace: EmulatedWorkspace, warehouse: Warehouse, at: Millis, reason: str) -> None:
    """End all queries on the warehouse as failed for this reason, also those that wait."""
    for query in _open_queries(workspace, warehouse):
        fail(workspace, query, reason, at)


def running(workspace: EmulatedWorkspace, warehouse: Warehouse) -> int:
    """Return the number of queries that run on the warehouse."""
    return sum(query.status == "RUNNING" for query in _open_queries(workspace, warehouse))


def _open_queries(workspace: EmulatedWorkspace, warehouse: Warehouse) -> list[Query]:
    warehouses = workspace.state.warehouses
    found = (warehouses.queries[query_id] for query_id in warehouses.open_queries)
    return [query for query in found if query.warehouse_id == warehouse.id]


def _begin(workspace: EmulatedWorkspace, query: Query, at: Millis) -> None:
    query.status, query.began_at = "RUNNING", at
    warehouse = workspace.state.warehouses.by_id.get(query.warehouse_id or "")
    if warehouse:
        warehouse.busy_until = max(warehouse.busy_until, at + query.duration)
    if query.warehouse_id is None:
        begin_serverless(workspace.state.billing, query, at)
    if query.is_executed:
        workspace.state.scheduler.schedule(at, EXECUTE, query_id=query.id)
    workspace.state.scheduler.schedule(at + query.duration, ENDS, query_id=query.id)


def _close(workspace: EmulatedWorkspace, query: Query, status: QueryStatus, at: Millis) -> None:
    if status != "FINISHED" and query.began_at is not None:
        # Only these have tasks in the scheduler, and looking for them takes as long as it has tasks.
        for kind in (ENDS, EXECUTE):
            workspace.state.scheduler.cancel(kind, query_id=query.id)
    workspace.state.warehouses.open_queries.remove(query.id)
    query.status, query.ended_at = status, at
    end_serverless(workspace.state.billing, query, at)
    if query.task_run_id is not None:
        workspace.state.scheduler.schedule(at, TASK_OVER, task_run_id=query.task_run_id)


@task_handler(ENDS)
def end(workspace: EmulatedWorkspace, at: Millis, *, query_id: str) -> None:
    """End the query as finished."""
    _close(workspace, workspace.state.warehouses.queries[query_id], "FINISHED", at)
