"""HTTP handlers of `catalogs`."""

from typing import Any

from emulator.api.errors import ApiError, invalid
from emulator.api.routing import Request, Routes
from emulator.grants import access
from emulator.grants.privileges import CREATE_CATALOG
from emulator.models.unity_catalog.securables import CATALOG, CONNECTION, SCHEMA, SYSTEM, Securable
from emulator.unity_catalog import records
from emulator.unity_catalog.documents import described

routes = Routes()
PATH = "/api/2.1/unity-catalog/catalogs"
DEFAULT, INFORMATION = "default", "information_schema"
"""Names of the initial schemas of a catalog."""
DEFAULT_PROPERTIES = {
    "unity.catalog.managed.delta.defaults.delta.enableRowTracking": "true",
    "unity.catalog.managed.iceberg.defaults.delta.feature.catalogManaged": "true",
    "unity.catalog.managed.delta.defaults.defaultClusterByAuto": "true",
    "unity.catalog.managed.delta.defaults.delta.checkpointPolicy": "v2",
    "unity.catalog.managed.delta.defaults.delta.parquet.format.version": "2.12.0",
    "unity.catalog.managed.delta.defaults.delta.parquet.format.version.afe.internal": "2.12.0",
    "unity.catalog.managed.delta.defaults.delta.feature.catalogManaged": "supported",
}
"""Properties in some accounts of catalogs and schemas that are created without properties."""
NO_STORAGE = (
    "Metastore storage root URL does not exist. Default Storage is enabled in your account. You can use the UI to "
    "create a new catalog using Default Storage, or please provide a storage location for the catalog (for example "
    "'CREATE CATALOG myCatalog MANAGED LOCATION '<location-path>')."
)
_SENT = ("comment", "storage_root", "connection_name", "provider_name", "share_name")


@routes.get(PATH)
def list_catalogs(request: Request) -> dict[str, Any]:
    """Return the catalogs that the workspace may use and the caller may see."""
    found = access.unity_catalog(request).of_type(CATALOG)
    return records.page(request, "catalogs", [one for one in found if access.is_bound(request, one)])


@routes.post(PATH)
def create(request: Request) -> dict[str, Any]:
    """Create a catalog with its initial schemas."""
    body = request.body
    catalog = access.unity_catalog(request)
    access.require_on_metastore(request, CREATE_CATALOG)
    name = records.checked_name(body, CATALOG, "CreateCatalog")
    details: dict[str, Any] = {field: records.text(body, field) for field in _SENT}
    details["options"] = records.pairs(body, "options")
    details["properties"] = default_properties(request, records.pairs(body, "properties"))
    details["catalog_type"] = _kind(request, details)
    if details["catalog_type"] == "MANAGED_CATALOG" and not details["storage_root"] and not catalog.storage_root:
        raise ApiError(400, "INVALID_STATE", NO_STORAGE)
    made = records.make(request, CATALOG, name, details)
    root = details["storage_root"] or catalog.storage_root
    if details["catalog_type"] == "MANAGED_CATALOG" and details["storage_root"]:
        made.details["storage_location"] = f"{root.rstrip('/')}/__unitystorage/catalogs/{made.id}"
    _make_initial_schemas(request, made, with_default=details["catalog_type"] == "MANAGED_CATALOG")
    return described(request, made)


@routes.get(PATH + "/{name}")
def show(request: Request) -> dict[str, Any]:
    return records.show(request, CATALOG, "name")


@routes.patch(PATH + "/{name}")
def change(request: Request) -> dict[str, Any]:
    """Change a catalog. New options are merged into the old ones."""
    catalog = access.found(request, CATALOG, request.parameters["name"])
    options = catalog.details.get("options") or {}
    if "options" in request.body:
        request.body["options"] = options | records.pairs(request.body, "options")
    return records.change(
        request, catalog, ("comment", "properties", "options", "enable_predictive_optimization"), "UpdateCatalog"
    )


@routes.delete(PATH + "/{name}")
def delete(request: Request) -> dict[str, Any]:
    """Delete a catalog. Raises 400 if it has schemas other than `information_schema`, unless `force` is true."""
    catalog = access.found(request, CATALOG, request.parameters["name"])
    access.require_manage(request, catalog)
    schemas = access.unity_catalog(request).children(SCHEMA, catalog.full_name)
    left = [one for one in schemas if one.name != INFORMATION]
    if left and not request.flag("force"):
        raise ApiError(
            400,
            "INVALID_STATE",
            f"Catalog '{catalog.full_name}' is not empty. The catalog has {len(left)} schema(s)",
        )
    records.drop(request, catalog)
    return {}


def _make_initial_schemas(request: Request, catalog: Securable, *, with_default: bool) -> None:
    """Create the initial schemas of a catalog."""
    if with_default:
        records.make(request, SCHEMA, f"{catalog.full_name}.{DEFAULT}", {}, owner=catalog.owner)
    records.make(request, SCHEMA, f"{catalog.full_name}.{INFORMATION}", {}, owner=SYSTEM)


def default_properties(request: Request, given: dict[str, str]) -> dict[str, str]:
    """Return the given properties, or else the default ones of the account."""
    return given or (dict(DEFAULT_PROPERTIES) if access.unity_catalog(request).default_properties else {})


def _kind(request: Request, details: dict[str, Any]) -> str:
    """Return the catalog type. Raises 404 for a connection that does not exist."""
    if details["connection_name"]:
        access.found(request, CONNECTION, details["connection_name"])
        return "FOREIGN_CATALOG"
    if details["share_name"] or details["provider_name"]:
        raise invalid("The emulator has no Delta Sharing: a catalog of a share cannot be made.")
    return "MANAGED_CATALOG"
