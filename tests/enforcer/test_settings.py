"""Settings from the environment: all invalid ones are reported at once, with name, value and expected value."""

from __future__ import annotations

import pytest

from enforcer.settings import MailSettings, SettingsError, load_settings

MAIL = {
    "AZURE_EMAIL_ENDPOINT": "https://lab.communication.azure.com",
    "AZURE_EMAIL_ACCESS_KEY": "c2VjcmV0",
    "AZURE_EMAIL_SENDER": "lab@x.example",
}


def problems(**variables: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load_settings(variables)
    return raised.value.problems


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABRICKS_MAX_UPTIME", "abc", "minutes from 0 to 1440"),
        ("DATABRICKS_MAX_UPTIME", "nan", "minutes from 0 to 1440"),
        ("DATABRICKS_WARN_UPTIME", "-1", "minutes from 0 to 1440"),
        ("DATABRICKS_MAX_UPTIME", "1441", "minutes from 0 to 1440"),
        ("MAIL_SENDS_PER_HOUR", "0", "a whole number, 1 or greater"),
        ("MAIL_STATUS_PER_MINUTE", "1.5", "a whole number, 1 or greater"),
        ("LAB_TIMEZONE", "Asia", 'an IANA zone such as "Asia/Jerusalem"'),
        ("ADMIN_EMAIL", "staff", "a valid e-mail address"),
        ("REPORT_RECIPIENT_EMAIL", "a@x.example, b", "e-mail addresses separated by spaces or commas"),
    ],
)
def test_an_invalid_value_is_reported_with_name_and_expected_value(name: str, value: str, expected: str) -> None:
    assert problems(**{name: value}) == [f'{name} is "{value}"; expected {expected}.']


def test_control_characters_of_a_value_are_escaped() -> None:
    assert problems(ADMIN_EMAIL="a\x1b[31m") == ['ADMIN_EMAIL is "a\\x1b[31m"; expected a valid e-mail address.']


@pytest.mark.parametrize("name", ["HEALTHCHECK_URL", "AZURE_EMAIL_CONNECTION_STRING"])
def test_a_secret_value_is_not_shown(name: str) -> None:
    (problem,) = problems(**MAIL | {name: "hc-ping.com/hidden"})

    assert problem.startswith(f"{name} is invalid; expected ")
    assert "hidden" not in problem


def test_all_invalid_settings_are_reported_at_once() -> None:
    found = problems(
        DATABRICKS_MAX_UPTIME="abc", ADMIN_EMAIL="x", AZURE_EMAIL_ACCESS_KEY="k", LAB_EXPECTED_WORKSPACE_ID="seven"
    )

    assert [problem.split()[0] for problem in found] == [
        "DATABRICKS_MAX_UPTIME",
        "ADMIN_EMAIL",
        "AZURE_EMAIL_ENDPOINT",
        "AZURE_EMAIL_SENDER",
        "LAB_EXPECTED_WORKSPACE_ID",
    ]


def test_settings_of_the_legacy_system_lack_endpoint_and_sender() -> None:
    earlier = {
        "ADMIN_EMAIL": "staff@x.example",
        "AZURE_EMAIL_ACCESS_KEY": "k",
        "DATABRICKS_MAX_UPTIME": "180",
        "DATABRICKS_WARN_UPTIME": "150",
    }

    assert problems(**earlier) == [
        "AZURE_EMAIL_ENDPOINT is missing; mail needs it and AZURE_EMAIL_ACCESS_KEY (the legacy system had it in its"
        " source, user_mail.py). Or set AZURE_EMAIL_CONNECTION_STRING instead of both.",
        "AZURE_EMAIL_SENDER is missing; mail needs a sender address (the legacy system had it in its source,"
        " user_mail.py).",
    ]
    assert load_settings(earlier | MAIL).mail == MailSettings(
        "endpoint=https://lab.communication.azure.com;accesskey=c2VjcmV0",
        "lab@x.example",
        load_settings(MAIL).mail.budget,  # type: ignore[union-attr]
    )


def test_an_invalid_sender_is_not_also_reported_as_missing() -> None:
    assert problems(**MAIL | {"AZURE_EMAIL_SENDER": "lab"}) == [
        'AZURE_EMAIL_SENDER is "lab"; expected a valid e-mail address.'
    ]
    assert problems(**MAIL | {"AZURE_EMAIL_ENDPOINT": "lab.example"}) == [
        'AZURE_EMAIL_ENDPOINT is "lab.example"; expected https://<name>.communication.azure.com.'
    ]


def test_an_invalid_hard_limit_is_not_compared_with_the_soft_one() -> None:
    assert len(problems(DATABRICKS_MAX_UPTIME="x", DATABRICKS_WARN_UPTIME="1000")) == 1
    assert problems(DATABRICKS_MAX_UPTIME="30", DATABRICKS_WARN_UPTIME="40") == [
        "DATABRICKS_WARN_UPTIME (40) is greater than DATABRICKS_MAX_UPTIME (30); "
        "the warning has to come before the stop."
    ]
