"""What clients ask for before they know who they are: where this workspace is; and what they tell about themselves."""

from typing import Any

from emulator.api.routing import Call, Routes

routes = Routes()


@routes.get("/.well-known/databricks-config", open=True)
def show_host(call: Call) -> dict[str, Any]:
    """The host metadata. Constant for a URL: the CLI keeps it on disk."""
    return {
        "oidc_endpoint": f"{call.workspace.options.url}/oidc",
        # A number here makes the whole document fail to decode in Go.
        "workspace_id": call.workspace.state.workspace_id,
        "cloud": "Azure",
        "host_type": "workspace",
        "token_federation_default_oidc_audiences": [],
    }


@routes.post("/telemetry-ext")
def take_telemetry(call: Call) -> dict[str, Any]:
    """What the CLI reports about its use is counted and forgotten."""
    logs = call.body.get("protoLogs")
    return {"errors": None, "numProtoSuccess": len(logs) if isinstance(logs, list) else 0}
