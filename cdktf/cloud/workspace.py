"""The Databricks workspace, and the students' access to it in Azure's portal."""

from cloud.framework import (
    Construct,
    DatabricksWorkspace,
    DatabricksWorkspaceCustomParameters,
    ResourceGroup,
    RoleAssignment,
)
from cloud.network import WorkspaceNetwork
from cloud.settings import CloudSettings

STUDENTS_ROLE = "Reader"
"""Lets students find and open the workspace. Contributor would make them administrators in Databricks."""


class Workspace(Construct):
    """The workspace in its own network. Its nodes have no public addresses."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: CloudSettings,
        group: ResourceGroup,
        network: WorkspaceNetwork,
    ) -> None:
        super().__init__(scope, id)
        self.resource = DatabricksWorkspace(
            self,
            "workspace",
            name=settings.name,
            resource_group_name=group.name,
            location=group.location,
            sku="premium",
            managed_resource_group_name=settings.managed_resource_group,
            custom_parameters=DatabricksWorkspaceCustomParameters(
                no_public_ip=True,
                # The default is storage in two regions, at twice the price.
                storage_account_sku_name="Standard_LRS",
                virtual_network_id=network.network.id,
                public_subnet_name=network.host.name,
                public_subnet_network_security_group_association_id=network.host.security_association_id,
                private_subnet_name=network.container.name,
                private_subnet_network_security_group_association_id=network.container.security_association_id,
            ),
            tags=settings.tags or None,
            # Clusters cannot start without a way out.
            depends_on=[network.host.nat_association, network.container.nat_association],
        )
        self.resource.override_logical_id("lab")
        if settings.access.students_group:
            RoleAssignment(
                self,
                "students",
                scope=self.resource.id,
                role_definition_name=STUDENTS_ROLE,
                principal_id=settings.access.students_group,
                principal_type="Group",
            ).override_logical_id("students")
