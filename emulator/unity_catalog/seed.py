"""Initial contents of a metastore: the catalog `system`, and a catalog for the workspace."""

from emulator.grants.principals import WORKSPACE_ADMINS, WORKSPACE_USERS
from emulator.grants.privileges import (
    CREATE_FUNCTION,
    CREATE_MODEL,
    CREATE_TABLE,
    CREATE_VOLUME,
    MANAGE,
    READ_VOLUME,
    SELECT,
    USE_CATALOG,
    USE_SCHEMA,
    WRITE_VOLUME,
)
from emulator.models.unity_catalog.metastore import UnityCatalog
from emulator.models.unity_catalog.securables import (
    ACCOUNT_USERS,
    CATALOG,
    METASTORE,
    SCHEMA,
    SYSTEM,
    TABLE,
    VOLUME,
    Grant,
    Securable,
)
from emulator.reference.system_tables import COLUMNS as SYSTEM_TABLE_COLUMNS
from emulator.state.workspace import EmulatedWorkspace

MANAGED_SCHEMAS = ("information_schema", "billing")
"""System schemas that are always enabled."""
OPTIONAL_SCHEMAS = (*("access", "compute", "lakeflow", "marketplace", "mlflow", "query", "serving", "storage"),)
ADMINS_ON_METASTORE = (
    *("CREATE_CATALOG", "CREATE_CONNECTION", "CREATE_EXTERNAL_LOCATION", "CREATE_PROVIDER", "CREATE_RECIPIENT"),
    *("CREATE_SERVICE_CREDENTIAL", "CREATE_SHARE", "CREATE_STORAGE_CREDENTIAL", "MANAGE_ALLOWLIST"),
    *("SET_SHARE_PERMISSION", "USE_MARKETPLACE_ASSETS", "USE_PROVIDER", "USE_RECIPIENT", "USE_SHARE"),
)
"""Initial privileges of workspace administrators on an automatic metastore."""
USERS_ON_DEFAULT = (
    *(CREATE_FUNCTION, "CREATE_MATERIALIZED_VIEW", CREATE_MODEL, CREATE_TABLE, CREATE_VOLUME, USE_SCHEMA),
)
"""Initial privileges of all users on the schema `default` of the workspace's catalog."""
ADMIN_ON_BILLING = (MANAGE, SELECT, USE_SCHEMA)
"""Initial privileges of the workspace's first administrator on the schema `system.billing`."""
STORAGE = "abfss://unity-catalog-storage@dbstorageemulator.dfs.core.windows.net"


def seed(workspace: EmulatedWorkspace) -> None:
    """Create a metastore without storage and admin, and the workspace's catalog, for `--unity-catalog auto`."""
    if workspace.options.unity_catalog != "auto":
        return
    id = workspace.state.ids.uuid("metastore", "metastore")
    _begin(workspace, id, owner=SYSTEM)
    workspace.state.unity_catalog.automatic = True
    metastore = workspace.state.unity_catalog.metastore()
    assert metastore is not None
    _grant(workspace, metastore, WORKSPACE_ADMINS, ADMINS_ON_METASTORE)
    name = workspace.options.name.lower().replace("-", "_")
    root = f"{STORAGE}/{workspace.state.workspace_id}"
    catalog = _make(workspace, CATALOG, name, WORKSPACE_ADMINS)
    catalog.details |= {"catalog_type": "MANAGED_CATALOG", "storage_root": root}
    catalog.isolated = True
    catalog.bindings = {int(workspace.state.workspace_id): "BINDING_TYPE_READ_WRITE"}
    _grant(workspace, catalog, WORKSPACE_USERS, (USE_CATALOG,))
    default = _make(workspace, SCHEMA, f"{name}.default", WORKSPACE_ADMINS)
    _grant(workspace, default, WORKSPACE_USERS, USERS_ON_DEFAULT)
    _make(workspace, SCHEMA, f"{name}.information_schema", SYSTEM)
    workspace.state.unity_catalog.default_catalog = name


def assign(workspace: EmulatedWorkspace, id: str, storage_root: str = "", default_properties: bool = False) -> None:
    """Assign a metastore as an account administrator does: it has an admin and a catalog `main`.

    A metastore that is already assigned keeps its contents. Volumes that have files already become records of the
    administrator, and all users may still use them.
    """
    metastore = workspace.state.unity_catalog.metastore()
    if metastore is None or metastore.id != id:
        _begin(workspace, id, owner=workspace.administrator.id)
        main = _make(workspace, CATALOG, "main", workspace.administrator.id)
        main.details["catalog_type"] = "MANAGED_CATALOG"
        _grant(workspace, main, ACCOUNT_USERS, (USE_CATALOG,))
        default = _make(workspace, SCHEMA, "main.default", workspace.administrator.id)
        _grant(workspace, default, ACCOUNT_USERS, (USE_SCHEMA,))
        _make(workspace, SCHEMA, "main.information_schema", SYSTEM)
        _adopt_volumes(workspace)
    catalog = workspace.state.unity_catalog
    catalog.storage_root = storage_root or catalog.storage_root
    catalog.default_properties = default_properties
    workspace.state.settings.metastore_id = id


