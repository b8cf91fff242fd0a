"""Filling lab.toml and .env with the outputs of the Azure resources: what changes, what stays, and what is shown."""

import io
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from dotenv import dotenv_values

from cloud.lab_files import PUBLIC_VARIABLES, LabFilesError, diff_lines, fill_settings, fill_variables
from cloud.outputs import CloudOutputs, OutputsError, parse_outputs
from lab_settings import parse_settings

ROOT = Path(__file__).resolve().parents[2]
LAB, ENV = (ROOT / "lab.toml").read_text(encoding="utf-8"), (ROOT / ".env.example").read_text(encoding="utf-8")
URL, KEY = "https://adb-99.9.azuredatabricks.net", "c2VjcmV0+a2V5/w=="
BACKEND = {"resource_group_name": "rg", "storage_account_name": "account", "container_name": "states"}
OUTPUTS = CloudOutputs(
    workspace_url=URL,
    workspace_id="99",
    state_backend=BACKEND,
    mail_connection_string=f"endpoint=https://lab.europe.communication.azure.com/;accesskey={KEY}",
    mail_sender="DoNotReply@0f.azurecomm.net",
)
DOCUMENT = {
    "workspace_url": {"value": URL, "type": "string", "sensitive": False},
    "workspace_id": {"value": "99", "type": "string", "sensitive": False},
    "nat_address": {"value": "20.0.0.1", "type": "string", "sensitive": False},
    "state_backend": {"value": BACKEND, "type": ["object", {}], "sensitive": False},
    "mail_connection_string": {"value": OUTPUTS.mail_connection_string, "type": "string", "sensitive": True},
    "mail_sender": {"value": OUTPUTS.mail_sender, "type": "string", "sensitive": False},
}


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    """Return the changed lines of two texts with the same number of lines."""
    return [(old, new) for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new]


def test_the_example_settings_are_filled_and_keep_every_comment():
    change = fill_settings(LAB, "lab.toml", "production", OUTPUTS, state_key="94290-2026w-production.tfstate")
    before, after = LAB.splitlines(), change.after.splitlines()
    assert [line for line in after if line not in before] == [
        'expected_host = "https://adb-99.9.azuredatabricks.net"',
        'expected_workspace_id = "99"        # either is enough; plan, deploy and destroy stop in any other workspace',
        'resource_group_name = "rg"',
        'storage_account_name = "account"',
        'container_name = "states"',
        "use_azuread_auth = true",
    ]
    target = parse_settings(change.after, "lab.toml").targets["production"]
    assert (target.profile, target.host, target.expected_host, target.expected_workspace_id) == ("LAB", None, URL, "99")
    assert target.backend.model_dump() == {
        "type": "azurerm",
        **BACKEND,
        "key": "94290-2026w.tfstate",
        "use_azuread_auth": True,
    }
    assert change.notes == (f"Target production uses the profile LAB, whose host must be {URL}.",)


def test_a_target_without_backend_gets_one_and_a_note_about_its_state():
    change = fill_settings(LAB, "lab.toml", "rehearsal", OUTPUTS, state_key="94290-2026w-rehearsal.tfstate")
    lab = parse_settings(change.after, "lab.toml")
    assert lab.targets["rehearsal"].backend.key == "94290-2026w-rehearsal.tfstate"
    assert lab.targets["production"] == parse_settings(LAB, "lab.toml").targets["production"]
    assert change.notes == (
        "The state of target rehearsal is now in the storage account; if the target is deployed, move its state "
        '(docs/deploy.md, "Targets and states") before the next deploy.',
    )
    assert [line for line in LAB.splitlines() if line not in change.after.splitlines()] == []


def test_a_targets_own_host_follows_the_workspace():
    text = LAB.replace('profile = "LAB"  ', 'host = "https://adb-1.1.azuredatabricks.net"  ')
    change = fill_settings(text, "lab.toml", "production", OUTPUTS, state_key="k")
    assert parse_settings(change.after, "lab.toml").targets["production"].host == URL
    assert change.notes == ()


BEFORE = """default_target = "production"
[course] # the course
id = "1"
"""
BACKEND_TABLE = '[targets.production.backend]\n# where\ntype = "local" # for now\n'


