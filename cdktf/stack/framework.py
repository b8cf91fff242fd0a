"""The framework and its bindings: the only module that imports them.

CDKTF, or its successor CDK Terrain if that is installed (docs/decisions/cdktf-or-cdktn.md). The import starts the
framework's Node.js process, which takes seconds; of the bindings only the modules that are named here are imported.
"""

# mypy: disable-error-code="no-redef"

from importlib.util import find_spec

from constructs import Construct

from labkit.lazy_package import enter

if find_spec("cdktn") is None:
    enter("cdktf_cdktf_provider_databricks")
    from cdktf import (
        App,
        AzurermBackend,
        ITerraformDependable,
        LocalBackend,
        LocalExecProvisioner,
        TerraformResource,
        TerraformResourceLifecycle,
        TerraformStack,
        Testing,
        Token,
    )
    from cdktf_cdktf_provider_databricks.cluster import (
        Cluster,
        ClusterAutoscale,
        ClusterClusterLogConf,
        ClusterClusterLogConfDbfs,
        ClusterClusterLogConfVolumes,
        ClusterLibrary,
        ClusterLibraryMaven,
        ClusterLibraryPypi,
        ClusterWorkloadType,
        ClusterWorkloadTypeClients,
    )
    from cdktf_cdktf_provider_databricks.cluster_policy import ClusterPolicy
    from cdktf_cdktf_provider_databricks.data_databricks_group import DataDatabricksGroup
    from cdktf_cdktf_provider_databricks.data_databricks_service_principal import DataDatabricksServicePrincipal
    from cdktf_cdktf_provider_databricks.data_databricks_user import DataDatabricksUser
    from cdktf_cdktf_provider_databricks.directory import Directory
    from cdktf_cdktf_provider_databricks.entitlements import Entitlements
    from cdktf_cdktf_provider_databricks.group import Group
    from cdktf_cdktf_provider_databricks.permissions import Permissions, PermissionsAccessControl
    from cdktf_cdktf_provider_databricks.provider import DatabricksProvider
    from cdktf_cdktf_provider_databricks.workspace_file import WorkspaceFile
    from cdktf_cdktf_provider_external.data_external import DataExternal
    from cdktf_cdktf_provider_external.provider import ExternalProvider
else:
    enter("cdktn_provider_databricks")
    from cdktn import (
        App,
        AzurermBackend,
        ITerraformDependable,
        LocalBackend,
        LocalExecProvisioner,
        TerraformResource,
        TerraformResourceLifecycle,
        TerraformStack,
        Testing,
        Token,
    )
    from cdktn_provider_databricks.cluster import (
        Cluster,
        ClusterAutoscale,
        ClusterClusterLogConf,
        ClusterClusterLogConfDbfs,
        ClusterClusterLogConfVolumes,
        ClusterLibrary,
        ClusterLibraryMaven,
        ClusterLibraryPypi,
        ClusterWorkloadType,
        ClusterWorkloadTypeClients,
    )
    from cdktn_provider_databricks.cluster_policy import ClusterPolicy
    from cdktn_provider_databricks.data_databricks_group import DataDatabricksGroup
    from cdktn_provider_databricks.data_databricks_service_principal import DataDatabricksServicePrincipal
    from cdktn_provider_databricks.data_databricks_user import DataDatabricksUser
    from cdktn_provider_databricks.directory import Directory
    from cdktn_provider_databricks.entitlements import Entitlements
    from cdktn_provider_databricks.group import Group
    from cdktn_provider_databricks.permissions import Permissions, PermissionsAccessControl
    from cdktn_provider_databricks.provider import DatabricksProvider
    from cdktn_provider_databricks.workspace_file import WorkspaceFile
    from cdktn_provider_external.data_external import DataExternal
    from cdktn_provider_external.provider import ExternalProvider

__all__ = [
    "App",
    "AzurermBackend",
    "Cluster",
    "ClusterAutoscale",
    "ClusterClusterLogConf",
    "ClusterClusterLogConfDbfs",
    "ClusterClusterLogConfVolumes",
    "ClusterLibrary",
    "ClusterLibraryMaven",
    "ClusterLibraryPypi",
    "ClusterPolicy",
    "ClusterWorkloadType",
    "ClusterWorkloadTypeClients",
    "Construct",
    "DataDatabricksGroup",
    "DataDatabricksServicePrincipal",
    "DataDatabricksUser",
    "DataExternal",
    "DatabricksProvider",
    "Directory",
    "Entitlements",
    "ExternalProvider",
    "Group",
    "ITerraformDependable",
    "LocalBackend",
    "LocalExecProvisioner",
    "Permissions",
    "PermissionsAccessControl",
    "TerraformResource",
    "TerraformResourceLifecycle",
    "TerraformStack",
    "Testing",
    "Token",
    "WorkspaceFile",
]
