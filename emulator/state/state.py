"""The state of an emulated workspace as plain data; a dump of it contains the whole workspace."""

from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from emulator.base.clock import Millis
from emulator.base.ids import Ids
from emulator.base.scheduler import Scheduler
from emulator.models.billing.records import Billing
from emulator.models.clusters import Clusters
from emulator.models.files.dbfs import FileSystem
from emulator.models.files.objects import Objects
from emulator.models.jobs import Jobs
from emulator.models.libraries import Libraries
from emulator.models.mail import Mail
from emulator.models.mlflow import Mlflow
from emulator.models.permissions import Acls
from emulator.models.policies import Policies
from emulator.models.pools import Pools
from emulator.models.scim import Directory
from emulator.models.secrets import Secrets
from emulator.models.settings import Settings
from emulator.models.sql.saved_queries import SavedQueries
from emulator.models.sql.statements import Statements
from emulator.models.tokens import Tokens
from emulator.models.unity_catalog.metastore import UnityCatalog
from emulator.models.warehouses import Warehouses


@dataclass
class WorkspaceState:
    workspace_id: str
    """Decimal. Terraform replaces all resources if it changes, so it is part of the state."""
    ids: Ids
    clock: Millis = 0
    """Time on the clock when the state was last saved."""
    scheduler: Annotated[Scheduler, Field(alias="agenda")] = field(default_factory=Scheduler)
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
    unity_catalog: UnityCatalog = field(default_factory=UnityCatalog)
    mail: Mail = field(default_factory=Mail)
    warehouses: Warehouses = field(default_factory=Warehouses)
    jobs: Jobs = field(default_factory=Jobs)
    statements: Statements = field(default_factory=Statements)
    billing: Billing = field(default_factory=Billing)
    saved_queries: SavedQueries = field(default_factory=SavedQueries)
    mlflow: Mlflow = field(default_factory=Mlflow)

    def __post_init__(self) -> None:
        # Versions up to 0.1.2 stored warehouses in the settings.
        self.warehouses.by_id |= self.settings.warehouses
        self.settings.warehouses = {}


@cache
def _adapter() -> TypeAdapter[WorkspaceState]:
    """Built on first use, because it takes a sixth of the emulator's start and few workspaces are saved."""
    return TypeAdapter(WorkspaceState)


def dump(state: WorkspaceState) -> dict[str, Any]:
    """Return the state as JSON values; bytes are in base64."""
    return _adapter().dump_python(state, mode="json", by_alias=True)  # type: ignore[no-any-return]


def load(dumped: Any) -> WorkspaceState:
    """Restore a state from the result of `dump`. Raises pydantic.ValidationError for anything else."""
    return _adapter().validate_python(dumped)


def load_json(text: bytes) -> WorkspaceState:
    """Restore a state from JSON, like `load`."""
    return _adapter().validate_json(text)


def dump_json(state: WorkspaceState) -> bytes:
    return _adapter().dump_json(state, by_alias=True)
