"""HTTP handlers of storage and service credentials, external locations and connections.

They are records: nothing outside the emulator is validated.
"""

from typing import Any

from emulator.api.errors import ApiError, invalid
from emulator.api.routing import Request, Routes
from emulator.grants import access
from emulator.models.unity_catalog.securables import (
    CATALOG,
    CONNECTION,
    CREDENTIAL,
    EXTERNAL_LOCATION,
    STORAGE_CREDENTIAL,
    TABLE,
    VOLUME,
    Securable,
)
from emulator.unity_catalog import records
from emulator.unity_catalog.documents import described

routes = Routes()
BASE = "/api/2.1/unity-catalog"
_KEYS = (
    *("aws_iam_role", "azure_managed_identity", "azure_service_principal", "cloudflare_api_token"),
    "databricks_gcp_service_account",
)
_SECRETS = ("client_secret", "secret_access_key")
"""Fields of credentials that are not stored."""
_HIDDEN = (
    *("user", "password", "personalAccessToken", "access_token", "client_secret", "pem_private_key", "OAuthPvtKey"),
    *("GoogleServiceAccountKeyJson", "bearer_token"),
)
"""Options of connections that are not stored."""
_PLURALS = {
    STORAGE_CREDENTIAL: ("storage-credentials", "storage_credentials", "StorageCredential"),
    CREDENTIAL: ("credentials", "credentials", "Credential"),
    EXTERNAL_LOCATION: ("external-locations", "external_locations", "ExternalLocation"),
    CONNECTION: ("connections", "connections", "Connection"),
}
"""Type → path, field of the list, name in messages."""
_CREATE = {
    STORAGE_CREDENTIAL: "CREATE_STORAGE_CREDENTIAL",
    CREDENTIAL: "CREATE_SERVICE_CREDENTIAL",
    EXTERNAL_LOCATION: "CREATE_EXTERNAL_LOCATION",
    CONNECTION: "CREATE_CONNECTION",
}
_CHANGED = {
    STORAGE_CREDENTIAL: ("comment", "read_only", *_KEYS),
    CREDENTIAL: ("comment", "read_only", *_KEYS),
    EXTERNAL_LOCATION: (
        *("comment", "read_only", "url", "credential_name", "credential_id", "fallback", "enable_file_events"),
        "file_event_queue",
        "encryption_details",
    ),
    CONNECTION: ("comment", "options"),
}


def managed_location(request: Request, schema: Securable, folder: str, id: str) -> str:
    """Return the location of managed data, below the storage of the schema, catalog or metastore."""
    for one in access.lineage(request, schema):
        if one.details.get("storage_root"):
            return f"{one.details['storage_root'].rstrip('/')}/__unitystorage/schemas/{schema.id}/{folder}/{id}"
    root = access.unity_catalog(request).storage_root.rstrip("/")
    return f"{root}/{request.workspace.state.settings.metastore_id}/{folder}/{id}"


def require_location(request: Request, url: str, privilege: str) -> None:
    """Raise 404 if no external location contains the URL, and 403 without the privilege on it."""
    for location in access.unity_catalog(request).of_type(EXTERNAL_LOCATION):
        if _lies_in(url, location):
            access.require(request, location, privilege)
            return
    raise ApiError(404, "EXTERNAL_LOCATION_DOES_NOT_EXIST", f"No parent external location was found for path '{url}'.")


def _lies_in(url: str, location: Securable) -> bool:
    root = location.details["url"].rstrip("/")
    return url == root or url.startswith(f"{root}/")


def _register(type: str) -> None:
    path, plural, _ = _PLURALS[type]

    @routes.get(f"{BASE}/{path}")
    def list_all(request: Request) -> dict[str, Any]:
        found = access.unity_catalog(request).of_type(type)
        return records.page(request, plural, [one for one in found if access.is_bound(request, one)])

    @routes.post(f"{BASE}/{path}")
    def create(request: Request) -> dict[str, Any]:
        return _created(request, type)

    @routes.get(f"{BASE}/{path}/{{name}}")
    def show(request: Request) -> dict[str, Any]:
        return records.show(request, type, "name")

    @routes.patch(f"{BASE}/{path}/{{name}}")
    def change(request: Request) -> dict[str, Any]:
        return _changed(request, type)

    @routes.delete(f"{BASE}/{path}/{{name}}")
    def delete(request: Request) -> dict[str, Any]:
        return _deleted(request, type)


def _created(request: Request, type: str) -> dict[str, Any]:
    body, operation = request.body, f"Create{_PLURALS[type][2]}"
    access.unity_catalog(request)
    if type == CREDENTIAL and body.get("purpose") == "STORAGE":
        type = STORAGE_CREDENTIAL
    if not _may_create(request, type, body):
        raise access.refused_on_metastore(request, _CREATE[type])
    name = records.checked_name(body, type, operation)
    details = records.details(body, _CHANGED[type])
    match type:
        case "external_location":
            details["url"] = records.required(body, "url", operation).rstrip("/")
            credential = access.found(request, STORAGE_CREDENTIAL, records.required(body, "credential_name", operation))
            details |= {"credential_name": credential.name, "credential_id": credential.id}
            _check_apart(request, details["url"])
        case "connection":
            details["connection_type"] = records.required(body, "connection_type", operation)
            details |= _connection(body)
        case _:
            details |= _credential(request, body, name)
            if type == CREDENTIAL:
                details["purpose"] = "SERVICE"
    return described(request, records.make(request, type, name, details))


