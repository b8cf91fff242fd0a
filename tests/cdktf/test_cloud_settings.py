"""cloud.toml: its values and its error messages."""

import tomllib
from pathlib import Path

import pytest

from cloud.settings import CloudSettings, load_cloud_settings
from settings_tables import SettingsError, SettingsTable, parse

EXAMPLE = (Path(__file__).resolve().parents[2] / "cloud.toml").read_text(encoding="utf-8")


def problems(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse(text, "cloud.toml", CloudSettings)
    return caught.value.problems


def changed(*changes: tuple[str, str]) -> str:
    text = EXAMPLE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_the_example_is_valid():
    settings = parse(EXAMPLE, "cloud.toml", CloudSettings)
    assert (settings.stack_id, settings.managed_resource_group) == ("cloud-de-lab", "de-lab-managed")
    assert (settings.mail.can_send, settings.mail.has_own_sender) == (True, False)
    assert settings.state.type == "local"


def test_the_example_contains_every_key():
    example = {
        f"{table}.{key}" if isinstance(values, dict) and table != "tags" else table
        for table, values in tomllib.loads(EXAMPLE).items()
        for key in (values if isinstance(values, dict) else [""])
    }
    assert example == keys_of(CloudSettings)


def keys_of(table: type[SettingsTable], prefix: str = "") -> set[str]:
    """Return the dotted keys of a table and of the tables in it."""
    found = set()
    for name, field in table.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, SettingsTable):
            found |= keys_of(inner, f"{prefix}{name}.")
        else:
            found.add(f"{prefix}{name}")
    return found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [('name = "de-lab" ', 'name = "de lab" ')],
            "name must be at most 24 letters, digits and hyphens, not 'de lab'.",
        ),
        (
            [('subscription_id = "6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"', 'subscription_id = "Teaching"')],
            "subscription_id must be a subscription's id, such as 6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d, not "
            "'Teaching'.",
        ),
        ([('"westeurope"', '"West Europe"')], "location must be a region such as \"westeurope\", not 'West Europe'."),
        (
            [('department = "computer-science"', 'department = "${var.x}"')],
            "tags.department must be at most 256 characters without $ % { }, not '${var.x}'.",
        ),
        (
            [('address_space = "10.40.0.0/20"', 'address_space = "10.40.0.1/20"')],
            "network.address_space must be an IPv4 network, such as \"10.40.0.0/20\", not '10.40.0.1/20'.",
        ),
        (
            [('address_space = "10.40.0.0/20"', 'address_space = "10.40.0.0/25"')],
            "network: address_space 10.40.0.0/25 must be a network from /16 to /24.",
        ),
        (
            [('host_subnet = "10.40.0.0/22"', 'host_subnet = "10.41.0.0/22"')],
            "network: host_subnet 10.41.0.0/22 is not in address_space 10.40.0.0/20.",
        ),
        (
            [('container_subnet = "10.40.4.0/22"', 'container_subnet = "10.40.4.0/27"')],
            "network: container_subnet 10.40.4.0/27 must be a network from /17 to /26.",
        ),
        (
            [('container_subnet = "10.40.4.0/22"', 'container_subnet = "10.40.0.0/24"')],
            "network: host_subnet 10.40.0.0/22 overlaps container_subnet 10.40.0.0/24.",
        ),
        (
            [("domain_is_verified = false", "domain_is_verified = true")],
            "mail: domain_is_verified is only for a domain of your own; Azure verifies the one it manages.",
        ),
        (
            [('domain = "" ', 'domain = "staff@example.org" ')],
            'mail.domain must be a domain such as "lab.example.ac.il", or empty for a domain that Azure manages, not '
            "'staff@example.org'.",
        ),
        (
            [('sender_display_name = ""', 'sender_display_name = "The lab"')],
            "mail: sender_display_name needs a sender other than DoNotReply, which Azure creates.",
        ),
        (
            [('"delabbackup"', '"delab-backup"')],
            "storage.backup_account must be 3 to 24 lower-case letters and digits, unique in all of Azure, not "
            "'delab-backup'.",
        ),
        (
            [('"delabbackup"', '"delabstate"')],
            "storage: state_account and backup_account must be different accounts.",
        ),
        (
            [('resource_group = "de-lab-storage"', 'resource_group = "DE-lab"')],
            "storage.resource_group must differ from de-lab and de-lab-managed.",
        ),
        (
            [('operators = ["6a1f0f0e-8d1c-4a55-9a5e-0d6f7a0b1c2d"]', "operators = []")],
            "access.operators must be a list of one or more object ids of the people, groups and service principals "
            "that deploy, not [].",
        ),
        (
            [('students_group = ""', 'students_group = "students"')],
            "access.students_group must be the object id of the students' group in the directory, or empty to assign "
            "no role, not 'students'.",
        ),
        (
            [('type = "local" ', 'type = "s3" ')],
            'state.type must be "local", or "azurerm" after the first apply, not \'s3\'.',
        ),
        (
            [('location = "westeurope"', 'client_secret = "hush"')],
            [
                'location is missing; it must be a region such as "westeurope".',
                "client_secret is not a known key; allowed here: name, subscription_id, location, resource_group, "
                "tags, network, mail, storage, access, state.",
            ],
        ),
    ],
)
def test_an_invalid_value_is_reported_with_its_key_and_what_is_allowed(changes, message):
    expected = [message] if isinstance(message, str) else message
    assert problems(changed(*changes)) == [f"cloud.toml: {one}" for one in expected]


def test_a_missing_file_is_reported_with_what_to_do(tmp_path: Path):
    with pytest.raises(SettingsError) as caught:
        load_cloud_settings(tmp_path / "cloud.toml")
    assert caught.value.problems == [
        f"{tmp_path}/cloud.toml cannot be read (No such file or directory); copy cloud.toml of the project, or set "
        "--settings."
    ]
