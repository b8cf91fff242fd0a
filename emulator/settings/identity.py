"""What clients ask for before they know who they are: where this workspace is; and what they tell about themselves."""

from typing import Any

from emulator.api.routing import Request, Routes

routes = Routes()


@routes.get("/.well-known/databricks-config", public=True)
def show_host(request: Request) -> dict[str, Any]:
    """The host metadata. Constant for a URL: the CLI keeps it on disk."""
    return {
        "oidc_endpoint": f"{request.workspace.options.url}/oidc",
        # A number here makes the whole document fail to decode in Go.
        "workspace_id": request.workspace.state.workspace_id,
        "cloud": "Azure",
        "host_type": "workspace",
        "token_federation_default_oidc_audiences": [],
    }


@routes.post("/telemetry-ext")
def take_telemetry(request: Request) -> dict[str, Any]:
    """What the CLI reports about its use is counted and forgotten."""
    logs = request.body.get("protoLogs")
    return {"errors": None, "numProtoSuccess": len(logs) if isinstance(logs, list) else 0}
