"""The settings of the Azure resources, `cloud.toml`, as typed values."""

from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

import settings_tables
from settings_tables import Boolean, Label, SettingsTable

MANAGED_DOMAIN = "AzureManagedDomain"
"""Azure's fixed name for the domain that it provides itself."""
DEFAULT_SENDER = "DoNotReply"
"""The sender that Azure creates with every domain."""

SUBNET_PREFIXES = range(17, 27)
"""Databricks accepts networks from /16 to /24, and subnets down to /26."""
NETWORK_PREFIXES = range(16, 25)


def valid_network(text: str) -> str:
    """Return the text if it is an IPv4 network. Raise ValueError for other texts."""
    IPv4Network(text)
    return text


GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
SubscriptionId = Annotated[
    str, Field(pattern=GUID, description="a subscription's id, such as 6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d")
]
ObjectId = Annotated[
    str,
    Field(pattern=GUID, description="an object id from the directory, such as 6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"),
]
ResourceGroupName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_()-]([A-Za-z0-9._()-]{0,78}[A-Za-z0-9_()-])?$",
        description="a resource group's name: at most 80 letters, digits and . _ - ( )",
    ),
]
Location = Annotated[str, Field(pattern=r"^[a-z]+[a-z0-9]*$", description='a region such as "westeurope"')]
AccountName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]{3,24}$", description="3 to 24 lower-case letters and digits, unique in all of Azure"),
]
ContainerName = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9](-?[a-z0-9]){2,62}$",
        description="3 to 63 lower-case letters, digits and single hyphens",
    ),
]
Network = Annotated[str, AfterValidator(valid_network), Field(description='an IPv4 network, such as "10.40.0.0/20"')]
Tags = Annotated[
    dict[
        Label,
        Annotated[str, Field(pattern=r"^[^$%{}]{0,256}$", description="at most 256 characters without $ % { }")],
    ],
    Field(description="a table of strings"),
]


class NetworkSettings(SettingsTable):
    """The workspace's own network. Each node has one address in each of the two subnets."""

    address_space: Network = "10.40.0.0/20"
    host_subnet: Network = "10.40.0.0/22"
    container_subnet: Network = "10.40.4.0/22"

    @model_validator(mode="after")
    def _check_subnets(self) -> "NetworkSettings":
        space = IPv4Network(self.address_space)
        if space.prefixlen not in NETWORK_PREFIXES:
            raise ValueError(f"address_space {space} must be a network from /16 to /24")
        subnets = {name: IPv4Network(getattr(self, name)) for name in ("host_subnet", "container_subnet")}
        for name, subnet in subnets.items():
            if subnet.prefixlen not in SUBNET_PREFIXES:
                raise ValueError(f"{name} {subnet} must be a network from /17 to /26")
            if not subnet.subnet_of(space):
                raise ValueError(f"{name} {subnet} is not in address_space {space}")
        if subnets["host_subnet"].overlaps(subnets["container_subnet"]):
            raise ValueError(f"host_subnet {self.host_subnet} overlaps container_subnet {self.container_subnet}")
        return self


class MailSettings(SettingsTable):
    """Communication Services: a domain that Azure manages, or the organisation's own."""

    data_location: Annotated[
        Literal[
            "Africa",
            "Asia Pacific",
            "Australia",
            "Brazil",
            "Canada",
            "Europe",
            "France",
            "Germany",
            "India",
            "Japan",
            "Korea",
            "Norway",
            "Switzerland",
            "UAE",
            "UK",
            "United States",
        ],
        Field(description='where the mails are stored, such as "Europe" or "United States"'),
    ]
    domain: Annotated[
        str,
        Field(
            pattern=r"^$|^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}$",
            description='a domain such as "lab.example.ac.il", or empty for a domain that Azure manages',
        ),
    ] = ""
    domain_is_verified: Boolean = False
    sender: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="the part of the sender's address before @"),
    ] = DEFAULT_SENDER
    sender_display_name: Annotated[
        str, Field(pattern=r"^[^$%{}<>]{0,100}$", description="a name without $ % { } < >, or empty")
    ] = ""

    @model_validator(mode="after")
    def _check_domain(self) -> "MailSettings":
        if self.domain_is_verified and not self.domain:
            raise ValueError("domain_is_verified is only for a domain of your own; Azure verifies the one it manages")
        if self.sender_display_name and not self.has_own_sender:
            raise ValueError(f"sender_display_name needs a sender other than {DEFAULT_SENDER}, which Azure creates")
        return self

    @property
    def can_send(self) -> bool:
        """Return whether the domain can be connected to the mail service."""
        return not self.domain or self.domain_is_verified

    @property
    def has_own_sender(self) -> bool:
        """Return whether the sender is one that Azure does not create with the domain."""
        return self.sender.lower() != DEFAULT_SENDER.lower()


class StorageSettings(SettingsTable):
    """The second resource group, which outlives the workspace: Terraform states and backups."""

    resource_group: ResourceGroupName
    state_account: AccountName
    state_container: ContainerName = "tfstate"
    backup_account: AccountName
    backup_container: ContainerName = "backups"
    replication: Annotated[
        Literal["LRS", "ZRS", "GRS"], Field(description='"LRS" (one data centre), "ZRS" (three) or "GRS" (two regions)')
    ] = "LRS"

    @model_validator(mode="after")
    def _check_accounts(self) -> "StorageSettings":
        if self.state_account == self.backup_account:
            raise ValueError("state_account and backup_account must be different accounts")
        return self


class AccessSettings(SettingsTable):
    students_group: Annotated[
        str,
        Field(
            pattern=rf"^$|{GUID}",
            description="the object id of the students' group in the directory, or empty to assign no role",
        ),
    ] = ""
    operators: Annotated[
        list[ObjectId],
        Field(
            min_length=1,
            description="a list of one or more object ids of the people, groups and service principals that deploy",
        ),
    ]


class StateSettings(SettingsTable):
    """Where Terraform's state of these resources is: beside `cloud.toml`, or in the storage that they contain."""

    type: Annotated[Literal["local", "azurerm"], Field(description='"local", or "azurerm" after the first apply')] = (
        "local"
    )


class CloudSettings(SettingsTable):
    """All settings for the Azure resources."""

    name: Annotated[Label, Field(max_length=24, description="at most 24 letters, digits and hyphens")]
    subscription_id: SubscriptionId
    location: Location
    resource_group: ResourceGroupName
    tags: Tags = {}
    network: NetworkSettings = NetworkSettings()
    mail: MailSettings
    storage: StorageSettings
    access: AccessSettings
    state: StateSettings = StateSettings()

    @model_validator(mode="after")
    def _check_groups(self) -> "CloudSettings":
        names = [self.resource_group, self.managed_resource_group, self.storage.resource_group]
        if len({name.lower() for name in names}) < len(names):
            raise ValueError(f"storage.resource_group must differ from {names[0]} and {names[1]}")
        return self

    @property
    def managed_resource_group(self) -> str:
        """Return the name of the resource group in which Databricks places its own resources."""
        return f"{self.resource_group}-managed"

    @property
    def stack_id(self) -> str:
        """Return the name of the stack, which is also the name of its state."""
        return f"cloud-{self.name}"


def load_cloud_settings(path: Path) -> CloudSettings:
    """Read the settings file. Raise `SettingsError` with all invalid values."""
    return settings_tables.load(path, CloudSettings, advice="copy cloud.toml of the project, or set --settings")
