"""The privileges that apply to each type of securable, and what they include. Pure."""

from collections.abc import Mapping

from emulator.models.unity_catalog.securables import (
    CATALOG,
    CONNECTION,
    CREDENTIAL,
    EXTERNAL_LOCATION,
    FUNCTION,
    METASTORE,
    SCHEMA,
    STORAGE_CREDENTIAL,
    TABLE,
    VOLUME,
)

ALL = "ALL_PRIVILEGES"
MANAGE = "MANAGE"
BROWSE = "BROWSE"
USE_CATALOG, USE_SCHEMA = "USE_CATALOG", "USE_SCHEMA"
CREATE_CATALOG, CREATE_SCHEMA = "CREATE_CATALOG", "CREATE_SCHEMA"
CREATE_TABLE, CREATE_VOLUME, CREATE_FUNCTION, CREATE_MODEL = (
    "CREATE_TABLE",
    "CREATE_VOLUME",
    "CREATE_FUNCTION",
    "CREATE_MODEL",
)
SELECT, MODIFY, EXECUTE = "SELECT", "MODIFY", "EXECUTE"
READ_VOLUME, WRITE_VOLUME = "READ_VOLUME", "WRITE_VOLUME"

_EXTERNAL_USE = ("EXTERNAL_USE_SCHEMA", "EXTERNAL_USE_LOCATION")
APART = (MANAGE, *_EXTERNAL_USE)
"""What ALL_PRIVILEGES does not include."""

_OF_TABLE = ("APPLY_TAG", MODIFY, SELECT)
_OF_VOLUME = ("APPLY_TAG", READ_VOLUME, WRITE_VOLUME)
_OF_FUNCTION = ("APPLY_TAG", "CREATE_MODEL_VERSION", EXECUTE)
_OF_SCHEMA = (
    *(CREATE_FUNCTION, "CREATE_MATERIALIZED_VIEW", CREATE_MODEL, CREATE_TABLE, CREATE_VOLUME),
    *("EXTERNAL_USE_SCHEMA", "REFRESH", USE_SCHEMA),
)
APPLICABLE: Mapping[str, frozenset[str]] = {
    METASTORE: frozenset(
        {
            *(CREATE_CATALOG, "CREATE_CLEAN_ROOM", "CREATE_CONNECTION", "CREATE_EXTERNAL_LOCATION", "CREATE_PROVIDER"),
            *("CREATE_RECIPIENT", "CREATE_SERVICE_CREDENTIAL", "CREATE_SHARE", "CREATE_STORAGE_CREDENTIAL"),
            *("MANAGE_ALLOWLIST", "SET_SHARE_PERMISSION", "USE_MARKETPLACE_ASSETS", "USE_PROVIDER", "USE_RECIPIENT"),
            *("USE_CONNECTION", "USE_SHARE"),
        }
    ),
    CATALOG: frozenset(
        {ALL, MANAGE, BROWSE, CREATE_SCHEMA, USE_CATALOG, *_OF_SCHEMA, *_OF_TABLE, *_OF_VOLUME, *_OF_FUNCTION}
    ),
    SCHEMA: frozenset({ALL, MANAGE, BROWSE, *_OF_SCHEMA, *_OF_TABLE, *_OF_VOLUME, *_OF_FUNCTION}),
    TABLE: frozenset({ALL, MANAGE, BROWSE, "REFRESH", *_OF_TABLE}),
    VOLUME: frozenset({ALL, MANAGE, BROWSE, *_OF_VOLUME}),
    FUNCTION: frozenset({ALL, MANAGE, BROWSE, *_OF_FUNCTION}),
    STORAGE_CREDENTIAL: frozenset(
        {ALL, MANAGE, "CREATE_EXTERNAL_LOCATION", "CREATE_EXTERNAL_TABLE", "READ_FILES", "WRITE_FILES"}
    ),
    CREDENTIAL: frozenset({ALL, MANAGE, "ACCESS", "CREATE_CONNECTION"}),
    EXTERNAL_LOCATION: frozenset(
        {
            *(ALL, MANAGE, BROWSE, "CREATE_EXTERNAL_TABLE", "CREATE_EXTERNAL_VOLUME", "CREATE_FOREIGN_SECURABLE"),
            *("CREATE_MANAGED_STORAGE", "EXTERNAL_USE_LOCATION", "READ_FILES", "WRITE_FILES"),
        }
    ),
    CONNECTION: frozenset({ALL, MANAGE, "CREATE_FOREIGN_CATALOG", "USE_CONNECTION"}),
}
"""Securable type → privileges that can be granted on it, also those that its contents inherit."""


def normalized(privilege: str) -> str:
    """Return the privilege in upper case with underscores: the platform also accepts `use catalog`."""
    return privilege.strip().upper().replace(" ", "_")


def spaced(privilege: str) -> str:
    """Return the privilege as in messages, such as `USE CATALOG`."""
    return privilege.replace("_", " ")


def includes(granted: str, wanted: str) -> bool:
    """Return whether a grant of the first privilege includes the second."""
    return granted == wanted or (granted == ALL and wanted not in APART)
