"""HTTP handlers for execution contexts and commands: `/api/1.2/*`, which has its own error format."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from emulator.api.errors import ApiError, LegacyError
from emulator.api.routing import Request, Routes
from emulator.clusters import commands, lifecycle
from emulator.models.clusters import Cluster, Command, ExecutionContext
from emulator.permissions.cluster_access import require_cluster_permission

routes = Routes()


def _legacy_errors(handler: Callable[[Request], dict[str, Any]]) -> Callable[[Request], dict[str, Any]]:
    """Convert errors to the format of API 1.2, with the code before the message."""

    @wraps(handler)
    def handle(request: Request) -> dict[str, Any]:
        try:
            return handler(request)
        except LegacyError:
            raise
        except ApiError as error:
            raise LegacyError(error.status, f"{error.code}: {error.message}") from None

    return handle


@routes.post("/api/1.2/contexts/create")
@_legacy_errors
def create_context(request: Request) -> dict[str, Any]:
    language = request.body.get("language") or "python"
    if language not in commands.LANGUAGES:
        raise LegacyError(400, f"Unsupported language: {language}; supported are {', '.join(commands.LANGUAGES)}")
    cluster = _cluster(request)
    if not cluster.allows("notebooks"):
        raise LegacyError(400, f"Cluster {cluster.cluster_id} does not allow notebooks workloads (workload_type).")
    lifecycle.ensure_started(request.workspace, cluster, request.caller, request.now)
    return {"id": commands.open_context(request.workspace, cluster, language, request.caller.name).context_id}


@routes.get("/api/1.2/contexts/status")
@_legacy_errors
def context_status(request: Request) -> dict[str, Any]:
    context = _context(request)
    return {"id": context.context_id, "status": context.status}


@routes.post("/api/1.2/contexts/destroy")
@_legacy_errors
def destroy_context(request: Request) -> dict[str, Any]:
    context = _context(request)
    commands.close_context(request.workspace, context)
    return {"id": context.context_id}


@routes.post("/api/1.2/commands/execute")
@_legacy_errors
def execute(request: Request) -> dict[str, Any]:
    if not request.body.get("contextId"):
        # The platform checks this before the cluster.
        raise LegacyError(400, "IllegalArgumentException: requirement failed: missing contextId")
    context, cluster = _context(request), _cluster(request)
    if context.status == "Error":
        raise LegacyError(400, f"ContextNotFoundException: Context {context.context_id} ended with its cluster")
    lifecycle.ensure_started(request.workspace, cluster, request.caller, request.now)
    command = commands.execute(request.workspace, cluster, context, str(request.body.get("command") or ""), request.now)
    return {"id": command.command_id}


@routes.get("/api/1.2/commands/status")
@_legacy_errors
def command_status(request: Request) -> dict[str, Any]:
    command = _command(request)
    results: dict[str, Any] | None = None
    if command.status == "Finished":
        results = command.results or {"resultType": "text", "data": ""}
    elif command.status == "Error":
        text = f"Cluster {command.cluster_id} was terminated or restarted while the command ran."
        results = {"resultType": "error", "summary": text, "cause": text}
    return {"id": command.command_id, "status": command.status, "results": results}


@routes.post("/api/1.2/commands/cancel")
@_legacy_errors
def cancel(request: Request) -> dict[str, Any]:
    command = _command(request)
    commands.cancel(request.workspace, command)
    return {"id": command.command_id}


def _required_field(request: Request, name: str) -> str:
    value = request.argument(name) if request.method == "GET" else request.body.get(name)
    if not value:
        raise LegacyError(400, f"Missing required field: {name}")
    return str(value)


def _cluster(request: Request) -> Cluster:
    cluster_id = _required_field(request, "clusterId")
    cluster = request.workspace.state.clusters.by_id.get(cluster_id)
    if cluster is None:
        raise LegacyError(404, f"ClusterNotFoundException: Cluster not found: {cluster_id}")
    return cluster


def _context(request: Request) -> ExecutionContext:
    """Return the context. Raises 404 if it is unknown, 403 if the caller may no longer attach to the cluster."""
    cluster, context_id = _cluster(request), _required_field(request, "contextId")
    context = request.workspace.state.clusters.contexts.get(context_id)
    if context is None or context.cluster_id != cluster.cluster_id:
        raise LegacyError(404, f"ContextNotFoundException: Context not found: {context_id}")
    require_cluster_permission(request, cluster.cluster_id, "CAN_ATTACH_TO")
    return context


def _command(request: Request) -> Command:
    context, command_id = _context(request), _required_field(request, "commandId")
    command = request.workspace.state.clusters.commands.get(command_id)
    if command is None or command.context_id != context.context_id:
        raise LegacyError(404, f"CommandNotFoundException: Command not found: {command_id}")
    return command
