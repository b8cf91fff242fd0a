"""The workspace's own network: two delegated subnets, and one way out through a NAT gateway."""

from dataclasses import dataclass

from cloud.framework import (
    Construct,
    ITerraformDependable,
    NatGateway,
    NatGatewayPublicIpAssociation,
    NetworkSecurityGroup,
    PublicIp,
    ResourceGroup,
    Subnet,
    SubnetDelegation,
    SubnetDelegationServiceDelegation,
    SubnetNatGatewayAssociation,
    SubnetNetworkSecurityGroupAssociation,
    VirtualNetwork,
)
from cloud.settings import CloudSettings

SERVICE_ENDPOINTS = ("Microsoft.Storage",)
"""Nodes download gigabytes from storage in the region when they start. An endpoint's route is more specific than the
gateway's, so this traffic is not billed by the gateway."""
DELEGATION = "Microsoft.Databricks/workspaces"
_SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
ACTIONS = (
    f"{_SUBNETS}/join/action",
    f"{_SUBNETS}/prepareNetworkPolicies/action",
    f"{_SUBNETS}/unprepareNetworkPolicies/action",
)


@dataclass(frozen=True)
class DelegatedSubnet:
    """A subnet for the nodes, with the resources that a workspace in it needs."""

    name: str
    security_association_id: str
    nat_association: ITerraformDependable


class WorkspaceNetwork(Construct):
    """The network, its two subnets and the NAT gateway.

    The gateway is always there: nodes have no public address, and new networks have no other way out. The control
    plane is reached through it.
    """

    def __init__(self, scope: Construct, id: str, *, settings: CloudSettings, group: ResourceGroup) -> None:
        super().__init__(scope, id)
        self._settings = settings
        self._placement = {
            "resource_group_name": group.name,
            "location": group.location,
            "tags": settings.tags or None,
        }
        self.network = VirtualNetwork(
            self,
            "network",
            name=f"{settings.name}-network",
            address_space=[settings.network.address_space],
            **self._placement,
        )
        self.network.override_logical_id("lab")
        self._security = NetworkSecurityGroup(self, "security", name=f"{settings.name}-security", **self._placement)
        self._security.override_logical_id("lab")
        self._add_gateway()
        # Databricks calls them public and private; neither has public addresses.
        self.host = self._add_subnet("host", settings.network.host_subnet)
        self.container = self._add_subnet("container", settings.network.container_subnet)

    def _add_gateway(self) -> None:
        self.address = PublicIp(
            self,
            "address",
            name=f"{self._settings.name}-nat-address",
            allocation_method="Static",
            sku="Standard",
            **self._placement,
        )
        self.address.override_logical_id("nat")
        self._gateway = NatGateway(
            self, "gateway", name=f"{self._settings.name}-nat", sku_name="Standard", **self._placement
        )
        self._gateway.override_logical_id("lab")
        NatGatewayPublicIpAssociation(
            self, "gateway_address", nat_gateway_id=self._gateway.id, public_ip_address_id=self.address.id
        ).override_logical_id("nat")

    def _add_subnet(self, key: str, addresses: str) -> DelegatedSubnet:
        subnet = Subnet(
            self,
            key,
            name=f"{self._settings.name}-{key}",
            resource_group_name=self.network.resource_group_name,
            virtual_network_name=self.network.name,
            address_prefixes=[addresses],
            default_outbound_access_enabled=False,
            service_endpoints=list(SERVICE_ENDPOINTS),
            delegation=[
                SubnetDelegation(
                    name="databricks",
                    service_delegation=SubnetDelegationServiceDelegation(name=DELEGATION, actions=list(ACTIONS)),
                )
            ],
        )
        subnet.override_logical_id(key)
        security = SubnetNetworkSecurityGroupAssociation(
            self, f"{key}_security", subnet_id=subnet.id, network_security_group_id=self._security.id
        )
        security.override_logical_id(key)
        gateway = SubnetNatGatewayAssociation(
            self, f"{key}_gateway", subnet_id=subnet.id, nat_gateway_id=self._gateway.id
        )
        gateway.override_logical_id(key)
        return DelegatedSubnet(subnet.name, security.id, gateway)
