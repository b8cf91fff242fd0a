"""HTTP of execution contexts and commands: `/api/1.2/*`, whose errors have a shape of their own."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from emulator.api.errors import ApiError, LegacyError
from emulator.api.routing import Call, Routes
from emulator.clusters import commands, lifecycle
from emulator.models.clusters import Cluster, Command, Context
from emulator.permissions.cluster_access import require_on

routes = Routes()


def _legacy(handler: Callable[[Call], dict[str, Any]]) -> Callable[[Call], dict[str, Any]]:
    """Answer refusals in the shape of API 1.2, the code in front of the message."""

    @wraps(handler)
    def handle(call: Call) -> dict[str, Any]:
        try:
            return handler(call)
        except LegacyError:
            raise
        except ApiError as error:
            raise LegacyError(error.status, f"{error.code}: {error.message}") from None

    return handle


@routes.post("/api/1.2/contexts/create")
@_legacy
def create_context(call: Call) -> dict[str, Any]:
    language = call.body.get("language") or "python"
    if language not in commands.LANGUAGES:
        raise LegacyError(400, f"Unsupported language: {language}; supported are {', '.join(commands.LANGUAGES)}")
    cluster = _cluster(call)
    if not cluster.allows("notebooks"):
        raise LegacyError(400, f"Cluster {cluster.cluster_id} does not allow notebooks workloads (workload_type).")
    lifecycle.wake(call.workspace, cluster, call.caller, call.now)
    return {"id": commands.open_context(call.workspace, cluster, language, call.caller.name).context_id}


@routes.get("/api/1.2/contexts/status")
@_legacy
def context_status(call: Call) -> dict[str, Any]:
    context = _context(call)
    return {"id": context.context_id, "status": context.status}


@routes.post("/api/1.2/contexts/destroy")
@_legacy
def destroy_context(call: Call) -> dict[str, Any]:
    context = _context(call)
    commands.close_context(call.workspace, context)
    return {"id": context.context_id}


@routes.post("/api/1.2/commands/execute")
@_legacy
def execute(call: Call) -> dict[str, Any]:
    context, cluster = _context(call), _cluster(call)
    if context.status == "Error":
        raise LegacyError(400, f"ContextNotFoundException: Context {context.context_id} ended with its cluster")
    lifecycle.wake(call.workspace, cluster, call.caller, call.now)
    command = commands.execute(call.workspace, cluster, context, str(call.body.get("command") or ""), call.now)
    return {"id": command.command_id}


@routes.get("/api/1.2/commands/status")
@_legacy
def command_status(call: Call) -> dict[str, Any]:
    command = _command(call)
    results: dict[str, Any] | None = None
    if command.status == "Finished":
        results = {"resultType": "text", "data": ""}
    elif command.status == "Error":
        text = f"Cluster {command.cluster_id} was terminated or restarted while the command ran."
        results = {"resultType": "error", "summary": text, "cause": text}
    return {"id": command.command_id, "status": command.status, "results": results}


@routes.post("/api/1.2/commands/cancel")
@_legacy
def cancel(call: Call) -> dict[str, Any]:
    command = _command(call)
    commands.cancel(call.workspace, command)
    return {"id": command.command_id}


def _named(call: Call, name: str) -> str:
    value = call.argument(name) if call.method == "GET" else call.body.get(name)
    if not value:
        raise LegacyError(400, f"Missing required field: {name}")
    return str(value)


def _cluster(call: Call) -> Cluster:
    cluster_id = _named(call, "clusterId")
    cluster = call.workspace.state.clusters.by_id.get(cluster_id)
    if cluster is None:
        raise LegacyError(404, f"ClusterNotFoundException: Cluster not found: {cluster_id}")
    return cluster


def _context(call: Call) -> Context:
    """Raises 403 for somebody who may no longer attach to the cluster."""
    cluster, context_id = _cluster(call), _named(call, "contextId")
    context = call.workspace.state.clusters.contexts.get(context_id)
    if context is None or context.cluster_id != cluster.cluster_id:
        raise LegacyError(404, f"ContextNotFoundException: Context not found: {context_id}")
    require_on(call, cluster.cluster_id, "CAN_ATTACH_TO")
    return context


def _command(call: Call) -> Command:
    context, command_id = _context(call), _named(call, "commandId")
    command = call.workspace.state.clusters.commands.get(command_id)
    if command is None or command.context_id != context.context_id:
        raise LegacyError(404, f"CommandNotFoundException: Command not found: {command_id}")
    return command