@pytest.mark.parametrize(
    "text",
    [
        f"{BEFORE}[targets.production]\nprofile = 'A' # mine\n",
        f"{BEFORE}[targets.production]\n[quota]\nhard_minutes = 1 # q\n[targets.rehearsal]\n# r\n",
        f"{BEFORE}[targets.production]\n[targets.rehearsal]\n{BACKEND_TABLE}",
        f"{BEFORE}{BACKEND_TABLE}[quota]\n[targets.rehearsal]\n",
        f"{BEFORE}[targets]\nproduction = {{ profile = 'A' }} # mine\n",
        f"{BEFORE}[targets]\nproduction.profile = 'A' # mine\nproduction.backend.type = 'local' # l\n",
        f"{BEFORE}[targets.production]\nexpected_host = 'a' # h\nbackend = {{ type = 'local' }} # l\n[quota]\n",
    ],
)
def test_every_form_of_a_target_is_filled_and_nothing_else_changes(text: str):
    change = fill_settings(text, "lab.toml", "production", OUTPUTS, state_key="k")
    before, after = tomllib.loads(text), tomllib.loads(change.after)
    target = after["targets"].pop("production")
    profile = before["targets"].pop("production").get("profile")
    assert after == before
    assert target == {
        **({"profile": profile} if profile else {}),
        "expected_host": URL,
        "expected_workspace_id": "99",
        "backend": {"type": "azurerm", **BACKEND, "key": "k", "use_azuread_auth": True},
    }
    assert sorted(re.findall("# .*", change.after)) == sorted(re.findall("# .*", text))


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_filling_twice_changes_nothing(ends: str):
    lab, env = LAB.replace("\n", ends), ENV.replace("\n", ends)
    settings = fill_settings(lab, "lab.toml", "production", OUTPUTS, state_key="k")
    again = fill_settings(settings.after, "lab.toml", "production", OUTPUTS, state_key="other")
    assert (again.is_empty, list(diff_lines(again))) == (True, [])
    variables = fill_variables(env, ".env", OUTPUTS)
    assert fill_variables(variables.after, ".env", OUTPUTS).is_empty


def test_an_example_of_variables_is_filled_below_its_commented_lines():
    change = fill_variables(ENV, ".env", OUTPUTS)
    assert dict(dotenv_values(stream=io.StringIO(change.after))) == {
        "DATABRICKS_HOST": URL,
        "LAB_EXPECTED_WORKSPACE_ID": "99",
        "LAB_EXPECTED_HOST": URL,
        "AZURE_EMAIL_CONNECTION_STRING": OUTPUTS.mail_connection_string,
        "AZURE_EMAIL_SENDER": "DoNotReply@0f.azurecomm.net",
    }
    lines = change.after.splitlines()
    assert [line for line in lines if line not in ENV.splitlines()] == [
        f"DATABRICKS_HOST={URL}",
        "LAB_EXPECTED_WORKSPACE_ID=99",
        f"LAB_EXPECTED_HOST={URL}",
        f"AZURE_EMAIL_CONNECTION_STRING='{OUTPUTS.mail_connection_string}'",
        "AZURE_EMAIL_SENDER=DoNotReply@0f.azurecomm.net",
    ]
    assert lines[lines.index("LAB_EXPECTED_WORKSPACE_ID=99") - 1] == "# LAB_EXPECTED_WORKSPACE_ID=1234567890123456"


def test_variables_that_are_set_are_replaced_in_place_with_their_comments():
    before = (
        "# the lab\n"
        "export LAB_EXPECTED_WORKSPACE_ID = 1 # last year's\n"
        "DATABRICKS_HOST='https://old.example' # ours\n"
        'LAB_EXPECTED_HOST="https://old.example"\n'
        "\n"
        "ADMIN_EMAIL=staff@example.org # all of us\n"
        "AZURE_EMAIL_SENDER=a#b@old.example\n"
        "AZURE_EMAIL_CONNECTION_STRING=endpoint=https://old/;accesskey=old"
    )
    change = fill_variables(before, ".env", OUTPUTS)
    assert changed_lines(before, change.after) == [
        ("export LAB_EXPECTED_WORKSPACE_ID = 1 # last year's", "export LAB_EXPECTED_WORKSPACE_ID = 99 # last year's"),
        ("DATABRICKS_HOST='https://old.example' # ours", f"DATABRICKS_HOST={URL} # ours"),
        ('LAB_EXPECTED_HOST="https://old.example"', f"LAB_EXPECTED_HOST={URL}"),
        ("AZURE_EMAIL_SENDER=a#b@old.example", "AZURE_EMAIL_SENDER=DoNotReply@0f.azurecomm.net"),
        (
            "AZURE_EMAIL_CONNECTION_STRING=endpoint=https://old/;accesskey=old",
            f"AZURE_EMAIL_CONNECTION_STRING='{OUTPUTS.mail_connection_string}'",
        ),
    ]


def test_the_last_of_two_values_is_replaced_because_it_counts():
    change = fill_variables("LAB_EXPECTED_WORKSPACE_ID=1\nLAB_EXPECTED_WORKSPACE_ID=2\n", ".env", OUTPUTS)
    assert change.after.startswith("LAB_EXPECTED_WORKSPACE_ID=1\nLAB_EXPECTED_WORKSPACE_ID=99\nDATABRICKS_HOST=")
    assert dotenv_values(stream=io.StringIO(change.after))["LAB_EXPECTED_WORKSPACE_ID"] == "99"


