"""HTTP handlers of quality monitors of tables, as records: metrics are not computed, and nothing refreshes them."""

from typing import Any

from emulator.api.errors import ApiError, exists, invalid
from emulator.api.routing import Request, Routes
from emulator.grants import access
from emulator.models.unity_catalog.metastore import Monitor
from emulator.models.unity_catalog.securables import SCHEMA, TABLE, Securable
from emulator.unity_catalog import records

routes = Routes()
PATH = "/api/2.1/unity-catalog/tables/{full_name}/monitor"
KINDS = ("snapshot", "time_series", "inference_log")
_OBJECTS = (*KINDS, "schedule", "notifications", "data_classification_config")
_LISTS = ("custom_metrics", "slicing_exprs")
_TEXTS = ("baseline_table_name",)


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    """Create the monitor of a table, which is pending for one transition."""
    table = _table(request)
    monitors = access.unity_catalog(request).monitors
    if table.id in monitors:
        raise exists(f"Monitor for table '{table.full_name}' already exists")
    directory = records.required(request.body, "assets_dir", "CreateMonitor")
    settings = {"assets_dir": directory, **_settings(request, "CreateMonitor")}
    active_at = request.now + int(request.workspace.options.transition_seconds * 1000)
    monitors[table.id] = Monitor(settings=settings, active_at=active_at)
    return _info(request, table, monitors[table.id])


@routes.get(PATH)
def show(request: Request) -> dict[str, Any]:
    table = access.found(request, TABLE, request.parameters["full_name"])
    access.require(request, table, "SELECT")
    return _info(request, table, _monitor(request, table))


@routes.put(PATH)
def update(request: Request) -> dict[str, Any]:
    """Replace the settings except for `assets_dir`."""
    table = _table(request)
    monitor = _monitor(request, table)
    directory = monitor.settings["assets_dir"]
    monitor.settings = {"assets_dir": directory, **_settings(request, "UpdateMonitor")}
    monitor.version += 1
    return _info(request, table, monitor)


@routes.delete(PATH)
def delete(request: Request) -> dict[str, Any]:
    table = _table(request)
    _monitor(request, table)
    del access.unity_catalog(request).monitors[table.id]
    return {}


def _table(request: Request) -> Securable:
    """Return the table. Raises 404 if it does not exist, 403 unless the caller reads and manages it."""
    table = access.found(request, TABLE, request.parameters["full_name"])
    access.require(request, table, "SELECT")
    access.require_manage(request, table)
    return table


def _monitor(request: Request, table: Securable) -> Monitor:
    found = access.unity_catalog(request).monitors.get(table.id)
    if found is None:
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Monitor for table '{table.full_name}' does not exist.")
    return found


def _settings(request: Request, operation: str) -> dict[str, Any]:
    """Return the settings that the request sets. Raises 400 for invalid ones, 404 for an unknown output schema."""
    body = request.body
    found: dict[str, Any] = {}
    for fields, kind, noun in ((_OBJECTS, dict, "an object"), (_LISTS, list, "a list"), (_TEXTS, str, "a string")):
        for field in fields:
            value = body.get(field)
            if value is not None and not isinstance(value, kind):
                raise invalid(f"{field} must be {noun}")
            found |= {} if value is None else {field: value}
    if len(found.keys() & set(KINDS)) != 1:
        raise invalid(f"{operation} Exactly one of {', '.join(KINDS)} must be given")
    if "schedule" in found:
        found["schedule"] = {"pause_status": "UNPAUSED", **found["schedule"]}
    schema = access.found(request, SCHEMA, records.required(body, "output_schema_name", operation))
    access.require(request, schema, "USE_SCHEMA")
    return {"output_schema_name": schema.full_name, **found}


def _info(request: Request, table: Securable, monitor: Monitor) -> dict[str, Any]:
    metrics = f"{monitor.settings['output_schema_name']}.{table.name}"
    return monitor.settings | {
        "table_name": table.full_name,
        "status": "MONITOR_STATUS_ACTIVE" if request.now >= monitor.active_at else "MONITOR_STATUS_PENDING",
        "monitor_version": monitor.version,
        "profile_metrics_table_name": f"{metrics}_profile_metrics",
        "drift_metrics_table_name": f"{metrics}_drift_metrics",
    }
