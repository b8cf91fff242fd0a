"""Options of an emulator, set by command line and fault profiles."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from emulator.models.mail import MailLimits


@dataclass
class Options:
    seed: str | None = None
    """Source of all ids, including the workspace id; None means random ids."""
    start: datetime | None = None
    """Initial time of the clock; None means the machine's time."""
    speed: float = 1.0
    transition_seconds: float = 2.0
    """Duration of a cluster's change of state, a library installation etc., in seconds."""
    files: str = "none"
    """Shape of the generated files at startup; the files themselves also depend on the seed."""
    admin: str = "admin@lab.example"
    name: str = "lab-workspace"
    """The workspace's name, after which its catalog is named."""
    unity_catalog: str = "none"
    """Unity Catalog in a new workspace: `auto` for a metastore and a catalog, `none` for no metastore."""
    dbfs: bool = True
    """False means a new account without DBFS or legacy features."""
    keep_user_ids: bool = False
    """Whether a user who is deleted and created again keeps the id (account identities)."""
    scim_delay_seconds: float = 0.0
    """How long new users, groups and service principals are missing from lists (eventual visibility), in seconds."""
    odd_entries: bool = False
    """Whether all homes list entries that cannot be read."""
    url: str = "http://127.0.0.1:8765"
    """URL for clients; part of the host metadata."""
    mail_key: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(64)).decode())
    """Key for signing requests to the mail service, in base64."""
    mail_limits: MailLimits | None = None
    """Limits of the mail service; None means no limits."""
    mail_dir: Path | None = None
    """Folder for copies of all accepted messages."""
