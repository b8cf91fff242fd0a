"""Storage that outlives the workspace: Terraform states with versions, and backups in the cold tier."""

from collections.abc import Sequence
from typing import Any

from cloud.framework import (
    Construct,
    ResourceGroup,
    RoleAssignment,
    StorageAccount,
    StorageAccountBlobProperties,
    StorageAccountBlobPropertiesContainerDeleteRetentionPolicy,
    StorageAccountBlobPropertiesDeleteRetentionPolicy,
    StorageContainer,
    TerraformResourceLifecycle,
)
from cloud.settings import CloudSettings

RETENTION_DAYS = 30
"""Deleted blobs and containers can be restored for this number of days."""
OPERATORS_ROLE = "Storage Blob Data Contributor"
"""Reads and writes blobs in one account. It manages no resources, unlike the role Contributor."""


class LabStorage(Construct):
    """The two accounts. Terraform refuses to destroy them.

    They accept logins only. With account keys, everybody with the role Contributor could read the states, which
    contain people's names and the mail service's key.
    """

    def __init__(self, scope: Construct, id: str, *, settings: CloudSettings, group: ResourceGroup) -> None:
        super().__init__(scope, id)
        self._settings = settings
        self._group = group
        storage = settings.storage
        self.state = self._add_account(
            "state", storage.state_account, storage.state_container, access_tier="Hot", versioning=True
        )
        self.backup = self._add_account(
            "backup", storage.backup_account, storage.backup_container, access_tier="Cold", versioning=False
        )

    def _add_account(
        self, key: str, name: str, container: str, *, access_tier: str, versioning: bool
    ) -> StorageAccount:
        settings = self._settings
        account = StorageAccount(
            self,
            key,
            name=name,
            resource_group_name=self._group.name,
            location=self._group.location,
            account_kind="StorageV2",
            account_tier="Standard",
            account_replication_type=settings.storage.replication,
            access_tier=access_tier,
            min_tls_version="TLS1_2",
            allow_nested_items_to_be_public=False,
            cross_tenant_replication_enabled=False,
            default_to_oauth_authentication=True,
            local_user_enabled=False,
            shared_access_key_enabled=False,
            blob_properties=StorageAccountBlobProperties(
                versioning_enabled=versioning,
                delete_retention_policy=StorageAccountBlobPropertiesDeleteRetentionPolicy(days=RETENTION_DAYS),
                container_delete_retention_policy=StorageAccountBlobPropertiesContainerDeleteRetentionPolicy(
                    days=RETENTION_DAYS
                ),
            ),
            tags=settings.tags or None,
            lifecycle=_protected(),
        )
        account.override_logical_id(key)
        StorageContainer(
            self,
            f"{key}_container",
            name=container,
            storage_account_id=account.id,
            container_access_type="private",
            lifecycle=_protected(),
        ).override_logical_id(key)
        self._add_operators(key, account, settings.access.operators)
        return account

    def _add_operators(self, key: str, account: StorageAccount, operators: Sequence[str]) -> None:
        for operator in dict.fromkeys(map(str.lower, operators)):
            # The id is part of the address, so that a change of the list leaves the others' assignments in place.
            RoleAssignment(
                self,
                f"{key}_{operator}",
                scope=account.id,
                role_definition_name=OPERATORS_ROLE,
                principal_id=operator,
            ).override_logical_id(f"{key}_{operator}")


def _protected() -> Any:
    return TerraformResourceLifecycle(prevent_destroy=True)
