"""Host and credential come from one source."""

from __future__ import annotations

import pytest

from inventory.credentials import CredentialsError, address, choose, read_profiles

LAB, OTHER = "https://lab.example", "https://other.example"
PROFILES = {"DEFAULT": {"host": LAB, "token": "d"}, "other": {"host": OTHER + "/", "token": "o"}}
ENVIRONMENT = {"DATABRICKS_HOST": OTHER, "DATABRICKS_TOKEN": "e"}


def chosen(url=None, token=None, profile=None, environ=None, profiles=PROFILES):
    found = choose(url=url, token=token, profile=profile, environ=environ or {}, profiles=profiles)
    return found.source, found.host, dict(found.arguments), found.hide_environment


def test_flags_come_before_a_profile_and_a_profile_before_the_environment():
    assert chosen(LAB, "t", environ=ENVIRONMENT) == (
        "the command line", LAB, {"host": LAB, "token": "t", "auth_type": "pat"}, True
    )  # fmt: skip
    assert chosen(profile="DEFAULT", environ=ENVIRONMENT) == ("profile DEFAULT", LAB, {"profile": "DEFAULT"}, True)
    assert chosen(environ=ENVIRONMENT) == ("the environment", OTHER, {"host": OTHER}, False)
    assert chosen() == ("profile DEFAULT", LAB, {"profile": "DEFAULT"}, True)
    assert chosen(environ={"DATABRICKS_CONFIG_PROFILE": "other"})[0] == "profile other"


def test_an_address_alone_takes_the_credential_that_is_of_it():
    assert chosen(OTHER)[0] == "profile other"
    assert chosen(OTHER, environ=ENVIRONMENT)[0] == "the environment"
    assert chosen(LAB, environ=ENVIRONMENT)[0] == "profile DEFAULT"


def test_the_variable_of_the_earlier_tool_names_the_workspace():
    assert chosen(environ={"DATABRICKS_WORKSPACE_URL": "other.example"})[:2] == ("the environment", OTHER)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"profile": "nope"}, r"there is no profile 'nope'; there are: DEFAULT, other\."),
        ({"profile": "nope", "profiles": {}}, "there are none"),
        ({"token": "t"}, "add --workspace-url"),
        ({"url": LAB, "token": "t", "profile": "other"}, "two sources"),
        ({"url": LAB, "profile": "other"}, "profile other is of https://other.example and not of https://lab.example"),
        ({"url": "https://third.example", "environ": ENVIRONMENT}, "there is no credential for https://third.example"),
        ({"url": OTHER, "profiles": {"a": {"host": OTHER}, "b": {"host": OTHER}}}, r"name one with --profile \(a, b\)"),
        ({"environ": ENVIRONMENT | {"DATABRICKS_WORKSPACE_URL": LAB}}, "name different workspaces"),
        ({"profiles": {}}, "no workspace is named"),
        ({"profile": "x", "profiles": {"x": {}}}, "profile x names no host"),
        ({"url": "https://user@host", "token": "t"}, "is not the address"),
    ],
)
def test_contradictions_and_gaps_are_sentences(asked, sentence):
    with pytest.raises(CredentialsError, match=sentence):
        chosen(**asked)


def test_addresses_are_understood_as_people_paste_them():
    pasted = ["lab.example", "https://LAB.example/?o=12", " https://lab.example/#home "]
    assert [address(each) for each in pasted] == [LAB] * 3


def test_profiles_are_read_and_the_token_is_in_no_text():
    text = "[DEFAULT]\nhost = https://lab.example\ntoken = s3cret%\n[__settings__]\nx = y\n[empty]\n"
    profiles = read_profiles(text)
    assert profiles == {"DEFAULT": {"host": LAB, "token": "s3cret%"}, "empty": {}}
    credentials = choose(url=LAB, token="s3cret", profile=None, environ={}, profiles={})
    assert "s3cret" not in repr(credentials)
    with pytest.raises(CredentialsError, match=r"line 1\)"):
        read_profiles("token = s3cret")
