"""`/api/2.0/workspace-conf`: workspace options, as strings by key."""

import json
from typing import Any

from emulator.api.errors import ApiError, invalid
from emulator.api.routing import Request, Response, Routes
from emulator.permissions.rights import require_admin

BOOLEANS = frozenset(
    {
        "enable-X-Content-Type-Options",
        "enable-X-Frame-Options",
        "enable-X-XSS-Protection",
        "enableDatabricksAutologgingAdminConf",
        "enableDbfsFileBrowser",
        "enableDeprecatedClusterNamedInitScripts",
        "enableDeprecatedGlobalInitScripts",
        "enableEnforceImdsV2",
        "enableExportNotebook",
        "enableFileStoreEndpoint",
        "enableGp3",
        "enableHlsRuntime",
        "enableIpAccessLists",
        "enableJobViewAcls",
        "enableLibraryAndInitScriptOnSharedCluster",
        "enableNotebookTableClipboard",
        "enablePipelinesDataSample",
        "enableProjectTypeInWorkspace",
        "enableProjectsAllowList",
        "enableResultsDownloading",
        "enableTokensConfig",
        "enableUploadDataUis",
        "enableVerboseAuditLogs",
        "enableWebTerminal",
        "enableWorkspaceFilesystem",
        "enableX-Content-Type-Options",
        "enableX-Frame-Options",
        "enableX-XSS-Protection",
        "enforceClusterViewAcls",
        "enforceUserIsolation",
        "enforceWorkspaceViewAcls",
        "mlflowModelRegistryEmailNotificationsEnabled",
        "mlflowModelServingEndpointCreationEnabled",
        "mlflowRunArtifactDownloadEnabled",
        "storeInteractiveNotebookResultsInCustomerAccount",
    }
)
NUMBERS = frozenset({"maxTokenLifetimeDays", "maxUserInactiveDays"})
TEXTS = frozenset(
    {
        "customerApprovedWSLoginExpirationTime",
        "enableLegacyNotebookVisualizations",
        "projectsAllowList",
        "rStudioUserDefaultHomeBase",
        "reposIpynbResultsExportPermissions",
    }
)
KEYS = BOOLEANS | NUMBERS | TEXTS

routes = Routes()


@routes.get("/api/2.0/workspace-conf")
def show(request: Request) -> dict[str, Any]:
    """Return the values for the requested keys; null for a key that was never set."""
    require_admin(request)
    keys = [key.strip() for key in request.required_argument("keys").split(",")]
    _check_keys(keys)
    conf = request.workspace.state.settings.conf
    return {key: conf.get(key) for key in keys}


@routes.patch("/api/2.0/workspace-conf")
def change(request: Request) -> Response:
    """Set all values in the body, or none if one is invalid."""
    require_admin(request)
    values = {key: _text(value) for key, value in request.body.items()}
    _check_keys(list(values))
    refused = {key: value for key, value in values.items() if not _allowed(key, value)}
    if refused:
        raise invalid(f"Some values are not allowed: {json.dumps(refused, separators=(',', ':'), sort_keys=True)}")
    request.workspace.state.settings.conf |= values
    return Response(204)


def _check_keys(keys: list[str]) -> None:
    unknown = [key for key in keys if key not in KEYS]
    if unknown:
        # The provider parses the list in this message.
        raise ApiError(400, "BAD_REQUEST", f"Invalid keys: {json.dumps(unknown)}")


def _allowed(key: str, value: str) -> bool:
    if key in BOOLEANS:
        return value.lower() in ("true", "false")
    return key in TEXTS or (value.isdecimal() and value.isascii() and len(value) <= 5)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    raise invalid(f"A value of workspace-conf is text, not {value!r}.")
