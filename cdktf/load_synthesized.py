"""Makes what a synthesized stack describes in a workspace, through the SDK, where Terraform has no providers.

For rehearsals only: it makes accounts, groups, clusters, libraries, their permissions and the course file once and in
an empty workspace. It changes nothing that exists, keeps no state and removes nothing; all that is Terraform's.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

# Started by path: the project's root is added, so that labkit can be imported.
sys.path.append(str(Path(__file__).resolve().parent.parent))

import click
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.compute import Library
from databricks.sdk.service.iam import AccessControlRequest, Patch, PatchOp, PatchSchema
from databricks.sdk.service.workspace import ImportFormat

from labkit import exit_status
from labkit.expected_workspace import mismatch
from labkit.extras import cli, dotenv
from labkit.text import first_line
from labkit.workspace_access import enter
from labkit.workspace_choice import ChoiceError
from preflight.facts import connect, identify
from preflight.identity import GuardError, target_expectation
from preflight.target_access import flags_of
from stopping.new_clusters import await_termination

_AT_ONCE = 16
_REFERENCE = re.compile(r'\$\{((?:data\.)?\w+\.[\w-]+(?:\["[^"]+"\])?)\.(\w+)\}')
# Nobody has used up a limit in a lab that is only now made.
_UNRESTRICTED = re.compile(r'\$\{contains\(keys\(data\.external\.restricted\.result\), "[^"]*"\) \? "\w+" : "(\w+)"\}')
_ENTITLEMENTS = {
    "workspace_access": "workspace-access",
    "databricks_sql_access": "databricks-sql-access",
    "allow_cluster_create": "allow-cluster-create",
    "allow_instance_pool_create": "allow-instance-pool-create",
}
# What stands in a cluster's block for Terraform and not for the workspace.
_NOT_OF_A_CLUSTER = ("//", "depends_on", "library", "is_pinned", "lifecycle")

Item = TypeVar("Item")
Made = TypeVar("Made")


class LoadError(Exception):
    """The workspace refused, or the file is not a synthesized stack; the text is for the person who started it."""


@dataclass(frozen=True)
class Loaded:
    """How many of each were made."""

    users: int
    groups: int
    memberships: int
    clusters: int
    permissions: int
    files: int


@dataclass(frozen=True)
class Instance:
    """One resource as Terraform would make it: `databricks_user.student["dana@…"]` and its arguments."""

    address: str
    arguments: Mapping[str, Any]


class Loader:
    """Makes the resources of one stack, in the order in which they refer to each other."""

    def __init__(self, client: WorkspaceClient, stack: Mapping[str, Any]) -> None:
        self._client = client
        self._stack = stack
        self._known: dict[str, dict[str, str]] = {}

    def load(self) -> Loaded:
        """Make everything and stop the clusters. Raise `DatabricksError` for the first thing refused."""
        self._each(self._instances("data", "databricks_user"), self._find_user)
        users = self._each(self._instances("resource", "databricks_user"), self._make_user)
        groups = self._each(self._instances("resource", "databricks_group"), self._make_group)
        self._each(self._instances("resource", "databricks_entitlements"), self._entitle)
        memberships = self._join(self._instances("resource", "databricks_group_member"))
        clusters = self._each(self._instances("resource", "databricks_cluster"), self._make_cluster)
        permissions = self._each(
            [p for p in self._instances("resource", "databricks_permissions") if "cluster_id" in p.arguments],
            self._permit,
        )
        self._each(
            self._instances("resource", "databricks_directory"),
            lambda folder: self._client.workspace.mkdirs(folder.arguments["path"]),
        )
        files = self._each(self._instances("resource", "databricks_workspace_file"), self._write)
        self._each(clusters, self._client.clusters.delete)
        await_termination(self._client.api_client, clusters)
        return Loaded(len(users), len(groups), memberships, len(clusters), len(permissions), len(files))

    def _each(self, items: Iterable[Item], make: Callable[[Item], Made]) -> list[Made]:
        with ThreadPoolExecutor(_AT_ONCE) as makers:
            return list(makers.map(make, items))

    def _instances(self, section: str, kind: str) -> list[Instance]:
        """All instances of a kind, `for_each` unfolded and references to what was made before filled in."""
        found = []
        prefix = "data." if section == "data" else ""
        for name, arguments in self._stack.get(section, {}).get(kind, {}).items():
            keys = arguments.get("for_each")
            if keys is None:
                found.append(Instance(f"{prefix}{kind}.{name}", self._filled(arguments, {})))
                continue
            for key, value in keys.items():
                each = {"key": key, "value": self._filled(value, {})}
                rest = {argument: given for argument, given in arguments.items() if argument != "for_each"}
                found.append(Instance(f'{prefix}{kind}.{name}["{_plain(key)}"]', self._filled(rest, each)))
        return found

    def _filled(self, value: Any, each: Mapping[str, Any]) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(inner, each) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner, each) for inner in value]
        if not isinstance(value, str):
            return value
        if value == "${each.key}":
            return _plain(each["key"])
        if value.startswith("${each.value"):
            inner = each["value"]
            return inner if value == "${each.value}" else inner[value.removeprefix("${each.value.").removesuffix("}")]
        if reference := _REFERENCE.fullmatch(value):
            return self._known.get(reference[1], {}).get(reference[2], value)
        if unrestricted := _UNRESTRICTED.fullmatch(value):
            return unrestricted[1]
        return _plain(value)

    def _find_user(self, user: Instance) -> None:
        name = user.arguments["user_name"]
        found = next(iter(self._client.users.list(filter=f'userName eq "{name}"', attributes="id")), None)
        if found is None or found.id is None:
            raise LoadError(f"The workspace has no account {name}; the roster says that it exists there.")
        self._known[user.address] = {"id": found.id}

    def _make_user(self, user: Instance) -> None:
        made = self._client.users.create(user_name=user.arguments["user_name"])
        self._known[user.address] = {"id": str(made.id)}

    def _make_group(self, group: Instance) -> None:
        name = group.arguments["display_name"]
        made = self._client.groups.create(display_name=name)
        self._known[group.address] = {"id": str(made.id), "display_name": name}

    def _entitle(self, entitlements: Instance) -> None:
        given = [{"value": name} for key, name in _ENTITLEMENTS.items() if entitlements.arguments.get(key)]
        if given:
            self._patch(entitlements.arguments["group_id"], Patch(PatchOp.REPLACE, "entitlements", given))

    def _join(self, memberships: Iterable[Instance]) -> int:
        members: dict[str, list[str]] = {}
        for membership in memberships:
            members.setdefault(membership.arguments["group_id"], []).append(membership.arguments["member_id"])
        self._each(
            members.items(),
            lambda item: self._patch(item[0], Patch(PatchOp.ADD, "members", [{"value": member} for member in item[1]])),
        )
        return sum(map(len, members.values()))

    def _patch(self, group_id: str, operation: Patch) -> None:
        schemas = [PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP]
        self._client.groups.patch(group_id, operations=[operation], schemas=schemas)

    def _make_cluster(self, cluster: Instance) -> str:
        arguments = cluster.arguments
        body = {key: value for key, value in arguments.items() if key not in _NOT_OF_A_CLUSTER}
        answer = self._client.api_client.do("POST", "/api/2.1/clusters/create", body=body)
        cluster_id = str(answer["cluster_id"]) if isinstance(answer, dict) else ""
        self._known[cluster.address] = {"id": cluster_id}
        if arguments.get("is_pinned"):
            self._client.clusters.pin(cluster_id)
        if libraries := arguments.get("library"):
            self._client.libraries.install(cluster_id, [Library.from_dict(library) for library in libraries])
        return cluster_id

    def _permit(self, permissions: Instance) -> None:
        entries = [AccessControlRequest.from_dict(entry) for entry in permissions.arguments["access_control"]]
        self._client.permissions.set("clusters", permissions.arguments["cluster_id"], access_control_list=entries)

    def _write(self, file: Instance) -> None:
        arguments = file.arguments
        self._client.workspace.import_(arguments["path"], content=arguments["content_base64"], format=ImportFormat.RAW)


def load(client: WorkspaceClient, stack: Mapping[str, Any]) -> Loaded:
    """Make what a synthesized stack describes, but for the rights to its folders; its clusters are stopped at the end.

    Raise `LoadError` where the workspace lacks an account that should exist, `DatabricksError` where it refuses.
    """
    return Loader(client, stack).load()


def _plain(text: str) -> str:
    """A text without Terraform's escapes."""
    return text.replace("$${", "${").replace("%%{", "%{")


