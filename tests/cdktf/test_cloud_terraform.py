"""The synthesized stacks of the Azure app, validated and applied by Terraform with the real provider's schema.

The provider is real, and Azure is not: Terraform's `mock_provider` answers in its place. A provider that is in no local
mirror is not downloaded.
"""

from __future__ import annotations

import json
import os
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
MOCKED = """
mock_provider "azurerm" {
  mock_resource "azurerm_databricks_workspace" {
    defaults = { workspace_url = "adb-99.9.azuredatabricks.net", workspace_id = "99" }
  }
  mock_resource "azurerm_communication_service" {
    defaults = { primary_connection_string = "endpoint=https://lab.communication.azure.com/;accesskey=a2V5" }
  }
  mock_resource "azurerm_email_communication_service_domain" {
    defaults = { from_sender_domain = "0f.azurecomm.net" }
  }
}
"""
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
    (stack / "main.tftest.hcl").write_text(MOCKED + FIRST + ASSERTIONS[kind] + "}\n", encoding="utf-8")
    done = terraform(stack, "test")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Success! 1 passed, 0 failed."), (
        done.stdout + done.stderr
    )


def test_the_lock_file_names_the_version_of_the_bindings(stack: Path) -> None:
    text = (stack / ".terraform.lock.hcl").read_text(encoding="utf-8")
    assert f'version     = "{azurerm_bindings.PROVIDER_VERSION}"' in text
