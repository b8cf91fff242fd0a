"""Endpoints that clients call without authentication or automatically: host metadata and telemetry."""

from typing import Any

from emulator.api.routing import Request, Routes

routes = Routes()


@routes.get("/.well-known/databricks-config", public=True)
def show_host(request: Request) -> dict[str, Any]:
    """Return the host metadata. It is constant for a URL, because the CLI caches it on disk."""
    return {
        "oidc_endpoint": f"{request.workspace.options.url}/oidc",
        # This must not be a number, or Go clients cannot decode the document.
        "workspace_id": request.workspace.state.workspace_id,
        "account_id": request.workspace.account_id,
        "cloud": "Azure",
        "host_type": "workspace",
        "token_federation_default_oidc_audiences": [],
    }


@routes.post("/telemetry-ext")
def take_telemetry(request: Request) -> dict[str, Any]:
    """Accept usage reports from the CLI, and return their number."""
    logs = request.body.get("protoLogs")
    return {"errors": [], "numProtoSuccess": len(logs) if isinstance(logs, list) else 0}
