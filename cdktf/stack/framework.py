"""The framework and its bindings. No other module imports them.

The framework is CDKTF, or its successor CDK Terrain if that is installed (docs/decisions/cdktf-or-cdktn.md). The import
starts the framework's Node.js process, which takes seconds. Only the binding modules listed here are imported.
"""

# mypy: disable-error-code="no-redef"

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from constructs import Construct as Construct

from labkit.lazy_package import defer_init

if find_spec("cdktn") is None:
    defer_init("cdktf_cdktf_provider_databricks")
    import cdktf as framework
    import cdktf_cdktf_provider_databricks as databricks
    import cdktf_cdktf_provider_external as external
else:
    defer_init("cdktn_provider_databricks")
    import cdktn as framework
    import cdktn_provider_databricks as databricks
    import cdktn_provider_external as external

App = framework.App
AzurermBackend = framework.AzurermBackend
ITerraformDependable = framework.ITerraformDependable
LocalBackend = framework.LocalBackend
LocalExecProvisioner = framework.LocalExecProvisioner
TerraformResource = framework.TerraformResource
TerraformResourceLifecycle = framework.TerraformResourceLifecycle
TerraformStack = framework.TerraformStack
Testing = framework.Testing
Token = framework.Token

Cluster = databricks.cluster.Cluster
ClusterAutoscale = databricks.cluster.ClusterAutoscale
ClusterClusterLogConf = databricks.cluster.ClusterClusterLogConf
ClusterClusterLogConfDbfs = databricks.cluster.ClusterClusterLogConfDbfs
ClusterClusterLogConfVolumes = databricks.cluster.ClusterClusterLogConfVolumes
ClusterLibrary = databricks.cluster.ClusterLibrary
ClusterLibraryMaven = databricks.cluster.ClusterLibraryMaven
ClusterLibraryPypi = databricks.cluster.ClusterLibraryPypi
ClusterPolicy = databricks.cluster_policy.ClusterPolicy
ClusterWorkloadType = databricks.cluster.ClusterWorkloadType
ClusterWorkloadTypeClients = databricks.cluster.ClusterWorkloadTypeClients
DatabricksProvider = databricks.provider.DatabricksProvider
DataDatabricksGroup = databricks.data_databricks_group.DataDatabricksGroup
DataDatabricksServicePrincipal = databricks.data_databricks_service_principal.DataDatabricksServicePrincipal
DataDatabricksUser = databricks.data_databricks_user.DataDatabricksUser
Directory = databricks.directory.Directory
Entitlements = databricks.entitlements.Entitlements
Group = databricks.group.Group
Permissions = databricks.permissions.Permissions
PermissionsAccessControl = databricks.permissions.PermissionsAccessControl
WorkspaceFile = databricks.workspace_file.WorkspaceFile

DataExternal = external.data_external.DataExternal
ExternalProvider = external.provider.ExternalProvider


def add_blocks(scope: Construct, path: str, blocks: Mapping[str, Mapping[str, Any]]) -> None:
    """Add many named blocks of one type to the stack: `resource.databricks_user` and `{"student_dana": {…}}`.

    Used for hundreds of small resources. One construct per resource would take longer in the bindings than all other
    constructs; one resource with `for_each` takes Terraform minutes, because each reference to an instance reads all
    instances.
    """
    stack = TerraformStack.of(scope)
    for name, block in blocks.items():
        stack.add_override(f"{path}.{name}", block)
