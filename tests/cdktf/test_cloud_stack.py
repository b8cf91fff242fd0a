"""The resources in the synthesized stack of the Azure app."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import azurerm_bindings
from cloud.settings import CloudSettings
from labkit.lazy_package import LazyModule
from settings_tables import parse

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("framework")]
# Importing the framework starts Node.js, which takes seconds, so only the process that runs these tests imports it.
framework, stacks = LazyModule("cloud.framework"), LazyModule("cloud.stack")

EXAMPLE = (Path(__file__).resolve().parents[2] / "cloud.toml").read_text(encoding="utf-8")
STUDENTS = "11111111-2222-3333-4444-555555555555"
OPERATOR = "6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"
OWN_DOMAIN = ('domain = "" ', 'domain = "lab.example.ac.il" ')
VERIFIED = ("domain_is_verified = false", "domain_is_verified = true")
OWN_SENDER = ('sender = "DoNotReply"', 'sender = "lab"')


@pytest.fixture(scope="module", autouse=True)
def bindings() -> Iterator[None]:
    try:
        packages = azurerm_bindings.install()
    except azurerm_bindings.BindingsUnavailable as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(packages)])
        yield


def synthesized(*changes: tuple[str, str]) -> dict[str, Any]:
    text = EXAMPLE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    settings = parse(text, "cloud.toml", CloudSettings)
    made = stacks.CloudStack(framework.Testing.app(), settings=settings, state_folder=Path("/lab/state"))
    stack: dict[str, Any] = json.loads(framework.Testing.synth(made))
    return stack


@pytest.fixture(scope="module")
def stack(bindings: None) -> dict[str, Any]:
    return synthesized(('students_group = ""', f'students_group = "{STUDENTS}"'))


def test_the_stack_has_exactly_these_resources(stack: dict[str, Any]):
    assert {kind: sorted(resources) for kind, resources in stack["resource"].items()} == {
        "azurerm_resource_group": ["lab", "storage"],
        "azurerm_virtual_network": ["lab"],
        "azurerm_network_security_group": ["lab"],
        "azurerm_subnet": ["container", "host"],
        "azurerm_subnet_network_security_group_association": ["container", "host"],
        "azurerm_public_ip": ["nat"],
        "azurerm_nat_gateway": ["lab"],
        "azurerm_nat_gateway_public_ip_association": ["nat"],
        "azurerm_subnet_nat_gateway_association": ["container", "host"],
        "azurerm_databricks_workspace": ["lab"],
        "azurerm_communication_service": ["lab"],
        "azurerm_email_communication_service": ["lab"],
        "azurerm_email_communication_service_domain": ["lab"],
        "azurerm_communication_service_email_domain_association": ["lab"],
        "azurerm_storage_account": ["backup", "state"],
        "azurerm_storage_container": ["backup", "state"],
        "azurerm_role_assignment": [f"backup_{OPERATOR}", f"state_{OPERATOR}", "students"],
    }
    assert "data" not in stack


def test_the_workspace_is_premium_with_local_storage_and_no_public_addresses(stack: dict[str, Any]):
    assert stack["resource"]["azurerm_databricks_workspace"]["lab"] == {
        "name": "de-lab",
        "resource_group_name": "${azurerm_resource_group.lab.name}",
        "location": "${azurerm_resource_group.lab.location}",
        "sku": "premium",
        "managed_resource_group_name": "de-lab-managed",
        "custom_parameters": {
            "no_public_ip": True,
            "storage_account_sku_name": "Standard_LRS",
            "virtual_network_id": "${azurerm_virtual_network.lab.id}",
            "public_subnet_name": "${azurerm_subnet.host.name}",
            "public_subnet_network_security_group_association_id": (
                "${azurerm_subnet_network_security_group_association.host.id}"
            ),
            "private_subnet_name": "${azurerm_subnet.container.name}",
            "private_subnet_network_security_group_association_id": (
                "${azurerm_subnet_network_security_group_association.container.id}"
            ),
        },
        "tags": {"department": "computer-science"},
        "depends_on": [
            "azurerm_subnet_nat_gateway_association.host",
            "azurerm_subnet_nat_gateway_association.container",
        ],
    }


@pytest.mark.parametrize(("key", "addresses"), [("host", "10.40.0.0/22"), ("container", "10.40.4.0/22")])
def test_both_subnets_are_delegated_and_reach_storage_past_the_gateway(stack: dict[str, Any], key: str, addresses: str):
    action = "Microsoft.Network/virtualNetworks/subnets"
    assert stack["resource"]["azurerm_subnet"][key] == {
        "name": f"de-lab-{key}",
        "resource_group_name": "${azurerm_virtual_network.lab.resource_group_name}",
        "virtual_network_name": "${azurerm_virtual_network.lab.name}",
        "address_prefixes": [addresses],
        "default_outbound_access_enabled": False,
        "service_endpoints": ["Microsoft.Storage"],
        "delegation": [
            {
                "name": "databricks",
                "service_delegation": {
                    "name": "Microsoft.Databricks/workspaces",
                    "actions": [
                        f"{action}/join/action",
                        f"{action}/prepareNetworkPolicies/action",
                        f"{action}/unprepareNetworkPolicies/action",
                    ],
                },
            }
        ],
    }
    assert stack["resource"]["azurerm_subnet_network_security_group_association"][key] == {
        "subnet_id": f"${{azurerm_subnet.{key}.id}}",
        "network_security_group_id": "${azurerm_network_security_group.lab.id}",
    }
    assert stack["resource"]["azurerm_subnet_nat_gateway_association"][key] == {
        "subnet_id": f"${{azurerm_subnet.{key}.id}}",
        "nat_gateway_id": "${azurerm_nat_gateway.lab.id}",
    }


def test_the_only_public_address_is_the_gateways(stack: dict[str, Any]):
    placement = {
        "resource_group_name": "${azurerm_resource_group.lab.name}",
        "location": "${azurerm_resource_group.lab.location}",
        "tags": {"department": "computer-science"},
    }
    assert stack["resource"]["azurerm_public_ip"] == {
        "nat": {"name": "de-lab-nat-address", "allocation_method": "Static", "sku": "Standard", **placement}
    }
    assert stack["resource"]["azurerm_nat_gateway"] == {
        "lab": {"name": "de-lab-nat", "sku_name": "Standard", **placement}
    }
    assert stack["resource"]["azurerm_nat_gateway_public_ip_association"]["nat"] == {
        "nat_gateway_id": "${azurerm_nat_gateway.lab.id}",
        "public_ip_address_id": "${azurerm_public_ip.nat.id}",
    }


def test_students_only_read_the_workspace_and_operators_only_use_blobs(stack: dict[str, Any]):
    blobs = {"role_definition_name": "Storage Blob Data Contributor", "principal_id": OPERATOR}
    assert stack["resource"]["azurerm_role_assignment"] == {
        "students": {
            "scope": "${azurerm_databricks_workspace.lab.id}",
            "role_definition_name": "Reader",
            "principal_id": STUDENTS,
            "principal_type": "Group",
        },
        f"state_{OPERATOR}": {"scope": "${azurerm_storage_account.state.id}", **blobs},
        f"backup_{OPERATOR}": {"scope": "${azurerm_storage_account.backup.id}", **blobs},
    }


def test_without_a_students_group_students_have_no_role():
    assert "students" not in synthesized()["resource"]["azurerm_role_assignment"]


def test_states_have_versions_and_backups_are_cold_in_a_group_of_their_own(stack: dict[str, Any]):
    accounts = stack["resource"]["azurerm_storage_account"]
    assert accounts["state"] == {
        "name": "delabstate",
        "resource_group_name": "${azurerm_resource_group.storage.name}",
        "location": "${azurerm_resource_group.storage.location}",
        "account_kind": "StorageV2",
        "account_tier": "Standard",
        "account_replication_type": "LRS",
        "access_tier": "Hot",
        "min_tls_version": "TLS1_2",
        "allow_nested_items_to_be_public": False,
        "cross_tenant_replication_enabled": False,
        "default_to_oauth_authentication": True,
        "local_user_enabled": False,
        "shared_access_key_enabled": False,
        "blob_properties": {
            "versioning_enabled": True,
            "delete_retention_policy": {"days": 30},
            "container_delete_retention_policy": {"days": 30},
        },
        "tags": {"department": "computer-science"},
        "lifecycle": {"prevent_destroy": True},
    }
    different = {key for key in accounts["state"] if accounts["backup"][key] != accounts["state"][key]}
    assert different == {"name", "access_tier", "blob_properties"}
    assert (accounts["backup"]["access_tier"], accounts["backup"]["blob_properties"]["versioning_enabled"]) == (
        "Cold",
        False,
    )
    assert stack["resource"]["azurerm_storage_container"]["state"] == {
        "name": "tfstate",
        "storage_account_id": "${azurerm_storage_account.state.id}",
        "container_access_type": "private",
        "lifecycle": {"prevent_destroy": True},
    }


def test_a_managed_domain_sends_after_the_first_apply(stack: dict[str, Any]):
    resources = stack["resource"]
    assert resources["azurerm_email_communication_service_domain"]["lab"] == {
        "name": "AzureManagedDomain",
        "email_service_id": "${azurerm_email_communication_service.lab.id}",
        "domain_management": "AzureManaged",
        "user_engagement_tracking_enabled": False,
        "tags": {"department": "computer-science"},
    }
    assert resources["azurerm_communication_service_email_domain_association"]["lab"] == {
        "communication_service_id": "${azurerm_communication_service.lab.id}",
        "email_service_domain_id": "${azurerm_email_communication_service_domain.lab.id}",
    }
    assert stack["output"]["mail_sender"] == {
        "value": "DoNotReply@${azurerm_email_communication_service_domain.lab.from_sender_domain}"
    }
    assert "mail_dns_records" not in stack["output"]


def test_a_managed_domain_can_have_its_own_sender():
    display = ('sender_display_name = ""', 'sender_display_name = "The lab"')
    stack = synthesized(OWN_SENDER, display)
    assert stack["resource"]["azurerm_email_communication_service_domain_sender_username"] == {
        "lab": {
            "name": "lab",
            "display_name": "The lab",
            "email_service_domain_id": "${azurerm_email_communication_service_domain.lab.id}",
        }
    }
    assert stack["output"]["mail_sender"]["value"].startswith("lab@")


def test_an_own_domain_gives_its_records_and_a_second_apply_connects_it():
    first, second = synthesized(OWN_DOMAIN, OWN_SENDER), synthesized(OWN_DOMAIN, OWN_SENDER, VERIFIED)
    domain = first["resource"]["azurerm_email_communication_service_domain"]["lab"]
    assert (domain["name"], domain["domain_management"]) == ("lab.example.ac.il", "CustomerManaged")
    records = {"value": "${azurerm_email_communication_service_domain.lab.verification_records}"}
    assert first["output"]["mail_dns_records"] == second["output"]["mail_dns_records"] == records
    assert second["resource"].keys() - first["resource"].keys() == {
        "azurerm_communication_service_email_domain_association",
        "azurerm_email_communication_service_domain_sender_username",
    }
    assert second["output"].keys() - first["output"].keys() == {"mail_sender"}
    assert {kind: second["resource"][kind] for kind in first["resource"]} == first["resource"]


def test_only_the_output_with_the_mail_key_is_sensitive(stack: dict[str, Any]):
    assert {name: output.get("sensitive", False) for name, output in stack["output"].items()} == {
        "workspace_url": False,
        "workspace_id": False,
        "nat_address": False,
        "state_backend": False,
        "backup_url": False,
        "mail_connection_string": True,
        "mail_sender": False,
    }
    assert stack["output"]["backup_url"]["value"] == "abfss://backups@delabbackup.dfs.core.windows.net"


def test_the_provider_uses_the_directory_login_and_no_storage_key(stack: dict[str, Any]):
    assert stack["provider"]["azurerm"] == [
        {
            "subscription_id": "6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d",
            "features": [{"storage": [{"data_plane_available": False}]}],
            "storage_use_azuread": True,
            "resource_provider_registrations": "core",
            "resource_providers_to_register": ["Microsoft.Communication", "Microsoft.Databricks"],
        }
    ]
    assert stack["terraform"]["required_providers"] == {
        "azurerm": {"source": "azurerm", "version": azurerm_bindings.PROVIDER_VERSION}
    }


def test_the_state_is_local_until_the_settings_move_it_into_its_own_storage():
    assert synthesized()["terraform"]["backend"] == {"local": {"path": "/lab/state/cloud-de-lab.tfstate"}}
    moved = synthesized(('type = "local" ', 'type = "azurerm" '))
    assert moved["terraform"]["backend"] == {
        "azurerm": {
            "resource_group_name": "de-lab-storage",
            "storage_account_name": "delabstate",
            "container_name": "tfstate",
            "key": "cloud-de-lab.tfstate",
            "subscription_id": "6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d",
            "use_azuread_auth": True,
        }
    }


def test_operators_are_listed_once_and_one_more_changes_no_other_assignment(stack: dict[str, Any]):
    other = "22222222-2222-3333-4444-555555555555"
    listed = f'operators = ["{OPERATOR.upper()}", "{OPERATOR}", "{other}"]'
    more = synthesized((f'operators = ["{OPERATOR}"]', listed))["resource"]["azurerm_role_assignment"]
    assert sorted(more) == [f"backup_{other}", f"backup_{OPERATOR}", f"state_{other}", f"state_{OPERATOR}"]
    before = stack["resource"]["azurerm_role_assignment"]
    assert {name: one for name, one in more.items() if name in before} == {
        name: one for name, one in before.items() if name != "students"
    }
