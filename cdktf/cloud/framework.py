"""The framework and the bindings of the Azure provider. No other module of this package imports them.

The bindings are an optional category of the Pipfile, because a lab needs none of them. The import starts the
framework's Node.js process, which takes seconds.
"""

from constructs import Construct as Construct

from labkit.lazy_package import defer_init

BINDINGS = "cdktf_cdktf_provider_azurerm"

defer_init(BINDINGS)
import cdktf as framework  # noqa: E402
import cdktf_cdktf_provider_azurerm as azurerm  # noqa: E402

App = framework.App
AzurermBackend = framework.AzurermBackend
ITerraformDependable = framework.ITerraformDependable
LocalBackend = framework.LocalBackend
TerraformElement = framework.TerraformElement
TerraformOutput = framework.TerraformOutput
TerraformResourceLifecycle = framework.TerraformResourceLifecycle
TerraformStack = framework.TerraformStack
Testing = framework.Testing

AzurermProvider = azurerm.provider.AzurermProvider
AzurermProviderFeatures = azurerm.provider.AzurermProviderFeatures
AzurermProviderFeaturesStorage = azurerm.provider.AzurermProviderFeaturesStorage
CommunicationService = azurerm.communication_service.CommunicationService
CommunicationServiceEmailDomainAssociation = (
    azurerm.communication_service_email_domain_association.CommunicationServiceEmailDomainAssociation
)
DatabricksWorkspace = azurerm.databricks_workspace.DatabricksWorkspace
DatabricksWorkspaceCustomParameters = azurerm.databricks_workspace.DatabricksWorkspaceCustomParameters
EmailCommunicationService = azurerm.email_communication_service.EmailCommunicationService
EmailCommunicationServiceDomain = azurerm.email_communication_service_domain.EmailCommunicationServiceDomain
EmailCommunicationServiceDomainSenderUsername = (
    azurerm.email_communication_service_domain_sender_username.EmailCommunicationServiceDomainSenderUsername
)
NatGateway = azurerm.nat_gateway.NatGateway
NatGatewayPublicIpAssociation = azurerm.nat_gateway_public_ip_association.NatGatewayPublicIpAssociation
NetworkSecurityGroup = azurerm.network_security_group.NetworkSecurityGroup
PublicIp = azurerm.public_ip.PublicIp
ResourceGroup = azurerm.resource_group.ResourceGroup
RoleAssignment = azurerm.role_assignment.RoleAssignment
StorageAccount = azurerm.storage_account.StorageAccount
StorageAccountBlobProperties = azurerm.storage_account.StorageAccountBlobProperties
StorageAccountBlobPropertiesContainerDeleteRetentionPolicy = (
    azurerm.storage_account.StorageAccountBlobPropertiesContainerDeleteRetentionPolicy
)
StorageAccountBlobPropertiesDeleteRetentionPolicy = (
    azurerm.storage_account.StorageAccountBlobPropertiesDeleteRetentionPolicy
)
StorageContainer = azurerm.storage_container.StorageContainer
Subnet = azurerm.subnet.Subnet
SubnetDelegation = azurerm.subnet.SubnetDelegation
SubnetDelegationServiceDelegation = azurerm.subnet.SubnetDelegationServiceDelegation
SubnetNatGatewayAssociation = azurerm.subnet_nat_gateway_association.SubnetNatGatewayAssociation
SubnetNetworkSecurityGroupAssociation = (
    azurerm.subnet_network_security_group_association.SubnetNetworkSecurityGroupAssociation
)
VirtualNetwork = azurerm.virtual_network.VirtualNetwork