@click.command(
    help=__doc__,
    epilog="Example: python cdktf/load_synthesized.py cdktf.out/stacks/94290-2026w-rehearsal/cdk.tf.json",
)
@click.argument("stack", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@cli.as_json
@cli.version
def main(stack: Path, as_json: bool) -> None:
    """Load one stack into the workspace of the environment."""
    try:
        synthesized = json.loads(stack.read_text(encoding="utf-8"))
        query = synthesized["data"]["external"]["workspace"]["query"]
        wanted = target_expectation(query["target"], query["expected_host"], query["expected_workspace_id"])
        flags = flags_of(query["target"], host=query["host"], profile=query["profile"])
    except (ValueError, KeyError) as error:
        raise click.UsageError(f"{stack}: is not a synthesized stack ({error}).") from error
    try:
        client = connect(enter(os.environ, flags, dotenv.load(os.environ)))
        if problem := mismatch(identify(client), wanted):
            raise GuardError(problem)
        loaded = load(client, synthesized)
    except (LoadError, GuardError, ChoiceError, dotenv.DotenvError) as error:
        cli.fail(str(error))
    except (DatabricksError, OSError) as error:
        print(f"The workspace refused: {first_line(error)}.", file=sys.stderr)
        sys.exit(exit_status.PARTLY_FAILED)
    if as_json:
        print(json.dumps(loaded.__dict__))
        return
    print(
        f"Made {loaded.users} accounts, {loaded.groups} groups with {loaded.memberships} memberships, "
        f"{loaded.clusters} clusters with their {loaded.permissions} lists of permissions, and the course file."
    )


if __name__ == "__main__":
    main()