def _may_create(request: Request, type: str, body: records.Body) -> bool:
    """Return whether the caller may create it. Raises 403 without the privilege on the credential of a location."""
    if not access.may_on_metastore(request, _CREATE[type]):
        return False
    if type == EXTERNAL_LOCATION and body.get("credential_name"):
        credential = access.found(request, STORAGE_CREDENTIAL, records.text(body, "credential_name"))
        access.require(request, credential, "CREATE_EXTERNAL_LOCATION")
    return True


def _check_apart(request: Request, url: str, without: Securable | None = None) -> None:
    """Raise 400 if the URL overlaps with another location."""
    for one in access.unity_catalog(request).of_type(EXTERNAL_LOCATION):
        if one is not without and (_lies_in(url, one) or f"{one.details['url']}/".startswith(f"{url}/")):
            raise ApiError(
                400,
                "LOCATION_OVERLAP",
                f"Input path url '{url}' overlaps with other external locations within 'CreateExternalLocation' call. "
                f"Conflicting location: {one.full_name}.",
            )


def _credential(request: Request, body: records.Body, name: str) -> dict[str, Any]:
    """Return the key of a credential as in responses. Raises 400 unless there is exactly one."""
    given = [key for key in _KEYS if body.get(key) is not None]
    if len(given) != 1 or not isinstance(body[given[0]], dict):
        raise invalid(f"A credential has one of {', '.join(_KEYS)}.")
    key = given[0]
    value = {field: text for field, text in body[key].items() if field not in _SECRETS}
    ids = request.workspace.state.ids
    if key == "aws_iam_role":
        value |= {
            "external_id": ids.uuid("external", name),
            "unity_catalog_iam_arn": "arn:aws:iam::0:role/emulator",
        }
    elif key == "azure_managed_identity":
        value["credential_id"] = ids.uuid("managed identity", name)
    elif key == "databricks_gcp_service_account":
        value |= {
            "credential_id": ids.uuid("service account", name),
            "email": f"{name}@emulator.example",
        }
    return {key: value, "used_for_managed_storage": False}


def _connection(body: records.Body) -> dict[str, Any]:
    options = records.pairs(body, "options")
    host = options.get("host", "")
    shown = {name: value for name, value in options.items() if name not in _HIDDEN}
    return {
        "options": shown,
        "properties": records.pairs(body, "properties"),
        "credential_type": "USERNAME_PASSWORD" if "password" in options else "UNKNOWN_CREDENTIAL_TYPE",
        "url": f"jdbc://{host}:{options.get('port', '')}/" if host else "",
        "read_only": True,
        "provisioning_info": {"state": "ACTIVE"},
    }


def _changed(request: Request, type: str) -> dict[str, Any]:
    found = access.found(request, type, request.parameters["name"])
    access.require_manage(request, found)
    body = request.body
    if type == CONNECTION and "options" in body:
        body["options"] = _connection(body)["options"]
    if type in (STORAGE_CREDENTIAL, CREDENTIAL) and any(key in body for key in _KEYS):
        fresh = _credential(request, body, found.full_name)
        key = next(iter(fresh))
        kept = {field: value for field, value in (found.details.get(key) or {}).items() if field in fresh[key]}
        ids = ("external_id", "credential_id", "email", "unity_catalog_iam_arn")
        body[key] = fresh[key] | {field: value for field, value in kept.items() if field in ids}
    if type == EXTERNAL_LOCATION:
        body["credential_id"] = None
        for field in ("url", "credential_name"):
            # An empty one is as good as none.
            body[field] = records.text(body, field).rstrip("/") or None
    if type == EXTERNAL_LOCATION and body["url"]:
        _check_apart(request, body["url"], without=found)
    if type == EXTERNAL_LOCATION and body["credential_name"]:
        credential = access.found(request, STORAGE_CREDENTIAL, records.text(body, "credential_name"))
        body["credential_name"], body["credential_id"] = credential.name, credential.id
    before = found.full_name
    answer = records.change(request, found, _CHANGED[type], f"Update{_PLURALS[type][2]}")
    if type == STORAGE_CREDENTIAL and found.full_name != before:
        for location in access.unity_catalog(request).of_type(EXTERNAL_LOCATION):
            if location.details["credential_name"] == before:
                location.details["credential_name"] = found.full_name
    return answer


def _deleted(request: Request, type: str) -> dict[str, Any]:
    """Delete a securable. Raises 400 if others depend on it, unless `force` is true."""
    found = access.found(request, type, request.parameters["name"])
    access.require_manage(request, found)
    dependents = _dependents(request, found)
    if dependents and not request.flag("force"):
        raise ApiError(
            400,
            "INVALID_STATE",
            f"{access.noun(type)} '{found.full_name}' has {len(dependents)} dependent(s), such as "
            f"{access.noun(dependents[0].type)} '{dependents[0].full_name}'; use the force option to delete it anyway.",
        )
    records.drop(request, found)
    return {}


def _dependents(request: Request, found: Securable) -> list[Securable]:
    catalog = access.unity_catalog(request)
    match found.type:
        case "storage_credential":
            locations = catalog.of_type(EXTERNAL_LOCATION)
            return [one for one in locations if one.details["credential_name"] == found.full_name]
        case "external_location":
            held = [*catalog.of_type(VOLUME), *catalog.of_type(TABLE), *catalog.of_type(CATALOG)]
            places = ((one, one.details.get("storage_root") or one.details.get("storage_location", "")) for one in held)
            return [one for one, place in places if place and _lies_in(place, found)]
        case "connection":
            named = found.full_name
            return [one for one in catalog.of_type(CATALOG) if one.details.get("connection_name") == named]
    return []


for _type in _PLURALS:
    _register(_type)
