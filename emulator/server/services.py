"""The workspace's APIs: all routes, and the seeding of a new workspace."""

from emulator.account.routes import routes as account_routes
from emulator.api.routing import Route
from emulator.billing.tables import SYSTEM_TABLES
from emulator.clusters.routes import routes as clusters_routes
from emulator.dashboards.routes import routes as dashboards_routes
from emulator.dbfs.routes import routes as dbfs_routes
from emulator.dbfs.seed import seed as seed_dbfs
from emulator.grants.routes import routes as grants_routes
from emulator.jobs.routes import routes as jobs_routes
from emulator.jobs.run_routes import routes as job_runs_routes
from emulator.libraries.routes import routes as libraries_routes
from emulator.mlflow.routes import routes as mlflow_routes
from emulator.objects.routes import routes as objects_routes
from emulator.objects.seed import seed as seed_objects
from emulator.permissions.routes import routes as permissions_routes
from emulator.permissions.seed import seed as seed_permissions
from emulator.policies.routes import routes as policies_routes
from emulator.policies.seed import seed as seed_policies
from emulator.pools.routes import routes as pools_routes
from emulator.repos.routes import routes as repos_routes
from emulator.saved_queries.routes import routes as saved_queries_routes
from emulator.scim.routes import routes as scim_routes
from emulator.scim.seed import seed as seed_scim
from emulator.secrets.routes import routes as secrets_routes
from emulator.server.generated_homes import seed as seed_generated_homes
from emulator.settings.routes import routes as settings_routes
from emulator.state.options import Options
from emulator.state.state import WorkspaceState
from emulator.state.workspace import EmulatedWorkspace
from emulator.statements.routes import routes as statements_routes
from emulator.statements.session import system_tables
from emulator.tokens.routes import routes as tokens_routes
from emulator.unity_catalog.routes import routes as unity_catalog_routes
from emulator.unity_catalog.seed import seed as seed_unity_catalog
from emulator.volumes.routes import routes as volumes_routes
from emulator.warehouses.routes import routes as warehouses_routes
from emulator.warehouses.seed import seed as seed_warehouses

system_tables.update(SYSTEM_TABLES)


def routes() -> list[Route]:
    """Return the routes of all APIs. The mail service has its own port and router."""
    return [
        *scim_routes,
        *account_routes,
        *tokens_routes,
        *objects_routes,
        *repos_routes,
        *dashboards_routes,
        *mlflow_routes,
        *permissions_routes,
        *policies_routes,
        *pools_routes,
        *clusters_routes,
        *libraries_routes,
        *jobs_routes,
        *job_runs_routes,
        *dbfs_routes,
        *unity_catalog_routes,
        *grants_routes,
        *volumes_routes,
        *secrets_routes,
        *settings_routes,
        *warehouses_routes,
        *statements_routes,
        *saved_queries_routes,
    ]


def seed(workspace: EmulatedWorkspace) -> None:
    """Fill an empty workspace with the contents of a new workspace."""
    # Users are created first, then their homes and permissions; generated homes have their own users.
    seed_scim(workspace)
    seed_objects(workspace)
    seed_permissions(workspace)
    seed_policies(workspace)
    seed_dbfs(workspace)
    seed_warehouses(workspace)
    seed_generated_homes(workspace)
    seed_unity_catalog(workspace)


def open_workspace(options: Options, state: WorkspaceState | None = None) -> EmulatedWorkspace:
    """Return the workspace with this state, or a new, seeded workspace."""
    workspace = EmulatedWorkspace(options, state)
    if state is None:
        seed(workspace)
    return workspace


def reset(workspace: EmulatedWorkspace) -> None:
    """Replace the workspace with a new one, with the same workspace id, and reset the clock to its start.

    The administrator's tokens stay valid, including the token that the emulator printed at startup.
    """
    tokens = workspace.administrator_tokens()
    workspace.clear()
    seed(workspace)
    workspace.restore_administrator_tokens(tokens)
