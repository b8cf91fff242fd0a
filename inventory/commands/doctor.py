"""`doctor`: check that everything a scan needs is available."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

import click

from inventory.commands import options
from inventory.scan.homes import list_existing
from inventory.spark import clusters, errors
from inventory.transport.client import Client
from inventory.transport.workspace import WorkspaceApi, WorkspaceError
from inventory.tree.listing import SOURCES, Folder
from labkit import exit_status
from labkit.extras import cli
from labkit.text import escaped
from labkit.workspace.expected import EXPECTED_ID, WorkspaceIdentity, mismatch


@click.command(
    "doctor",
    epilog="""
    \b
    Examples:
      python -m inventory doctor
      python -m inventory doctor --profile lab --json
      python -m inventory doctor --cluster-id 1018-120000-abcd1234
    """,
)
@options.cluster_id(
    help="Check whether a scan can use this cluster; without ID, the one in the environment or profile."
)
@options.access
@cli.json_option
def command(
    cluster_id: str | None,
    access: options.Access,
    as_json: bool,
) -> None:
    """Show the workspace, the account and its permissions, and how to fix problems.

    Changes nothing. Exit status 1 means that a scan would be incomplete.
    """
    cluster_id = options.named_cluster(cluster_id, access.profile)
    client = options.make_client(access)
    workspace = WorkspaceApi(client)
    facts = {"python": platform.python_version(), "pyspark": pyspark_version() or "not installed"}
    facts |= {"workspace": client.host, "credential": client.credential_source}
    advice: list[str] = []
    try:
        identity, groups = workspace.identity()
    except WorkspaceError as error:
        raise cli.CommandError(f"{error} Log in again, or check the token.") from None
    name = identity.caller
    facts |= {"account": name, "groups": ", ".join(groups) or "none"}
    if "admins" not in groups:
        advice.append(
            f"{name} is not a workspace administrator and cannot read other users' homes. Ask an administrator to scan."
        )
    facts["expected workspace"], problem = _expected_workspace(identity)
    if problem:
        advice.append(problem)
    off = workspace.is_dbfs_disabled()
    facts["dbfs"] = "disabled in this workspace; a scan leaves it out" if off else "on"
    for source in SOURCES:
        if source == "dbfs" and off:
            continue
        try:
            facts[f"homes in {source}"] = str(len(list_existing(workspace, Folder("", source, "/Users")).folders))
        except WorkspaceError as error:
            facts[f"homes in {source}"] = "not readable"
            advice.append(f"{error} Ask an administrator for permission to read it.")
    try:
        facts["users"] = str(sum(1 for _ in workspace.scim_resources("Users", "userName")))
    except WorkspaceError as error:
        facts["users"] = "not readable"
        advice.append(f"{error} List the users in a file: scan --users-file.")
    if cluster_id:
        of_cluster, more = _cluster_facts(client, cluster_id)
        facts |= of_cluster
        advice += more
    if as_json:
        cli.print_json({"facts": facts, "advice": advice})
    else:
        for fact, value in facts.items():
            click.echo(escaped(f"{fact:20} {value}"))
        for sentence in advice:
            click.echo(escaped(f"! {sentence}"))
    sys.exit(exit_status.PARTLY_FAILED if advice else exit_status.DONE)


def _expected_workspace(identity: WorkspaceIdentity) -> tuple[str, str]:
    """Return which workspace a restore may change, and how this workspace differs; empty if it does not."""
    expected = options.expectation()
    if not expected.is_set:
        return f"not set; a restore accepts any ({EXPECTED_ID}={identity.workspace_id} would restrict it)", ""
    problem = mismatch(identity, expected)
    return "another" if problem else "as expected", problem


def pyspark_version() -> str:
    """Return the version of the installed Spark client, or an empty string."""
    try:
        return version("pyspark")
    except PackageNotFoundError:
        return ""


def _cluster_facts(client: "Client", cluster_id: str) -> tuple[dict[str, str], list[str]]:
    """Return the properties of a cluster, and the reasons why a scan cannot use it."""
    try:
        cluster = clusters.get_cluster(client, cluster_id)
    except errors.SparkError as error:
        return {"cluster": "not readable"}, [str(error)]
    facts = {
        "cluster": f"{escaped(cluster.name)}, {cluster.state}",
        "cluster runtime": f"{cluster.runtime}, access mode {cluster.access_mode or 'unknown'}",
        "cluster python": cluster.python or "unknown for this runtime",
        "cluster spark": cluster.spark or "unknown for this runtime",
    }
    advice = [
        _capitalize(problem)
        for problem in clusters.compatibility_problems(cluster, f"{sys.version_info[0]}.{sys.version_info[1]}")
    ]
    if cluster.state not in (*clusters.RUNNING_STATES, *clusters.STARTING_STATES):
        advice.append(f"Cluster {cluster_id} is stopped ({cluster.state}): scan --start-cluster starts it.")
    installed = pyspark_version()
    if not installed:
        advice.append(_capitalize(errors.missing_client("pyspark")))
    elif not installed.startswith(f"{errors.CLIENT_VERSION}."):
        advice.append(
            f"The installed Spark client is pyspark {installed}; this program needs"
            f" {errors.CLIENT_VERSION}: pip install 'pyspark[connect]=={errors.CLIENT_VERSION}.*'."
        )
    return facts, advice


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]
