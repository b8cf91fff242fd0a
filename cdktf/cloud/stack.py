"""The stack of the Azure resources under a lab's workspaces."""

from pathlib import Path

from cloud.framework import (
    AzurermBackend,
    AzurermProvider,
    AzurermProviderFeatures,
    AzurermProviderFeaturesStorage,
    Construct,
    LocalBackend,
    ResourceGroup,
    TerraformElement,
    TerraformOutput,
    TerraformStack,
)
from cloud.mail import Mail
from cloud.network import WorkspaceNetwork
from cloud.settings import CloudSettings
from cloud.storage import LabStorage
from cloud.workspace import Workspace

RESOURCE_PROVIDERS = ("Microsoft.Communication", "Microsoft.Databricks")
"""What a subscription must have registered besides the provider's core set."""


class CloudStack(TerraformStack):
    """All Azure resources, in two groups: what a workspace needs, and the storage that outlives it."""

    def __init__(self, scope: Construct, *, settings: CloudSettings, state_folder: Path) -> None:
        super().__init__(scope, settings.stack_id)
        self._settings = settings
        self.add_override("terraform.required_version", ">= 1.5")
        self._add_backend(state_folder)
        AzurermProvider(
            self,
            "azurerm",
            subscription_id=settings.subscription_id,
            features=[
                # The accounts refuse keys, and the caller has no role in them until after they are created.
                AzurermProviderFeatures(storage=[AzurermProviderFeaturesStorage(data_plane_available=False)])
            ],
            storage_use_azuread=True,
            resource_provider_registrations="core",
            resource_providers_to_register=list(RESOURCE_PROVIDERS),
        )
        lab = self._add_group("lab", settings.resource_group)
        network = WorkspaceNetwork(self, "network", settings=settings, group=lab)
        workspace = Workspace(self, "workspace", settings=settings, group=lab, network=network)
        mail = Mail(self, "mail", settings=settings, group=lab)
        LabStorage(
            self, "storage", settings=settings, group=self._add_group("storage", settings.storage.resource_group)
        )
        self._add_outputs(workspace, network, mail)

    def _add_backend(self, folder: Path) -> None:
        settings = self._settings
        if settings.state.type == "local":
            LocalBackend(self, path=str(folder / f"{self.node.id}.tfstate"))
            return
        AzurermBackend(
            self,
            resource_group_name=settings.storage.resource_group,
            storage_account_name=settings.storage.state_account,
            container_name=settings.storage.state_container,
            key=f"{self.node.id}.tfstate",
            subscription_id=settings.subscription_id,
            use_azuread_auth=True,
        )

    def _add_group(self, key: str, name: str) -> ResourceGroup:
        settings = self._settings
        group = ResourceGroup(self, f"{key}_group", name=name, location=settings.location, tags=settings.tags or None)
        group.override_logical_id(key)
        return group

    def _add_outputs(self, workspace: Workspace, network: WorkspaceNetwork, mail: Mail) -> None:
        settings = self._settings
        storage = settings.storage
        self._add_output("workspace_url", f"https://{workspace.resource.workspace_url}")
        self._add_output("workspace_id", workspace.resource.workspace_id)
        self._add_output("nat_address", network.address.ip_address)
        self._add_output(
            "state_backend",
            {
                "resource_group_name": storage.resource_group,
                "storage_account_name": storage.state_account,
                "container_name": storage.state_container,
            },
        )
        self._add_output(
            "backup_url", f"abfss://{storage.backup_container}@{storage.backup_account}.dfs.core.windows.net"
        )
        self._add_output("mail_connection_string", mail.service.primary_connection_string, sensitive=True)
        if settings.mail.can_send:
            self._add_output("mail_sender", f"{settings.mail.sender}@{mail.domain.from_sender_domain}")
        if settings.mail.domain:
            self._add_output("mail_dns_records", _attribute(mail.domain, "verification_records"))

    def _add_output(self, name: str, value: object, *, sensitive: bool | None = None) -> None:
        TerraformOutput(self, name, value=value, sensitive=sensitive, static_id=True)


def _attribute(element: TerraformElement, name: str) -> str:
    """Return the expression for an attribute as a whole; the bindings only have its parts."""
    return f"${{{element.fqn}.{name}}}"
