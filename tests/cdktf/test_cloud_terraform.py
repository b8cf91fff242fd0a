"""The synthesized stacks of the Azure app, validated and applied by Terraform with the real provider's schema.

The provider is real, and Azure is not: Terraform's `mock_provider` answers in its place. A provider that is in no local
mirror is not downloaded.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import azurerm_bindings
from labkit.terraform import terraform_program

pytestmark = [pytest.mark.process, pytest.mark.waits, pytest.mark.xdist_group("azurerm")]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "cloud.toml").read_text(encoding="utf-8")
STUDENTS = "11111111-2222-3333-4444-555555555555"
OWN_DOMAIN = {'domain = "" ': 'domain = "lab.example.ac.il" ', 'sender = "DoNotReply"': 'sender = "lab"'}
STACKS: Mapping[str, Mapping[str, str]] = {
    "managed": {'students_group = ""': f'students_group = "{STUDENTS}"'},
    "unverified": OWN_DOMAIN,
    "verified": {**OWN_DOMAIN, "domain_is_verified = false": "domain_is_verified = true"},
}
_SUBSCRIPTION = "/subscriptions/6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"
_LAB, _STORAGE = (f"{_SUBSCRIPTION}/resourceGroups/{name}/providers" for name in ("de-lab", "de-lab-storage"))
_NETWORK = f"{_LAB}/Microsoft.Network"
_EMAIL = f"{_LAB}/Microsoft.Communication/emailServices/de-lab-email"
VALUES: Mapping[str, Mapping[str, str]] = {
    "azurerm_virtual_network.lab": {"id": f"{_NETWORK}/virtualNetworks/de-lab-network"},
    "azurerm_network_security_group.lab": {"id": f"{_NETWORK}/networkSecurityGroups/de-lab-security"},
    "azurerm_public_ip.nat": {"id": f"{_NETWORK}/publicIPAddresses/de-lab-nat-address", "ip_address": "20.0.0.1"},
    "azurerm_nat_gateway.lab": {"id": f"{_NETWORK}/natGateways/de-lab-nat"},
    **{
        f"{kind}.{key}": {"id": f"{_NETWORK}/virtualNetworks/de-lab-network/subnets/de-lab-{key}"}
        for kind in ("azurerm_subnet", "azurerm_subnet_network_security_group_association")
        for key in ("host", "container")
    },
    "azurerm_databricks_workspace.lab": {
        "id": f"{_LAB}/Microsoft.Databricks/workspaces/de-lab",
        "workspace_url": "adb-99.9.azuredatabricks.net",
        "workspace_id": "99",
    },
    "azurerm_communication_service.lab": {
        "id": f"{_LAB}/Microsoft.Communication/communicationServices/de-lab-communication",
        "primary_connection_string": "endpoint=https://lab.communication.azure.com/;accesskey=a2V5",
    },
    "azurerm_email_communication_service.lab": {"id": _EMAIL},
    "azurerm_email_communication_service_domain.lab": {
        "id": f"{_EMAIL}/domains/AzureManagedDomain",
        "from_sender_domain": "0f.azurecomm.net",
    },
    **{
        f"azurerm_storage_account.{key}": {"id": f"{_STORAGE}/Microsoft.Storage/storageAccounts/delab{key}"}
        for key in ("state", "backup")
    },
}
"""What Azure would answer: the ids, whose form the provider checks, and the attributes that the outputs contain."""
PROTECTED = ("azurerm_storage_account", "azurerm_storage_container")


def mocked() -> str:
    """Return the mock provider and its answers in Terraform's language."""
    overrides = [
        f"override_resource {{\n  target = {target}\n  values = {json.dumps(values)}\n}}\n"
        for target, values in VALUES.items()
    ]
    return 'mock_provider "azurerm" {}\n' + "".join(overrides)