def test_the_older_name_of_the_host_is_kept():
    change = fill_variables("DATABRICKS_WORKSPACE_URL=https://old.example\n", ".env", OUTPUTS)
    values = dotenv_values(stream=io.StringIO(change.after))
    assert (values["DATABRICKS_WORKSPACE_URL"], "DATABRICKS_HOST" in values) == (URL, False)


def test_a_profile_stays_and_is_noted():
    change = fill_variables("DATABRICKS_CONFIG_PROFILE=LAB\n", ".env", OUTPUTS)
    assert "DATABRICKS_HOST" not in change.after
    assert change.notes == (f".env uses the profile LAB, whose host must be {URL}.",)


@pytest.mark.parametrize("host", ["", "DATABRICKS_HOST=https://old.example\n"])
def test_another_workspaces_token_is_never_pointed_at_this_one(host: str):
    with pytest.raises(LabFilesError) as caught:
        fill_variables(f"{host}DATABRICKS_TOKEN=dapi-hush\n", ".env", OUTPUTS)
    assert str(caught.value) == (
        f".env has DATABRICKS_TOKEN for another workspace than {URL}; remove it, or set DATABRICKS_HOST to that "
        "address if it belongs there, and try again."
    )


def test_a_token_for_the_same_workspace_is_kept():
    change = fill_variables(f"DATABRICKS_HOST={URL}/\nDATABRICKS_TOKEN=dapi-hush\n", ".env", OUTPUTS)
    assert dotenv_values(stream=io.StringIO(change.after))["DATABRICKS_TOKEN"] == "dapi-hush"


def test_without_a_connected_domain_no_sender_is_written():
    change = fill_variables("AZURE_EMAIL_SENDER=lab@old.example\n", ".env", replace(OUTPUTS, mail_sender=None))
    assert "AZURE_EMAIL_SENDER=lab@old.example\n" in change.after
    assert change.notes == (
        "AZURE_EMAIL_SENDER stays empty: the mail domain is not connected yet. Verify it, set "
        "mail.domain_is_verified and apply again (docs/azure.md).",
    )


def test_a_diff_shows_no_value_that_may_be_secret():
    before = (
        f"DATABRICKS_HOST={URL}\nDATABRICKS_TOKEN=dapi-hush\n"
        "AZURE_EMAIL_CONNECTION_STRING='endpoint=https://old/;accesskey=old-key' # key of 2025\n"
        'NOTE="several\nlines-hush"\n'
    )
    change = fill_variables(before, ".env", OUTPUTS)
    shown = "\n".join(diff_lines(change, shown=PUBLIC_VARIABLES))
    assert [secret for secret in ("hush", "old-key", KEY, "2025") if secret in shown] == []
    assert shown.splitlines() == [
        "--- .env",
        "+++ .env",
        "@@ -3 +3 @@",
        "-AZURE_EMAIL_CONNECTION_STRING=…",
        "+AZURE_EMAIL_CONNECTION_STRING=…",
        "@@ -5,0 +6,3 @@",
        "+LAB_EXPECTED_WORKSPACE_ID=99",
        f"+LAB_EXPECTED_HOST={URL}",
        "+AZURE_EMAIL_SENDER=DoNotReply@0f.azurecomm.net",
    ]


def test_outputs_are_read_from_terraforms_document():
    assert parse_outputs(DOCUMENT) == OUTPUTS
    assert parse_outputs({k: v for k, v in DOCUMENT.items() if k != "mail_sender"}).mail_sender is None
    assert KEY not in repr(parse_outputs(DOCUMENT))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "terraform output did not print a JSON object."),
        ({}, "The state has no outputs; apply the stack first (docs/azure.md)."),
        ({**DOCUMENT, "workspace_id": {"value": 99}}, "The output workspace_id is missing or malformed"),
        ({**DOCUMENT, "workspace_url": {"value": "https://a\nb"}}, "The output workspace_url is missing or malformed"),
        ({**DOCUMENT, "state_backend": {"value": {}}}, "The output state_backend is missing or incomplete"),
        (
            {**DOCUMENT, "mail_connection_string": {"value": f"{KEY}'\nA=1"}},
            "The output mail_connection_string is missing or malformed",
        ),
    ],
)
def test_malformed_outputs_are_reported_without_their_values(document: object, message: str):
    with pytest.raises(OutputsError) as caught:
        parse_outputs(document)
    assert str(caught.value) == message + ("" if message.endswith(".") else "; apply the stack again.")
