"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from inventory.__main__ import main
from inventory.commands import options
from labkit.extras.cli import CommandError

PROFILES = "[DEFAULT]\nhost = https://a.example\n[lab]\nhost = https://b.example\ncluster_id = of-the-profile\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A configuration file in which one profile specifies a cluster."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles").write_text(PROFILES)
    return str(tmp_path / "profiles")


@pytest.mark.parametrize(
    ("given", "profile", "variables", "cluster"),
    [
        (None, "lab", {"DATABRICKS_CLUSTER_ID": "of-the-variable"}, None),
        ("named", "lab", {"DATABRICKS_CLUSTER_ID": "of-the-variable"}, "named"),
        ("", None, {"DATABRICKS_CLUSTER_ID": "of-the-variable"}, "of-the-variable"),
        ("", "lab", {"DATABRICKS_CLUSTER_ID": "of-the-variable"}, "of-the-profile"),
        ("", None, {"DATABRICKS_CONFIG_PROFILE": "lab"}, "of-the-profile"),
    ],
)
def test_a_cluster_is_used_only_with_the_option(config, given, profile, variables, cluster):
    with click.Context(click.Command("scan"), obj={"DATABRICKS_CONFIG_FILE": config} | variables):
        assert options.named_cluster(given, profile) == cluster


def test_the_option_is_rejected_if_no_cluster_is_specified(config):
    with (
        click.Context(click.Command("scan"), obj={"DATABRICKS_CONFIG_FILE": config}),
        pytest.raises(
            CommandError,
            match="has no value, and neither DATABRICKS_CLUSTER_ID nor profile DEFAULT specifies a cluster",
        ),
    ):
        options.named_cluster("", None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["users", "-p", "none", "-o", "users.csv", "--max-users", "0"],
        ["scan", "-p", "none", "-o", "scan.csv"],
        ["backup", "-p", "none", "-o", "saved"],
    ],
    ids=" ".join,
)
def test_short_options_and_zero_are_accepted(config, arguments):
    found = CliRunner().invoke(main, arguments, obj={"DATABRICKS_CONFIG_FILE": config})
    assert (found.exit_code, "there is no profile none" in found.output or "none" in found.output) == (2, True)
    assert "No such option" not in found.output


def test_without_settings_the_missing_workspace_is_reported(config):
    found = CliRunner().invoke(main, ["doctor"], obj={"DATABRICKS_CONFIG_FILE": "/nowhere"})
    assert (found.exit_code, found.output) == (
        2,
        "Error: no workspace is configured: set DATABRICKS_HOST and a credential in .env, "
        "or DATABRICKS_CONFIG_PROFILE.\n",
    )