FIRST = """
run "apply" {
  command = apply
  assert {
    condition     = output.workspace_url == "https://adb-99.9.azuredatabricks.net" && output.workspace_id == "99"
    error_message = "the workspace's outputs"
  }
  assert {
    condition     = nonsensitive(output.mail_connection_string) == "endpoint=https://lab.communication.azure.com/;accesskey=a2V5"
    error_message = "the mail service's output"
  }
  assert {
    condition     = azurerm_databricks_workspace.lab.custom_parameters[0].no_public_ip
    error_message = "nodes have public addresses"
  }
  assert {
    condition     = toset(azurerm_subnet.host.service_endpoints) == toset(["Microsoft.Storage"])
    error_message = "storage traffic passes the gateway"
  }
  assert {
    condition     = azurerm_storage_account.state.blob_properties[0].versioning_enabled
    error_message = "states have no versions"
  }
  assert {
    condition     = azurerm_storage_account.backup.access_tier == "Cold"
    error_message = "backups are not cold"
  }
"""
ASSERTIONS = {
    "managed": """
  assert {
    condition     = azurerm_role_assignment.students.role_definition_name == "Reader"
    error_message = "the students' role"
  }
  assert {
    condition     = output.mail_sender == "DoNotReply@0f.azurecomm.net"
    error_message = "the sender"
  }
""",
    "unverified": """
  assert {
    condition     = length(output.mail_dns_records) >= 0
    error_message = "the records"
  }
""",
    "verified": """
  assert {
    condition     = output.mail_sender == "lab@0f.azurecomm.net"
    error_message = "the sender"
  }
  assert {
    condition = (
      azurerm_communication_service_email_domain_association.lab.email_service_domain_id
      == azurerm_email_communication_service_domain.lab.id
    )
    error_message = "the connection of the domain"
  }
""",
}


@pytest.fixture(scope="module", params=STACKS)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a synthesized stack, initialized with the real provider; its name is the kind of mail domain."""
    if problem := azurerm_bindings.provider_problem(Path.home()):
        pytest.skip(problem)
    try:
        packages = azurerm_bindings.install()
    except azurerm_bindings.BindingsUnavailable as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("azure") / request.param
    folder.mkdir()
    text = EXAMPLE
    for old, new in STACKS[request.param].items():
        assert old in text
        text = text.replace(old, new)
    (folder / "cloud.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, str(ROOT / "cdktf/cloud_main.py"), "--settings", str(folder / "cloud.toml")]
    command += ["--output", str(folder / "out")]
    environment = azurerm_bindings.environment(packages)
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=300)
    made = folder / "out/stacks/cloud-de-lab"
    done = terraform(made, "init", "-input=false")
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def terraform(stack: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Terraform in a stack's folder, without any Azure login."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ARM_", "AZURE_"))}
    environment |= {"CHECKPOINT_DISABLE": "1"}
    command = [terraform_program(os.environ), f"-chdir={stack}", arguments[0], "-no-color", *arguments[1:]]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)


def test_the_stack_is_valid_for_the_real_provider(stack: Path) -> None:
    done = terraform(stack, "validate", "-json")
    answer = json.loads(done.stdout)
    assert (answer["valid"], answer["diagnostics"]) == (True, [])


def test_the_stack_applies_with_a_mocked_azure(stack: Path) -> None:
    kind = stack.parents[2].name
    destroyable = {
        "resource": {
            protected: {key: {"lifecycle": {"prevent_destroy": False}} for key in ("state", "backup")}
            for protected in PROTECTED
        }
    }
    # Terraform's test destroys everything at its end.
    (stack / "destroyable_override.tf.json").write_text(json.dumps(destroyable), encoding="utf-8")
    done = terraform_test(stack, FIRST + ASSERTIONS[kind] + "}\n")
    (stack / "destroyable_override.tf.json").unlink()
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Success! 1 passed, 0 failed."), (
        done.stdout + done.stderr
    )


@pytest.mark.parametrize("stack", ["managed"], indirect=True)
def test_terraform_refuses_to_destroy_states_and_backups(stack: Path) -> None:
    done = terraform_test(stack, FIRST + "}\n")
    refused = re.findall(r"Resource (\S+) has lifecycle\.prevent_destroy set", done.stdout + done.stderr)
    assert (done.returncode, 'run "apply"... pass' in done.stdout) == (1, True)
    assert sorted(refused) == ["azurerm_storage_container.backup", "azurerm_storage_container.state"]


def terraform_test(stack: Path, runs: str) -> subprocess.CompletedProcess[str]:
    """Run `terraform test` with the mocked provider and these run blocks."""
    (stack / "main.tftest.hcl").write_text(mocked() + runs, encoding="utf-8")
    return terraform(stack, "test")


def test_the_lock_file_names_the_version_of_the_bindings(stack: Path) -> None:
    text = (stack / ".terraform.lock.hcl").read_text(encoding="utf-8")
    assert f'version     = "{azurerm_bindings.PROVIDER_VERSION}"' in text