def _adopt_volumes(workspace: EmulatedWorkspace) -> None:
    """Create records for volumes that have files, with grants for all users."""
    held, files, owner = workspace.state.unity_catalog, workspace.state.volumes, workspace.administrator.id

    def ensured(type: str, full_name: str, *privileges: str) -> Securable:
        found = held.find(type, full_name) or _make(workspace, type, full_name, owner)
        before = found.grants.get(ACCOUNT_USERS, Grant("")).privileges
        _grant(workspace, found, ACCOUNT_USERS, tuple({*before, *privileges}))
        return found

    top = files.find(("Volumes",))
    for catalog in files.children(top) if top else ():
        ensured(CATALOG, catalog.name, USE_CATALOG).details.setdefault("catalog_type", "MANAGED_CATALOG")
        for schema in files.children(catalog):
            ensured(SCHEMA, f"{catalog.name}.{schema.name}", USE_SCHEMA)
            for volume in files.children(schema):
                made = ensured(VOLUME, f"{catalog.name}.{schema.name}.{volume.name}", READ_VOLUME, WRITE_VOLUME)
                made.details = {"volume_type": "MANAGED", "storage_location": f"{STORAGE}/volumes/{made.id}"}


def adopt(workspace: EmulatedWorkspace) -> None:
    """Complete an older state, which may have the id of a metastore without its contents, or no billing tables."""
    id = workspace.state.settings.metastore_id
    if id and workspace.state.unity_catalog.metastore() is None:
        assign(workspace, id)
    elif id and not workspace.state.unity_catalog.children(TABLE, "system.billing"):
        _make_billing_tables(workspace)


def unassign(workspace: EmulatedWorkspace) -> None:
    """Unassign the metastore and forget its contents."""
    workspace.state.settings.metastore_id = None
    workspace.state.unity_catalog = UnityCatalog()


def _begin(workspace: EmulatedWorkspace, id: str, owner: str) -> None:
    """Assign an empty metastore with the catalog `system`, which all users may see."""
    workspace.state.unity_catalog = UnityCatalog()
    workspace.state.settings.metastore_id = id
    metastore = _make(workspace, METASTORE, id, owner)
    metastore.id, metastore.details = id, {"name": "metastore_azure_westeurope"}
    system = _make(workspace, CATALOG, "system", SYSTEM)
    system.details["catalog_type"] = "SYSTEM_CATALOG"
    _grant(workspace, system, ACCOUNT_USERS, (USE_CATALOG,))
    for name in MANAGED_SCHEMAS:
        _make(workspace, SCHEMA, f"system.{name}", SYSTEM)
    _make_billing_tables(workspace)


def _make_billing_tables(workspace: EmulatedWorkspace) -> None:
    """Create the records of the billing tables. The first administrator, as account admin, may read and grant them."""
    billing = workspace.state.unity_catalog.find(SCHEMA, "system.billing")
    if billing is None:
        return
    _grant(workspace, billing, workspace.administrator.id, ADMIN_ON_BILLING)
    for full_name, columns in SYSTEM_TABLE_COLUMNS.items():
        table = _make(workspace, TABLE, full_name, SYSTEM)
        described = [
            {"name": name, "type_text": type.lower(), "type_name": type.partition("<")[0].partition("(")[0]}
            for name, type in columns.items()
        ]
        table.details = {
            "table_type": "MANAGED",
            "columns": [one | {"position": place, "nullable": True} for place, one in enumerate(described)],
        }


def _make(workspace: EmulatedWorkspace, type: str, full_name: str, owner: str) -> Securable:
    now = workspace.clock.now()
    return workspace.state.unity_catalog.add(
        Securable(
            type=type,
            full_name=full_name,
            id=workspace.state.ids.uuid(type, full_name),
            owner=owner,
            created_at=now,
            created_by=SYSTEM,
            updated_at=now,
            updated_by=SYSTEM,
        )
    )


def _grant(workspace: EmulatedWorkspace, securable: Securable, principal: str, privileges: tuple[str, ...]) -> None:
    securable.grants[principal] = Grant("", sorted(privileges))
