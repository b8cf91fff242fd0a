"""Unity Catalog securables, their owners, and the privileges granted on them. Plain data."""

from dataclasses import dataclass, field
from typing import Any

METASTORE, CATALOG, SCHEMA, TABLE, VOLUME, FUNCTION = "metastore", "catalog", "schema", "table", "volume", "function"
STORAGE_CREDENTIAL, CREDENTIAL, EXTERNAL_LOCATION = "storage_credential", "credential", "external_location"
CONNECTION = "connection"
IN_SCHEMA = (TABLE, VOLUME, FUNCTION)
"""Views are tables, and registered models are functions, as in the permissions API."""
MODEL = "MODEL"
"""The subtype of a function that is a registered model."""

ACCOUNT_USERS = "account users"
"""The group of all users in the account, which the workspace's lists do not contain."""
SYSTEM = "System user"
"""The owner of securables that the platform creates."""


@dataclass
class Grant:
    """Privileges of one principal on one securable."""

    principal: str
    """The name as in the request, since the platform returns it unchanged."""
    privileges: list[str] = field(default_factory=list)
    """In upper case, with underscores."""


@dataclass(kw_only=True)
class Securable:
    type: str
    """As in permissions API paths: `catalog`, `external_location`, …"""
    full_name: str
    """Such as `catalog.schema.volume`, in lower case."""
    id: str
    owner: str
    """A principal's id, ACCOUNT_USERS or SYSTEM."""
    created_at: int
    """Milliseconds since 1970, like `updated_at`."""
    created_by: str
    """The principal's name at the time of creation."""
    updated_at: int
    updated_by: str
    subtype: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    """Other fields of responses, such as `comment`, `properties` or `volume_type`."""
    grants: dict[str, Grant] = field(default_factory=dict)
    """Grants by principal id."""
    isolated: bool = False
    """Whether only workspaces with a binding can use the securable."""
    bindings: dict[int, str] = field(default_factory=dict)
    """Workspace id → BINDING_TYPE_READ_WRITE or BINDING_TYPE_READ_ONLY."""

    @property
    def name(self) -> str:
        return self.full_name.rpartition(".")[2] if self.type in (SCHEMA, *IN_SCHEMA) else self.full_name
