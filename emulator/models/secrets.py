"""Secret scopes, secrets and their ACLs."""

from dataclasses import dataclass, field

from pydantic import ConfigDict

from emulator.base.clock import Millis
from emulator.models.scim import Directory

READ, WRITE, MANAGE = "READ", "WRITE", "MANAGE"
LEVELS = (READ, WRITE, MANAGE)
"""In ascending order; each level includes the lower ones."""

MAX_SCOPES = 1000
MAX_SECRETS = 1000
"""Maximum number of secrets per scope."""
MAX_BYTES = 128 * 1024
"""Maximum size of a value in bytes."""


@dataclass
class Secret:
    value: bytes
    updated_at: Millis

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


@dataclass
class Scope:
    name: str
    secrets: dict[str, Secret] = field(default_factory=dict)
    acls: dict[str, str] = field(default_factory=dict)
    """Principal's id → level."""

    def level_of(self, directory: Directory, principal_id: str) -> str | None:
        """Return the highest level of the principal and its groups, or None. Administrators have MANAGE on every
        scope."""
        if directory.is_admin(principal_id):
            return MANAGE
        holders = {principal_id, *directory.memberships(principal_id)}
        given = [level for holder, level in self.acls.items() if holder in holders]
        return max(given, key=LEVELS.index, default=None)


@dataclass
class Secrets:
    scopes: dict[str, Scope] = field(default_factory=dict)

    def remove_principal(self, principal_id: str) -> None:
        for scope in self.scopes.values():
            scope.acls.pop(principal_id, None)
