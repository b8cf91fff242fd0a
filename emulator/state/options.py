"""How an emulator was asked to be: the switches of its command line and of its profiles."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from emulator.models.mail import MailLimits


@dataclass
class Options:
    seed: str | None = None
    """Ids and the workspace's own id follow from it; None: they are random."""
    start: datetime | None = None
    """What the clock shows at first; None: the machine's time."""
    speed: float = 1.0
    transition_seconds: float = 2.0
    """How long a cluster takes for one change of state, a library to install, …"""
    files: str = "none"
    """The shape of the files that there are from the start; which they are follows from the seed."""
    admin: str = "admin@lab.example"
    dbfs: bool = True
    """False: a new account without DBFS and legacy features."""
    keep_user_ids: bool = False
    """A user deleted and created again gets the id it had (account identities)."""
    scim_delay_seconds: float = 0.0
    """For so long a new user, group or service principal is missing from lists (eventual visibility)."""
    odd_entries: bool = False
    """Every home lists entries that can be listed and nothing else."""
    url: str = "http://127.0.0.1:8765"
    """Where clients reach it; becomes part of the host metadata."""
    mail_key: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(64)).decode())
    """What requests to the mail service are signed with, base64."""
    mail_limits: MailLimits | None = None
    """None: as many letters as anybody likes."""
    mail_dir: Path | None = None
    """Every letter that is accepted is written there, too."""
