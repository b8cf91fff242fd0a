"""Everything an emulated workspace knows, as plain data: one dump of it is the whole workspace."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from emulator.clusters.models import Clusters
from emulator.dbfs.models import FileSystem
from emulator.libraries.models import Libraries
from emulator.mail.models import Mail
from emulator.objects.models import Objects
from emulator.permissions.models import Acls
from emulator.policies.models import Policies
from emulator.pools.models import Pools
from emulator.scim.models import Directory
from emulator.secrets.models import Secrets
from emulator.settings.models import Settings
from emulator.state.clock import Millis
from emulator.state.ids import Ids
from emulator.state.scheduler import Agenda
from emulator.tokens.models import Tokens


@dataclass
class State:
    workspace_id: str
    """Decimal. Terraform replaces everything when it changes, so it is as lasting as the state."""
    ids: Ids
    clock: Millis = 0
    """What the clock showed when the state was last written down."""
    agenda: Agenda = field(default_factory=Agenda)
    directory: Directory = field(default_factory=Directory)
    tokens: Tokens = field(default_factory=Tokens)
    acls: Acls = field(default_factory=Acls)
    clusters: Clusters = field(default_factory=Clusters)
    libraries: Libraries = field(default_factory=Libraries)
    policies: Policies = field(default_factory=Policies)
    pools: Pools = field(default_factory=Pools)
    objects: Objects = field(default_factory=Objects)
    dbfs: FileSystem = field(default_factory=FileSystem)
    volumes: FileSystem = field(default_factory=FileSystem)
    secrets: Secrets = field(default_factory=Secrets)
    settings: Settings = field(default_factory=Settings)
    mail: Mail = field(default_factory=Mail)


_ADAPTER: TypeAdapter[State] = TypeAdapter(State)


def dump(state: State) -> dict[str, Any]:
    """The state as JSON values; bytes are base64 (their dataclasses say so)."""
    return _ADAPTER.dump_python(state, mode="json")  # type: ignore[no-any-return]


def load(dumped: Any) -> State:
    """Raises pydantic.ValidationError for anything that `dump` did not make."""
    return _ADAPTER.validate_python(dumped)


def load_json(text: bytes) -> State:
    """As `load`, from the bytes of a file."""
    return _ADAPTER.validate_json(text)


def dump_json(state: State) -> bytes:
    return _ADAPTER.dump_json(state)
